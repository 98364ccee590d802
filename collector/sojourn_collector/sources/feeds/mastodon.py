"""Mastodon and servers that speak its API: posts with a hashtag, posts found by words, public posts that mention an account.

Of posts only those are taken that anybody can read. Sources: docs.joinmastodon.org, methods `timelines/tag`, `search`, `notifications`, entity `Status`.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from sojourn_collector.feeds_config import FeedSettings
from sojourn_collector.sources.body import BodyRefused, json_of
from sojourn_collector.sources.feed import LONGEST_KEPT, Ask, Entry, Feed, FeedError, Page, cut
from sojourn_collector.sources.html_text import text_of
from sojourn_collector.sources.reading import at, moment, objects_at, text_at

_AT_ONCE: Final = 40
_PUBLIC = frozenset(("public", "unlisted"))


def asks(settings: FeedSettings) -> Sequence[Ask]:
    """What is asked for, one address each."""
    base = settings.url.rstrip("/")
    found = []
    if settings.hashtag:
        found.append(Ask(f"{base}/api/v1/timelines/tag/{quote(settings.hashtag, safe='')}?limit={_AT_ONCE}"))
    if settings.search:
        found.append(Ask(f"{base}/api/v2/search?type=statuses&limit={_AT_ONCE}&q={quote(settings.search, safe='')}"))
    if settings.mentions:
        found.append(Ask(f"{base}/api/v1/notifications?types[]=mention&limit={_AT_ONCE}"))
    return found


def read(body: bytes, url: str, settings: FeedSettings) -> Page:
    """Posts of a timeline, of a search, or of notifications. Raises FeedError."""
    try:
        told = json_of(body)
    except BodyRefused as error:
        raise FeedError(f"it is no answer of Mastodon's API: {str(error).rstrip('.')}") from error
    listed = told if isinstance(told, list) else at(told, "statuses")
    if not isinstance(listed, list):
        raise FeedError("it is no answer of Mastodon's API: there is no list of posts in it")
    posts = [one.get("status", one) for one in listed if isinstance(one, dict)]
    return Page([entry for post in posts if isinstance(post, dict) and (entry := _entry(post, settings)) is not None])


def _entry(post: Mapping[str, Any], settings: FeedSettings) -> Entry | None:
    """What is kept of a post; None for what not everybody may read, and for a post that only passes another one on."""
    ident = text_at(post, "id")
    if not ident or text_at(post, "visibility") not in _PUBLIC or post.get("reblog"):
        return None
    kept = {key: post[key] for key in ("created_at", "edited_at", "language", "visibility") if isinstance(post.get(key), str)}
    kept |= {key: cut(text_at(post, key), LONGEST_KEPT) for key in ("content", "spoiler_text") if post.get(key)}
    # The post's own address names its author; this one leads to the same post.
    kept["url"] = f"{settings.url.rstrip('/')}/statuses/{quote(ident, safe='')}"
    kept["tags"] = [name for one in objects_at(post, "tags")[:50] if (name := text_at(one, "name"))]
    return Entry(ident, _author(post, settings), kept)


def _author(post: Mapping[str, Any], settings: FeedSettings) -> str:
    """`name@server`; of accounts of the same server Mastodon leaves the server out."""
    name = text_at(post, "account", "acct")
    return name if "@" in name or not name else f"{name}@{settings.url.partition('://')[2].partition('/')[0]}"


def said(entry: Mapping[str, Any], settings: FeedSettings) -> Mapping[str, Any]:
    """A post as a mention; a warning before it is its heading."""
    return {
        "at": moment(entry.get("created_at")),
        "text": text_of(text_at(entry, "content")),
        "title": text_of(text_at(entry, "spoiler_text")),
        "url": text_at(entry, "url"),
        "language": text_at(entry, "language"),
    }


FEED = Feed("mastodon", "mastodon", asks, read, said)
