"""Plain lines for people, without colour or cursor movement: what a log or a pipe gets."""

from collections.abc import Sequence
from typing import Final

from sojourn_probes.diff import Difference, Fate
from sojourn_probes.errors import Problem
from sojourn_probes.journey import Journey
from sojourn_probes.output.plain import one_line
from sojourn_probes.output.walked import Walked, seconds
from sojourn_probes.repeat import Summary, Times, summaries
from sojourn_probes.result import AttemptResult, RunResult, StepResult
from sojourn_probes.semconv import Outcome
from sojourn_probes.units import show_duration

SIGNS: Final = {Outcome.PASSED: "✓", Outcome.DEGRADED: "◐", Outcome.FAILED: "✗", Outcome.INCONCLUSIVE: "?", Outcome.SKIPPED: "·"}
"""One sign for each outcome; the word always stands beside it."""

_WHOLE: Final = "the whole run"


def runs(walked: Sequence[Walked]) -> str:
    """All runs, one below the other; when a journey was walked more than once, what its runs have in common."""
    lines = [line for one in walked for line in lines_of(one)]
    return "".join(f"{line}\n" for line in [*lines, *summary_lines(walked)])


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
    return one_line(journey.id if journey.title == journey.id else f"{journey.id} › {journey.title}")


def attempt_lines(attempt: AttemptResult) -> list[str]:
    """The steps of an attempt."""
    width = max((len(step.name) for step in attempt.steps), default=0)
    return [line for step in attempt.steps for line in step_lines(step, width)]


def step_lines(step: StepResult, width: int = 0) -> list[str]:
    """One step: sign, name, time; below it what was not as expected."""
    time = "skipped" if step.outcome is Outcome.SKIPPED else show_duration(seconds(step.started_ns, step.ended_ns))
    lines = [f"  {SIGNS[step.outcome]} {step.name:<{width}}  {time:<8} {phases_of(step)}".rstrip()]
    if step.failure is not None:
        lines.append(f"      {step.failure.kind}: {step.failure.message}")
    if step.note:
        lines.append(f"      note: {step.note}")
    for one in step.expectations:
        if not one.met and one.kind == "degraded_if":
            lines.append(f"      slow: {one.text}, it was {one.actual}")
        elif not one.met and step.failure is not None and one.text not in step.failure.message:
            lines.append(f"      also expected {one.text}, got {one.actual}")
    if step.evidence:
        lines.append(f"      evidence: {', '.join(step.evidence.values())}")
    return [one_line(line) for line in lines]


def phases_of(step: StepResult) -> str:
    """Where the time of a step went: phases summed over its exchanges, or what a browser's page says of itself."""
    if step.vitals:
        return " · ".join(f"{name} {f'{value:.2g}' if name == 'cls' else show_duration(value / 1000)}" for name, value in step.vitals.items())
    sums: dict[str, float] = {}
    for exchange in step.exchanges:
        for phase, spent in exchange.phases.items():
            sums[phase] = sums.get(phase, 0.0) + spent
    return " · ".join(f"{phase} {show_duration(spent)}" for phase, spent in sums.items())


def ending(result: RunResult) -> str:
    """How the run ended, in a line."""
    line = f"{result.outcome} in {show_duration(seconds(result.started_ns, result.ended_ns))}"
    if result.flaky:
        line += f", only at attempt {len(result.attempts)} (flaky)"
    if result.failure is not None:
        where = f" at {result.failure.step}" if result.failure.step else ""
        line += f"{where}: {result.failure.message}"
    return one_line(line)


def summary_lines(walked: Sequence[Walked]) -> list[str]:
    """What the runs of each journey that was walked more than once have in common."""
    return [line for one in summaries([one.result for one in walked]) if one.runs > 1 for line in _summary(one)]


def _summary(summary: Summary) -> list[str]:
    said = [f"{count} {outcome}" for outcome, count in summary.outcomes.items()]
    lines = [one_line(f"{summary.journey_id}: {summary.runs} runs: {', '.join([*said, f'{summary.flaky} flaky'])}")]
    width = max(*(len(step.name) for step in summary.steps), len(_WHOLE), 4)
    lines.append(f"  {'step':<{width}} {'times':>6} {'failed':>6} {'p50':>9} {'p95':>9} {'longest':>9}")
    for step in summary.steps:
        lines.append(f"  {one_line(step.name):<{width}} {_times(step.times, sum(step.failures.values()))}")
    lines.append(f"  {_WHOLE:<{width}} {_times(summary.times, sum(summary.failures.values()))}")
    for word, kinds in (("failures", summary.failures), ("tried again after", summary.retried)):
        if kinds:
            lines.append(f"  {word}: {', '.join(f'{kind} {count}' for kind, count in kinds.items())}")
    return lines


def _times(times: Times | None, failed: int) -> str:
    if times is None:
        return f"{0:>6} {failed:>6}"
    shown = [show_duration(value) for value in (times.p50, times.p95, times.longest)]
    return f"{times.count:>6} {failed:>6} " + " ".join(f"{value:>9}" for value in shown)


def findings(journeys: Sequence[Journey], problems: Sequence[Problem], missing: Sequence[Problem]) -> str:
    """One line for each journey that is good, each problem, and each name not set here."""
    lines = [f"good: {journey.source}: {journey.id}, {len(journey.steps)} step{'s' if len(journey.steps) != 1 else ''}" for journey in journeys]
    lines += [str(problem) for problem in problems]
    lines += [f"to run it here: {problem}" for problem in missing]
    lines = [one_line(line) for line in lines]
    return "".join(f"{line}\n" for line in lines)


def differences(found: Sequence[Difference]) -> str:
    """What becomes of each journey, and below it what changes."""
    lines = []
    for one in found:
        if one.fate is not Fate.SAME:
            lines += [difference_line(one), *(f"  {change}" for change in one.changes)]
    same = sum(one.fate is Fate.SAME for one in found)
    if same:
        lines.append(f"{same} {'journey' if same == 1 else 'journeys'} unchanged")
    return "".join(f"{one_line(line)}\n" for line in lines)


def difference_line(one: Difference) -> str:
    """What becomes of a journey, in a line."""
    versions = f"version {one.version_before} → {one.version}"
    match one.fate:
        case Fate.ADDED:
            return f"{one.id}: added; its history begins"
        case Fate.REMOVED:
            return f"{one.id}: removed; its history ends"
        case Fate.RENAMED:
            return f"{one.id_before} is now {one.id}: history breaks, {one.id} begins without one; {versions}"
        case Fate.REVISED:
            return f"{one.id}: says the same in other words; history goes on, {versions}"
        case _:
            same = one.version == one.version_before
            return f"{one.id}: changed; history goes on, {'the version stays ' + one.version if same else versions}"
