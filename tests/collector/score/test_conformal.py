"""Conformal intervals, segments, and the money told from past days."""

from dataclasses import replace
from math import inf

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.score.conformal import foretold, half_width, rank
from sojourn_collector.score.money import Shortfall
from sojourn_collector.score.past_days import PastDay, Window, from_past_days, from_segment
from sojourn_collector.score.segments import Crowd, Segment, guilty_segment

SILENT = Shortfall(state="upper_bound", level=0, hit=200, mature=200, controls=0, upper_bound=9000.0, reasons=("nobody stayed unhurt",))


def day(worth: float, people: int = 200, hit: int = 0) -> Window:
    """A window in which people paid so much each, 60 an order."""
    return Window(people, hit, round(people * worth / 60), people * worth)


def test_the_rank_of_the_residual() -> None:
    """⌈.95 (n + 1)⌉: 19 of 19, 20 of 20, 38 of 39; 18 windows are too few."""
    assert [rank(n) for n in (18, 19, 20, 39)] == [19, 19, 20, 38]
    assert half_width([0.0] * 18)[1] == inf
    assert half_width([*range(-9, 10)]) == (0.0, 9.0)


def test_windows_without_the_figure_count_as_farthest() -> None:
    """One of 39 may be infinite, two not; none finite is refused."""
    assert half_width([-inf, *[0.0] * 38]) == (0.0, 0.0)
    assert half_width([-inf, -inf, *[0.0] * 37])[1] == inf
    with pytest.raises(ValueError, match=r"^there is no past window to learn from$"):
        half_width([inf])


def test_a_like_window_is_covered_nineteen_times_in_twenty() -> None:
    """2,000 windows drawn like 39 before them, from a skewed distribution: covered 93 to 98 % of the time."""
    rng = np.random.default_rng(1)
    covered = 0
    for _ in range(2000):
        values = rng.gumbel(size=40)
        mean, half = half_width(list(values[:39]))
        covered += abs(values[39] - mean) <= half
    assert 0.93 <= covered / 2000 <= 0.98


@given(st.lists(st.floats(-1e6, 1e6), min_size=19, max_size=60))
def test_the_half_width_is_one_of_the_distances(values: list[float]) -> None:
    """Whatever the values: it is the distance of one of them from their mean."""
    mean, half = half_width(values)
    assert any(abs(abs(value - mean) - half) < 1e-6 for value in values)


@given(st.lists(st.floats(-1e3, 1e3), min_size=20, max_size=30))
def test_what_follows_a_trend_is_measured_from_its_line(values: list[float]) -> None:
    """The line is that of least squares, what it foretells its value a day on, and the half-width the ⌈.95 (n + 1)⌉-th distance from it."""
    days = [float(day) for day in range(len(values))]
    slope, start = np.polyfit(days, values, 1)
    told, half = foretold(values, days, float(len(values)))
    assert told == pytest.approx(start + slope * len(values), abs=1e-6)
    distances = sorted(abs(value - start - slope * day) for day, value in zip(days, values, strict=True))
    assert half == pytest.approx(distances[rank(len(values)) - 1], abs=1e-6)


def test_level_two_compares_with_past_days() -> None:
    """Past days brought 12 to 18 a person, 200 were hit and paid 1,000: about 200 · 14.8 − 1,000 with the past days' spread."""
    days = [PastDay(day(12 + 6 * number / 19)) for number in range(20)]
    answer = from_past_days(SILENT, 1000.0, days)
    assert (answer.level, answer.state, answer.reasons) == (2, "final", ())
    assert answer.amount is not None
    assert answer.amount == pytest.approx(200 * np.exp(np.mean(np.log([12 + 6 * n / 19 for n in range(20)]))) - 1000)
    assert answer.low is not None
    assert answer.high is not None
    assert answer.low < answer.amount < answer.high
    assert answer.low == pytest.approx(200 * 12 - 1000, abs=10)
    assert answer.notes[0] == "nearly everyone was hit; compared with the same hours of 20 past days"
    assert from_past_days(replace(SILENT, mature=150), 1000.0, days).state == "so_far"


def test_level_two_says_why_it_is_silent() -> None:
    """Too few days, days with trouble of their own, too few orders, days unlike each other, a day unlike the others before it broke."""
    good = [PastDay(day(15.0), before=day(15.0)) for _ in range(19)]
    few = from_past_days(SILENT, 0.0, [*good[:18], PastDay(day(15.0, hit=50))])
    assert few.reasons == ("nobody stayed unhurt", "18 past days to compare with (1 more had trouble of their own or nobody came), estimated from 19 on")
    poor = from_past_days(replace(SILENT, hit=40), 0.0, good)
    assert poor.reasons[1] == "10.0 orders expected of those hit by past days, 10.0 if it was a weak one, estimated from 20 on"
    changing = [PastDay(Window(200, 0, 20 + 60 * (number % 2), 3000.0)) for number in range(20)]
    weak = from_past_days(replace(SILENT, hit=100), 0.0, changing)
    assert weak.reasons[1] == "25.0 orders expected of those hit by past days, 14.9 if it was a weak one, estimated from 20 on"
    steady = [PastDay(Window(200, 0, 47 + 6 * (number % 2), 3000.0)) for number in range(20)]
    assert from_past_days(replace(SILENT, hit=100), 0.0, steady).level == 2, "counts that differ by chance alone are no weak days"
    wild = from_past_days(SILENT, 0.0, [PastDay(day(15.0 * 4 ** (number % 2))) for number in range(20)])
    assert wild.reasons[1] == "past days differ too much from each other to say what this one would have brought (median 0.69)"
    assert (wild.amount, wild.level) == (None, 0)
    campaign = from_past_days(SILENT, 0.0, good, day(30.0))
    assert campaign.reasons[1] == "the hours before it brought 2.0 times the usual (a person): a campaign, a release or another day than those before"
    crowd = from_past_days(SILENT, 0.0, good, day(15.0, people=600))
    assert crowd.reasons[1].startswith("the hours before it drew 3.0 times the usual (people)")
    assert from_past_days(SILENT, 0.0, good, day(15.0)).level == 2


def test_a_shop_that_grows_is_not_unlike_its_past() -> None:
    """Three in a hundred more came every day: today's crowd is what the line foretells; three times as many are a campaign all the same."""
    days = [PastDay(day(15.0), before=day(15.0, people=round(600 * 1.03**-ago)), ago=ago) for ago in range(1, 29)]
    assert from_past_days(SILENT, 0.0, days, day(15.0, people=600)).level == 2
    crowd = from_past_days(SILENT, 0.0, days, day(15.0, people=1800))
    assert crowd.reasons[1].startswith("the hours before it drew 3.0 times the usual (people)")
    undated = [replace(one, ago=0) for one in days]
    assert from_past_days(SILENT, 0.0, undated, day(15.0, people=600)).reasons[1].startswith("the hours before it drew 1.5 times the usual (people)")


def test_level_1b_compares_the_gap_with_past_gaps() -> None:
    """The segment usually brings 5 less a person than the others; today the others bring 20: 200 · 15 expected."""
    days = [PastDay(day(10.0 + number % 3), others=day(15.0 + number % 3)) for number in range(20)]
    answer = from_segment(SILENT, 400.0, day(20.0), days, "browser Safari 19")
    assert (answer.level, answer.controls) == ("1b", 200)
    assert answer.amount == pytest.approx(200 * 15 - 400)
    assert answer.low == pytest.approx(answer.amount)
    assert answer.high == pytest.approx(answer.amount)
    assert answer.notes[0].startswith("only browser Safari 19 was hit; compared with the others at the same time")
    assert from_segment(SILENT, 0.0, day(20.0, hit=60), days, "x").reasons[1] == "60 of 200 of the others were hit too"
    assert from_segment(SILENT, 0.0, day(20.0, people=30), days, "x").reasons[1] == "10 of the others ordered, estimated from 20 on"


def test_a_failure_that_follows_a_segment_is_told() -> None:
    """One browser takes all failures; spread over two, in everybody, too few, or of unknown browsers: no segment."""

    def told(*crowds: tuple[str, int, int]) -> Segment | None:
        return guilty_segment([Crowd({"browser": name}, people, hit) for name, people, hit in crowds], ("browser",))

    assert told(("Safari", 40, 38), ("Chrome", 100, 1)) == Segment("browser", "Safari")
    assert str(Segment("browser", "Safari")) == "browser Safari"
    assert told(("Safari", 40, 20), ("Chrome", 100, 50)) is None
    assert told(("Safari", 40, 38)) is None
    assert told(("Safari", 9, 9), ("Chrome", 100, 0)) is None
    assert told(("", 40, 38), ("Chrome", 100, 1)) is None
