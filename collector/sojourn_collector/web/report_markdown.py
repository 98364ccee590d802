"""The report as Markdown: figures of problems and journeys, no person and no comment."""

from collections.abc import Iterator
from datetime import tzinfo

from sojourn_collector.web.chapters.as_markdown import as_markdown as chapter_markdown
from sojourn_collector.web.chapters.whole import beside
from sojourn_collector.web.escaped import inline
from sojourn_collector.web.format import Clockface, estimate, number, span_of
from sojourn_collector.web.models import ImpactReport, Money, Problem
from sojourn_collector.web.report_lines import impact_line, in_one_line, sentence


def as_markdown(report: ImpactReport, zone: tzinfo) -> str:
    """A page for a wiki or a chat: problems as a table with their sentences, journeys as another."""
    return "\n".join(_markdown(report, Clockface(zone, report.as_of, seconds=report.windows.outcome < 3600))) + "\n"


def _markdown(report: ImpactReport, clock: Clockface) -> Iterator[str]:
    yield f"# Customer impact, {clock.day(report.as_of)}"
    yield ""
    yield f"As of {clock.at(report.as_of, seconds=True)} {clock.zone_name()}, looking back to {clock.at(report.window_from)}."
    yield f"Configuration {report.config_version}."
    for line in [*(sentence(note) for note in report.notes), *(one.sentence for one in report.breaks)]:
        yield ""
        yield f"> {inline(line, 600)}"
    if report.windows.simulated:
        yield ""
        yield "**Simulated shoppers**: the windows are short for the show."
    yield ""
    if not report.problems:
        yield "No problem that touches customers is known."
    for problem in report.problems:
        yield f"## {inline(problem.journey.name)} › {inline(problem.step.name)}: {problem.state}"
        yield ""
        ended = problem.clock.until
        span = f"Over: from {clock.at(problem.clock.since)} to {clock.at(ended)}" if ended else f"Since {clock.at(problem.clock.since)}"
        yield f"{span}. {inline(problem.cause.summary) if problem.cause else 'The cause is not known.'}"
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
            yield inline(sentence(note), 600)
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
            yield f"| {inline(journey.name)} | {journey.state} | {tried} | {walked} | {impact_line(journey.impact, journey.impact_of_visits)} |"
        yield ""
    for one in beside(report):
        yield chapter_markdown(one, clock, 2)
    yield "In brackets 95 % intervals, where nothing else is said. Customers and our probes are never added up; grey (unknown) is neither good nor zero."


def _money(money: Money, clock: Clockface) -> str:
    if money.amount is not None and money.state in ("so_far", "final"):
        when = f" so far, final at {clock.at(money.final_at)}" if money.state == "so_far" else ", final"
        return f"about {estimate(money.amount, money.currency)} missing [{span_of(money.low, money.high, estimate=True)}]{when}"
    why = inline("; ".join(money.reasons))
    if money.state == "upper_bound" and money.upper_bound is not None:
        return f"at most {estimate(money.upper_bound, money.currency)}, an upper bound ({why})"
    return f"not estimable: {why}"


def _satisfied(problem: Problem) -> str:
    hit, others = problem.satisfaction.hit, problem.satisfaction.others
    if hit is None and others is None:
        return "not measured"
    said = [f"{share.satisfied} of {share.answered} {whose}" for share, whose in ((hit, "of those hit"), (others, "of the others")) if share is not None]
    return f"{', '.join(said)} (scale {problem.satisfaction.scale})"
