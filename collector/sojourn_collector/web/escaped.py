"""Strangers' texts in files: what they may not become there."""

from sojourn_collector.web.format import plain

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula."""


def cell(value: object) -> object:
    """A cell that is only a text: what begins like a formula gets a quote before it."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = plain(value, 500).replace("\n", " ")
        return f"'{text}" if text.lstrip().startswith(_FORMULA) else text
    return round(value, 4) if isinstance(value, float) else value


def inline(text: str, longest: int = 200) -> str:
    """A stranger's text that cannot become markup: one line, with Markdown's own characters escaped."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+!|~" else letter for letter in plain(text, longest).replace("\n", " "))
