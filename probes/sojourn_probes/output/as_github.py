"""Workflow commands of GitHub Actions: annotations on the journey file, after the lines for people."""

import re
from collections.abc import Sequence

from sojourn_probes.diff import Difference, Fate
from sojourn_probes.diff_values import Kind
from sojourn_probes.errors import Problem
from sojourn_probes.journey import Journey
from sojourn_probes.output import as_human
from sojourn_probes.output.plain import one_line
from sojourn_probes.output.walked import Walked
from sojourn_probes.semconv import Outcome


def runs(walked: Sequence[Walked]) -> str:
    """The lines for people, then an annotation for each failure, slow step and flaky run."""
    lines = _quiet(as_human.runs(walked).splitlines())
    for one in walked:
        lines += _annotations(one)
    return "".join(f"{line}\n" for line in lines)


def _annotations(walked: Walked) -> list[str]:
    result, lines = walked.result, []
    if result.failure is not None:
        title = f"{walked.journey.title} › {_step_name(walked, result.failure.step)}" if result.failure.step else walked.journey.title
        lines.append(_command("error", walked.file, walked.line_of(result.failure.step), 1, title, f"{result.failure.kind}: {result.failure.message}"))
    for step in walked.steps:
        if step.outcome is Outcome.DEGRADED:
            slow = "; ".join(f"{one.text}, it was {one.actual}" for one in step.expectations if not one.met)
            lines.append(_command("warning", walked.file, walked.line_of(step.id), 1, f"{walked.journey.title} › {step.name}", f"slow: {slow or step.note}"))
    if result.flaky:
        first = result.attempts[0].failure
        why = "" if first is None else f": {first.message}"
        lines.append(_command("warning", walked.file, walked.line_of(None if first is None else first.step), 1, walked.journey.title, f"flaky{why}"))
    return lines


def findings(journeys: Sequence[Journey], problems: Sequence[Problem], missing: Sequence[Problem]) -> str:
    """An annotation for each problem, a notice for each name not set here."""
    lines = _quiet(as_human.findings(journeys, (), ()).splitlines())
    lines += [_command("error", one.file, one.line, one.col, "journey file", f"{one.key}: {one.message}" if one.key else one.message) for one in problems]
    lines += [_command("notice", one.file, one.line, one.col, "to run it here", f"{one.key}: {one.message}") for one in missing]
    return "".join(f"{line}\n" for line in lines)


def differences(found: Sequence[Difference]) -> str:
    """A notice for each change, a warning where history breaks or ends."""
    lines = _quiet(as_human.differences(found).splitlines())
    for one in found:
        if one.fate is not Fate.SAME:
            kind = "warning" if one.fate in (Fate.RENAMED, Fate.REMOVED) else "notice"
            lines.append(_command(kind, one.file, one.line, 1, one.name, as_human.difference_line(one)))
        for change in one.changes:
            kind = "warning" if change.kind is Kind.RENAMED else "notice"
            lines.append(_command(kind, one.file, change.line, 1, one.name, str(change)))
    return "".join(f"{line}\n" for line in lines)


def _step_name(walked: Walked, step_id: str) -> str:
    return next((step.title for step in walked.journey.walked if step.id == step_id), step_id)


def _command(kind: str, file: str, line: int, col: int, title: str, message: str) -> str:
    return f"::{kind} file={_value(file)},line={line},col={col},title={_value(title)}::{_text(message)}"


def _text(text: str) -> str:
    """Line breaks in the escapes that workflow commands have for them, other control characters spelt out."""
    return "%0A".join(one_line(line).replace("%", "%25") for line in re.split("\r\n|\r|\n", text))


def _value(text: str) -> str:
    return _text(text).replace(":", "%3A").replace(",", "%2C")


def _quiet(lines: Sequence[str]) -> list[str]:
    """Lines that cannot be taken for commands: what a server said must not speak to the workflow."""
    return [line.replace("::", ":\u200b:").replace("##[", "##\u200b[") for line in lines]
