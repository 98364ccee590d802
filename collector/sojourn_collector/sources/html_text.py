"""HTML of strangers as plain text: what is read, with line ends where blocks end; scripts, styles and markup are left out.

Posts are often cut or badly written. What is not read ends, at the latest, where a browser would show text again; what is never closed hides nothing. A script
or style that is never closed ends at the first tag of a block that stands in no text or comment of its own: its code is not shown either way. Own reading and
not `html.parser`, which takes minutes for some bodies of 60 KB and reads unclosed elements differently from one Python to the next.
"""

import re
from collections.abc import Iterable, Iterator
from html import unescape
from typing import Final, Literal

LONGEST: Final = 64 << 10
"""Characters of HTML that are read."""
_BLOCKS = frozenset(
    "p div br li tr h1 h2 h3 h4 h5 h6 blockquote pre section article header footer table ul ol dl dt dd hr figure figcaption".split()  # noqa: SIM905
)
_LEFT_BY_BLOCKS = frozenset(["svg", "math", "iframe", "head", "title"])
_UNREAD = _LEFT_BY_BLOCKS | {"template", "noscript", "object"}

# Possessive and bounded, so that no body is read more than a thousand times; a quoted value of any length counts as one.
_TAG = re.compile(r"""<(?P<end>/?)(?P<tag>[a-z][^\s/>]{0,100}+)(?:(?>=\s{0,20}(?:"[^"]*"|'[^']*')|[^>]){0,1000}+)>""", re.IGNORECASE)
_ODD = re.compile(r"<[!?/][^>]{0,2000}+>")
_CODE_END = {tag: re.compile(rf"</{tag}(?=[\s/>])[^>]{{0,2000}}+>?", re.IGNORECASE) for tag in ("script", "style")}
_AFTER_CODE = re.compile(
    # What is not closed goes on to the end, so that nothing is read twice.
    r"""(?:"(?:[^"\\\n]|\\.)*"?|'(?:[^'\\\n]|\\.)*'?|`(?:[^`\\]|\\.)*`?|/\*(?:.*?\*/|.*)|//[^\n]*|"""
    rf"(?P<block></?(?:{'|'.join(sorted(_BLOCKS))})(?=[\s/>])))",
    re.IGNORECASE | re.DOTALL,
)

_Seen = tuple[Literal["text", "start", "end"], str]


def text_of(html: str) -> str:
    """The text, blanks and empty lines drawn together."""
    if "<" not in html and "&" not in html:
        return "\n".join(line for line in (" ".join(one.split()) for one in html.split("\n")) if line)
    lines = (" ".join(line.split()) for line in "".join(_readable(list(_seen(html[:LONGEST])))).split("\n"))
    return "\n".join(line for line in lines if line)


def _seen(html: str) -> Iterator[_Seen]:
    """Texts and tags in their order, without comments and code."""
    at, last, closed = 0, html.rfind(">"), {"-->", *_CODE_END}
    while (here := html.find("<", at)) >= 0:
        yield "text", html[at:here]
        at = here + 1
        if html.startswith("<!--", here):
            end = html.find("-->", here + 4) if "-->" in closed else -1
            at = end + 3 if end >= 0 else here + 4
            closed -= {"-->"} if end < 0 else set()
        elif here < last and (found := _TAG.match(html, here)):
            at, tag = found.end(), found["tag"].lower()
            if found["end"]:
                yield "end", tag
            elif tag in _CODE_END:
                code = _CODE_END[tag].search(html, at) if tag in closed else None
                closed -= {tag} if code is None else set()
                at = code.end() if code else next((after.start() for after in _AFTER_CODE.finditer(html, at) if after["block"]), len(html))
            elif tag in _BLOCKS or not found[0].endswith("/>"):
                yield "start", tag
        elif here < last and (found := _ODD.match(html, here)):
            at = found.end()
        else:
            yield "text", "<"
    yield "text", html[at:]


def _readable(seen: Iterable[_Seen]) -> Iterator[str]:
    ends = {what: number for number, (kind, what) in enumerate(seen) if kind == "end"}
    unread: list[str] = []
    for number, (kind, what) in enumerate(seen):
        if kind == "text":
            if not unread:
                yield unescape(what)
        elif what in _BLOCKS:
            unread = [tag for tag in unread if tag not in _LEFT_BY_BLOCKS]
            yield "\n"
        elif kind == "start" and what in _UNREAD and what not in unread and ends.get(what, -1) > number:
            unread.append(what)
        elif kind == "end" and what in unread:
            del unread[unread.index(what) :]
