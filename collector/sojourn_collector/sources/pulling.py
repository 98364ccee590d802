"""Pulling feeds: each is asked when it is due, what is new of it is kept in the inbox without whoever wrote it, and what is wrong is said of it.

One collector of several pulls. An answer is only known as seen (ETag, Last-Modified) when all of it is kept, so that nothing is passed over after a failure.
"""

import asyncio
import hashlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any, Final
from urllib.parse import urlsplit

from sojourn_collector.counters import Counters
from sojourn_collector.feeds_config import FeedSettings
from sojourn_collector.kept_key import KeptKeyError
from sojourn_collector.sources.feed import AUTHOR, PULLED, Ask, Entry, Feed, FeedError, Page, feed_of
from sojourn_collector.sources.fetching import Bounds, FetchError, fetch
from sojourn_collector.sources.mentions import without_author, without_name
from sojourn_collector.sources.scrub_json import scrub_json
from sojourn_collector.sources.service_account import ServiceAccount
from sojourn_collector.sources.webhook import Event
from sojourn_collector.store.control import Arrival, Control
from sojourn_collector.store.control.authors import author_digest, plain
from sojourn_collector.store.control.feeds import FeedState
from sojourn_collector.store.control.webhooks import Arriving, digest

log = logging.getLogger("sojourn.sources")

TENANT: Final = "default"
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=6)
MOST_PAGES: Final = 20
_AT_ONCE: Final = 4
_PORTION: Final = 100
_LOOK_EVERY: Final = 30.0
_LONGEST_VALIDATOR: Final = 1000
_SHORTEST_IN_ID: Final = 3


@dataclass(slots=True)
class _Tally:
    """What came of a pull so far."""

    fresh: int = 0
    validators: dict[str, Mapping[str, str]] = field(default_factory=dict)


class Pulling:
    """Pulls every feed of the configuration. `states` is how each stands, for metrics. `trust` are authorities other than the system's."""

    def __init__(
        self,
        control: Control,
        feeds: Mapping[str, FeedSettings],
        author_key: bytes,
        environ: Mapping[str, str],
        counters: Counters,
        clock: Callable[[], datetime],
        bounds: Bounds | None = None,
    ) -> None:
        self._control = control
        self._feeds = feeds
        self._author_key = author_key
        self._environ = environ
        self._counters = counters
        self._clock = clock
        self._bounds = bounds or Bounds()
        self._accounts = {name: ServiceAccount() for name, one in feeds.items() if one.service_account is not None}
        self._places = asyncio.Semaphore(_AT_ONCE)
        self.states: dict[str, FeedState] = {}

    def check_secrets(self) -> None:
        """Read every token once, so that a missing one is found at the start. Raises KeptKeyError."""
        for name, settings in self._feeds.items():
            self._secret(name, settings)

    async def run(self) -> None:
        """Pull until cancelled. Raises what the control database raises."""
        async with asyncio.TaskGroup() as group:
            for name in self._feeds:
                group.create_task(self._forever(name))

    async def _forever(self, name: str) -> None:
        while True:
            self.states[name] = state = await self._control.feeds.get(name)
            now = self._clock()
            if (left := (self.due(state) or now) - now) > timedelta(0):
                await asyncio.sleep(min(left.total_seconds(), _LOOK_EVERY))
                continue
            async with self._places:
                await self.pull(name)

    def due(self, state: FeedState) -> datetime | None:
        """When a feed is asked next; None for at once. A shorter `every` counts from the last time on."""
        if state.next_at is None or state.pulled_at is None or state.failures:
            return state.next_at
        return min(state.next_at, state.pulled_at + timedelta(seconds=self._feeds[state.source].every))

    async def pull(self, name: str) -> FeedState:
        """Ask a feed now, whenever it is due; how it stands afterwards. Raises what the control database raises."""
        settings, before, now = self._feeds[name], await self._control.feeds.get(name), self._clock()
        tally = _Tally(validators=dict(before.validators))
        state = replace(before, pulled_at=now)
        try:
            await self._ask_all(name, settings, tally, now)
        except (FetchError, FeedError, KeptKeyError) as error:
            failures = before.failures + 1
            after = getattr(error, "after", None)
            pause = min(FIRST_RETRY * 2 ** min(before.failures, 20), LONGEST_RETRY) if after is None else max(timedelta(seconds=after), FIRST_RETRY)
            state = replace(state, failures=failures, error=str(error)[:500], next_at=now + pause)
            log.warning("feed %s: %s", name, error)
            self._counters.add("sojourn_feed_pulls", source=name, outcome="failed")
        else:
            state = replace(state, answered_at=now, failures=0, error="", next_at=now + timedelta(seconds=settings.every))
            self._counters.add("sojourn_feed_pulls", source=name, outcome="answered")
        state = replace(state, items=before.items + tally.fresh, fresh=tally.fresh, validators=tally.validators)
        await self._control.feeds.put(state)
        self.states[name] = state
        return state

    async def _ask_all(self, name: str, settings: FeedSettings, tally: _Tally, now: datetime) -> None:
        feed = feed_of(settings.kind)
        bounds = replace(self._bounds, insecure=settings.insecure, internal=tuple(ip_network(one) for one in settings.internal))
        headers = {**feed.headers, **await self._authorised(name, settings, bounds, now)}
        asks = feed.asks(settings)
        known = {digest(ask.url) for ask in asks}
        tally.validators = {one: validators for one, validators in tally.validators.items() if one in known}
        for ask in asks:
            await self._ask(name, settings, ask, headers, bounds, tally, now)

    async def _ask(self, name: str, settings: FeedSettings, ask: Ask, headers: Mapping[str, str], bounds: Bounds, tally: _Tally, now: datetime) -> None:
        """One address and the pages behind it. Raises FetchError, FeedError."""
        feed, url, validators = feed_of(settings.kind), ask.url, tally.validators.get(digest(ask.url), {})
        first: Mapping[str, str] = {}
        for number in range(MOST_PAGES):
            conditional = _conditional(validators) if number == 0 else {}
            answer = await fetch(url, {"accept": ask.accept, **headers, **conditional}, bounds, now.timestamp())
            if answer.status == 304:
                return
            page = await asyncio.to_thread(_read, feed, answer.body, url, settings)
            fresh = await self._keep(name, settings, page.entries, tally, now)
            if number == 0:
                first = _validators(answer.headers)
            if tally.fresh >= settings.most:
                return
            if not page.next or not fresh:
                break
            url = page.next
            if urlsplit(url)[:2] != urlsplit(ask.url)[:2]:
                raise FeedError("its next page lies on another server")
        tally.validators[digest(ask.url)] = first

    async def _keep(self, name: str, settings: FeedSettings, entries: Sequence[Entry], tally: _Tally, now: datetime) -> int:
        """Keep what is new, at most as much as is wanted; how much that was."""
        feed, before = feed_of(settings.kind), tally.fresh
        start = 0
        while start < len(entries) and tally.fresh < settings.most:
            portion = entries[start : start + min(_PORTION, settings.most - tally.fresh)]
            start += len(portion)
            arriving = await asyncio.to_thread(self._arriving, name, feed, portion, now)
            fresh = await self._control.webhooks.take(arriving)
            tally.fresh += fresh
            self._counters.add("sojourn_feed_entries", fresh, source=name, outcome="fresh")
            self._counters.add("sojourn_feed_entries", len(portion) - fresh, source=name, outcome="seen")
        return tally.fresh - before

    def _arriving(self, name: str, feed: Feed, entries: Sequence[Entry], now: datetime) -> list[Arriving]:
        return [self._one(name, feed, entry, now) for entry in entries]

    def _one(self, name: str, feed: Feed, entry: Entry, now: datetime) -> Arriving:
        """An entry as it is kept: without its author, personal data scrubbed. The same entry unchanged has the same key."""
        bare = scrub_json(nobody(entry.body, entry.author))
        ident = unnamed(entry.id, entry.author)
        kept: dict[str, Any] = {"id": ident, "entry": bare}
        if entry.author:
            kept[AUTHOR] = author_digest(self._author_key, feed.platform or name, entry.author)
        key = f"{digest(ident)[:40]}:{digest(json.dumps(kept, sort_keys=True, default=str))[:40]}"
        kept[PULLED] = now.isoformat(timespec="milliseconds")
        return Arriving(Arrival(TENANT, name, feed.name, key, now, Event(kept).to_json()))

    async def _authorised(self, name: str, settings: FeedSettings, bounds: Bounds, now: datetime) -> dict[str, str]:
        """The header of a feed with a token. Raises KeptKeyError, FetchError."""
        secret = self._secret(name, settings)
        if secret and name in self._accounts:
            secret = await self._accounts[name].token(secret, bounds, now)
        return {"authorization": f"Bearer {secret}"} if secret else {}

    def _secret(self, name: str, settings: FeedSettings) -> str:
        """Raises KeptKeyError."""
        for key, kept in (("token", settings.token), ("service_account", settings.service_account)):
            if kept is not None:
                found = kept.read(f"feeds: {name}: {key}", self._environ)
                if key == "token" and not (found.isascii() and found.isprintable()):
                    raise KeptKeyError(f"feeds: {name}: token holds more than one line of plain text; put the token there and nothing else")
                return found
        return ""


def _read(feed: Feed, body: bytes, url: str, settings: FeedSettings) -> Page:
    """Raises FeedError, also for a shape that the adapter did not think of."""
    host = urlsplit(url).hostname or "it"
    try:
        return feed.read(body, url, settings)
    except FeedError as error:
        raise FeedError(f"what {host} answers cannot be taken: {error}") from error
    except (TypeError, KeyError, IndexError, AttributeError, ArithmeticError, ValueError, RecursionError) as error:
        log.exception("an answer of %s has a shape that is not known", host)
        raise FeedError(f"what {host} answers cannot be taken: it has a shape that is not known ({type(error).__name__})") from error


def nobody(body: Mapping[str, Any], author: str) -> dict[str, Any]:
    """An entry without its author's name: out of addresses, and where they are addressed in texts."""
    if not author:
        return dict(body)
    return {
        name: value if not isinstance(value, str) else without_name(value, author) if name == "url" else without_author(value, author)
        for name, value in body.items()
    }


def unnamed(ident: str, author: str) -> str:
    """The id of an entry; one with its author's name in it is kept as a digest."""
    name = plain(author).partition("@")[0]
    if len(name) >= _SHORTEST_IN_ID and name in ident.casefold():
        return "id-" + hashlib.sha256(ident.encode("utf-8", "replace")).hexdigest()[:40]
    return ident


def _validators(headers: Mapping[str, str]) -> dict[str, str]:
    found = {"etag": headers.get("etag", ""), "modified": headers.get("last-modified", "")}
    return {name: value for name, value in found.items() if value and len(value) <= _LONGEST_VALIDATOR and value.isprintable() and value.isascii()}


def _conditional(validators: Mapping[str, str]) -> dict[str, str]:
    names = {"etag": "if-none-match", "modified": "if-modified-since"}
    return {names[name]: value for name, value in validators.items() if name in names}
