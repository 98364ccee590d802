"""A chapter as one page by itself: no script, no address it needs."""

from datetime import datetime

from markupsafe import Markup

from sojourn_collector.config import ImpactConfig
from sojourn_collector.web.chapters.told import Told
from sojourn_collector.web.page_writing import STYLE, WRITING
from sojourn_collector.web.render import Pages


def as_page(told: Told, impact: ImpactConfig, now: datetime) -> str:
    """The page as text, for a file; `now` is for a chapter that does not say as of when it is."""
    pages = Pages(impact, lambda: now)
    answer = pages.page("chapter.html", as_of=told.as_of, told=told, style=Markup(STYLE), **WRITING)  # noqa: S704 - our own files
    return bytes(answer.body).decode()
