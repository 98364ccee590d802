"""The HTTP status in a sender's attribute, which may hold any text."""


def status_of(text: str) -> int | None:
    """The number, None for what is no status."""
    return int(text) if len(text) == 3 and text.isascii() and text.isdigit() else None
