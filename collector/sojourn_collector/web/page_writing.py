"""What a page by itself carries: its own style, and what its template writes a chapter's figures with."""

from typing import Any, Final

from sojourn_collector.web.chapters.told import Figure, cell_said, sentence
from sojourn_collector.web.render import FOLDER


def _is_figure(cell: object) -> bool:
    return isinstance(cell, Figure)


STYLE: Final = "".join((FOLDER / "static" / name).read_text(encoding="utf-8") for name in ("base.css", "report.css"))
WRITING: Final[dict[str, Any]] = {"cell_said": cell_said, "is_figure": _is_figure, "sentence": sentence}
"""Of `chapter_parts.html`."""
