"""Beacon coverage: a change by more than chance is found on its day, chance and weekends are none."""

import numpy as np
import pytest

from sojourn_collector.score.coverage import Cut, Orders, cuts


def days(*stretches: tuple[int, float], orders: int = 100) -> list[Orders]:
    """So many days of so many orders with this share of visits, by chance that is always the same."""
    dice = np.random.default_rng(4)
    return [Orders(orders, int(dice.binomial(orders, share))) for many, share in stretches for _ in range(many)]


def test_a_release_that_loses_beacons_is_a_cut_on_its_day() -> None:
    """From 92 to 61 of a hundred on the 15th day: one cut there, with the shares of both sides."""
    (cut,) = cuts(days((14, 0.92), (14, 0.61)))
    assert cut.place == 14
    assert cut.before == pytest.approx(0.92, abs=0.02)
    assert cut.after == pytest.approx(0.61, abs=0.03)


def test_a_day_without_beacons_is_cut_out_of_a_quarter() -> None:
    """One day of ninety: a cut before and one after it."""
    assert [cut.place for cut in cuts(days((45, 0.9), (1, 0.1), (44, 0.9)))] == [45, 46]


@pytest.mark.parametrize("weekend", [0.8, 0.95])
def test_chance_and_weekends_are_no_cut(weekend: float) -> None:
    """Twelve weeks, also where orders by telephone come on working days only."""
    assert cuts(days(*[(5, 0.8), (2, weekend)] * 12, orders=80)) == []


def test_chance_alone_is_rarely_a_cut() -> None:
    """Of two hundred histories of one share at most one in twenty has a cut, with few orders a day and with many."""
    dice = np.random.default_rng(11)
    for orders, share in ((4, 0.7), (60, 0.9), (400, 0.5)):
        found = [bool(cuts([Orders(orders, int(count)) for count in dice.binomial(orders, share, 29)])) for _ in range(200)]
        assert sum(found) <= 10


def test_a_difference_of_less_than_five_points_is_none() -> None:
    """A hundred thousand orders a day know one of four points for sure: it says nothing to anybody. Six points are told."""
    assert cuts([Orders(100_000, 90_000)] * 10 + [Orders(100_000, 86_000)] * 10) == []
    assert cuts([Orders(100_000, 90_000)] * 10 + [Orders(100_000, 84_000)] * 10) == [Cut(10, 0.9, 0.84)]


def test_days_without_orders_say_nothing() -> None:
    """They are passed over, and places stay those of all days; nothing at all and one day have no cut."""
    told = cuts([Orders(100, 95)] * 5 + [Orders(0, 0)] * 3 + [Orders(100, 20)] * 5)
    assert [(cut.place, cut.before, cut.after) for cut in told] == [(8, 0.95, 0.2)]
    assert cuts([]) == cuts([Orders(0, 0)] * 9) == cuts([Orders(9, 1)]) == []


def test_more_visits_than_orders_are_refused() -> None:
    """A day is of its orders."""
    with pytest.raises(ValueError, match=r"^no more orders have a visit than there are$"):
        cuts([Orders(1, 2)])
