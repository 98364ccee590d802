"""Who was hit in problems that are not worked out: counted, not told one by one."""

from collections.abc import Sequence
from dataclasses import dataclass

from sojourn_collector.context import Context
from sojourn_collector.web.answers.found import Found
from sojourn_collector.web.answers.times import to_ms
from sojourn_collector.web.answers.weeks import BESIDE, PATIENCE
from sojourn_collector.web.answers.window import RUN_LENGTH, Window
from sojourn_collector.web.format import count, number

SHARED = 30.0
"""Seconds for which reports share the count: it is of problems that are over, mostly."""


@dataclass(frozen=True, slots=True)
class Others:
    """Persons, and apart from them anonymous visits, hit in these problems and in none of those worked out."""

    people: int = 0
    visits: int = 0


NOBODY = Others()


async def hit_in_others(context: Context, told: Sequence[Found], rest: Sequence[Found], window: Window) -> Others:
    """One look over everything that was hit, however many problems there are. Raises what the store raises."""
    if not rest:
        return NOBODY
    memory = context.problems if window.until == window.now else None
    if memory is None:
        return await _count(context, told, rest)
    key = ("hit_in_others", frozenset(one.id for one in told), frozenset(one.id for one in rest))
    return await memory.once(key, SHARED, lambda: _count(context, told, rest), beside=BESIDE)


async def hit_in(context: Context, found: Found) -> Others:
    """Everybody hit in one problem."""
    return await _count(context, (), [found])


async def _count(context: Context, told: Sequence[Found], rest: Sequence[Found]) -> Others:
    every = [*told, *rest]
    (row,) = await context.store.query(
        "hit_in_problems",
        deadline=PATIENCE,
        journeys=[one.journey for one in every],
        steps=[one.step for one in every],
        begins=[to_ms(one.incident.window_from) for one in every],
        ends=[to_ms(one.incident.window_to) for one in every],
        told=[1] * len(told) + [0] * len(rest),
        since=min(one.incident.window_from for one in every) - RUN_LENGTH,
        until=max(one.incident.window_to for one in every),
    )
    return Others(row["people"], row["visits"])


def others_note(worked: int, found: int, others: Others) -> list[str]:
    """What is to be said where not all problems are worked out; nothing where they are."""
    if worked >= found:
        return []
    apart = f" and {count(others.visits, 'anonymous visit')}" if others.visits else ""
    more = f"{count(others.people, 'more person', 'more people')}{apart} {'was' if others == Others(1) else 'were'} hit in the others"
    return [f"{number(worked)} of {number(found)} problems are worked out, those still failing and the newest first; {more}"]
