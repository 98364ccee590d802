"""YAML as the loader takes it: what is a text stays a text, nothing is silently dropped, nothing runs away."""

import pytest

from sojourn_probes.yaml_core import YamlFault, read


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("22:00", "22:00"),
        ("06:00", "06:00"),
        ("NO", "NO"),
        ("yes", "yes"),
        ("off", "off"),
        ("0123", 123),
        ("0o17", 15),
        ("0x1f", 31),
        ("1_000", "1_000"),
        ("2026-01-01", "2026-01-01"),
        ("1e3", 1000.0),
        ("12e03", 12000.0),
        ("-7", -7),
        (".5", 0.5),
        ("~", None),
        ("null", None),
        ("True", True),
        ("false", False),
        ("'22'", "22"),
        ("=", "="),
        ("1.2.3", "1.2.3"),
    ],
)
def test_scalars_follow_the_core_schema(text, value):
    """A scalar is what YAML 1.2's core schema says, not what YAML 1.1 made of it."""
    found = read(f"key: {text}").data["key"]
    assert (found, type(found)) == (value, type(value))


def test_on_is_a_key_like_any_other():
    """The key `on` is text."""
    assert read("on: 1\nno: 2").data == {"on": 1, "no": 2}


def test_places_are_those_of_the_values():
    """Every value knows its line and column, keys theirs."""
    document = read("a: 1\nb:\n  - x\n  - {c: 'y'}\n")
    assert document.values["b", 1, "c"] == (4, 9)
    assert document.keys["b", 1, "c"] == (4, 6)
    assert document.values["b", 0] == (3, 5)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: 1\nb: 2\na: 3", (3, 1), "is there twice, first on line 1; keep one"),
        ("- {url: ${vars.x}/y}", (1, 10), 'inside { } or [ ] a value with ${…} must be in quotes: {url: "${vars.x}/y"}'),
        ("a: b: c", (1, 5), "a second ': ' on this line; put the text that holds it in quotes"),
        ("a:\n\t- b", (2, 1), "is indented with a tab; use spaces"),
        ("page: **", (1, 8), "YAML takes a word that begins with * for an alias that is nowhere set; if text is meant, put it in quotes"),
        ("a: @x", (1, 4), "'@' cannot begin a value; put the text in quotes"),
        ("a: 1\n---\nb: 2", (2, 1), "a second document begins here (---); keep one journey in a file"),
        ("a: !!python/object:os.system x", (1, 4), "the tag !!python/object:os.system is not taken; remove it, put texts in quotes"),
        ("1: 2", (1, 1), 'the key 1 is not text; put it in quotes: "1"'),
        ("? {a: 1}\n: 2", (1, 3), 'a map or list cannot be a key; if ${…} or {…} is meant as text, put it in quotes: "${…}"'),
        ("a: &x [b]\nc:\n  <<: *x", (1, 4), "<< takes an alias of a map, such as <<: *common, or a list of such"),
        ("a: [status in [200, 204]]", (1, 15), "inside [ ] an expectation with brackets of its own must be in quotes: ['status in [200, 204]']"),
        ("a: [1, 2", (1, 9), "a { or [ is not closed, or a comma is missing"),
        ("a: {url: /find?word=mug}", (1, 15), 'inside { } or [ ] a text that holds ? must be in quotes: {url: "/find?word=mug"}'),
        ("a: ['${vars.x}', /find?b]", (1, 23), 'inside { } or [ ] a text that holds ? must be in quotes: {url: "/find?word=mug"}'),
        ("a: 'x", (1, 4), "a quote that opens here is not closed; inside { } or [ ] put the whole value in quotes"),
        ("a: .nan", (1, 4), '.nan is no number we can use; if text is meant, put it in quotes: ".nan"'),
        ("a: \x01", (1, 4), "holds a character that YAML does not allow; remove it"),
        ("", (1, 1), "is empty; `sojourn init` writes one to begin with"),
    ],
)
def test_what_is_refused_says_place_cause_and_cure(text, place, message):
    """Each mistake people make gets its line, column and cure."""
    with pytest.raises(YamlFault) as caught:
        read(text)
    assert ((caught.value.line, caught.value.col), str(caught.value)) == (place, message)


def test_deep_nesting_is_refused():
    """A hundred thousand brackets neither crash nor hang the loader."""
    with pytest.raises(YamlFault, match="nested more than 32 deep"):
        read("[" * 100_000)


def test_an_anchor_that_holds_itself_is_refused():
    """A loop of anchors ends."""
    with pytest.raises(YamlFault, match="nested more than 32 deep"):
        read("&a [*a]")


def test_an_anchor_bomb_is_refused():
    """Nine lines that would be a billion values are refused after some thousands."""
    lines = ["a: &a [x,x,x,x,x,x,x,x,x]"] + [f"{b}: &{b} [{','.join([f'*{a}'] * 9)}]" for a, b in zip("abcdefgh", "bcdefghi", strict=True)]
    with pytest.raises(YamlFault, match="has more than 20000 values"):
        read("\n".join(lines))
