"""One journey by day or hour, for years back. Hours and days in which nothing was measured are absent: that is not zero."""

from sojourn_collector.web.chapters.figures import of_impact
from sojourn_collector.web.chapters.told import COUNTED, Cell, Column, Figure, Table, Told, broken
from sojourn_collector.web.format import part
from sojourn_collector.web.models_history import HistoryPeriod, JourneyHistory

ANSWER = JourneyHistory
_COLUMNS = (
    Column("since", "from"),
    Column("tried", "tried"),
    Column("finished", "finished", COUNTED),
    Column("gave_up", "gave up"),
    Column("stopped", "stopped"),
    Column("trying", "still trying"),
    Column("people", "people"),
    Column("visits", "visits without a name"),
    Column("impact", "impact", (*COUNTED, "why")),
    Column("visits_impact", "impact per visit", COUNTED),
    Column("took_p50", "half took"),
    Column("passed", "probes passed", COUNTED),
    Column("orders_with_visit", "orders with a visit", COUNTED),
    Column("state", ""),
)
_STEPS = (
    Column("since", "from"),
    Column("step", "step"),
    Column("traffic", "whose"),
    Column("reached", "reached"),
    Column("done", "done"),
    Column("hit", "hit"),
    Column("slow", "slow"),
    Column("recovered", "got through later"),
    Column("stopped", "stopped"),
    Column("people_hit", "people hit", ("of",)),
)


def tell(answer: JourneyHistory) -> Told:
    """Of one journey."""
    steps = [
        (
            _begin(period),
            one.name,
            "customers" if one.traffic == "real" else "our probes",
            *(Figure(value) for value in (one.reached, one.done, one.hit, one.slow, one.recovered, one.stopped)),
            Figure(one.people_hit, of=one.people),
        )
        for period in answer.periods
        for one in period.steps
    ]
    notes = [f"{answer.every}s in which nothing was measured are absent: that is not zero"]
    if answer.usual_severities_until is not None:
        notes.append(f"impact before {answer.usual_severities_until:%Y-%m-%d} is by severities of 0.25, 0.5, 0.8 and 1, whatever impact.yaml says")
    return Told(
        "history",
        f"{answer.name} by {answer.every}",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        answer.id,
        broken(answer),
        [
            Table("period", "", _COLUMNS, [_period(one) for one in answer.periods], "nothing was measured in this time"),
            Table("step", "Steps", _STEPS, steps),
        ],
        notes,
    )


def _begin(period: HistoryPeriod) -> Cell:
    return period.day or period.since


def _period(period: HistoryPeriod) -> tuple[Cell, ...]:
    seen, walked, orders = period.customers, period.probes, period.coverage
    if seen is None:
        customers: list[Cell] = [""] * 10
    else:
        settled = seen.tried - seen.trying
        customers = [
            Figure(seen.tried),
            Figure(part(seen.finished, settled), "share", seen.finished_low, seen.finished_high, settled),
            *(Figure(value) for value in (seen.gave_up, seen.stopped, seen.trying, seen.people, seen.anonymous)),
            "" if seen.impact is None else of_impact(seen.impact),
            "" if seen.impact_of_visits is None else of_impact(seen.impact_of_visits),
            Figure(seen.took_p50, "seconds"),
        ]
    said = 0 if walked is None else walked.passed + walked.degraded + walked.failed
    return (
        _begin(period),
        *customers,
        "" if walked is None else Figure(walked.passed_share, "share", walked.passed_low, walked.passed_high, said),
        "" if orders is None else Figure(part(orders.with_visit, orders.orders), "share", orders.low, orders.high, orders.orders),
        "not over" if period.open else "",
    )
