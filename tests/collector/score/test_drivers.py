"""Drivers with shrinkage, and the value view of customer impact."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sojourn_collector.score.drivers import Group, drivers, prior
from sojourn_collector.score.value_impact import Lived, ValueUnit, value_impact, value_of, weighed, worths_of


def test_a_small_group_does_not_lead() -> None:
    """Six of six hurt against 200 of 800: the large group leads, the small one is marked thin and shrunk below its raw 100 %."""
    ranked = drivers([Group("pay", "script", 6, 6), Group("pay", "502", 800, 200), Group("cart", "slow", 900, 20), Group("cart", "dns", 4, 4)], 1000)
    assert [(one.step, one.cause, one.thin) for one in ranked] == [("pay", "502", False), ("cart", "slow", False), ("pay", "script", True)]
    assert ranked[2].share < 1
    assert ranked[0].points == 20.0
    assert ranked[0].low < ranked[0].share < ranked[0].high


def test_moments_find_the_prior_again() -> None:
    """400 groups of 200 drawn from Beta(2, 8): the moments give about that back."""
    rng = np.random.default_rng(5)
    groups = [Group("s", str(n), 200, float(rng.binomial(200, share))) for n, share in enumerate(rng.beta(2, 8, 400))]
    alpha, beta = prior(groups)
    assert alpha == pytest.approx(2, rel=0.15)
    assert beta == pytest.approx(8, rel=0.15)


def test_groups_that_differ_by_chance_alone_are_pooled() -> None:
    """The same share everywhere: every group is shown at the share of all."""
    alpha, beta = prior([Group("s", str(n), 100, 10) for n in range(5)])
    assert alpha / (alpha + beta) == pytest.approx(0.1)
    assert alpha + beta == pytest.approx(1e6)
    assert drivers([Group("s", "a", 100, 10), Group("s", "b", 100, 10)], 200)[0].share == pytest.approx(0.1, abs=1e-3)


def test_what_all_share_is_no_surer_than_the_people_it_is_of() -> None:
    """Six groups of 100 that differ by chance alone: each is as sure as 600 people are, and not as if the share of all were known."""
    for one in drivers([Group("s", str(n), 100, 30 + n % 3 - 1) for n in range(6)], 600):
        assert one.share == pytest.approx(0.3, abs=0.005)
        assert one.low == pytest.approx(float(stats.beta.ppf(0.1, 180, 420)), abs=0.004)
        assert one.high == pytest.approx(float(stats.beta.ppf(0.9, 180, 420)), abs=0.004)


def test_the_interval_is_betas() -> None:
    """10 and 90 % points of Beta(hurt + α, people − hurt + β); one group alone has a prior worth one person."""
    (one,) = drivers([Group("s", "a", 20, 5)], 20)
    assert one.low == pytest.approx(float(stats.beta.ppf(0.1, 5.25, 15.75)))


def test_groups_and_scores_that_cannot_be() -> None:
    """More hurt than people, nobody active: refused by name. No group: no driver."""
    with pytest.raises(ValueError, match=r"^a group has people, and no more of them hurt than there are$"):
        prior([Group("s", "a", 1, 2)])
    with pytest.raises(ValueError, match=r"^a score of nobody has no drivers$"):
        drivers([], 0)
    assert drivers([], 1) == []


@given(st.lists(st.tuples(st.integers(1, 10_000), st.floats(0, 1)), min_size=1, max_size=30))
def test_the_shrunk_share_lies_between_its_own_and_that_of_all(pairs: list[tuple[int, float]]) -> None:
    """Whatever the groups: shrinkage moves a share towards the others, never past them nor away."""
    groups = [Group("s", str(n), people, people * share) for n, (people, share) in enumerate(pairs)]
    mean = sum(group.hurt for group in groups) / sum(group.people for group in groups)
    for one in drivers(groups, 1.0):
        own = one.hurt / one.people
        assert min(own, mean) - 1e-6 <= one.share <= max(own, mean) + 1e-6


def units(count: int, severity: float, revenue: float | None, prefix: str, **more: object) -> list[ValueUnit]:
    """So many alike."""
    return [ValueUnit(f"{prefix}{n}", severity, revenue, **more) for n in range(count)]  # type: ignore[arg-type]


def test_worth_weighs_the_score() -> None:
    """Half the people but a tenth of the worth hurt whole: 10, not 50; how many have a known worth is said."""
    score = value_impact([*units(100, 1.0, 10.0, "h"), *units(100, 0.0, 90.0, "c"), *units(50, 1.0, None, "v")])
    assert score.score == pytest.approx(10.0)
    assert score.coverage == pytest.approx(0.8)
    assert score.n_eff == pytest.approx(10_000**2 / (100 * 100 + 100 * 8100))
    assert score.low is not None
    assert score.low < 10 < (score.high or 0)


def test_newcomers_are_worth_what_their_segment_is() -> None:
    """Nine known days of 90: the median of the segment for nine tenths of it."""
    score = value_impact([*units(50, 0.0, 100.0, "old", segment="a"), *units(50, 1.0, 0.0, "new", segment="a", known_days=9.0)])
    assert score.score == pytest.approx(100 * 90 / 190)


def test_who_comes_every_other_week_is_known_all_the_time() -> None:
    """First seen on the tenth of 90 days: their revenue says what a newcomer of their segment is worth."""
    score = value_impact([*units(50, 0.0, 90.0, "old", segment="a", known_days=80.0), *units(50, 1.0, 0.0, "new", segment="a", known_days=0.0)])
    assert score.score == pytest.approx(100 * 90 / (90 + 90 * 10 / 90 + 90))


def test_a_few_large_customers_are_not_an_estimate() -> None:
    """One account of a hundred people counts as one; a customer above the 99th percentile is capped and named."""
    account = value_impact([*units(100, 1.0, 100.0, "x", account="big"), *units(20, 0.0, 10.0, "c")])
    assert account.reason.startswith("not estimable, a few customers decide (worth 1 equal ones")
    whale = value_impact([*units(300, 0.0, 10.0, "c"), ValueUnit("whale", 1.0, 1e6)])
    assert whale.largest == (("whale", 1e6),) or whale.score is None
    assert value_impact(units(3, 1.0, None, "v")).reason == "nobody's worth is known: send orders or accounts with their mrr"
    assert value_impact(units(50, 1.0, 0.0, "v")).reason == "nobody of them has paid anything"
    with pytest.raises(ValueError, match=r"^severity lies in 0–1"):
        value_impact(units(1, 2.0, 1.0, "x"))


@given(st.lists(st.tuples(st.integers(1, 5), st.floats(0, 1), st.floats(0, 1e6), st.sampled_from(["", "a", "b"])), min_size=1, max_size=60))
def test_people_added_up_have_the_score_of_their_units(people: list[tuple[int, float, float, str]]) -> None:
    """However many units somebody has: the mean of `value_impact` over all units, with all units of one customer as one."""
    known = [ValueUnit(f"u{number}", 0.0, revenue, account=account) for number, (_, _, revenue, account) in enumerate(people)]
    worths = worths_of(known)
    sums = weighed((Lived(one.key, units, units * severity) for one, (units, severity, _, _) in zip(known, people, strict=True)), worths)
    whole = [
        ValueUnit(one.key, severity, one.revenue, account=one.account) for one, (units, severity, _, _) in zip(known, people, strict=True) for _ in range(units)
    ]
    paid = sum(worth.amount * units for worth, (units, _, _, _) in zip(worths.values(), people, strict=True))
    assert (sums.known, sums.all) == (len(whole), len(whole))
    assert sums.worth == pytest.approx(paid)
    told, each = value_of(sums), value_impact(whole, cap=100.0)
    assert told.reason[:20] == each.reason[:20]
    if told.score is not None and each.score is not None:
        assert (told.score, told.low, told.high) == pytest.approx((each.score, each.low, each.high))
