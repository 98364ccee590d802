"""Posts that are cut or badly written keep what people can read, never code, and no body takes long."""

import pytest

from sojourn_collector.sources.html_text import LONGEST, text_of


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("a <svg><path d='M0'/> b", "a b"),
        ("a <svg><title>icon</title><path/></svg> b", "a b"),
        ("<svg> A <p>B</p> <svg></svg> C", "B\nC"),
        ("<title>x <b>y</b> z", "x y z"),
        ("<title>x</title>y", "y"),
        ("<head><title>x<p>y</p>z</head>", "y\nz"),
        ("<iframe src=x> hello <p>more", "hello\nmore"),
        ("a<iframe>x</iframe>b", "ab"),
        ("<object><p>x</p></object>y", "y"),
        ("<object><p>x</p>y", "x\ny"),
        ("<noscript>x <template>y", "x y"),
        ("<textarea>x</textarea><noembed>y<xmp>z<plaintext>!", "xyz!"),
        ("a <!-- b --> c", "a c"),
        ("a <!-- b <p>c", "a b\nc"),
        ("<!doctype html><?xml x?>y", "y"),
        ("I <3 you & a < b > c <b>x", "I <3 you & a < b > c x"),
        ("<p don't>x</p> isn't", "x\nisn't"),
        ("<a href=\"a>b\" title='<script>'>c</a> d", "c d"),
        ("x <p", "x <p"),
    ],
)
def test_what_is_never_closed_hides_nothing(html: str, text: str) -> None:
    """An element that is left out ends at its end tag, at a block where a browser ends it, or not having an end at once."""
    assert text_of(html) == text


@pytest.mark.parametrize(
    "html",
    [
        "a<script>steal()<p>b",
        "a<SCRIPT\nsrc=x>steal('<p>steal</p>'); // <p>steal\n<div>b",
        'a<script>steal("<p>steal") /* <p>steal */</p>b',
        "a<script>`\n<p>steal`</script><br>b",
        "a<script/>steal()<p>b",
        "a<style>.steal{}<p>b",
        "a<style>.steal{}</script></style ><br>b",
        "a<svg><script>steal()<p>b",
        "a<script>steal()</script x><p>b",
        "a<img src=x onerror='steal()'><p>b",
        "a<!-- <script>steal()</script> --><p>b",
    ],
)
def test_code_is_never_shown(html: str) -> None:
    """A script or style that is not closed ends at the first block outside its own texts and comments; what follows is kept."""
    assert text_of(html) == "a\nb"


def test_code_that_never_ends_and_has_no_block_after_it_is_left_out() -> None:
    """Where nobody can tell code from text, none of it is shown."""
    assert text_of("a<script>document.write('<p>x') // <p>y") == "a"


@pytest.mark.parametrize(
    "piece",
    ["<a ", '<a ="', "<a '", "<!--", "<!", "</", "<", "<script>", "<script><p>", "<style>", "<svg>", "<p><svg>", "<template><p>", "</script", "&#", "<a =   "],
)
@pytest.mark.parametrize("end", ["", ">", '="x>"', "</svg></template>", "-->"])
def test_no_body_takes_long(piece: str, end: str) -> None:
    """The largest body of any such piece is read well within a test's time; html.parser may take minutes for one."""
    assert isinstance(text_of(piece * ((LONGEST - len(end)) // len(piece)) + end), str)
