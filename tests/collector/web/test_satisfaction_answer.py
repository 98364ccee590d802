"""Satisfaction, recommendation and effort from feedback rows: each kind by its own scale, each person once."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sojourn_collector.score.satisfaction import nps
from sojourn_collector.web.answers.satisfaction import response_rate, satisfaction_of, satisfaction_of_all

AT = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)
SCALES: dict[str, tuple[float, float] | tuple[None, None]] = {"csat": (1, 5), "rating": (1, 5), "nps": (0, 10), "ces": (1, 7), "text": (None, None)}


def row(number: int, person: str, kind: str, value: float | None, comment: str = "", **other: Any) -> dict[str, Any]:
    """One row of `feedback`; a higher number is older, as the query gives the newest first."""
    low, high = SCALES[kind]
    return {
        "source": "api",
        "id": f"f{number}",
        "ts": AT - timedelta(minutes=number),
        "kind": kind,
        "value": value,
        "scale_min": low,
        "scale_max": high,
        "higher_is_better": True,
        "satisfied": None,
        "comment": comment,
        "survey_id": "",
        "journey": "checkout",
        "session_id": "",
        "person_id": person,
        "join": "explicit",
        **other,
    }


def test_each_kind_stands_by_itself() -> None:
    """An NPS of 9 is not counted as satisfied, an effort of 6 not as recommendation; a rating counts with CSAT on its scale."""
    rows = [row(1, "user:a", "csat", 5), row(2, "user:b", "rating", 2), row(3, "user:a", "nps", 9), row(4, "user:b", "nps", 3), row(5, "user:b", "ces", 6)]
    told = satisfaction_of(rows, {"user:a": True, "user:b": False})
    assert told.hit is not None
    assert (told.hit.satisfied, told.hit.answered) == (1, 1)
    assert told.others is not None
    assert (told.others.satisfied, told.others.answered) == (0, 1)
    assert told.nps_hit is not None
    assert (told.nps_hit.score, told.nps_hit.answered) == (100, 1)
    assert told.nps_others is not None
    assert told.nps_others.score == -100
    assert told.ces_hit is None
    assert told.ces_others is not None
    assert (told.ces_others.easy, told.ces_others.answered, told.ces_others.mean) == (1, 1, 6)


def test_a_persons_newest_answer_counts_for_each_kind() -> None:
    """Who answered twice is one person; the interval is that of the answers that count."""
    rows = [row(1, "user:a", "nps", 10), row(2, "user:a", "nps", 0), row(3, "user:b", "nps", 7), row(4, "user:c", "nps", 9)]
    told = satisfaction_of_all(rows)
    expected = nps([10, 7, 9])
    assert told.nps_others is not None
    assert expected is not None
    assert (told.nps_others.answered, told.nps_others.score, told.nps_others.low, told.nps_others.high) == (
        3,
        expected.score,
        expected.low,
        expected.high,
    )
    assert told.nps_hit is None


def test_answers_of_unknown_persons_count_one_each() -> None:
    """Two answers without a person are two answers for a journey, and none at a step, where nobody knows whether they were hit."""
    rows = [row(1, "", "ces", 7), row(2, "", "ces", 1)]
    everyone = satisfaction_of_all(rows)
    assert everyone.ces_others is not None
    assert (everyone.ces_others.easy, everyone.ces_others.answered) == (1, 2)
    assert satisfaction_of(rows, {"user:a": True}).state == "not measured"


def test_efforts_on_two_scales_are_not_mixed() -> None:
    """The scale of seven with most answers is told; one where low is good and one of five stay out."""
    rows = [
        row(1, "user:a", "ces", 7),
        row(2, "user:b", "ces", 6),
        row(3, "user:c", "ces", 1, higher_is_better=False),
        row(4, "user:d", "ces", 5, scale_max=5),
    ]
    told = satisfaction_of_all(rows)
    assert told.ces_others is not None
    assert (told.ces_others.answered, told.ces_others.scale) == (2, "1–7")


@pytest.mark.parametrize("kind", ["csat", "nps", "ces"])
def test_one_kind_alone_is_measured(kind: str) -> None:
    """Whoever asks for one kind only has a measurement; words alone are none."""
    assert satisfaction_of_all([row(1, "user:a", kind, 4)]).state == "measured"
    told = satisfaction_of_all([row(1, "user:a", "text", None, comment="why?")])
    assert (told.state, told.comments[0].text) == ("not measured", "why?")


def test_how_many_answered() -> None:
    """Rated answers per invitation, over surveys; those of who left the survey are counted apart; a comment alone is no rated answer; a survey that told of
    no invitation, or of too few, leaves it unknown."""
    rows = [row(1, "a", "csat", 4, survey_id="s"), row(2, "b", "rating", 2, survey_id="t"), row(3, "c", "text", None, "hm", survey_id="u")]
    assert response_rate(rows, {("api", "s"): 3, ("api", "t"): 5, ("api", "v"): 9}) == 0.25
    assert response_rate(rows, {("api", "s"): 3}) is None
    assert response_rate(rows, {("api", "s"): 1, ("api", "t"): 0}) is None
    assert response_rate([*rows, row(4, "d", "csat", 1, survey_id="s")], {("api", "s"): 1, ("api", "t"): 1}) is None
    assert response_rate([], {("api", "s"): 1}) is None
    left = [row(5, "e", "csat", 4, survey_id="s", partial=True), row(6, "f", "csat", 4, survey_id="s", partial=True)]
    assert (response_rate([*rows, *left], {("api", "s"): 3, ("api", "t"): 5}), response_rate(left, {("api", "s"): 4})) == (0.25, 0)
    told = satisfaction_of_all(rows, [{"source": "api", "survey_id": "s", "invited": 4}, {"source": "api", "survey_id": "t", "invited": 4}])
    assert told.others is not None
    assert (told.others.response_rate, told.others.partial) == (0.25, 0)
    told = satisfaction_of_all([*rows, *left], [{"source": "api", "survey_id": "s", "invited": 4}, {"source": "api", "survey_id": "t", "invited": 4}])
    assert told.others is not None
    assert (told.others.response_rate, told.others.partial, told.others.answered) == (0.25, 2, 4)
