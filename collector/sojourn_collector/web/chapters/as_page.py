"""A chapter as one page by itself: no script, no address it needs."""

from datetime import datetime
from typing import Any, Final

from markupsafe import Markup

from sojourn_collector.config import ImpactConfig
from sojourn_collector.web.chapters.told import Figure, Told, cell_said, sentence
from sojourn_collector.web.frozen import STYLE
from sojourn_collector.web.render import Pages


def _is_figure(cell: object) -> bool:
    return isinstance(cell, Figure)


WRITING: Final[dict[str, Any]] = {"cell_said": cell_said, "is_figure": _is_figure, "sentence": sentence}
"""What `chapter_parts.html` writes with."""


def as_page(told: Told, impact: ImpactConfig, now: datetime) -> str:
    """The page as text, for a file; `now` is for a chapter that does not say as of when it is."""
    pages = Pages(impact, lambda: now)
    answer = pages.page("chapter.html", as_of=told.as_of, told=told, style=Markup(STYLE), **WRITING)  # noqa: S704 - our own files
    return bytes(answer.body).decode()
