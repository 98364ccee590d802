"""What a pulled feed is: where it is asked, how an answer is cut into entries, and what each entry says as a mention.

One file a kind in `feeds/`. An entry is kept as it came, but for whoever wrote it: of them a digest stays. What is kept is read again at each replay.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from importlib import import_module
from typing import Any, Final, cast

from pydantic_core import PydanticCustomError

from sojourn_collector.feeds_config import FeedSettings
from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.feedback import LONGEST_COMMENT
from sojourn_collector.sources.mentions import LONGEST_TITLE, web_address
from sojourn_collector.sources.reading import instant_of, text_at
from sojourn_collector.sources.webhook import Change, Event

AUTHOR: Final = "author_digest"
"""Key of a kept event with the author's digest."""
PULLED: Final = "pulled_at"
"""Key of a kept event with when it was first seen, for entries that say no time that can be."""
LONGEST_KEPT: Final = 64 << 10
"""Characters of a text that an entry keeps."""
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)


class FeedError(Exception):
    """An answer is no feed of its kind; the text says why, as a sentence without its end."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One address to ask."""

    url: str
    accept: str = "application/json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its id in the feed, who wrote it, which is not kept, and the rest of it."""

    id: str
    author: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Page:
    """The entries of one answer, and the address of the next page if there is one."""

    entries: Sequence[Entry]
    next: str = ""


@dataclass(frozen=True, slots=True)
class Feed:
    """One kind of feed. `read` raises FeedError; `said` gives the fields of a mention's row, of which `at` may be missing or nonsense.

    `platform` is empty where each feed is a place of its own; its name says which then.
    """

    name: str
    platform: str
    asks: Callable[[FeedSettings], Sequence[Ask]]
    read: Callable[[bytes, str, FeedSettings], Page]
    said: Callable[[Mapping[str, Any], FeedSettings], Mapping[str, Any]]
    scale: tuple[int, int] | None = None
    """Of its ratings, where it has any."""
    headers: Mapping[str, str] = field(default_factory=dict)


@cache
def feed_of(kind: str) -> Feed:
    """The adapter of a kind of the list."""
    return cast("Feed", import_module(f"sojourn_collector.sources.feeds.{kind}").FEED)


def mention_of(name: str, kind: str, event: Event, settings: FeedSettings | None) -> list[Change]:
    """The mention that a kept entry of the feed `name` is. A feed that is no longer configured is read all the same. Raises RowRefused."""
    feed = feed_of(kind)
    known = settings if settings is not None and settings.kind == kind else FeedSettings.model_construct(kind=kind)
    kept = event.body if isinstance(event.body, dict) else {}
    entry = kept.get("entry")
    ident = text_at(kept, "id")
    if not ident or not isinstance(entry, dict):
        raise RowRefused("the entry has no id")
    said = dict(feed.said(entry, known))
    pulled = instant_of(text_at(kept, PULLED)) or _EARLIEST
    at = believed(said.pop("at", ""), pulled)
    fields: dict[str, Any] = {"platform": feed.platform or name, "survey_id": known.survey or name, **about(known), "at": at.isoformat(timespec="milliseconds")}
    if feed.scale is not None and said.get("rating") is not None:
        fields |= {"scale_min": feed.scale[0], "scale_max": feed.scale[1]}
    if digest := text_at(kept, AUTHOR):
        fields[AUTHOR] = digest
    fields |= {key: value for key, value in said.items() if value not in (None, "")}
    fields["url"] = _address(fields.get("url", ""))
    fields["title"] = cut(str(fields.get("title", "")), LONGEST_TITLE)
    fields["text"] = cut(str(fields.get("text", "")), LONGEST_COMMENT)
    return [Change("mentions", ident, at, fields, whole=True, alone=True)]


def believed(text: str, pulled: datetime) -> datetime:
    """The time an entry says, where that can be; else when it was first seen."""
    moment = instant_of(text)
    return moment if moment is not None and _EARLIEST <= moment <= pulled + _AHEAD else pulled


def about(settings: FeedSettings) -> dict[str, str]:
    """Journey and step that the feed is about."""
    return {key: value for key, value in (("journey", settings.journey), ("step", settings.step)) if value}


def _address(url: Any) -> str:
    """An address as rows have it; one that cannot be is left out, the mention stays."""
    try:
        return web_address(url)
    except PydanticCustomError:
        return ""


def cut(text: str, longest: int) -> str:
    """A text no longer than what is kept of one."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
