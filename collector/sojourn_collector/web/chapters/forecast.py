"""How many tickets a problem will bring in the next 24 hours, while such forecasts have been better than the usual number."""

from sojourn_collector.web.chapters.told import Column, Figure, Table, Told, broken, facts
from sojourn_collector.web.models_forecast import ForecastAnswer

ANSWER = ForecastAnswer
_PAST = (
    Column("since", "began"),
    Column("people", "hit by this age"),
    Column("exposure", "Σ severity"),
    Column("tickets", "tickets in the 24 hours after"),
    Column("base", "usual"),
)


def tell(answer: ForecastAnswer) -> Told:
    """Of one problem."""
    past = [
        (one.since, Figure(one.people), Figure(one.exposure, "decimal"), Figure(one.tickets), Figure(one.base, "decimal")) for one in reversed(answer.incidents)
    ]
    return Told(
        "forecast",
        f"Tickets to expect: {answer.journey.name} › {answer.step.name}",
        answer.as_of,
        answer.as_of,
        answer.until,
        answer.config_version,
        answer.problem,
        broken(answer),
        [
            facts(
                "forecast",
                "",
                [
                    ("tickets to expect", Figure(answer.expected, "decimal", answer.low, answer.high, why=answer.reason)),
                    ("usual in these hours", Figure(answer.base, "decimal", why="" if answer.base is not None else "too few weeks are known")),
                    ("hit so far", Figure(answer.people)),
                    ("Σ severity of those hit", Figure(answer.exposure, "decimal")),
                    ("further tickets per unit of severity", Figure(answer.excess_rate, "number")),
                    ("earlier forecasts that were compared", Figure(answer.scored)),
                ],
            ),
            Table("incident", "Earlier incidents of this journey", _PAST, past),
        ],
        ["The interval is of what will come, in 19 of 20 cases, of all topics together"] if answer.expected is not None else [],
    )
