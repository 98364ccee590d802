"""Which media evidence may be: decided by the name's ending, proven by the content. What a sender says of the type counts for nothing."""

from collections.abc import Callable
from dataclasses import dataclass


def _is_text(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _begins(*words: bytes) -> Callable[[bytes], bool]:
    return lambda content: content.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(words) and _is_text(content)


@dataclass(frozen=True, slots=True)
class Medium:
    """A kind of file. `fits` looks at the content; `inline` says that a browser may show it rather than save it."""

    media_type: str
    fits: Callable[[bytes], bool]
    inline: bool = False
    served_as: str = ""
    """The media type it is given out as, where that differs: what could be active is given out as text."""


MEDIA: dict[str, Medium] = {
    "png": Medium("image/png", lambda content: content.startswith(b"\x89PNG\r\n\x1a\n"), inline=True),
    "jpg": Medium("image/jpeg", lambda content: content.startswith(b"\xff\xd8\xff"), inline=True),
    "jpeg": Medium("image/jpeg", lambda content: content.startswith(b"\xff\xd8\xff"), inline=True),
    "webp": Medium("image/webp", lambda content: content[:4] == b"RIFF" and content[8:12] == b"WEBP", inline=True),
    "txt": Medium("text/plain", _is_text, inline=True),
    "har": Medium("application/json", _begins(b"{"), served_as="application/octet-stream"),
    "json": Medium("application/json", _begins(b"{", b"["), served_as="application/octet-stream"),
    "html": Medium("text/html", _begins(b"<"), served_as="text/plain"),
    "zip": Medium("application/zip", lambda content: content.startswith(b"PK\x03\x04"), served_as="application/octet-stream"),
}
"""By the ending of the name."""


def medium_of(name: str) -> Medium | None:
    """The medium of a file of this name; None for one that is not taken."""
    return MEDIA.get(name.rpartition(".")[2].lower()) if "." in name else None
