"""What problems cost together: unclipped, with the ends of the intervals added, and silent where one purchase could be missing twice."""

from datetime import UTC, datetime, timedelta

from sojourn_collector.score.money_sum import MoneySum, Part, money_sum

BEGAN = datetime(2026, 11, 1, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def part(at: timedelta, amount: float | None, *, people: range = range(100), bound: float | None = None, final: bool = True) -> Part:
    """A problem of an hour; its interval is 50 to either side."""
    ends = {} if amount is None else {"low": amount - 50, "high": amount + 50}
    hit = frozenset(f"user:u{number}" for number in people)
    return Part(BEGAN + at, BEGAN + at + HOUR, hit, amount, **ends, upper_bound=bound, final=final, final_at=BEGAN + at + DAY)


def test_figures_below_zero_are_added_too() -> None:
    """300 missing and 100 more than expected are 200, between 100 and 300; what is not over makes the sum so far."""
    told = money_sum([part(0 * DAY, 300.0), part(5 * DAY, -100.0, people=range(50, 150), final=False)], DAY)
    assert (told.amount, told.low, told.high, told.problems, told.hit, told.final) == (200.0, 100.0, 300.0, 2, 150, False)
    assert told.final_at == BEGAN + 6 * DAY
    assert (told.twice, told.reason) == (0, "")


def test_upper_bounds_and_silence_stand_apart() -> None:
    """One of four has an estimate, two have but a bound, one nothing: the bounds are in no estimate."""
    told = money_sum([part(0 * DAY, 300.0), part(1 * DAY, None, bound=90.0), part(2 * DAY, None, bound=10.0), part(3 * DAY, None)], DAY)
    assert (told.amount, told.bounded, told.upper_bound, told.silent) == (300.0, 2, 100.0, 1)
    assert money_sum([part(0 * DAY, None, bound=9.0)], DAY) == MoneySum(bounded=1, upper_bound=9.0, reason="no problem of this time has an estimate")
    assert money_sum([], DAY) == MoneySum(reason="there was no problem in this time")


def test_whoever_was_hit_twice_is_not_added_twice() -> None:
    """Five of 195 hit in two problems within a day of each other: silent, and why. Two days apart it is another purchase; two of 198 are few enough."""
    near = money_sum([part(0 * DAY, 300.0), part(0 * DAY + 2 * HOUR, 100.0, people=range(95, 195))], DAY)
    assert (near.amount, near.upper_bound, near.twice, near.problems) == (None, None, 5, 2)
    assert near.reason == (
        "5 of 195 were hit in two problems within the time that counts for each, so what they did not pay would be added twice; each problem has its own figure"
    )
    assert money_sum([part(0 * DAY, 300.0), part(2 * DAY, 100.0, people=range(95, 195))], DAY).amount == 400.0
    few = money_sum([part(0 * DAY, 300.0), part(0 * DAY, 100.0, people=range(98, 198))], DAY)
    assert (few.amount, few.twice) == (400.0, 2)
