"""Customer impact, people view."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.score.customer_impact import SAMPLED, Unit, customer_impact, day_key, moments, worst_by_unit
from sojourn_collector.score.intervals import wilson

SEVERITIES = st.sampled_from([0.0, 0.25, 0.5, 0.8, 1.0])


def units(*severities: float) -> list[Unit]:
    return [Unit(f"p{number}", severity) for number, severity in enumerate(severities)]


def test_the_score_is_the_mean_severity_with_wilson() -> None:
    """29 stopped and 12 recovered of 188: 18.6 of 100 with Wilson's interval at n."""
    score = customer_impact(units(*([1.0] * 29 + [0.5] * 12 + [0.0] * 147)))
    assert score.score == pytest.approx(100 * 35 / 188)
    low, high = wilson(35 / 188, 188)
    assert [score.low, score.high] == pytest.approx([100 * low, 100 * high])
    assert [score.of, score.n_eff] == pytest.approx([188, 188])


def test_below_thirty_settled_units_it_is_silent() -> None:
    """29 units: not measured, with the reason; 30 speak; nobody hurt is 0 with an upper end."""
    silent = customer_impact(units(*[1.0] * 29))
    assert (silent.score, silent.reason) == (None, "29 settled, measured from 30 on")
    healthy = customer_impact(units(*[0.0] * 30))
    assert (healthy.score, healthy.low) == (0.0, 0.0)
    assert healthy.high is not None
    assert healthy.high > 10


def test_a_unit_counts_once_at_its_worst() -> None:
    """The worst severity, never a sum."""
    assert worst_by_unit([Unit("a", 0.25), Unit("a", 0.8), Unit("a", 0.5)]) == [Unit("a", 0.8)]
    assert moments([Unit("a", 0.8), Unit("a", 0.8), Unit("b", 0.5, 0.5)]).severity == pytest.approx(1.8)


def test_sampling_is_weighted_and_widens_the_interval() -> None:
    """Errors kept at 100 % and the rest at 10 %: the score per visit is that of everyone, at a smaller n_eff; of people there is none, and why."""
    units = [Unit(f"h{n}", 1.0) for n in range(30)] + [Unit(f"k{n}", 0.0, 0.1) for n in range(27)]
    assert (customer_impact(units).score, customer_impact(units).reason) == (None, SAMPLED)
    score = customer_impact(units, covers="all visits")
    assert score.score == pytest.approx(100 * 30 / 300)
    assert score.n_eff == pytest.approx(300**2 / (30 + 2700))


def test_usual_and_excess_need_a_past_that_speaks() -> None:
    """With thirty units before, usual and excess; with fewer, neither."""
    now = units(*([1.0] * 10 + [0.0] * 30))
    score = customer_impact(now, units(*([1.0] + [0.0] * 39)))
    assert [score.usual, score.excess] == pytest.approx([2.5, 22.5])
    assert customer_impact(now, units(*[0.0] * 29)).usual is None


def test_the_day_of_a_unit_is_the_local_one() -> None:
    """23:30 in UTC is the next day in Berlin."""
    at = datetime(2026, 11, 20, 23, 30, tzinfo=UTC)
    assert day_key("p", "j", at, ZoneInfo("Europe/Berlin")).endswith("2026-11-21")
    assert day_key("p", "j", at, UTC).endswith("2026-11-20")


@settings(deadline=None)
@given(st.lists(st.tuples(SEVERITIES, st.sampled_from([1.0, 0.5, 0.1])), min_size=30, max_size=80))
def test_the_score_lies_in_its_interval(rows: list[tuple[float, float]]) -> None:
    """0 ≤ low ≤ score ≤ high ≤ 100 for any severities and rates."""
    score = customer_impact([Unit(str(number), *row) for number, row in enumerate(rows)], covers="all visits")
    assert score.score is not None
    assert score.low is not None
    assert score.high is not None
    assert 0 <= score.low <= score.score + 1e-9
    assert score.score - 1e-9 <= score.high <= 100


def test_values_out_of_range_are_refused() -> None:
    """A severity above 1 or a rate of 0 is our fault."""
    for unit in (Unit("a", 1.5), Unit("a", 0.5, 0.0)):
        with pytest.raises(ValueError, match="severity lies in 0–1"):
            customer_impact([unit])
