"""The report as text for a terminal: each problem in its four lines, the journeys, what is said of the whole, and what is measured beside it."""

from collections.abc import Iterator
from datetime import UTC, tzinfo

from sojourn_collector.web.chapters.as_text import as_text as chapter_text
from sojourn_collector.web.chapters.whole import beside
from sojourn_collector.web.format import Clockface, number, percent, plain
from sojourn_collector.web.models import Experience, ImpactReport, JourneyState, ProbeState, StepFunnel
from sojourn_collector.web.report_lines import impact_line, in_one_line, sentence

_NAMES = 80
"""Longest name of a journey or step."""


def as_text(report: ImpactReport, journey: str = "", zone: tzinfo = UTC) -> str:
    """The whole report; with `journey`, which it was asked for, that journey's steps too."""
    parts = ["\n".join(plain(line) for line in problem.headline) for problem in report.problems]
    if not parts:
        parts.append(f"No problem{f' of {plain(journey, _NAMES)}' if journey else ''} that touches customers is known just now.")
    parts += ["\n".join(_journey(one, steps=bool(journey))) for one in report.journeys]
    if report.company is not None:
        parts.append(in_one_line(report.company))
    parts += [sentence(plain(note)) for note in report.notes]
    parts += [plain(one.sentence) for one in report.breaks]
    clock = Clockface(zone, report.as_of, seconds=report.windows.outcome < 3600)
    return "\n".join(["\n\n".join(parts) + "\n", *(chapter_text(one, clock) for one in beside(report))])


def _journey(journey: JourneyState, *, steps: bool) -> Iterator[str]:
    yield f"{plain(journey.name, _NAMES)}: {journey.state}"
    yield f"  customers  {_customers(journey.experience)}"
    yield f"  our probes {_probes(journey.probes)}"
    yield f"  impact     {impact_line(journey.impact, journey.impact_of_visits)}"
    if steps:
        yield from (f"  step       {_step(one)}" for one in journey.experience.steps)


def _customers(seen: Experience) -> str:
    if not seen.tried:
        return "nobody tried"
    known = None not in (seen.finished_low, seen.finished_high)
    share = f" [{percent(seen.finished_low)}–{percent(seen.finished_high)} of those whose walk is over]" if known else ""
    usual = "" if seen.usual_finished is None else f", usual {percent(seen.usual_finished)}"
    trying = f", {number(seen.trying)} still trying" if seen.trying else ""
    ends = f"{number(seen.gave_up)} gave up, {number(seen.stopped)} were stopped{trying}"
    return f"{number(seen.finished)} of {number(seen.tried)} finished{share}{usual}, {ends}"


def _probes(seen: ProbeState) -> str:
    if not seen.total:
        return f"none ran ({plain(seen.hint)})" if seen.hint else "none ran"
    return f"{seen.state}, {number(seen.passed)} of {number(seen.total)} runs passed"


def _step(seen: StepFunnel) -> str:
    apdex = ""
    if seen.apdex is not None and seen.apdex_low is not None and seen.apdex_high is not None:
        apdex = f", Apdex {seen.apdex:.2f} [{seen.apdex_low:.2f}–{seen.apdex_high:.2f}] of {number(seen.apdex_of)}"
    hit = f" [{percent(seen.hit_low)}–{percent(seen.hit_high)}]" if None not in (seen.hit_low, seen.hit_high) else ""
    return f"{plain(seen.name, _NAMES)}: {number(seen.reached)} reached it, {number(seen.hit)} hit{hit}, {number(seen.slow)} slow{apdex}"
