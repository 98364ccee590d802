"""Walks a journey once for the scheduler: names and secrets in, a judged result out, its trace into the spool."""

import asyncio
import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from opentelemetry.proto.resource.v1.resource_pb2 import Resource

from sojourn_agent.config import HostSettings
from sojourn_agent.evidence_outbox import EvidenceOutbox, pieces_of
from sojourn_agent.host import HostWatch, distrust, over_budget
from sojourn_agent.spool import SpoolUnavailable, SpoolWriter
from sojourn_agent.telemetry import encode_run
from sojourn_probes.ids import new_run_id
from sojourn_probes.journey import Journey
from sojourn_probes.maintenance import covering
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.result import RunResult
from sojourn_probes.run import run, skipped
from sojourn_probes.secrets import SecretStore
from sojourn_probes.semconv import Outcome

SPOOL_PATIENCE: Final = 60.0
"""How long a result waits for a spool that takes nothing, in seconds."""

_REMEMBERED: Final = 200

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Walker:
    """`secrets` makes a fresh store for each run; `mark` makes the probe mark of a run id, None without a probe key; `tools` outlive runs.

    `outbox` is where evidence of failed steps goes on from, None when no destination takes any.
    """

    location: str
    environ: Mapping[str, str]
    secrets: Callable[[], SecretStore]
    mark: Callable[[str], str] | None
    spool: SpoolWriter
    host: HostWatch
    budget: HostSettings
    described: Resource
    version: str
    evidence: Path
    outbox: EvidenceOutbox | None = None
    tools: dict[str, Any] = field(default_factory=dict)
    outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    lost: int = 0
    down: dict[str, str] = field(default_factory=dict)
    """Journeys whose newest run here failed, or was skipped for such a one, and the journey at the root of it."""
    newest: deque[dict[str, Any]] = field(default_factory=lambda: deque(maxlen=_REMEMBERED))

    async def walk(self, journey: Journey, lag: float) -> None:
        """Walk `journey`, which started `lag` seconds late, and keep its result. In maintenance, or while what it depends on is down, it is skipped."""
        because = self._pause(journey)
        result = await self._run(journey) if because is None else skipped(journey, because, location=self.location, run_id=new_run_id(time.time()))
        if because is None:
            self._remember(journey, result)
        self.outcomes[journey.id, str(result.outcome)] += 1
        self.newest.append(summary(result, lag))
        # Side by side: telemetry does not wait for evidence.
        await asyncio.gather(self._keep(result), self._offer(result))

    async def _offer(self, result: RunResult) -> None:
        if self.outbox is not None:
            await self.outbox.put(pieces_of(result))

    def _pause(self, journey: Journey) -> str | None:
        """Why `journey` is not walked now; None when it is."""
        window = covering(journey.maintenance, journey.timezone, time.time())
        if window is not None:
            return f"in maintenance{f': {window.reason}' if window.reason else ''}"
        root = next((self.down[other] for other in journey.depends_on if other in self.down), None)
        if root is not None:
            self.down[journey.id] = root
            return f"depends on {root}, which is failing"
        return None

    def _remember(self, journey: Journey, result: RunResult) -> None:
        if result.outcome is Outcome.FAILED:
            self.down[journey.id] = journey.id
        elif result.outcome is not Outcome.INCONCLUSIVE:
            self.down.pop(journey.id, None)

    async def _run(self, journey: Journey) -> RunResult:
        secrets = self.secrets()
        names = Names(journey.vars, self.environ, secrets, new_run_id(time.time()), location=self.location, timezone=journey.timezone)
        began = time.monotonic()
        result = await run(
            journey,
            location=self.location,
            names=names,
            redact=Redactor(secrets),
            mark=self.mark,
            tools=self.tools,
            evidence_folder=self.evidence,
        )
        reason = over_budget(self.host.strain(began), self.budget)
        return result if reason is None else distrust(result, reason)

    async def _keep(self, result: RunResult) -> None:
        try:
            body = encode_run(result, self.described, self.version)
        except ValueError as error:
            self.lost += 1
            log.error("%s; its result is lost", error)
            return
        try:
            async with asyncio.timeout(SPOOL_PATIENCE):
                await self._append(body)
        except TimeoutError:
            self.lost += 1
            log.error("the result of run %s of journey %s is lost: the spool took nothing for %g s", result.run_id, result.journey_id, SPOOL_PATIENCE)

    async def _append(self, body: bytes) -> None:
        while True:
            try:
                await self.spool.append("traces", body)
            except SpoolUnavailable:
                await asyncio.sleep(1)
            else:
                return


def summary(result: RunResult, lag: float) -> dict[str, Any]:
    """`result` in short, for /runs. Durations are in seconds."""
    return {
        "run_id": result.run_id,
        "journey": result.journey_id,
        "version": result.journey_version,
        "trace_id": result.trace_id,
        "outcome": str(result.outcome),
        "flaky": result.flaky,
        "started_ms": result.started_ns // 1_000_000,
        "seconds": round((result.ended_ns - result.started_ns) / 1e9, 4),
        "late_by": round(lag, 4),
        "failure": None if result.failure is None else {"kind": str(result.failure.kind), "step": result.failure.step, "message": result.failure.message},
        "note": result.note,
        "steps": [
            {"id": step.id, "attempt": step.attempt, "outcome": str(step.outcome), "seconds": round((step.ended_ns - step.started_ns) / 1e9, 4)}
            for attempt in result.attempts
            for step in attempt.steps
        ],
    }
