"""A text as patterns look at it: digits, signs and blanks of any script as those of ASCII, each at its own place."""

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

BLANKLESS: Final = (
    "[\u0900-\u0dff\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U0001f000-\U0003ffff]"
)
"""A letter of a script that writes words without blanks, or whose letters Python takes for signs; or a picture."""
BEFORE: Final = "(?<![A-Za-z0-9_])"
AFTER: Final = "(?![A-Za-z0-9_])"
"""Borders of a number. Letters beside it that are not of ASCII are no part of it: Chinese and Thai leave no blank."""
_SIGNS: Final = {
    **dict.fromkeys("\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " "),
    **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212\ufe63\uff0d\u30fc", "-"),
    "\uff0b": "+",
    "\uff08": "(",
    "\uff09": ")",
    "\uff0e": ".",
    "\u3002": ".",
    "\uff61": ".",
    "\uff0f": "/",
    "\uff1a": ":",
    "\uff20": "@",
}
_OTHERS = re.compile(rf"[^\W0-9A-Za-z_]|[{''.join(_SIGNS)}]")


def as_ascii(text: str) -> str:
    """`text` with the same number of characters, in which a number looks like one of ours."""
    return text if text.isascii() else _OTHERS.sub(_plain, text)


def _plain(found: re.Match[str]) -> str:
    char = found[0]
    if char in _SIGNS:
        return _SIGNS[char]
    return str(unicodedata.decimal(char)) if char.isdecimal() else char


def replaced(text: str, found: Iterable[tuple[int, int, str]]) -> str:
    """`text` with pieces replaced; they come in order of their starts; one that begins in another is left."""
    pieces: list[str] = []
    done = 0
    for start, end, instead in found:
        if start < done:
            continue
        pieces += [text[done:start], instead]
        done = end
    return "".join([*pieces, text[done:]]) if done else text
