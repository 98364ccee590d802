"""What each class of experience counts as: marks kept in rows become the numbers of impact.yaml when a score is worked out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.score.customer_impact import Unit, moments
from sojourn_collector.score.severities import BLOCKED, LEFT, MARKS, RECOVERED, SLOW, Severities, class_of, not_by_class

HARSH = Severities(0.0, 0.3, 0.9, 1.0)


def test_a_mark_names_its_class_also_in_32_bits() -> None:
    """The engine keeps marks as floats of 32 bits, in which 0.8 is a little more; who met nothing is of no class and counts as 0."""
    assert [class_of(mark) for mark in (0.0, SLOW, RECOVERED, LEFT, 0.800000011920929, BLOCKED)] == ["", "slow", "recovered", "left", "left", "blocked"]
    assert [HARSH.of(mark) for mark in (0.0, SLOW, RECOVERED, 0.800000011920929, BLOCKED)] == [0.0, 0.0, 0.3, 0.9, 1.0]
    assert [Severities().of(mark) for mark in (0.0, *MARKS.values())] == [0.0, 0.25, 0.5, 0.8, 1.0]


def sums(marks: list[float], weight: float = 2.0) -> dict[str, float]:
    """What a query sums of units with these worst marks."""
    by_class = {f"w_{name}": sum(weight for mark in marks if class_of(mark) == name) for name in MARKS}
    return {"w_severity": sum(weight * mark for mark in marks), **by_class}


@given(marks=st.lists(st.sampled_from([0.0, *MARKS.values()]), max_size=40), numbers=st.lists(st.floats(0, 1), min_size=4, max_size=4).map(sorted))
def test_sums_by_class_weigh_as_their_units_do(marks: list[float], numbers: list[float]) -> None:
    """Σ w · severity of the sums is that of the units themselves, under whatever numbers."""
    severities = Severities(*numbers)
    units = [Unit(str(number), severities.of(mark), 0.5) for number, mark in enumerate(marks)]
    assert severities.summed(sums(marks)) == pytest.approx(moments(units).severity)


def test_sums_from_before_classes_were_summed_stay_by_the_marks() -> None:
    """They have 0 in every class: other numbers change nothing of them, and they are told apart from those that have classes."""
    old = {"w_severity": 12.6, **{f"w_{name}": 0.0 for name in MARKS}}
    assert HARSH.summed(old) == 12.6
    assert not_by_class(old)
    assert not not_by_class(sums([SLOW, LEFT, BLOCKED]))
    assert not not_by_class(sums([0.0]))


@given(numbers=st.lists(st.floats(0, 1), min_size=4, max_size=4).map(sorted), marks=st.lists(st.sampled_from([0.0, *MARKS.values()]), min_size=1))
def test_the_worst_mark_has_the_highest_number(numbers: list[float], marks: list[float]) -> None:
    """Numbers never fall, so that the worst of several experiences may be chosen before it is weighed."""
    severities = Severities(*numbers)
    assert severities.of(max(marks)) == max(severities.of(mark) for mark in marks)
