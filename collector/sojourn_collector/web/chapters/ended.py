"""Why subscriptions were ended: by reason, what they brought, how many had been hit before. Customers' words are on the page and in JSON."""

from collections.abc import Mapping

from sojourn_collector.web.chapters.figures import of_part
from sojourn_collector.web.chapters.told import COUNTED, Cell, Column, Figure, Table, Told
from sojourn_collector.web.format import count, money
from sojourn_collector.web.models_ended import EndedAnswer, EndedFigures

ANSWER = EndedAnswer
_COLUMNS = (
    Column("reason", "reason"),
    Column("ended", "ended"),
    Column("monthly", "brought a month"),
    Column("unpriced", "of no known price"),
    Column("hit_before", "hit before", COUNTED),
)


def tell(answer: EndedAnswer) -> Told:
    """Of a window."""
    rows = [_row("all", answer.figures, answer.currency)] if answer.figures.ended else []
    rows += [_row(one.reason or "no reason given", one.figures, answer.currency) for one in answer.reasons]
    notes = [f"hit before: of those of whom any walk is known in the {answer.days_before} days before they ended"] if rows else []
    notes += _amounts(answer.figures.converted, "are in it by the rate of the day each ended")
    notes += _amounts(answer.figures.other_currencies, "are not in it, for there is no rate")
    notes += [f"{count(len(answer.words), 'customer')} said why in their own words: /subscriptions/ended"] if answer.words else []
    notes += ["more ended than are looked at; the newest count"] if answer.truncated else []
    return Told(
        "ended",
        "Why subscriptions were ended",
        answer.as_of,
        answer.window_from,
        answer.window_to,
        tables=[Table("reason", "", _COLUMNS, rows, "no subscription ended in this time, or no feed tells of them")],
        notes=notes,
    )


def _amounts(amounts: Mapping[str, float], text: str) -> list[str]:
    return [f"{', '.join(money(amount, unit) for unit, amount in amounts.items())} a month {text}"] if amounts else []


def _row(name: str, figures: EndedFigures, currency: str) -> tuple[Cell, ...]:
    monthly = Figure(figures.monthly, "money", currency=currency, why="" if figures.monthly is not None else "no price is known")
    return name, Figure(figures.ended), monthly, Figure(figures.unpriced), of_part(figures.hit_before)
