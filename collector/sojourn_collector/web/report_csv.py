"""The report as CSV: figures of problems and journeys, no person and no comment."""

import csv
import io
from collections.abc import Iterator

from sojourn_collector.web.chapters.as_csv import figure_lines
from sojourn_collector.web.chapters.whole import beside
from sojourn_collector.web.escaped import cell
from sojourn_collector.web.models import Break, Impact, ImpactReport, JourneyState, Problem, Share

COLUMNS = (
    "kind",
    "id",
    "journey",
    "step",
    "state",
    "since",
    "until",
    "reached",
    "hit",
    "stopped",
    "visits_hit",
    "usual_hit",
    "impact",
    "impact_low",
    "impact_high",
    "impact_of",
    "impact_usual",
    "impact_excess",
    "impact_by_visit",
    "impact_trying",
    "impact_if_all_pass",
    "impact_if_all_fail",
    "visits_impact",
    "visits_impact_low",
    "visits_impact_high",
    "visits_impact_of",
    "visits_impact_covers",
    "money_state",
    "money",
    "money_low",
    "money_high",
    "upper_bound",
    "currency",
    "final_at",
    "satisfied_hit",
    "answered_hit",
    "satisfied_others",
    "answered_others",
    "tried",
    "finished",
    "gave_up",
    "probes_passed",
    "probes_total",
    "cause",
    "as_of",
    "config_version",
    "shown_until",
    "measure",
    "group",
    "value",
    "value_low",
    "value_high",
    "value_of",
    "unit",
)
"""Of the CSV, one line a problem, one of all journeys together (`company`), one a journey, one a change of the configuration (`break`: its id is the
version that holds since), one for each figure that is measured beside them (`figure`: of the problem or journey its id names, or of everything), and one for
what is left out (`note`: its id is the problem it is of, or nothing; the sentence is its cause); what is not known is empty."""


def as_csv(report: ImpactReport) -> str:
    """Comma separated with a header line (RFC 4180); times RFC 3339, money in major units."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n", restval="")
    writer.writeheader()
    rows = [*map(_problem_row, report.problems), *_company_row(report), *(_journey_row(journey, report) for journey in report.journeys)]
    for row in [*rows, *_note_rows(report), *(_break_row(one, report) for one in report.breaks), *_beside_rows(report)]:
        writer.writerow({key: cell(value) for key, value in {"config_version": report.config_version, **row}.items()})
    return out.getvalue()


def _problem_row(problem: Problem) -> dict[str, object]:
    people, money = problem.people, problem.money
    return {
        "kind": "problem",
        "id": problem.id,
        "journey": problem.journey.id,
        "step": problem.step.id,
        "state": problem.state,
        "since": problem.clock.since.isoformat(),
        "until": problem.clock.until.isoformat() if problem.clock.until else None,
        "reached": people.reached,
        "hit": people.hit,
        "stopped": people.stopped,
        "visits_hit": people.visits_hit,
        "usual_hit": people.usual_hit,
        **_impact_cells(problem.impact, problem.impact_of_visits),
        "money_state": money.state,
        "money": money.amount,
        "money_low": money.low,
        "money_high": money.high,
        "upper_bound": money.upper_bound,
        "currency": money.currency,
        "final_at": money.final_at.isoformat() if money.final_at else None,
        **_answers("hit", problem.satisfaction.hit),
        **_answers("others", problem.satisfaction.others),
        "cause": problem.cause.summary if problem.cause else None,
        "as_of": problem.as_of.isoformat(),
        "shown_until": problem.shown_until.isoformat() if problem.shown_until else None,
    }


def _note_rows(report: ImpactReport) -> Iterator[dict[str, object]]:
    notes = [("", note) for note in report.notes] + [(problem.id, note) for problem in report.problems for note in problem.notes]
    for ident, note in notes:
        yield {"kind": "note", "id": ident, "cause": note, "as_of": report.as_of.isoformat()}


def _beside_rows(report: ImpactReport) -> Iterator[dict[str, object]]:
    journeys = {journey.id for journey in report.journeys}
    for told in beside(report):
        about = {"id": told.ident, "journey": told.ident if told.ident in journeys else "", "as_of": (told.as_of or report.as_of).isoformat()}
        around = about | {"since": told.since.isoformat() if told.since else "", "until": told.until.isoformat() if told.until else ""}
        for table in told.tables:
            yield from ({"kind": "figure", **around, **line} for line in figure_lines(told.key, table))
        empty = [table.empty for table in told.tables if table.empty and not table.rows]
        for line in (*told.lines, *empty, *told.notes):
            yield {"kind": "note", **about, "cause": line}


def _journey_row(journey: JourneyState, report: ImpactReport) -> dict[str, object]:
    e = journey.experience
    return {
        "kind": "journey",
        "id": journey.id,
        "journey": journey.id,
        "state": journey.state,
        **({"tried": e.tried, "finished": e.finished, "gave_up": e.gave_up, "stopped": e.stopped} if e.tried else {}),
        **_impact_cells(journey.impact, journey.impact_of_visits),
        **({"probes_passed": journey.probes.passed, "probes_total": journey.probes.total} if journey.probes.total else {}),
        "as_of": report.as_of.isoformat(),
    }


def _company_row(report: ImpactReport) -> list[dict[str, object]]:
    return [] if report.company is None else [{"kind": "company", **_impact_cells(report.company, report.company.of_visits), "as_of": report.as_of.isoformat()}]


def _break_row(one: Break, report: ImpactReport) -> dict[str, object]:
    return {"kind": "break", "id": one.version, "state": one.kind, "since": one.at.isoformat(), "cause": one.sentence, "as_of": report.as_of.isoformat()}


def _impact_cells(people: Impact, visits: Impact | None) -> dict[str, object]:
    cells: dict[str, object] = {
        "impact": people.score,
        "impact_low": people.low,
        "impact_high": people.high,
        "impact_of": people.of,
        "impact_usual": people.usual,
        "impact_excess": people.excess,
        "impact_by_visit": people.by_visit,
        "impact_trying": people.trying,
        "impact_if_all_pass": people.if_all_pass,
        "impact_if_all_fail": people.if_all_fail,
    }
    if visits is not None:
        own = {"": visits.score, "_low": visits.low, "_high": visits.high, "_of": visits.of, "_covers": visits.covers}
        cells |= {f"visits_impact{name}": value for name, value in own.items()}
    return cells


def _answers(arm: str, share: Share | None) -> dict[str, object]:
    return {} if share is None else {f"satisfied_{arm}": share.satisfied, f"answered_{arm}": share.answered}
