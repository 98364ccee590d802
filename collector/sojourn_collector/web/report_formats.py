"""The report as Markdown and CSV: figures of problems and journeys, no person and no comment."""

import csv
import io
from collections.abc import Iterator
from datetime import tzinfo

from sojourn_collector.web.format import Clockface, estimate, number, percent, plain, score, span_of
from sojourn_collector.web.models import Break, CompanyImpact, Impact, ImpactReport, JourneyState, Money, Problem, Share
from sojourn_collector.web.scores_said import bounds, per, said

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
)
"""Of the CSV, one line a problem, one of all journeys together (`company`), one a journey, one a change of the configuration (`break`: its id is the
version that holds since), and one for what is left out (`note`: its id is the problem it is of, or nothing; the sentence is its cause); what is not known is
empty."""

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet would take for a formula."""


def as_csv(report: ImpactReport) -> str:
    """Comma separated with a header line (RFC 4180); times RFC 3339, money in major units."""
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\r\n", restval="")
    writer.writeheader()
    rows = [*map(_problem_row, report.problems), *_company_row(report), *(_journey_row(journey, report) for journey in report.journeys)]
    for row in [*rows, *_note_rows(report), *(_break_row(one, report) for one in report.breaks)]:
        writer.writerow({key: _cell(value) for key, value in {"config_version": report.config_version, **row}.items()})
    return out.getvalue()


def as_markdown(report: ImpactReport, zone: tzinfo) -> str:
    """A page for a wiki or a chat: problems as a table with their sentences, journeys as another."""
    return "\n".join(_markdown(report, Clockface(zone, report.as_of, seconds=report.windows.outcome < 3600))) + "\n"


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


def _cell(value: object) -> object:
    """A cell that is only a text: what begins like a formula gets a quote before it."""
    if value is None:
        return ""
    if isinstance(value, str):
        text = plain(value, 500).replace("\n", " ")
        return f"'{text}" if text.startswith(_FORMULA) else text
    return round(value, 4) if isinstance(value, float) else value


def _markdown(report: ImpactReport, clock: Clockface) -> Iterator[str]:
    yield f"# Customer impact, {clock.day(report.as_of)}"
    yield ""
    yield f"As of {clock.at(report.as_of, seconds=True)} {clock.zone_name()}, looking back to {clock.at(report.window_from)}."
    yield f"Configuration {report.config_version}."
    for line in [*(_sentence(note) for note in report.notes), *(one.sentence for one in report.breaks)]:
        yield ""
        yield f"> {_inline(line, 600)}"
    if report.windows.simulated:
        yield ""
        yield "**Simulated shoppers**: the windows are short for the show."
    yield ""
    if not report.problems:
        yield "No problem that touches customers is known."
    for problem in report.problems:
        yield f"## {_inline(problem.journey.name)} › {_inline(problem.step.name)}: {problem.state}"
        yield ""
        ended = problem.clock.until
        span = f"Over: from {clock.at(problem.clock.since)} to {clock.at(ended)}" if ended else f"Since {clock.at(problem.clock.since)}"
        yield f"{span}. {_inline(problem.cause.summary) if problem.cause else 'The cause is not known.'}"
        yield ""
        yield "| customers | impact (0 nobody, 100 all) | money | satisfied |"
        yield "|---|---|---|---|"
        p = problem.people
        usual = "" if p.usual_hit is None else f", usual {number(p.usual_hit)}"
        visits = f"; apart {number(p.visits_hit)} of {number(p.visits_reached)} visits without a name" if p.visits_reached else ""
        hit = f"{number(p.hit)} of {number(p.reached)} hit, {number(p.stopped)} stopped{usual}{visits}"
        if not p.reached and p.visits_reached:
            hit = f"{number(p.visits_hit)} of {number(p.visits_reached)} visits without a name hit, {number(p.visits_stopped)} stopped"
        yield f"| {hit} | {impact_line(problem.impact, problem.impact_of_visits)} | {_money(problem.money, clock)} | {_satisfied(problem)} |"
        yield ""
        for note in problem.notes:
            yield _inline(_sentence(note), 600)
            yield ""
    if report.company is not None:
        yield f"{in_one_line(report.company)}."
        yield ""
    if report.journeys:
        yield "## Journeys"
        yield ""
        yield "| journey | state | customers | our probes | impact |"
        yield "|---|---|---|---|---|"
        for journey in report.journeys:
            e, probes = journey.experience, journey.probes
            tried = f"{number(e.finished)} of {number(e.tried)} finished, {number(e.stopped)} stopped" if e.tried else "nobody tried"
            walked = f"{number(probes.passed)} of {number(probes.total)} passed" if probes.total else "none ran"
            yield f"| {_inline(journey.name)} | {journey.state} | {tried} | {walked} | {impact_line(journey.impact, journey.impact_of_visits)} |"
        yield ""
    yield "In brackets 95 % intervals. Customers and our probes are never added up; grey (unknown) is neither good nor zero."


def _inline(text: str, longest: int = 200) -> str:
    """A stranger's text that cannot become markup: one line, with Markdown's own characters escaped."""
    return "".join(f"\\{letter}" if letter in "\\`*_{}[]()<>#+!|~" else letter for letter in plain(text, longest).replace("\n", " "))


def in_one_line(whole: CompanyImpact) -> str:
    """Impact over all journeys together, as a report says it."""
    lead, beside = said(whole, whole.of_visits)
    apart = f"; apart {number(whole.visits)} anonymous visits" if whole.visits else ""
    if beside is not None and beside.score is not None:
        apart += f"{', ' if apart else '; apart '}impact {_range(beside)}"
    usual = "" if lead.usual is None else f", usual {score(lead.usual)}"
    return f"All journeys together: impact {_range(lead)}{usual}, {number(round(whole.hit))} of {number(round(whole.weight))} days of people hit{apart}"


def impact_line(people: Impact, visits: Impact | None) -> str:
    """The score that leads, of how many, with its interval, usual value and excess; the other one apart."""
    lead, beside = said(people, visits)
    if beside is None or beside.score is None:
        return _score(lead)
    return f"{_score(lead)}; apart {'people ' if beside.covers == 'people' else ''}{_score(beside)}"


def _score(impact: Impact) -> str:
    if impact.score is None or impact.low is None or impact.high is None:
        return _range(impact)
    usual = "" if impact.usual is None or impact.excess is None else f", usual {score(impact.usual)}, excess {score(impact.excess)}"
    apart = f", {percent(impact.by_visit)} known only by visit, apart" if impact.by_visit else ""
    ends = bounds(impact)
    open_ = f", {' to '.join(ends)} with the {number(impact.trying)} still trying" if ends else ""
    return f"{score(impact.score)} [{span_of(impact.low, impact.high)}] of {number(impact.of)}{per(impact)}{usual}{apart}{open_}"


def _range(impact: Impact) -> str:
    """The score and its interval alone, or why there is none."""
    if impact.score is None or impact.low is None or impact.high is None:
        return f"not measured ({impact.reason})" if impact.reason else "not measured"
    return f"{score(impact.score)} [{span_of(impact.low, impact.high)}]{per(impact)}"


def _sentence(note: str) -> str:
    return f"{note[:1].upper()}{note[1:]}."


def _money(money: Money, clock: Clockface) -> str:
    if money.amount is not None and money.state in ("so_far", "final"):
        when = f" so far, final at {clock.at(money.final_at)}" if money.state == "so_far" else ", final"
        return f"about {estimate(money.amount, money.currency)} missing [{span_of(money.low, money.high, estimate=True)}]{when}"
    why = _inline("; ".join(money.reasons))
    if money.state == "upper_bound" and money.upper_bound is not None:
        return f"at most {estimate(money.upper_bound, money.currency)}, an upper bound ({why})"
    return f"not estimable: {why}"


def _satisfied(problem: Problem) -> str:
    hit, others = problem.satisfaction.hit, problem.satisfaction.others
    if hit is None and others is None:
        return "not measured"
    said = [f"{share.satisfied} of {share.answered} {whose}" for share, whose in ((hit, "of those hit"), (others, "of the others")) if share is not None]
    return f"{', '.join(said)} (scale {problem.satisfaction.scale})"
