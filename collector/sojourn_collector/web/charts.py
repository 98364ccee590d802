"""The charts of the report as plain data: what `static/report.js` hands to ECharts. Every chart stands beside a table that says the same."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sojourn_collector.web import format as write
from sojourn_collector.web.models import Experience, ProbeRun, Problem
from sojourn_collector.web.models_fixes import Counted, FixMeasure

_NAME = 60


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def funnel(experience: Experience) -> dict[str, Any]:
    """Tried → each step reached → finished; the part of each step's people who were hit is apart."""
    rows: list[dict[str, Any]] = [{"name": "Tried", "reached": experience.tried, "hit": 0}]
    rows += [{"name": write.plain(step.name, _NAME), "reached": step.reached, "hit": min(step.hit, step.reached)} for step in experience.steps]
    rows.append({"name": "Finished", "reached": experience.finished, "hit": 0})
    return {"kind": "funnel", "rows": rows}


def probe_durations(runs: Sequence[ProbeRun], clock: write.Clockface) -> dict[str, Any]:
    """One dot per probe run: when, how long, how it went."""
    points = [
        {
            "at": _ms(run.at),
            "time": clock.at(run.at, seconds=True),
            "seconds": run.duration,
            "outcome": run.outcome,
            "location": write.plain(run.location, _NAME),
        }
        for run in sorted(runs, key=lambda run: run.at)
    ]
    return {"kind": "durations", "points": points}


def people_over_time(problem: Problem, clock: write.Clockface) -> dict[str, Any]:
    """How many had been hit by when, and when our probes noticed."""
    moments = sorted(sufferer.at for sufferer in problem.who)
    points = [{"at": _ms(moment), "time": clock.at(moment, seconds=True), "people": index} for index, moment in enumerate(moments, 1)]
    noticed = problem.clock.first_probe_failure
    marks = [{"at": _ms(noticed), "name": "first probe failed"}] if noticed else []
    if points and moments:
        points.insert(0, {"at": _ms(min(problem.clock.window_from, moments[0])), "time": clock.at(problem.clock.window_from, seconds=True), "people": 0})
        last = max(problem.clock.window_to, moments[-1])
        points.append({"at": _ms(last), "time": clock.at(last, seconds=True), "people": len(moments)})
    return {"kind": "people", "points": points, "marks": marks}


def fix_weeks(one: FixMeasure, changed: Sequence[date] = ()) -> dict[str, Any]:
    """Both arms' shares in per cent, week by week; the trouble is one part between them.

    :param changed: days from which on another configuration holds; the part in which one lies gets a line.
    """

    def share(counted: Counted) -> float | None:
        return round(100 * counted.good / counted.of, 2) if counted.of else None

    points = [
        {"name": f"{part.first:%d %b}", "part": part.part, "fixed": share(part.fixed), "untouched": share(part.untouched), "of": part.fixed.of}
        for part in one.parts
    ]
    lines = sorted({number for day in changed for number, part in enumerate(one.parts) if part.first <= day <= part.last})
    return {"kind": "arms", "points": points, "lines": lines}
