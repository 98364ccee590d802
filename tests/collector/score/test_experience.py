"""Apdex, funnel, quantile."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.score.experience import ENDS, apdex, funnel, quantile


def test_apdex_counts_halves_and_errors() -> None:
    """Satisfied up to T, tolerating up to 4 T count half, errors are frustrated."""
    score = apdex([1.0, 2.5, 2.6, 10.0, 10.1], 2.5, errors=1)
    assert score is not None
    assert score.score == pytest.approx((2 + 2 / 2) / 6)
    assert str(apdex([1.0], 2.5)) == "1.00 [2.5]"
    assert apdex([], 2.5) is None
    with pytest.raises(ValueError, match="positive threshold"):
        apdex([1.0], 0)


@settings(deadline=None)
@given(st.lists(st.sampled_from(ENDS)))
def test_the_ends_add_up_to_those_who_tried(ends: list[str]) -> None:
    """finished + gave_up + stopped + trying = tried, and shares are of the settled."""
    counts = funnel(ends)
    assert counts.tried == counts.finished + counts.gave_up + counts.stopped + counts.trying == len(ends)
    assert counts.finished_share is None if not counts.settled else 0 <= (counts.finished_share or 0) <= 1


def test_an_unknown_end_is_refused() -> None:
    """A word that is no end is our fault."""
    with pytest.raises(ValueError, match="not as 'lost'"):
        funnel(["lost"])


def test_a_quantile_of_nothing_is_not_known() -> None:
    """None, never 0."""
    assert quantile([], 0.75) is None
    assert quantile([1.0, 2.0, 3.0], 0.5) == 2.0
