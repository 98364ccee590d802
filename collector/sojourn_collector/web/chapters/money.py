"""What a journey's problems cost together, and the recurring revenue of those hit in it."""

from sojourn_collector.web.chapters.problem import notes
from sojourn_collector.web.chapters.told import Figure, Told, broken, facts
from sojourn_collector.web.models_journey_money import JourneyMoney

ANSWER = JourneyMoney


def tell(answer: JourneyMoney) -> Told:
    """Of one journey."""
    missing, exposed = answer.missing, answer.exposed
    name = {"so_far": "money missing so far", "final": "money missing, final"}.get(missing.state, "money missing")
    rows = [
        (name, Figure(missing.amount, "money", missing.low, missing.high, currency=missing.currency, why=missing.reason)),
        ("problems with an estimate", Figure(missing.estimated, of=missing.problems)),
        ("people and visits hit in them", Figure(missing.hit)),
        ("at most, of problems with an upper bound alone", Figure(missing.upper_bound, "money", currency=missing.currency, why="none has only that")),
        ("problems with neither", Figure(missing.silent)),
    ]
    monthly = Figure(None, "money", why="more people were hit than are looked at")
    if exposed is not None:
        monthly = Figure(exposed.monthly, "money", currency=exposed.currency, why="" if exposed.monthly is not None else "nobody's price is known")
    worth = [("recurring revenue exposed, a month", monthly)]
    if exposed is not None:
        worth += [("accounts exposed", Figure(exposed.accounts)), ("subscriptions exposed", Figure(exposed.subscriptions))]
        worth += [("people hit without a known price", Figure(exposed.unknown, of=exposed.people))]
    return Told(
        "money",
        f"What the problems of {answer.name or answer.journey} cost",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        answer.config_version,
        answer.journey,
        broken(answer),
        [facts("missing", "Money", rows), facts("exposed", "Recurring revenue", worth)],
        [*missing.notes, *(notes(exposed) if exposed is not None else [])],
    )
