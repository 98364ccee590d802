"""Google Play: reviews of an app of yours, by the Android Publisher API with a service account. It tells of the last week only.

Source: developers.google.com/android-publisher, `reviews.list`, resource `Review`.
"""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

from sojourn_collector.feeds_config import FeedSettings
from sojourn_collector.sources.body import BodyRefused, json_of
from sojourn_collector.sources.feed import LONGEST_KEPT, Ask, Entry, Feed, FeedError, Page, cut
from sojourn_collector.sources.reading import moment, number_at, objects_at, text_at

USUAL = "https://androidpublisher.googleapis.com"


def _first(settings: FeedSettings) -> str:
    return f"{(settings.url or USUAL).rstrip('/')}/androidpublisher/v3/applications/{quote(settings.app, safe='')}/reviews?maxResults=100"


def asks(settings: FeedSettings) -> Sequence[Ask]:
    """The first page."""
    return [Ask(_first(settings))]


def read(body: bytes, url: str, settings: FeedSettings) -> Page:
    """Reviews of a page. Raises FeedError."""
    try:
        told = json_of(body)
    except BodyRefused as error:
        raise FeedError(f"it is no answer of the Android Publisher API: {str(error).rstrip('.')}") from error
    if not isinstance(told, dict):
        raise FeedError("it is no answer of the Android Publisher API: it is no object")
    following = text_at(told, "tokenPagination", "nextPageToken")
    found = [entry for one in objects_at(told, "reviews") if (entry := _entry(one)) is not None]
    return Page(found, f"{_first(settings)}&token={quote(following, safe='')}" if following else "")


def _entry(review: Mapping[str, Any]) -> Entry | None:
    comment = next((one["userComment"] for one in objects_at(review, "comments") if isinstance(one.get("userComment"), dict)), None)
    ident = text_at(review, "reviewId")
    if not ident or comment is None:
        return None
    kept: dict[str, Any] = {name: cut(text, LONGEST_KEPT) for name in ("text", "reviewerLanguage", "appVersionName") if (text := text_at(comment, name))}
    kept |= {"starRating": number_at(comment, "starRating"), "modified": text_at(comment, "lastModified", "seconds")}
    return Entry(ident, text_at(review, "authorName"), kept)


def said(entry: Mapping[str, Any], settings: FeedSettings) -> Mapping[str, Any]:
    """A review as a mention. Where it has a heading, a tab stands between it and the rest."""
    title, tab, text = text_at(entry, "text").partition("\t")
    stars = number_at(entry, "starRating")
    return {
        "at": moment(text_at(entry, "modified")),
        "title": title.strip() if tab else "",
        "text": text.strip() if tab else title.strip(),
        "rating": int(stars) if stars is not None and 1 <= stars <= 5 else None,
        "language": text_at(entry, "reviewerLanguage"),
    }


FEED = Feed("google_play", "google_play", asks, read, said, scale=(1, 5))
