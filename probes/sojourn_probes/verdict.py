"""What an observation means for its step: expectations held against the facts, values extracted, one failure or none."""

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from sojourn_probes.diagnose import Answer, asks_for_patience, clock_trouble, diagnosed
from sojourn_probes.expect import both_ends, judge, shortened, takes_time
from sojourn_probes.expectation import VITALS, Expectation
from sojourn_probes.expectation_parse import MAX_LENGTH, parse
from sojourn_probes.extract import NotExtracted, extract
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.result import ExpectationResult, Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.step import Step
from sojourn_probes.steps.base import Observation

EXPLAINED: Final = frozenset({FailureKind.STATUS, FailureKind.EXPECTATION, FailureKind.EXTRACT})
"""Failures that say only that the answer was another one; what the answer is says more."""

OF_THE_ANSWER: Final = frozenset({"status", "header", "cookie", "body", "json", "xpath", "css", "url", "title", "text"})
"""Sources that know the site's answer from somebody else's. When what is expected of one holds, it was the site that answered."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a step is judged."""

    failure: Failure | None
    expectations: tuple[ExpectationResult, ...] = ()
    degraded: bool = False


def slow_to_judge(step: Step, observation: Observation, until: Iterable[Expectation] = ()) -> bool:
    """Whether judging the step depends on how long its body is and what is in it, so that it must not be done in the event loop."""
    facts = observation.facts
    if any(takes_time(one, facts) for one in (*step.expect, *step.degraded_if, *until)):
        return True
    return any(source.header is None and source.cookie is None for source in step.extract.values())


def judged(step: Step, observation: Observation, names: Names, redact: Redactor, folder: Path = Path()) -> Verdict:
    """Judge `observation`; files that expectations name are in `folder`. What a passed step extracts is set in `names`. Raises `NameMissing`."""
    _complete(observation)
    answer = _answer(observation)
    _learn_secrets(step, observation, names)
    if observation.failure is not None:
        failure = _stopped(observation.failure, observation, answer, folder)
        return Verdict(replace(failure, step=step.id, message=redact.text(failure.message)))
    _learn_secrets(step, observation, names)
    said = {expectation.source for expectation in step.expect}
    patience = asks_for_patience(answer) if answer is not None and step.kind == "http" and "status" not in said else None
    results: list[ExpectationResult] = []
    failed: list[tuple[Expectation, ExpectationResult]] = []
    # A server that asks for patience is not held to what nobody said of its status.
    for expectation in (*([] if patience else _implied(step)), *step.expect):
        result = _held(expectation, "expect", observation, names, redact, folder)
        results.append(result)
        if not result.met:
            failed.append((expectation, result))
    # Those of another kind's sources are for customers only.
    slow = [_held(one, "degraded_if", observation, names, redact, folder) for one in step.degraded_if if step.kind in one.kinds()]
    results.extend(slow)
    wrong = _failure(failed, observation, step.id, step.kind) if failed else _extracted(step, observation, names, redact)
    if answer is not None and (wrong is not None or patience is not None or not said & OF_THE_ANSWER):
        wrong = _explained(wrong, answer, patience, step.id, redact)
    if patience is not None and wrong is None:
        observation.note = patience
    return Verdict(wrong, tuple(results), patience is not None or any(not result.met for result in slow))


def _explained(wrong: Failure | None, answer: Answer, patience: str | None, step: str, redact: Redactor) -> Failure | None:
    """`wrong` as what the answer makes of it. A passed step may have been answered by somebody else too."""
    found = diagnosed(answer, unexpected=wrong is not None or patience is not None)
    if found is not None:
        return replace(found, step=step, message=redact.text(found.message))
    if wrong is None or patience is None:
        return wrong
    return replace(wrong, message=redact.text(f"{wrong.message}; {patience}"))


def _answer(observation: Observation) -> Answer | None:
    first = observation.exchanges[0] if observation.exchanges else None
    last = observation.exchanges[-1] if observation.exchanges else None
    return Answer.of(observation.facts, "" if first is None else first.url, "GET" if last is None else last.method)


def _stopped(failure: Failure, observation: Observation, answer: Answer | None, folder: Path) -> Failure:
    """What a failure of the runner comes from, where that is known."""
    if failure.kind is FailureKind.TLS and observation.facts.get("tls_fault") is not None:
        newest = max(path.stat().st_mtime for path in (Path(__file__), folder))
        return clock_trouble(observation.facts, observation.ended_ns / 1e9, newest) or failure
    if answer is not None and "document" in observation.facts and failure.kind in EXPLAINED | {FailureKind.TIMEOUT, FailureKind.SCRIPT}:
        return diagnosed(answer, unexpected=True) or failure
    return failure


def looked_at(
    step: Step, expectations: Iterable[Expectation], observation: Observation, names: Names, redact: Redactor, folder: Path
) -> tuple[ExpectationResult, ...]:
    """Hold `expectations` against `observation` without judging the step, as between the tries of a repeat. Raises `NameMissing`."""
    _complete(observation)
    _learn_secrets(step, observation, names)
    return tuple(_held(one, "expect", observation, names, redact, folder) for one in expectations)


def _learn_secrets(step: Step, observation: Observation, names: Names) -> None:
    """Know a token before the body it came in is shown beside an expectation."""
    for name, source in step.extract.items():
        if source.is_secret:
            with contextlib.suppress(NotExtracted):
                names.keep_secret(f"steps.{step.id}.{name}", str(extract({name: source}, observation.facts, names)[name]))


def _complete(observation: Observation) -> None:
    """Facts every kind has: the total, and vitals in seconds (runners give milliseconds, as the telemetry has them)."""
    observation.facts.setdefault("total", (observation.ended_ns - observation.started_ns) / 1e9)
    for name in VITALS:
        if name in observation.vitals:
            value = observation.vitals[name]
            observation.facts[name] = value if name == "cls" else value / 1000


def _implied(step: Step) -> list[Expectation]:
    said = {expectation.source for expectation in step.expect}
    if said & getattr(step.part, "implied_unless", frozenset()):
        return []
    return [one for text in getattr(step.part, "implied", ()) if (one := _parsed(text)).source not in said]


@lru_cache(maxsize=256)
def _parsed(text: str) -> Expectation:
    """Of what kinds expect by themselves; the texts are few and stay the same."""
    return parse(text)


def _held(expectation: Expectation, kind: str, observation: Observation, names: Names, redact: Redactor, folder: Path) -> ExpectationResult:
    """Held against the facts; when several addresses were asked, against those of each: the first that is not met counts."""
    if not observation.answers:
        return _held_by(expectation, kind, observation.facts, names, redact, folder)
    for address, facts in observation.answers:
        result = _held_by(expectation, kind, facts, names, redact, folder)
        if not result.met:
            return replace(result, actual=f"{result.actual} at {address}")
    return result


def _held_by(expectation: Expectation, kind: str, facts: dict[str, Any], names: Names, redact: Redactor, folder: Path) -> ExpectationResult:
    text = both_ends(redact.text(expectation.text)) if len(expectation.text) > MAX_LENGTH else redact.text(expectation.text)
    try:
        judgement = judge(expectation, facts, names, redact, folder)
    except ValueError as fault:
        return ExpectationResult(text, kind, kind == "degraded_if", shortened(redact.text(str(fault))), "not compared")
    # An unknown value fails an expectation and degrades nothing: slowness must be seen to be claimed.
    met = bool(judgement.holds) if kind == "expect" else not judgement.holds
    return ExpectationResult(text, kind, met, judgement.expected, judgement.actual)


def _failure(failed: list[tuple[Expectation, ExpectationResult]], observation: Observation, step: str, step_kind: str | None) -> Failure:
    expectation, result = failed[0]
    more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
    if expectation.source == "status":
        last = observation.exchanges[-1] if observation.exchanges else None
        where = f" from {last.method} {urlsplit(last.url).path or '/'}" if last is not None else ""
        return Failure(FailureKind.STATUS, f"{result.actual}{where}, expected {result.text}{more}", step)
    if expectation.source == "grpc_status" and "grpc_said" in observation.facts:
        kind = FailureKind.TIMEOUT if observation.facts["grpc_status"] == "DEADLINE_EXCEEDED" else FailureKind.STATUS
        return Failure(kind, f"{observation.facts['grpc_status']} from {observation.facts['grpc_said']}; expected {result.text}", step)
    kind = FailureKind.DNS if step_kind == "dns" and expectation.source in ("rcode", "answers") else FailureKind.EXPECTATION
    return Failure(kind, f"expected {result.text}, got {result.actual}{more}", step)


def _extracted(step: Step, observation: Observation, names: Names, redact: Redactor) -> Failure | None:
    if not step.extract:
        return None
    try:
        values = extract(step.extract, observation.facts, names)
    except NotExtracted as fault:
        return Failure(FailureKind.EXTRACT, redact.text(str(fault)), step.id)
    names.set_step(step.id, values)
    return None
