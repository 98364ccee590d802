"""Asking a vendor's API for what its events do not hold, one event after the other; what fails is tried again later, and the row says that it waits.

A vendor that is away is asked by one event at a time, those least tried first: every event has its turn, and one that never gets an answer holds up none.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

import httpx2

from sojourn_collector.kept_key import KeptKeyError
from sojourn_collector.sources.body import BodyRefused, json_of
from sojourn_collector.sources.configured import Configured
from sojourn_collector.sources.scrub_json import scrub_json
from sojourn_collector.sources.webhook import Call, Event
from sojourn_collector.store.control import Control, InboxRow

log = logging.getLogger("sojourn.sources")

DEADLINE: Final = 10.0
"""Seconds one answer may take."""
LARGEST_ANSWER: Final = 4 << 20
FIRST_RETRY: Final = timedelta(seconds=5)
LONGEST_RETRY: Final = timedelta(hours=6)
LONGEST_SILENCE: Final = timedelta(minutes=15)
"""How long the events of a vendor that is away wait for their turn, unless it names a pause itself."""
GIVE_UP: Final = timedelta(days=14)
FEWEST_TRIES: Final = 12
"""How often an event was asked for before it is given up, however old it is: pauses are at their longest by then."""
LASTS: Final = timedelta(hours=1)
"""How long an answer that lasts, such as the definition of a form, is used again."""
_MOST_LASTING: Final = 500
_LOOK_EVERY: Final = 2.0
_GONE: Final = frozenset((400, 404, 410, 422))
_ALL_ALIKE: Final = frozenset((401, 429, 503))
"""What a vendor answers to whatever it is asked: a token that is none, too many questions, a house that is closed. 403 and 500 may be of one event alone."""


class NotYetError(Exception):
    """There is no answer now; the text says why. `after` is the pause the vendor asks for; `whole`: others of the source would most likely get none either."""

    def __init__(self, text: str, after: timedelta | None = None, *, whole: bool = True) -> None:
        super().__init__(text)
        self.after = after
        self.whole = whole


class RefusedError(NotYetError):
    """The token may not see this one thing."""


class NeverError(Exception):
    """There will be no answer; the text says why."""


class Further:
    """Asks for what events wait for. One of it runs, also where several collectors share a control database."""

    def __init__(self, control: Control, webhooks: Mapping[str, Configured], clock: Callable[[], datetime], *, first_retry: timedelta = FIRST_RETRY) -> None:
        self._control = control
        self._webhooks = webhooks
        self._clock = clock
        self._first_retry = first_retry
        self._lasting: dict[str, tuple[datetime, Any]] = {}
        self._silences: dict[str, int] = {}
        """How often in a row a source's vendor was away."""
        self.waiting: dict[str, int] = {}
        """Events that wait for an answer, by source."""

    async def run(self) -> None:
        """Ask until cancelled. Raises what the control database raises."""
        async with httpx2.AsyncClient(timeout=DEADLINE, follow_redirects=False, trust_env=False) as http:
            while True:
                await self.work(http)
                self.waiting = await self._control.webhooks.count_awaiting()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_EVERY):
                        await self._control.inbox.arrived.wait()
                        await asyncio.sleep(_LOOK_EVERY)

    async def work(self, http: httpx2.AsyncClient) -> int:
        """Ask for everything that is due now; how many answers came."""
        answered = 0
        silent: set[str] = set()
        for row in await self._control.webhooks.awaiting(self._clock()):
            if row.source in silent:
                continue
            try:
                answered += await self._one(http, row)
                self._silences.pop(row.source, None)
            except NotYetError as error:
                await self._later(row, error)
                if error.whole:
                    silent.add(row.source)
                    await self._put_off(row.source, error)
        return answered

    async def _one(self, http: httpx2.AsyncClient, row: InboxRow) -> int:
        """Ask for one event; 1 when its answers came. Raises NotYetError."""
        one = self._webhooks.get(row.source)
        if one is None or one.settings.kind != row.kind:
            raise NotYetError(f"the source {row.source} is no longer in collector.yaml; put it back, or erase what it sent")
        event = Event.from_json(row.body)
        fetched = dict(event.fetched)
        try:
            # An answer may name what is to be asked for next.
            while calls := {name: call for name, call in one.webhook.calls(replace(event, fetched=fetched), one.settings).items() if name not in fetched}:
                for name, call in calls.items():
                    fetched[name] = await self._ask(http, one, call)
        except NeverError as error:
            await self._control.webhooks.given_up(row.id, self._clock(), str(error))
            return 0
        await self._control.webhooks.answered(row.id, replace(event, fetched=fetched).to_json())
        return 1

    async def _later(self, row: InboxRow, error: NotYetError) -> None:
        now = self._clock()
        if now - row.received_at > GIVE_UP and row.tries + 1 >= FEWEST_TRIES:
            await self._control.webhooks.given_up(row.id, now, f"given up after {GIVE_UP.days} days: {error}")
            return
        pause = error.after or self._pause(row.tries, LONGEST_RETRY)
        await self._control.webhooks.later(row.id, now + pause, f"waits for an answer of the vendor's: {error}")
        log.warning("source %s: an event waits: %s", row.source, error)

    async def _put_off(self, source: str, error: NotYetError) -> None:
        """Let the other events of a source wait for their turn; that is no try of theirs."""
        silences = self._silences.get(source, 0)
        self._silences[source] = silences + 1
        now = self._clock()
        until = now + (error.after or self._pause(silences, LONGEST_SILENCE))
        await self._control.webhooks.put_off(source, now, until, f"waits for its turn; another event of the source got no answer: {error}")

    def _pause(self, tries: int, longest: timedelta) -> timedelta:
        pause: timedelta = self._first_retry * 2 ** min(tries, 20)
        return min(pause, longest)

    async def _ask(self, http: httpx2.AsyncClient, one: Configured, call: Call) -> Any:
        url = (one.settings.url or one.webhook.api).rstrip("/") + call.path
        now = self._clock()
        if call.lasting and url in self._lasting and now - self._lasting[url][0] < LASTS:
            return self._lasting[url][1]
        try:
            answer = call.keep(scrub_json(call.staff(await _answer(http, one, url)), one.webhook.drops))
        except (NeverError, RefusedError) as error:
            if not call.spared:
                raise
            log.info("source %s: read without what %s would add: %s", one.name, call.path.partition("?")[0], error)
            answer = None
        if call.lasting:
            if len(self._lasting) >= _MOST_LASTING:
                self._lasting.clear()
            self._lasting[url] = (now, answer)
        return answer


async def _answer(http: httpx2.AsyncClient, one: Configured, url: str) -> Any:
    """The JSON at `url`. Raises NotYetError, NeverError."""
    host = urlsplit(url).netloc
    try:
        headers = {"accept": "application/json", one.webhook.api_header: one.webhook.api_prefix + one.token()}
        async with asyncio.timeout(DEADLINE), http.stream("GET", url, headers=headers) as answer:
            body = bytearray()
            async for chunk in answer.aiter_bytes():
                body += chunk
                if len(body) > LARGEST_ANSWER:
                    raise NeverError(f"the answer of {host} is larger than {LARGEST_ANSWER >> 20} MiB")
    except KeptKeyError as error:
        raise NotYetError(str(error)) from error
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, TimeoutError) as error:
        raise NotYetError(f"{host} does not answer ({type(error).__name__})") from error
    whole = answer.status_code in _ALL_ALIKE
    if answer.status_code in (401, 403):
        text = f"{host} refuses the token ({answer.status_code}); put one with the right to read into sources: {one.name}: token"
        raise NotYetError(text) if whole else RefusedError(text, whole=False)
    if answer.status_code in _GONE:
        raise NeverError(f"{host} has no answer ({answer.status_code}); it may have been deleted there")
    if answer.status_code != 200:
        raise NotYetError(f"{host} answered {answer.status_code}", _asked_pause(answer.headers.get("retry-after", "")), whole=whole)
    try:
        return json_of(bytes(body))
    except BodyRefused as error:
        raise NotYetError(f"the answer of {host} cannot be read: {str(error)[0].lower()}{str(error)[1:].rstrip('.')}", whole=False) from error


def _asked_pause(text: str) -> timedelta | None:
    return timedelta(seconds=max(1, min(int(text), 21_600))) if text.isascii() and text.isdigit() and len(text) < 8 else None
