"""What is not told one by one is counted and said: problems beyond the first twenty, walks beyond the first two hundred thousand."""

from datetime import timedelta

import pytest

from sojourn_collector.context import Context
from sojourn_collector.web.answers import at_step, problem_alone
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey
from sojourn_collector.web.answers.others import Others, others_note
from tests.collector.web.stage import BROKE, NOW, Rows, broken_shop, minute


async def test_problems_that_are_not_worked_out_are_counted_and_said(context: Context) -> None:
    """26 incidents of five people: 20 are worked out. Who was hit in both kinds counts once, visits without identity apart, at each step by its own times."""
    rows = Rows()
    for number in range(26):
        at = NOW - minute(30 * (26 - number))
        for each in range(4):
            rows.customer(f"u{number}-{each}", at + timedelta(seconds=each), fails=True, stopped=True)
        rows.customer("always", at + timedelta(seconds=5), fails=True)
        rows.customer(f"v{number}", at + timedelta(seconds=6), fails=number < 3, anonymous=True)
        # Between two incidents somebody alone: no incident, and in none.
        rows.customer(f"alone{number}", at + minute(15), fails=True)
    await rows.store(context.store)
    report = await impact(context)
    assert (len(report.problems), report.problems_found) == (20, 26)
    assert (report.people_in_others, report.visits_in_others) == (24, 3)
    assert (report.people_hit, report.visits_hit) == (105, 3)
    sentence = "20 of 26 problems are worked out, those still failing and the newest first; 24 more people and 3 anonymous visits were hit in the others"
    assert report.notes == [sentence]
    alone = await journey(context, "checkout")
    assert alone is not None
    assert alone.notes == [sentence]


async def test_a_report_that_is_whole_says_nothing(context: Context) -> None:
    """One problem, all of it counted."""
    await broken_shop(usual=False).store(context.store)
    report = await impact(context)
    assert (report.notes, report.problems[0].notes, report.problems_found) == ([], [], 1)


@pytest.mark.parametrize(
    ("others", "said"),
    [
        (Others(1, 0), "1 more person was hit in the others"),
        (Others(1, 2), "1 more person and 2 anonymous visits were hit in the others"),
        (Others(0, 1), "0 more people and 1 anonymous visit were hit in the others"),
    ],
)
def test_the_sentence_counts_one_as_one(others: Others, said: str) -> None:
    """One person was, two were."""
    assert others_note(20, 21, others) == [f"20 of 21 problems are worked out, those still failing and the newest first; {said}"]


async def test_a_problem_of_too_many_walks_says_of_whom_it_is(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its figures are of the first walks, of those hit and not; how many were hit in all is counted; what people were worth is of the same walks."""
    await broken_shop(usual=False).store(context.store)
    monkeypatch.setattr(at_step, "MOST_WALKS", 40)
    monkeypatch.setattr(problem_alone, "MOST_WALKS", 40)
    (problem,) = (await impact(context)).problems
    # The eight anonymous visits began in the first 80 seconds, among them.
    assert problem.people.reached + problem.people.visits_reached == 40
    last = f"{BROKE - minute(1) + timedelta(seconds=64):%Y-%m-%d %H:%M:%S}"
    note = f"all figures are of the first 40 walks through this step, those that began until {last}; 41 people and 1 anonymous visit were hit in all"
    assert problem.notes == [note]
    assert problem.headline[4] == f"not counted      {note}"
    alone = await problem_alone.problem_alone(context, problem.id)
    assert alone is not None
    assert (alone.problem.notes, alone.exposed.people) == ([note], problem.people.hit)
