"""The four lines that say a problem."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sojourn_collector.web.answers.headline import headline
from sojourn_collector.web.models import Cause, Clock, Comment, Impact, Money, Named, People, Problem, Satisfaction, Share

SINCE = datetime(2026, 11, 20, 13, 2, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")


def comments(count: int, linked: int) -> list[Comment]:
    return [
        Comment(id=str(n), at=SINCE, kind="csat", text="x", session_id="s" if n < linked else "", join="explicit" if n < linked else "unlinked")
        for n in range(count)
    ]


def problem(
    *,
    money: Money | None = None,
    step: str = "Pay",
    people: People | None = None,
    satisfaction: Satisfaction | None = None,
    until: datetime | None = None,
    as_of: datetime | None = None,
) -> Problem:
    return Problem(
        id="p",
        as_of=as_of or until or SINCE + timedelta(minutes=9),
        journey=Named(id="checkout", name="checkout"),
        step=Named(id="s", name=step),
        state="over" if until else "failing",
        clock=Clock(since=SINCE, until=until, window_from=SINCE, window_to=until or SINCE + timedelta(minutes=9)),
        cause=Cause(summary="502 from POST /payments (service payments)", kind="status"),
        people=people or People(reached=188, hit=41, stopped=29, recovered=12, usual_hit=1.2),
        impact=Impact(state="measured", score=17.2, low=12.3, high=23.4, of=188),
        money=money or Money(state="not_estimable", reasons=["no orders"]),
        satisfaction=satisfaction or Satisfaction(),
    )


def test_it_reads_like_a_sentence_each() -> None:
    """The lines of the newcomer's first problem, to the letter, in local time."""
    money = Money(
        state="so_far",
        level=1,
        amount=1240.4,
        low=680.0,
        high=1810.0,
        currency="EUR",
        final_at=SINCE + timedelta(minutes=5),
        as_of=SINCE + timedelta(minutes=2),
    )
    felt = Satisfaction(hit=Share(satisfied=6, answered=15), others=Share(satisfied=58, answered=70), comments=comments(6, 6), state="measured")
    assert headline(problem(money=money, satisfaction=felt), BERLIN) == [
        "checkout › Pay   failing since 14:02: 502 from POST /payments (service payments)",
        "customers        41 of 188 hit, 29 could not pay (usual: 1)              impact 17 of 100 [12–23]",
        "money            about 1,240 EUR missing so far [680–1,810], final at 14:07",
        "satisfied        6 of 15 of those hit who answered, 58 of 70 of the others; 6 comments, each linked to the visit",
    ]


@pytest.mark.parametrize(
    ("money", "line"),
    [
        (Money(state="final", level=1, amount=-310.0, low=-900.0, high=250.0, currency="EUR"), "about −310 EUR missing [−900–250], final"),
        (
            Money(state="upper_bound", level=0, upper_bound=744.0, currency="EUR", reasons=["12 hit, estimated from 30 on"]),
            "at most about 744 EUR, an upper bound (12 hit, estimated from 30 on)",
        ),
        (Money(state="not_estimable", reasons=["no orders"]), "not estimable: no orders"),
    ],
)
def test_money_keeps_its_state_and_its_sign(money: Money, line: str) -> None:
    """Final, negative, bounded or silent: each in its own words, nothing clipped."""
    assert headline(problem(money=money), BERLIN)[2] == f"money            {line}"


def test_a_step_that_is_no_verb_stops_people() -> None:
    """`could not home page` is no English; who is still trying and anonymous visits are said apart."""
    people = People(reached=5, hit=3, stopped=1, recovered=0, trying=2, visits_reached=4, visits_hit=1)
    line = headline(problem(step="Home page", people=people), BERLIN)[1]
    assert line == "customers        3 of 5 hit, 1 were stopped, 2 still trying; 1 of 4 anonymous visits hit   impact 17 of 100 [12–23]"


def test_times_say_the_day_when_it_is_another_and_seconds_when_minutes_are_too_coarse() -> None:
    """A short problem shows seconds, one over midnight the date."""
    assert " failed from 14:02:00 to 14:03:30:" in headline(problem(until=SINCE + timedelta(seconds=90)), BERLIN)[0]
    assert " failed from 2026-11-20 14:02 to 2026-11-21 02:02:" in headline(problem(until=SINCE + timedelta(hours=12)), BERLIN)[0]


def test_a_problem_of_another_day_is_over_and_says_which() -> None:
    """Seen the day after, a problem says that it is over and when it was."""
    told = headline(problem(until=SINCE + timedelta(minutes=30), as_of=SINCE + timedelta(days=1)), BERLIN)[0]
    assert told == "checkout › Pay   over, failed from 2026-11-20 14:02 to 14:32: 502 from POST /payments (service payments)"


def test_what_is_left_out_is_a_line_of_its_own() -> None:
    """Where the figures are not of everyone the problem says so below them."""
    told = headline(problem().model_copy(update={"notes": ["all figures are of the first 200,000 walks"]}), BERLIN)
    assert told[4:] == ["not counted      all figures are of the first 200,000 walks"]


def test_a_problem_out_of_sight_says_when_it_was_last_seen() -> None:
    """Neither failing nor over is claimed of a place nobody looks at any more."""
    lost = problem()
    lost = lost.model_copy(update={"state": "unknown", "clock": lost.clock.model_copy(update={"last_evidence": SINCE + timedelta(minutes=9)})})
    assert " failed from 14:02, last seen 14:11, not heard of since:" in headline(lost, BERLIN)[0]


def test_comments_without_a_visit_are_said() -> None:
    """How many of the comments lead to a visit."""
    assert headline(problem(satisfaction=Satisfaction(comments=comments(3, 2))), BERLIN)[3].endswith("; 3 comments, 2 linked to the visit")
    assert headline(problem(satisfaction=Satisfaction(comments=comments(1, 1))), BERLIN)[3].endswith("; 1 comment, linked to the visit")
