"""The order of a list: by Σ w · v · severity drawn towards the usual, people and visits each for themselves."""

import pytest

from sojourn_collector.score.customer_impact import Moments
from sojourn_collector.score.ranking import NOT_HURT, Hurt, relative_worth, weight


def hurt(many: int, of: int, *, severity: float = 1.0, usual: float = 0.0, name: str = "p") -> Hurt:
    """So many of so many units were hurt."""
    return Hurt(tuple((f"{name}{n}", severity) for n in range(many)), Moments(of, of, of, many * severity), usual)


def test_ten_visitors_do_not_lead() -> None:
    """All of ten stopped, a score of 100, stand behind forty of two thousand, a score of 2."""
    assert weight(hurt(10, 10), NOT_HURT, {}) < weight(hurt(40, 2000), NOT_HURT, {})


def test_few_are_drawn_towards_what_is_usual() -> None:
    """Ten of ten count as if thirty more had come who fared as usual: 10 · 10 / 40; where half of the severity is usual, more; many hardly move."""
    assert weight(hurt(10, 10), NOT_HURT, {})[0] == pytest.approx(10 * 10 / 40)
    assert weight(hurt(10, 10, usual=0.5), NOT_HURT, {})[0] == pytest.approx(10 * (10 + 15) / 40)
    assert weight(hurt(3000, 3000), NOT_HURT, {})[0] == pytest.approx(3000, rel=0.011)


def test_customers_worth_more_weigh_more_and_newcomers_not_nothing() -> None:
    """The typical customer counts one, nobody less, the largest no more than the cap: one of a hundred who paid a thousandfold weighs as the next."""
    worth = relative_worth({**{f"p{n}": 100.0 for n in range(99)}, "rich": 400.0, "whale": 100_000.0, "poor": 1.0, "refunded": -5.0}, 99)
    assert (worth["p0"], worth["rich"], worth["poor"], worth["refunded"]) == (1.0, 4.0, 1.0, 1.0)
    assert worth["whale"] == 4.0
    assert relative_worth({"p": 0.0}, 99) == {}
    rich = Hurt((("rich", 1.0), ("new", 0.5)), Moments(200, 200, 200, 1.5))
    assert weight(rich, NOT_HURT, worth)[0] == pytest.approx(4.5 * 200 / 230)


def test_people_and_visits_are_not_added_up() -> None:
    """Sixty people and sixty visits stand behind eighty people: the larger of both places a problem, the other only where those are alike."""
    both, people = weight(hurt(60, 400), hurt(60, 400, name="v"), {}), weight(hurt(80, 400), NOT_HURT, {})
    assert both < people
    assert weight(NOT_HURT, hurt(80, 400), {}) == people
    assert weight(hurt(80, 400), hurt(1, 400), {}) > people


def test_nobody_hurt_weighs_nothing() -> None:
    """Nobody at all, and nobody hurt of many."""
    assert weight(NOT_HURT, NOT_HURT, {}) == (0.0, 0.0) == weight(Hurt((), Moments(50, 50, 50, 0.0)), NOT_HURT, {})
