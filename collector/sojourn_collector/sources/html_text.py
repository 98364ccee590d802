"""HTML of strangers as plain text: what is read, with line ends where blocks end; scripts, styles and markup are left out."""

from html.parser import HTMLParser
from typing import Final

LONGEST: Final = 64 << 10
"""Characters of HTML that are read."""
_BLOCKS = frozenset(
    "p div br li tr h1 h2 h3 h4 h5 h6 blockquote pre section article header footer table ul ol dl dt dd hr figure figcaption".split()  # noqa: SIM905
)
_UNREAD = frozenset(["script", "style", "template", "noscript", "svg", "math", "iframe", "object", "head", "title"])


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._unread: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNREAD:
            self._unread.append(tag)
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag in self._unread:
            del self._unread[self._unread.index(tag) :]
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._unread:
            self.parts.append(data)


def text_of(html: str) -> str:
    """The text, blanks and empty lines drawn together."""
    if "<" not in html and "&" not in html:
        return "\n".join(line for line in (" ".join(one.split()) for one in html.split("\n")) if line)
    reader = _Reader()
    reader.feed(html[:LONGEST])
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)
