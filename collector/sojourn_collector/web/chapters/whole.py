"""What stands beside problems and journeys in the report as a whole, as chapters of it."""

from collections.abc import Iterator

from sojourn_collector.web.chapters import drivers, history, problem, silent, starter, tickets
from sojourn_collector.web.chapters.figures import of_answers
from sojourn_collector.web.chapters.told import Told, facts
from sojourn_collector.web.models import ImpactReport
from sojourn_collector.web.models_whole import JourneyBeside, ProblemBeside, WholeReport


def beside(report: ImpactReport) -> list[Told]:
    """In the order they are told; of a report without them none."""
    return list(_beside(report)) if isinstance(report, WholeReport) else []


def _beside(report: WholeReport) -> Iterator[Told]:
    if report.starter is not None:
        yield starter.tell(report.starter)
    for one in report.problems_beside:
        yield _weighed(one, report)
    for at in report.journeys_beside:
        yield _said(at, report)
        if at.drivers is not None:
            yield drivers.tell(at.drivers)
        if at.history is not None:
            yield history.tell(at.history)
    if report.tickets is not None:
        yield tickets.tell(report.tickets)
    if report.silent is not None:
        yield silent.tell(report.silent)
    if report.beside_notes:
        yield Told("beside", "What is left out here", notes=report.beside_notes)


def _weighed(one: ProblemBeside, report: WholeReport) -> Told:
    title = f"{one.journey.name} › {one.step.name}: what it weighs"
    return Told(
        "weighed",
        title,
        report.as_of,
        version=report.config_version,
        ident=one.problem,
        tables=[problem.weighed(one.value, one.exposed)],
        notes=problem.notes(one.exposed),
    )


def _said(one: JourneyBeside, report: WholeReport) -> Told:
    table = facts("satisfaction", "", of_answers(one.satisfaction))
    window = (report.as_of, report.window_from, report.window_to, report.config_version, one.journey.id)
    return Told("satisfaction", f"{one.journey.name}: what customers said", *window, tables=[table])
