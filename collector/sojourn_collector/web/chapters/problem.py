"""What a problem weighs beside the report's figures: impact by what customers are worth, and the recurring revenue exposed. Nobody is named."""

from dataclasses import replace

from sojourn_collector.web.chapters.figures import of_answers, of_impact
from sojourn_collector.web.chapters.told import Figure, Table, Told, broken, facts
from sojourn_collector.web.format import money
from sojourn_collector.web.models import Problem
from sojourn_collector.web.models_measures import Exposed, ProblemAnswer, ValueView

ANSWER = ProblemAnswer


def tell(answer: ProblemAnswer) -> Told:
    """Of one problem."""
    problem = answer.problem
    by_worth = replace(weighed(answer.value, answer.exposed), title="By worth")
    return Told(
        "problem",
        f"{problem.journey.name} › {problem.step.name}: {problem.state}",
        problem.as_of,
        problem.clock.window_from,
        problem.clock.window_to,
        answer.config_version,
        problem.id,
        [*problem.headline, *broken(answer)],
        [
            _counts(problem),
            by_worth,
            facts("satisfaction", "What they said", of_answers(problem.satisfaction)),
        ],
        [*problem.notes, *notes(answer.exposed)],
    )


def _counts(problem: Problem) -> Table:
    people = problem.people
    rows = [("reached the step", Figure(people.reached)), ("hit", Figure(people.hit, of=people.reached)), ("stopped", Figure(people.stopped))]
    rows += [("usually hit", Figure(people.usual_hit, "decimal")), ("slow only", Figure(people.slow)), ("still trying", Figure(people.trying))]
    rows += [("visits without a name, hit", Figure(people.visits_hit, of=people.visits_reached))]
    rows += [("impact, of people", of_impact(problem.impact))]
    rows += [] if problem.impact_of_visits is None else [("impact, per visit", of_impact(problem.impact_of_visits))]
    cost = problem.money
    why = "; ".join(cost.reasons)
    shown = cost.amount if cost.state in ("so_far", "final") else None
    name = {"so_far": "money missing so far", "final": "money missing, final"}.get(cost.state, "money missing")
    rows += [(name, Figure(shown, "money", cost.low, cost.high, currency=cost.currency, why=why))]
    rows += [("at most (upper bound)", Figure(cost.upper_bound, "money", currency=cost.currency))]
    return facts("counts", "Customers and money", rows)


def weighed(value: ValueView, exposed: Exposed) -> Table:
    """The value view and what is exposed, a line each."""
    monthly = Figure(exposed.monthly, "money", currency=exposed.currency, why="" if exposed.monthly is not None else "nobody's price is known")
    rows = [
        ("impact, by worth", Figure(value.score, "score", value.low, value.high, value.of, why=value.reason)),
        ("share whose worth is known", Figure(value.coverage, "share", of=value.of) if value.of else Figure(None, "share", why="nobody's walk is over")),
        ("as many equal customers", Figure(value.n_eff, "decimal")),
        ("worth × severity", Figure(value.hurt, "money", currency=value.currency) if value.score is not None else Figure(None, "money", why=value.reason)),
        ("recurring revenue exposed, a month", monthly),
        ("accounts exposed", Figure(exposed.accounts)),
        ("subscriptions exposed", Figure(exposed.subscriptions)),
        ("accounts that renew within 30 days", Figure(exposed.renewing)),
        ("people hit without a known price", Figure(exposed.unknown, of=exposed.people)),
    ]
    return facts("weighed", "", rows)


def notes(exposed: Exposed) -> list[str]:
    """What is to be known of the revenue exposed."""
    told = ["exposed is not lost: it is what those hit pay"] if exposed.monthly is not None else []
    if exposed.converted:
        amounts = ", ".join(money(amount, unit) for unit, amount in exposed.converted.items())
        told.append(f"{amounts} a month are in it by the rate of the day the problem began")
    if exposed.other_currencies:
        amounts = ", ".join(money(amount, unit) for unit, amount in exposed.other_currencies.items())
        told.append(f"{amounts} a month are not in it, for there is no rate")
    return told
