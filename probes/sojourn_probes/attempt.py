"""One attempt: its steps in order, each under its deadline; after a failure only those that always run."""

import asyncio
import contextlib
import importlib
import math
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from sojourn_probes.addresses import origin_of
from sojourn_probes.answer_evidence import keep_answer
from sojourn_probes.clock import Clock
from sojourn_probes.errors import NameMissing, SecretMissing
from sojourn_probes.events import Event, StepEnded, StepStarted
from sojourn_probes.ids import RandomBytes, new_span_id
from sojourn_probes.in_time import in_time
from sojourn_probes.journey import Journey
from sojourn_probes.names import Names
from sojourn_probes.polling import until_holds
from sojourn_probes.redact import Redactor
from sojourn_probes.result import AttemptResult, Exchange, ExpectationResult, Failure, StepResult
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.step import Step
from sojourn_probes.steps.base import Observation, StepContext, StepRunner
from sojourn_probes.units import show_duration
from sojourn_probes.verdict import Verdict, judged, looked_at, slow_to_judge

RESERVED_SECONDS: Final = 10.0
"""What a step that always runs may take when the attempt has failed or its time is over, unless it has a timeout of its own."""

JUDGING_SECONDS: Final = 5.0
"""What judging a step may take once it is measured. A body may be made to be slow to read."""

_TOO_MUCH: Final = f"the answer could not be judged within {JUDGING_SECONDS:g} s; its body or what is looked for in it is too much, see max_body"

NOT_OURS: Final = frozenset({FailureKind.AGENT, FailureKind.SECRET, FailureKind.CONFIG})
"""Failures that say nothing about what customers live through: the measurement itself could not be made."""

INCONCLUSIVE: Final = NOT_OURS | {FailureKind.BROWSER}
"""Failures that make a run inconclusive. A browser that was lost or is missing is no customer's trouble, but worth another attempt."""


@dataclass(slots=True)
class Surroundings:
    """What the attempts of one run share."""

    journey: Journey
    names: Names
    redact: Redactor
    mark: str | None
    tools: dict[str, Any]
    evidence_folder: Path | None
    trace_id: str
    clock: Clock
    random: RandomBytes
    tell: Callable[[Event], None]


@dataclass(slots=True)
class Attempt:
    """One try. `walk` yields its result and never raises for what a journey, a site or a runner does wrong."""

    number: int
    around: Surroundings
    failure: Failure | None = None
    steps: list[StepResult] = field(default_factory=list)
    kept: dict[str, Any] = field(default_factory=dict)
    tolerated: bool = False
    base_url: str = ""
    own_origins: tuple[str, ...] = ()
    deadline: float = 0.0

    async def walk(self) -> AttemptResult:
        """Walk the steps of the journey that can be probed."""
        clock = self.around.clock
        started = clock.now_ns()
        self.around.names.clear_steps()
        self.deadline = asyncio.get_running_loop().time() + self.around.journey.timeout
        self._find_origins()
        stack = AsyncExitStack()
        try:
            for step in self.around.journey.walked:
                await self._step(step, stack)
        finally:
            await self._close(stack)
        return AttemptResult(self.number, self._outcome(), started, clock.now_ns(), tuple(self.steps), self.failure)

    def _find_origins(self) -> None:
        journey, names = self.around.journey, self.around.names
        try:
            self.base_url = names.fill_text(journey.base_url) if journey.base_url else ""
            url = self.base_url or next((first() for step in journey.walked if (first := getattr(step.part, "first_url", None)) is not None), None)
            origin = origin_of(names.fill_text(url)) if url else None
            self.own_origins = (origin,) if origin else ()
        except NameMissing as fault:
            if self.base_url or journey.base_url:
                self.failure = _missing(fault, None)

    async def _close(self, stack: AsyncExitStack) -> None:
        """Close what the runners kept open; a closing that hangs or fails must not undo what was measured."""
        try:
            async with asyncio.timeout(RESERVED_SECONDS):
                await stack.aclose()
        except TimeoutError:
            return
        except Exception as fault:  # noqa: BLE001 - the attempt is over; its result stands
            self.failure = self.failure or Failure(FailureKind.AGENT, self.around.redact.text(f"closing failed: {type(fault).__name__}: {fault}"))

    def _outcome(self) -> Outcome:
        if self.failure is not None:
            return Outcome.INCONCLUSIVE if self.failure.kind in INCONCLUSIVE else Outcome.FAILED
        slow = self.tolerated or any(step.outcome is Outcome.DEGRADED for step in self.steps)
        return Outcome.DEGRADED if slow else Outcome.PASSED

    async def _step(self, step: Step, stack: AsyncExitStack) -> None:
        if self.failure is not None and not step.always_run:
            self._skipped(step, "")
            return
        try:
            unmet = next((one for one in step.when if not one.holds(self.around.names, self.around.redact)), None)
        except (NameMissing, ValueError) as fault:
            self._unfit(step, fault)
            return
        if unmet is not None:
            self._skipped(step, f"not so: {unmet.text}")
            return
        self.around.tell(StepStarted(self.number, step.id, step.title))
        budget, whose = self._budget(step)
        context = self._context(step, budget, stack)
        observation = await self._walked(step, context, budget, whose)
        verdict = await self._verdict(step, observation)
        if verdict.failure is not None:
            self._failed(step, verdict.failure)
            await self._gather(observation)
            await keep_answer(observation, context)
        self._ended(self._result(step, context, observation, verdict))

    def _failed(self, step: Step, failure: Failure) -> None:
        """What measured nothing cannot be tolerated: nobody knows what was passed over."""
        if step.continue_on_error and failure.kind not in INCONCLUSIVE:
            self.tolerated = True
        else:
            self.failure = self.failure or failure

    def _skipped(self, step: Step, note: str) -> None:
        now = self.around.clock.now_ns()
        note = self.around.redact.text(note)
        self._ended(StepResult(step.id, step.title, str(step.kind), self.number, Outcome.SKIPPED, new_span_id(self.around.random), now, now, note=note))

    def _unfit(self, step: Step, fault: NameMissing | ValueError) -> None:
        """The step's `when` cannot be decided."""
        now = self.around.clock.now_ns()
        failure = (
            _missing(fault, step.id) if isinstance(fault, NameMissing) else Failure(FailureKind.CONFIG, self.around.redact.text(f"when: {fault}"), step.id)
        )
        self.failure = self.failure or failure
        self._ended(
            StepResult(step.id, step.title, str(step.kind), self.number, Outcome.INCONCLUSIVE, new_span_id(self.around.random), now, now, failure=failure)
        )

    async def _walked(self, step: Step, context: StepContext, budget: float, whose: str) -> Observation:
        """The step walked once, or until what it repeats for holds."""
        if step.repeat is None:
            return await self._observe(step, context, budget, whose)

        around = self.around

        async def look(observation: Observation) -> tuple[ExpectationResult, ...]:
            assert step.repeat is not None
            until = step.repeat.until

            def held() -> tuple[ExpectationResult, ...]:
                return looked_at(step, until, observation, around.names, around.redact, around.journey.folder)

            return await in_time(JUDGING_SECONDS, held) if slow_to_judge(step, observation, until) else held()

        try:
            return await until_holds(step.repeat, budget, whose, lambda left, limit: self._observe(step, context, left, limit), look)
        except TimeoutError:
            return self._partial(context.clock.now_ns(), Failure(FailureKind.CONTENT, _TOO_MUCH, step.id))
        except NameMissing as fault:
            return self._partial(context.clock.now_ns(), _missing(fault, step.id))

    async def _gather(self, observation: Observation) -> None:
        """Evidence of a step that was walked to its end and failed by what was expected of it."""
        if observation.gather is None:
            return
        try:
            async with asyncio.timeout(RESERVED_SECONDS):
                observation.evidence = await observation.gather()
        except Exception as fault:  # noqa: BLE001 - what was found stands without its evidence
            observation.note = observation.note or f"no evidence could be gathered: {type(fault).__name__}"

    def _ended(self, result: StepResult) -> None:
        self.steps.append(result)
        self.around.tell(StepEnded(result))

    def _budget(self, step: Step) -> tuple[float, str]:
        """Seconds the step may take, and whose deadline that is."""
        left = self.deadline - asyncio.get_running_loop().time()
        if step.always_run:
            own = step.timeout or RESERVED_SECONDS
            return (own, "timeout of the step") if self.failure is not None or left < own else (min(left, step.timeout or math.inf), "timeout of the step")
        if step.timeout is not None and step.timeout <= left:
            return step.timeout, "timeout of the step"
        return max(left, 0.0), "timeout of the attempt"

    def _context(self, step: Step, budget: float, stack: AsyncExitStack) -> StepContext:
        around = self.around
        return StepContext(
            run_id=around.names.run_id,
            journey_id=around.journey.id,
            step_id=step.id,
            attempt=self.number,
            trace_id=around.trace_id,
            span_id=new_span_id(around.random),
            base_url=self.base_url,
            own_origins=self.own_origins,
            names=around.names,
            redact=around.redact,
            mark=around.mark,
            timeout=budget,
            folder=around.journey.folder,
            evidence_folder=around.evidence_folder,
            stack=stack,
            kept=self.kept,
            tools=around.tools,
            clock=around.clock,
            extract=step.extract,
        )

    async def _observe(self, step: Step, context: StepContext, budget: float, whose: str) -> Observation:
        """What the runner saw, whatever became of it."""
        started = context.clock.now_ns()
        self.kept.pop("partial", None)
        limit = asyncio.timeout(budget)
        try:
            part = step.part
            defaults = getattr(self.around.journey.defaults, str(step.kind), None)
            if defaults is not None:
                part = part.merged(defaults)
            async with limit:
                return await runner_of(str(step.kind)).run(part, context)
        except TimeoutError as fault:
            if not limit.expired():
                return self._partial(started, Failure(FailureKind.AGENT, f"the {step.kind} runner stopped: {type(fault).__name__}"))
            of_whole = show_duration(self.around.journey.timeout) if whose == "timeout of the attempt" else show_duration(budget)
            return self._partial(started, Failure(FailureKind.TIMEOUT, f"not done within {of_whole} ({whose}){self._last_request()}{self._waiting()}"))
        except NameMissing as fault:
            return self._partial(started, _missing(fault, step.id))
        except ModuleNotFoundError as fault:
            return self._partial(started, Failure(FailureKind.AGENT, f"{step.kind} steps need {fault.name}; install sojourn[{step.kind}]"))
        except Exception as fault:  # noqa: BLE001 - a runner's own fault is a result too, and must not end the other journeys
            return self._partial(
                started, Failure(FailureKind.AGENT, self.around.redact.text(f"the {step.kind} runner stopped: {type(fault).__name__}: {fault}"))
            )

    def _partial(self, started: int, failure: Failure) -> Observation:
        """What was seen before the runner was stopped."""
        observation = self.kept.pop("partial", None)
        if not isinstance(observation, Observation):
            observation = Observation(started, started)
        observation.ended_ns = self.around.clock.now_ns()
        # What was found before the deadline came, while evidence was gathered, says more than the deadline.
        observation.failure = observation.failure or failure
        return observation

    def _last_request(self) -> str:
        partial = self.kept.get("partial")
        if not isinstance(partial, Observation) or not partial.exchanges:
            return ""
        last = partial.exchanges[-1]
        finished = ", ".join(f"{phase} {show_duration(seconds)}" for phase, seconds in last.phases.items())
        return f", at {last.method} {last.url.partition('?')[0]}" + (f" after {finished}" if finished else "")

    def _waiting(self) -> str:
        """What the runner says it was waiting for."""
        partial = self.kept.get("partial")
        return f": {self.around.redact.text(partial.waiting)}" if isinstance(partial, Observation) and partial.waiting else ""

    async def _verdict(self, step: Step, observation: Observation) -> Verdict:
        around = self.around

        def judge() -> Verdict:
            return judged(step, observation, around.names, around.redact, around.journey.folder)

        try:
            return await in_time(JUDGING_SECONDS, judge) if slow_to_judge(step, observation) else judge()
        except NameMissing as fault:
            return Verdict(_missing(fault, step.id))
        except TimeoutError:
            return Verdict(Failure(FailureKind.CONTENT, _TOO_MUCH, step.id))

    def _result(self, step: Step, context: StepContext, observation: Observation, verdict: Verdict) -> StepResult:
        return StepResult(
            id=step.id,
            name=step.title,
            kind=str(step.kind),
            attempt=self.number,
            outcome=self._step_outcome(verdict),
            span_id=context.span_id,
            started_ns=observation.started_ns,
            ended_ns=observation.ended_ns,
            failure=verdict.failure,
            expectations=verdict.expectations,
            exchanges=tuple(self._redacted(exchange) for exchange in observation.exchanges),
            vitals=dict(observation.vitals),
            console=tuple(self.around.redact.text(line) for line in observation.console),
            evidence=dict(observation.evidence),
            note=self.around.redact.text(observation.note),
        )

    def _redacted(self, exchange: Exchange) -> Exchange:
        """What became known as a secret only after an exchange is taken out of it too."""
        redact = self.around.redact
        return replace(exchange, url=redact.url(exchange.url), server_address=redact.text(exchange.server_address))

    @staticmethod
    def _step_outcome(verdict: Verdict) -> Outcome:
        if verdict.failure is not None:
            return Outcome.INCONCLUSIVE if verdict.failure.kind in INCONCLUSIVE else Outcome.FAILED
        return Outcome.DEGRADED if verdict.degraded else Outcome.PASSED


def runner_of(kind: str) -> StepRunner:
    """The runner of a step kind, imported when first needed. Raises ModuleNotFoundError when what it needs is not installed."""
    module = importlib.import_module(f"sojourn_probes.steps.{kind}_run")
    runner: StepRunner = module.Runner()
    return runner


def load_runners(journey: Journey) -> None:
    """Import the runners a journey needs, so that the first run of a process does not have it in its time. What is missing its step will say."""
    for kind in {step.kind for step in journey.walked} - {None}:
        with contextlib.suppress(ModuleNotFoundError):
            runner_of(str(kind))


def _missing(fault: NameMissing, step: str | None) -> Failure:
    return Failure(FailureKind.SECRET if isinstance(fault, SecretMissing) else FailureKind.CONFIG, str(fault), step)
