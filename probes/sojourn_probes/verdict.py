"""What an observation means for its step: expectations held against the facts, values extracted, one failure or none."""

import contextlib
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from sojourn_probes.expect import judge, shortened, takes_time
from sojourn_probes.expectation import VITALS, Expectation
from sojourn_probes.expectation_parse import parse
from sojourn_probes.extract import NotExtracted, extract
from sojourn_probes.journey import Step
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.result import ExpectationResult, Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a step is judged."""

    failure: Failure | None
    expectations: tuple[ExpectationResult, ...] = ()
    degraded: bool = False


def slow_to_judge(step: Step) -> bool:
    """Whether judging the step depends on how long its body is and what is in it, so that it must not be done in the event loop."""
    return any(takes_time(one) for one in (*step.expect, *step.degraded_if)) or any(source.header is None for source in step.extract.values())


def judged(step: Step, observation: Observation, names: Names, redact: Redactor, folder: Path = Path()) -> Verdict:
    """Judge `observation`; files that expectations name are in `folder`. What a passed step extracts is set in `names`. Raises `NameMissing`."""
    _complete(observation)
    if observation.failure is not None:
        return Verdict(replace(observation.failure, step=step.id, message=redact.text(observation.failure.message)))
    _learn_secrets(step, observation, names)
    results: list[ExpectationResult] = []
    failed: list[tuple[Expectation, ExpectationResult]] = []
    for expectation in (*_implied(step), *step.expect):
        result = _held(expectation, "expect", observation, names, redact, folder)
        results.append(result)
        if not result.met:
            failed.append((expectation, result))
    # Those of another kind's sources are for customers only.
    slow = [_held(one, "degraded_if", observation, names, redact, folder) for one in step.degraded_if if step.kind in one.kinds()]
    results.extend(slow)
    failure = _failure(failed, observation, step.id) if failed else _extracted(step, observation, names, redact)
    return Verdict(failure, tuple(results), any(not result.met for result in slow))


def _learn_secrets(step: Step, observation: Observation, names: Names) -> None:
    """Know a token before the body it came in is shown beside an expectation."""
    for name, source in step.extract.items():
        if source.is_secret:
            with contextlib.suppress(NotExtracted):
                names.keep_secret(f"steps.{step.id}.{name}", str(extract({name: source}, observation.facts)[name]))


def _complete(observation: Observation) -> None:
    """Facts every kind has: the total, and vitals in seconds (runners give milliseconds, as the telemetry has them)."""
    observation.facts.setdefault("total", (observation.ended_ns - observation.started_ns) / 1e9)
    for name in VITALS:
        if name in observation.vitals:
            value = observation.vitals[name]
            observation.facts[name] = value if name == "cls" else value / 1000


def _implied(step: Step) -> list[Expectation]:
    said = {expectation.source for expectation in step.expect}
    return [one for text in getattr(step.part, "implied", ()) if (one := parse(text)).source not in said]


def _held(expectation: Expectation, kind: str, observation: Observation, names: Names, redact: Redactor, folder: Path) -> ExpectationResult:
    text = redact.text(expectation.text)
    try:
        judgement = judge(expectation, observation.facts, names, redact, folder)
    except ValueError as fault:
        return ExpectationResult(text, kind, kind == "degraded_if", shortened(redact.text(str(fault))), "not compared")
    # An unknown value fails an expectation and degrades nothing: slowness must be seen to be claimed.
    met = bool(judgement.holds) if kind == "expect" else not judgement.holds
    return ExpectationResult(text, kind, met, judgement.expected, judgement.actual)


def _failure(failed: list[tuple[Expectation, ExpectationResult]], observation: Observation, step: str) -> Failure:
    expectation, result = failed[0]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    if expectation.source == "status":
        last = observation.exchanges[-1] if observation.exchanges else None
        where = f" from {last.method} {urlsplit(last.url).path or '/'}" if last is not None else ""
        return Failure(FailureKind.STATUS, f"{result.actual}{where}, expected {result.text}{more}", step)
    return Failure(FailureKind.EXPECTATION, f"expected {result.text}, got {result.actual}{more}", step)


def _extracted(step: Step, observation: Observation, names: Names, redact: Redactor) -> Failure | None:
    if not step.extract:
        return None
    try:
        values = extract(step.extract, observation.facts)
    except NotExtracted as fault:
        return Failure(FailureKind.EXTRACT, redact.text(str(fault)), step.id)
    names.set_step(step.id, values)
    return None
