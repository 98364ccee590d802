"""Text for a terminal or a log: nothing in it can move the cursor, colour what follows, or begin a line of its own."""

import re
from typing import Final

_UNSEEN: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters, what turns the direction of writing, line and paragraph separators, halves of characters."""

_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def one_line(text: str) -> str:
    """`text` with such characters as their escapes: what a server said stays within its line."""
    return _UNSEEN.sub(lambda found: _SHORT.get(found.group(), _escape(ord(found.group()))), text)


def _escape(code: int) -> str:
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
