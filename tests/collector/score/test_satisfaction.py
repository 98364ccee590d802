"""CSAT, NPS and CES."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.score.satisfaction import SATISFIED_BOXES, Answer, Scale, ces, csat, is_satisfied, nps

FIVE = Scale(1, 5)


def test_nps_check_values() -> None:
    """20 promoters, 6 passives, 10 detractors: 27.8 [−1.4, 52.7]; 3, 1, 1: 40 [−29.8, 79.8]."""
    many = nps([9] * 20 + [7] * 6 + [3] * 10)
    few = nps([10] * 3 + [8] + [0])
    assert many is not None
    assert few is not None
    assert [many.score, many.low, many.high] == pytest.approx([27.8, -1.4, 52.7], abs=0.05)
    assert [few.score, few.low, few.high] == pytest.approx([40, -29.8, 79.8], abs=0.05)
    assert nps([]) is None


@settings(deadline=None)
@given(st.lists(st.integers(0, 10), min_size=1, max_size=60))
def test_nps_interval_stays_on_its_scale(values: list[int]) -> None:
    """Within ±100 and in order."""
    score = nps(values)
    assert score is not None
    assert -100 <= score.low <= score.high <= 100


def test_nps_refuses_other_scales() -> None:
    """An 11 is no answer."""
    with pytest.raises(ValueError, match="an NPS answer lies between 0 and 10"):
        nps([11])


@pytest.mark.parametrize(("length", "boxes"), list(SATISFIED_BOXES.items()))
def test_satisfied_boxes_by_scale_length(length: int, boxes: int) -> None:
    """As many of the best answers count as the convention says, in both directions of a scale."""
    up, down = Scale(1, length), Scale(1, length, higher_is_better=False)
    assert sum(is_satisfied(value, up) or False for value in range(1, length + 1)) == boxes
    assert is_satisfied(length, up)
    assert is_satisfied(1, down)
    assert not is_satisfied(length, down)


def test_a_scale_without_agreed_boxes_judges_nothing() -> None:
    """0–10 is no CSAT scale, and a value off its scale no answer."""
    assert is_satisfied(9, Scale(0, 10)) is None
    assert is_satisfied(6, FIVE) is None


def test_scales_are_never_mixed() -> None:
    """Two scales give two scores, each with its own count; the source's own verdict wins."""
    answers = [Answer(5, FIVE), Answer(4, FIVE), Answer(3, FIVE), Answer(10, Scale(1, 10)), Answer(1, FIVE, satisfied=True), Answer(9, Scale(0, 10))]
    scores = csat(answers)
    assert [(str(score.scale), score.satisfied, score.answered) for score in scores] == [("1–5", 3, 4), ("1–10", 1, 1)]
    assert scores[0].mean == pytest.approx(13 / 4)
    assert csat([]) == []


def test_effort_counts_the_easy_answers_of_seven() -> None:
    """5–7 on 1–7 are easy, 1–3 on a reversed scale; other scales are refused."""
    score = ces([Answer(value, Scale(1, 7)) for value in (7, 6, 5, 4, 1)])
    assert score is not None
    assert [score.easy, score.answered, score.mean] == pytest.approx([3, 5, 4.6])
    reversed_score = ces([Answer(value, Scale(1, 7, higher_is_better=False)) for value in (1, 3, 4)])
    assert reversed_score is not None
    assert reversed_score.easy == 2
    assert ces([]) is None
    with pytest.raises(ValueError, match="one scale of seven answers"):
        ces([Answer(3, FIVE)])
    with pytest.raises(ValueError, match="one scale of seven answers"):
        ces([Answer(3, Scale(1, 7)), Answer(3, Scale(1, 7, higher_is_better=False))])
