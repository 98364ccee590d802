"""Plain lines for people, without colour or cursor movement: what a log or a pipe gets."""

from collections.abc import Sequence
from typing import Final

from sojourn_probes.errors import Problem
from sojourn_probes.journey import Journey
from sojourn_probes.output.walked import Walked, seconds
from sojourn_probes.result import AttemptResult, RunResult, StepResult
from sojourn_probes.semconv import Outcome
from sojourn_probes.units import show_duration

SIGNS: Final = {Outcome.PASSED: "✓", Outcome.DEGRADED: "◐", Outcome.FAILED: "✗", Outcome.INCONCLUSIVE: "?", Outcome.SKIPPED: "·"}
"""One sign for each outcome; the word always stands beside it."""


def runs(walked: Sequence[Walked]) -> str:
    """All runs, one below the other."""
    return "\n".join("\n".join(lines_of(one)) for one in walked) + "\n"


def lines_of(walked: Walked) -> list[str]:
    """One run: its attempts, their steps, and how it ended."""
    lines = [heading(walked.journey)]
    attempts = walked.result.attempts
    for attempt in attempts:
        if len(attempts) > 1:
            lines.append(f"  attempt {attempt.number} of {len(attempts)}: {attempt.outcome}")
        lines += attempt_lines(attempt)
    return [*lines, ending(walked.result)]


def heading(journey: Journey) -> str:
    """The journey's id and name."""
    return journey.id if journey.title == journey.id else f"{journey.id} › {journey.title}"


def attempt_lines(attempt: AttemptResult) -> list[str]:
    """The steps of an attempt."""
    width = max((len(step.name) for step in attempt.steps), default=0)
    return [line for step in attempt.steps for line in step_lines(step, width)]


def step_lines(step: StepResult, width: int = 0) -> list[str]:
    """One step: sign, name, time; below it what was not as expected."""
    time = "skipped" if step.outcome is Outcome.SKIPPED else show_duration(seconds(step.started_ns, step.ended_ns))
    lines = [f"  {SIGNS[step.outcome]} {step.name:<{width}}  {time}".rstrip()]
    if step.failure is not None:
        lines.append(f"      {step.failure.kind}: {step.failure.message}")
    if step.note:
        lines.append(f"      note: {step.note}")
    for one in step.expectations:
        if not one.met and one.kind == "degraded_if":
            lines.append(f"      slow: {one.text}, it was {one.actual}")
        elif not one.met and step.failure is not None and one.text not in step.failure.message:
            lines.append(f"      also expected {one.text}, got {one.actual}")
    return lines


def ending(result: RunResult) -> str:
    """How the run ended, in a line."""
    line = f"{result.outcome} in {show_duration(seconds(result.started_ns, result.ended_ns))}"
    if result.flaky:
        line += f", only at attempt {len(result.attempts)} (flaky)"
    if result.failure is not None:
        where = f" at {result.failure.step}" if result.failure.step else ""
        line += f"{where}: {result.failure.message}"
    return line


def findings(journeys: Sequence[Journey], problems: Sequence[Problem], missing: Sequence[Problem]) -> str:
    """One line for each journey that is good, each problem, and each name not set here."""
    lines = [f"good: {journey.source}: {journey.id}, {len(journey.steps)} step{'s' if len(journey.steps) != 1 else ''}" for journey in journeys]
    lines += [str(problem) for problem in problems]
    lines += [f"to run it here: {problem}" for problem in missing]
    return "".join(f"{line}\n" for line in lines)
