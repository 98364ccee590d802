"""Apple's App Store: the public feed of customer reviews of an app in one country, as JSON.

Source: `itunes.apple.com/{country}/rss/customerreviews/…/json`, at most ten pages of fifty reviews, newest first.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sojourn_collector.feeds_config import FeedSettings
from sojourn_collector.sources.body import BodyRefused, json_of
from sojourn_collector.sources.feed import LONGEST_KEPT, Ask, Entry, Feed, FeedError, Page, cut
from sojourn_collector.sources.reading import at, moment, text_at

USUAL = "https://itunes.apple.com"
_PAGES = 10


def _page(settings: FeedSettings, number: int) -> str:
    return f"{(settings.url or USUAL).rstrip('/')}/{settings.country}/rss/customerreviews/page={number}/id={settings.app}/sortby=mostrecent/json"


def asks(settings: FeedSettings) -> Sequence[Ask]:
    """The first page."""
    return [Ask(_page(settings, 1))]


def read(body: bytes, url: str, settings: FeedSettings) -> Page:
    """Reviews of a page. Raises FeedError."""
    try:
        feed = at(json_of(body), "feed")
    except BodyRefused as error:
        raise FeedError(f"it is no feed of reviews: {str(error).rstrip('.')}") from error
    if not isinstance(feed, dict):
        raise FeedError("it is no feed of reviews: there is no feed in it")
    listed = feed.get("entry", [])
    # A single review comes as an object, and the app itself may stand before the reviews, without stars.
    found = [entry for one in (listed if isinstance(listed, list) else [listed]) if isinstance(one, dict) and (entry := _entry(one)) is not None]
    number = next((number for number in range(1, _PAGES) if url == _page(settings, number)), 0)
    return Page(found, _page(settings, number + 1) if found and number else "")


def _entry(review: Mapping[str, Any]) -> Entry | None:
    ident, stars = _label(review, "id"), _label(review, "im:rating")
    if not ident or not stars:
        return None
    kept = {name: cut(text, LONGEST_KEPT) for name in ("updated", "im:rating", "im:version", "title", "content") if (text := _label(review, name))}
    return Entry(ident, _label(review, "author", "uri") or _label(review, "author", "name"), kept)


def _label(review: Mapping[str, Any], *path: str) -> str:
    return text_at(review, *path, "label")


def said(entry: Mapping[str, Any], settings: FeedSettings) -> Mapping[str, Any]:
    """A review as a mention."""
    stars = text_at(entry, "im:rating")
    return {
        "at": moment(entry.get("updated")),
        "text": text_at(entry, "content"),
        "title": text_at(entry, "title"),
        "rating": int(stars) if stars in ("1", "2", "3", "4", "5") else None,
        "url": f"https://apps.apple.com/{settings.country}/app/id{settings.app}?see-all=reviews" if settings.app else "",
    }


FEED = Feed("app_store", "app_store", asks, read, said, scale=(1, 5))
