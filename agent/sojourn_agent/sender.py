"""Sends what the spool holds to one destination: OTLP/HTTP, each batch as it lies there, under the id it has.

What an answer means (design: exactly once): 2xx delivered; 400, 409, 413, 415, 422 are about this batch, which goes to the dead letters;
408, 425, 429, 5xx and network errors back off without end; everything else (401, 403, 404, a redirect …) is about the configuration,
so the batch is held and tried again, with an alarm.
"""

import asyncio
import email.utils
import logging
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

import httpx2

from sojourn_agent.dead_letters import DeadLetters
from sojourn_agent.partial_success import refused_in
from sojourn_agent.spool import SpoolReader
from sojourn_agent.spool_record import Record
from sojourn_probes.semconv import BATCH_HEADER

DEAD: Final = frozenset({400, 409, 413, 415, 422})
CURES: Final = {
    401: "the key is missing or wrong; set key: under send:",
    403: "the key may not write there",
    404: "nothing takes OTLP there; see url: under send:",
}
BUSY: Final = frozenset({408, 425, 429})
_MAX_AHEAD: Final = 4096
_MAX_ANSWER: Final = 64 << 10
_MAX_RETRY_AFTER: Final = 3600.0

log = logging.getLogger(__name__)


class Verdict(Enum):
    """What an answer means for the batch."""

    DELIVERED = "delivered"
    DEAD = "dead"
    BUSY = "busy"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one try, in our words. `wait` is the server's Retry-After in seconds."""

    verdict: Verdict
    status: int = 0
    text: str = ""
    wait: float | None = None
    refused: int = 0
    date: float | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """How tries follow each other, in seconds: waits double from `first` to `most`, each drawn from its upper half; one try may take `patience`."""

    first: float = 0.25
    most: float = 30.0
    patience: float = 30.0
    in_flight: int = 4


@dataclass(slots=True)
class SenderState:
    """For /healthz and /metrics. `alarm` needs a person, `trouble` passes by itself; `clock_offset` is our clock minus the destination's, in seconds."""

    delivered: int = 0
    tries: int = 0
    dead: int = 0
    refused_items: int = 0
    alarm: str = ""
    trouble: str = ""
    delivered_at: float | None = None
    clock_offset: float | None = None


@dataclass(slots=True)
class Sender:
    """Sends to the destination `name` at `url` (`/v1/<signal>` is added). `key` gives the bearer token, asked again while held.

    `clock` is seconds since the epoch; `draw` a number in [0, 1).
    """

    name: str
    url: str
    reader: SpoolReader
    letters: DeadLetters
    client: httpx2.AsyncClient
    key: Callable[[], str | None] = lambda: None
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time
    draw: Callable[[], float] = random.random
    state: SenderState = field(default_factory=SenderState)
    _failures: int = 0
    _wait: float = 0.0
    _token: str | None = None
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _finished: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, *, until_empty: bool = False) -> None:
        """Send for ever, or with `until_empty` until nothing waits. Cancel it at any time: what was not answered is sent again, under its id."""
        self._token = self.key()
        slots = asyncio.Semaphore(self.pace.in_flight)
        async with asyncio.TaskGroup() as group:
            while True:
                await slots.acquire()
                while self.reader.ahead >= _MAX_AHEAD:
                    self._finished.clear()
                    await self._finished.wait()
                record = await (self.reader.next_now() if until_empty else self.reader.next())
                if record is None:
                    return
                group.create_task(self._deliver(record)).add_done_callback(lambda _: slots.release())

    async def _deliver(self, record: Record) -> None:
        while self.reader.wanted(record):
            if not self._failures:
                if await self._attempt(record):
                    return
                continue
            # In trouble one batch tries for all, and the wait is the destination's, so that no herd comes back at once.
            async with self._turn:
                if self._failures:
                    await asyncio.sleep(self._wait)
                done = self.reader.wanted(record) and await self._attempt(record)
            if done:
                return

    async def _attempt(self, record: Record) -> bool:
        """One try. True when the batch needs no more."""
        self.state.tries += 1
        failures = self._failures
        answer = await self._post(record)
        if answer.date is not None:
            self.state.clock_offset = self.clock() - answer.date
        if answer.verdict is Verdict.DEAD:
            return await self._bury(record, answer, failures)
        if answer.verdict is not Verdict.DELIVERED:
            self._back_off(answer, failures)
            return False
        self.state.delivered += 1
        self.state.delivered_at = self.clock()
        if answer.refused:
            self.state.refused_items += answer.refused
            log.warning("%s refused %d items of batch %s: %s", self.name, answer.refused, record.batch, answer.text)
        self._finish(record)
        return True

    async def _bury(self, record: Record, answer: Answer, failures: int) -> bool:
        try:
            await asyncio.to_thread(self.letters.put, record, self.name, answer.status, answer.text, self.clock())
        except OSError as error:
            self._back_off(Answer(Verdict.BUSY, text=f"the dead letters cannot be written: {error.strerror or error}"), failures)
            return False
        self.state.dead += 1
        log.error("%s answered %d to batch %s (%s), which went to the dead letters: %s", self.name, answer.status, record.batch, record.signal, answer.text)
        self._finish(record)
        return True

    def _finish(self, record: Record) -> None:
        if self._failures:
            log.info("%s takes batches again", self.name)
        self._failures = 0
        self.state.alarm = self.state.trouble = ""
        self.reader.finish(record)
        self._finished.set()

    def _back_off(self, answer: Answer, failures: int) -> None:
        """One failure more than the `failures` there were when the try began: those out at the same time are one failure, not several."""
        self._failures = failures + 1
        self._wait = min(self.pace.most, self.pace.first * 2 ** min(self._failures - 1, 30)) * (0.5 + self.draw() / 2)
        if answer.wait is not None:
            self._wait = max(self._wait, min(answer.wait, _MAX_RETRY_AFTER))
        alarm, trouble = ("", answer.text) if answer.verdict is Verdict.BUSY else (answer.text, "")
        if (bool(alarm), bool(trouble)) != (bool(self.state.alarm), bool(self.state.trouble)):
            log.log(logging.ERROR if alarm else logging.WARNING, "%s: %s; everything is kept and sent later", self.name, answer.text)
        self.state.alarm, self.state.trouble = alarm, trouble
        if alarm:
            self._token = self.key()

    async def _post(self, record: Record) -> Answer:
        headers = {"content-type": "application/x-protobuf", "content-encoding": "gzip", BATCH_HEADER: str(record.batch)}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        url = f"{self.url.rstrip('/')}/v1/{record.signal}"
        try:
            async with asyncio.timeout(self.pace.patience), self.client.stream("POST", url, content=record.body, headers=headers) as response:
                body = b""
                async for chunk in response.aiter_bytes():
                    body += chunk
                    if len(body) > _MAX_ANSWER:
                        break
                return judge(response.status_code, response.headers, body[:_MAX_ANSWER], record, url, self.clock())
        except TimeoutError:
            return Answer(Verdict.BUSY, text=f"{url} did not answer within {self.pace.patience:g} s")
        except httpx2.RequestError as error:
            return Answer(Verdict.BUSY, text=f"{url} cannot be reached: {str(error) or type(error).__name__}")


def judge(status: int, headers: httpx2.Headers, body: bytes, record: Record, url: str, now: float) -> Answer:
    """What an answer means; `now` is in seconds since the epoch."""
    date = _date(headers.get("date"))
    if 200 <= status < 300:
        refused, said = refused_in(record.signal, body)
        return Answer(Verdict.DELIVERED, status, said, refused=refused, date=date)
    return refusal(status, headers, body, url, now, CURES)


def refusal(status: int, headers: httpx2.Headers, body: bytes, url: str, now: float, cures: Mapping[int, str]) -> Answer:
    """What an answer other than 2xx means; `cures` say by status what a person can do."""
    date, said = _date(headers.get("date")), _one_line(body)
    text = f"{url} answered {status}" + (f": {said}" if said else "")
    if status in DEAD:
        return Answer(Verdict.DEAD, status, said or f"HTTP {status}", date=date)
    if status in BUSY or status >= 500:
        return Answer(Verdict.BUSY, status, text, _retry_after(headers.get("retry-after"), now), date=date)
    return Answer(Verdict.HELD, status, f"{text} ({cures.get(status, 'see url: under send:')})", _retry_after(headers.get("retry-after"), now), date=date)


def _retry_after(value: str | None, now: float) -> float | None:
    if not value:
        return None
    if value.strip().isdigit():
        return float(value)
    moment = _date(value)
    return None if moment is None else max(0.0, moment - now)


def _date(value: str | None) -> float | None:
    try:
        return email.utils.parsedate_to_datetime(value).timestamp() if value else None
    except (ValueError, OverflowError):
        return None


def _one_line(body: bytes) -> str:
    """The beginning of what a server said, fit for a log: one line, no control characters."""
    text = body[:400].decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
