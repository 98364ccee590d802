"""Sends evidence to one destination that takes it: `PUT {url}/v1/evidence/{name}`, one piece after the other, beside the telemetry.

What an answer means is the same as for batches (`sender.py`). A piece refused for good stays on this host; whatever else goes wrong, it waits.
"""

import asyncio
import gzip
import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import httpx2

from sojourn_agent.evidence_outbox import EvidenceOutbox, Piece
from sojourn_agent.sender import Answer, Pace, Verdict, refusal

PATH: Final = "/v1/evidence"
PACE: Final = Pace(first=1.0, most=120.0, patience=120.0)
"""Slower than batches: nobody waits for a picture, and a slow line has ten megabytes to carry."""
CURES: Final = {
    401: "the key is missing or wrong; set key: under send:",
    403: "the key may not write there",
    404: "it takes no evidence; drop evidence: true under send:",
}
_TEXTS: Final = (".txt", ".har", ".json", ".html")
_MAX_ANSWER: Final = 64 << 10
_MOST_PACKED: Final = 50
"""What packs better than this is sent as it is: a receiver takes a body that grows a hundredfold for a bomb."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class EvidenceState:
    """For /healthz and /metrics. `alarm` needs a person, `trouble` passes by itself."""

    delivered: int = 0
    tries: int = 0
    dead: int = 0
    alarm: str = ""
    trouble: str = ""


@dataclass(slots=True)
class EvidenceSender:
    """Sends to the destination `name` at `url`. `key` gives the bearer token, asked again while held. `clock` is seconds since the epoch."""

    name: str
    url: str
    outbox: EvidenceOutbox
    client: httpx2.AsyncClient
    key: Callable[[], str | None] = lambda: None
    pace: Pace = PACE
    clock: Callable[[], float] = time.time
    draw: Callable[[], float] = random.random
    state: EvidenceState = field(default_factory=EvidenceState)
    _failures: int = 0
    _token: str | None = None

    async def run(self, *, until_empty: bool = False) -> None:
        """Send for ever, or with `until_empty` until nothing waits. Cancel it at any time: what was not answered is sent again."""
        self._token = self.key()
        while True:
            name = self.outbox.first(self.name)
            if name is not None:
                await self._try(name)
            elif until_empty:
                return
            else:
                await self.outbox.grown(self.name)

    async def _try(self, name: str) -> None:
        found = await self.outbox.read(self.name, name)
        if found is None:
            await self.outbox.drop(self.name, name)
            return
        self.state.tries += 1
        answer = await self._put(*found)
        if answer.verdict is Verdict.DELIVERED:
            await self.outbox.finish(self.name, name)
            self.state.delivered += 1
        elif answer.verdict is Verdict.DEAD and await self._bury(name, answer):
            pass
        else:
            await self._back_off(name, answer)
            return
        self._failures = 0
        self.state.alarm = self.state.trouble = ""

    async def _bury(self, name: str, answer: Answer) -> bool:
        try:
            await self.outbox.bury(self.name, name, answer.status, answer.text)
        except OSError as error:
            log.error("what %s said of %s cannot be written down: %s", self.name, name, error.strerror or error)
            return False
        self.state.dead += 1
        log.error("%s answered %d to the evidence %s, which stays on this host: %s", self.name, answer.status, name, answer.text)
        return True

    async def _back_off(self, name: str, answer: Answer) -> None:
        wait = min(self.pace.most, self.pace.first * 2 ** min(self._failures, 30)) * (0.5 + self.draw() / 2)
        self._failures += 1
        alarm, trouble = (answer.text, "") if answer.verdict is Verdict.HELD else ("", answer.text)
        if (bool(alarm), bool(trouble)) != (bool(self.state.alarm), bool(self.state.trouble)):
            log.log(logging.ERROR if alarm else logging.WARNING, "%s: %s; evidence is kept and sent later", self.name, answer.text)
        self.state.alarm, self.state.trouble = alarm, trouble
        # What fails for a reason of its own does not hold the others up.
        self.outbox.to_the_end(self.name, name)
        await asyncio.sleep(wait if answer.wait is None else max(wait, min(answer.wait, self.pace.most)))
        if alarm:
            self._token = self.key()

    async def _put(self, piece: Piece, content: bytes) -> Answer:
        headers = {"content-type": "application/octet-stream"}
        if self._token:
            headers["authorization"] = f"Bearer {self._token}"
        body = await asyncio.to_thread(packed, piece.name, content)
        if body is not content:
            headers["content-encoding"] = "gzip"
        url = f"{self.url.rstrip('/')}{PATH}/{piece.name}"
        whose = {"run": piece.run, "journey": piece.journey, "step": piece.step, "kind": piece.kind, "attempt": str(piece.attempt)}
        try:
            async with asyncio.timeout(self.pace.patience), self.client.stream("PUT", url, content=body, headers=headers, params=whose) as response:
                said = b""
                async for chunk in response.aiter_bytes():
                    said += chunk
                    if len(said) > _MAX_ANSWER:
                        break
                if 200 <= response.status_code < 300:
                    return Answer(Verdict.DELIVERED, response.status_code)
                return refusal(response.status_code, response.headers, said, url, self.clock(), CURES)
        except TimeoutError:
            return Answer(Verdict.BUSY, text=f"{url} did not answer within {self.pace.patience:g} s")
        except httpx2.RequestError as error:
            return Answer(Verdict.BUSY, text=f"{url} cannot be reached: {str(error) or type(error).__name__}")


def packed(name: str, content: bytes) -> bytes:
    """`content` gzipped where that helps: texts, not pictures and archives. The same object when it does not."""
    if not name.endswith(_TEXTS) or len(content) < 1024:
        return content
    smaller = gzip.compress(content, 6, mtime=0)
    return smaller if len(content) // _MOST_PACKED < len(smaller) < len(content) else content
