"""Wilson's interval, at n and at an effective n."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.score.intervals import effective_n, wilson, wilson_counts


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"), [(7, 10, 0.397, 0.892), (0, 5, 0.0, 0.434), (42, 60, 0.575, 0.801), (5, 5, 0.566, 1.0), (0, 1, 0.0, 0.793)]
)
def test_check_values(successes: int, n: int, low: float, high: float) -> None:
    """The published check values come out to three digits."""
    assert list(wilson_counts(successes, n)) == pytest.approx([low, high], abs=5e-4)


@settings(deadline=None)
@given(st.floats(0, 1), st.floats(0.5, 1e7))
def test_the_share_lies_in_its_interval(share: float, n: float) -> None:
    """Both ends stay within 0–1 and around the share, whatever the n."""
    low, high = wilson(share, n)
    assert 0 <= low <= share <= high <= 1


@settings(deadline=None)
@given(st.floats(0.01, 0.99), st.floats(5, 1000))
def test_fewer_effective_units_give_a_wider_interval(share: float, n: float) -> None:
    """Half the n_eff, wider interval."""
    wide, narrow = wilson(share, n / 2), wilson(share, n)
    assert wide[1] - wide[0] > narrow[1] - narrow[0]


@settings(deadline=None)
@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=50))
def test_effective_n_is_at_most_n_and_n_for_equal_weights(weights: list[float]) -> None:
    """Unequal weights are worth less than their number."""
    assert effective_n(weights) <= len(weights) * (1 + 1e-9)
    assert effective_n([3.0] * len(weights)) == pytest.approx(len(weights))


def test_no_units_have_no_interval() -> None:
    """Nothing is not a share of zero."""
    assert effective_n([]) == 0
    with pytest.raises(ValueError, match="a share of no units has no interval"):
        wilson(0.5, 0)
    with pytest.raises(ValueError, match="a share of no units has no interval"):
        wilson_counts(0, 0)
    with pytest.raises(ValueError, match=r"a share lies between 0 and 1, not at 1\.2"):
        wilson(1.2, 10)


@settings(deadline=None)
@given(st.integers(1, 5000), st.floats(0, 1))
def test_wilson_agrees_with_statsmodels(n: int, share: float) -> None:
    """The same bounds as `proportion_confint(method="wilson")`, where statsmodels is installed."""
    proportion = pytest.importorskip("statsmodels.stats.proportion")
    count = round(share * n)
    assert wilson_counts(count, n) == pytest.approx(proportion.proportion_confint(count, n, method="wilson"), abs=1e-9)
