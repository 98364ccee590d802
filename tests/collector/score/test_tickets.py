"""Waiting times with some still waiting, trends, and the figures of tickets."""

import numpy as np
import pytest
from scipy import stats

from sojourn_collector.score.sequential import sure_at
from sojourn_collector.score.survival import curve, quantile
from sojourn_collector.score.tickets import DAY, Ticket, ticket_figures
from sojourn_collector.score.trend import trend

PLACEBO = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
TREATED = [6, 6, 6, 7, 10, 13, 16, 22, 23, 6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]
"""Freireich et al. 1963, weeks in remission; of the treated the first nine ended."""
ENDED = [True] * 9 + [False] * 12


def test_kaplan_meier_gives_the_published_curve() -> None:
    """Freireich's treated group: .857 .807 .753 .690 .627 .538 .448 at 6 7 10 13 16 22 23 weeks."""
    one = curve(TREATED, ENDED)
    assert one.times.tolist() == [6, 7, 10, 13, 16, 22, 23]
    assert one.share.tolist() == pytest.approx([0.857, 0.807, 0.753, 0.690, 0.627, 0.538, 0.448], abs=5e-4)


def test_the_median_has_the_published_interval() -> None:
    """Stata's stci on the same data: 8 [4, 11] and 23 [13, –]."""
    placebo, treated = quantile(PLACEBO, [True] * 21), quantile(TREATED, ENDED)
    assert (placebo.value, placebo.low, placebo.high) == (8, 4, 11)
    assert (treated.value, treated.low, treated.high) == (23, 13, None)
    assert (treated.finished, treated.waiting) == (9, 12)


def test_it_agrees_with_lifelines() -> None:
    """Curve and band of random data, where lifelines is installed."""
    lifelines = pytest.importorskip("lifelines")
    rng = np.random.default_rng(3)
    spans, ended = rng.exponential(5, 200).round(1), rng.random(200) < 0.7
    fitted = lifelines.KaplanMeierFitter().fit(spans, ended)
    one = curve(list(spans), list(ended))
    assert one.share.tolist() == pytest.approx(fitted.survival_function_at_times(one.times).tolist())
    assert one.low.tolist() == pytest.approx(fitted.confidence_interval_.loc[one.times].iloc[:, 0].tolist())


def test_nobody_or_nothing_ended() -> None:
    """Everything still open: the median lies beyond what was seen; bad input is refused by name."""
    still = quantile([5.0, 6.0], [False, False])
    assert (still.value, still.low, still.high, still.waiting) == (None, None, None, 2)
    with pytest.raises(ValueError, match=r"^each waiting time is 0 or longer and says whether it has ended$"):
        quantile([-1.0], [True])
    with pytest.raises(ValueError, match=r"^a quantile lies between 0 and 1, not at 1$"):
        quantile([1.0], [True], 1)


def test_the_trend_is_theil_and_sens() -> None:
    """As scipy's at the confidence of the sequence, and only with an interval off 0; one wild day does not make a trend."""
    values = [10.0, 12, 11, 14, 15, 13, 17, 18, 90, 20]
    slope, _, low, high = stats.theilslopes(values, range(10), sure_at(10, tightest_at=28))
    one = trend(values)
    assert one.direction == "rising"
    assert [one.slope, one.low, one.high] == pytest.approx([slope, low, high])
    assert trend(values[::-1]).direction == "falling"
    assert trend([5.0, 6, 5, 6, 5, 6, 5, 90]).direction == "no trend"
    assert trend([1.0] * 6).direction == "unknown"


def test_a_word_does_not_come_and_go_with_each_look() -> None:
    """Thirty desks with fewer tickets at weekends and no trend, looked at from the seventh day to the twentieth: one interval of 95 % leaves 0 out of eight of
    them at least sooner or later, the word stays away of all but one."""
    rng = np.random.default_rng(5)
    fixed = said = 0
    for _ in range(30):
        counts = rng.poisson(20 * np.tile([1.3, 1.2, 1.1, 1.1, 1.0, 0.5, 0.4], 3)).tolist()
        looks = [counts[:days] for days in range(7, 21)]
        ends = [stats.theilslopes(one, range(len(one)), 0.95)[2:] for one in looks]
        fixed += any(low > 0 or high < 0 for low, high in ends)
        said += any(trend(one).direction != "no trend" for one in looks)
    assert fixed >= 8
    assert said <= 1


def test_open_tickets_count_as_waiting() -> None:
    """Six solved within an hour and six open since days: the median is no hour, as the mean of closed ones would say."""
    quick = [Ticket(f"q{n}", 0.0, 60.0, 3600.0) for n in range(6)]
    stuck = [Ticket(f"s{n}", 0.0) for n in range(7)]
    figures = ticket_figures([*quick, *stuck], -1.0, 1.0, 5 * DAY)
    assert (figures.opened, figures.open) == (13, 7)
    assert figures.resolution is not None
    assert (figures.resolution.value, figures.resolution.finished, figures.resolution.waiting) == (None, 6, 7)
    assert (figures.solved.count, figures.solved.of, figures.stale.count) == (6, 13, 7)
    assert figures.solved.low is not None


def test_a_solution_ends_the_wait_for_a_reply_that_nobody_told_of() -> None:
    """Thirty solved after an hour without a known reply: they waited that long and wait for none now; the one that is open does."""
    tickets = [*(Ticket(f"{n}", 0.0, solved=3600.0) for n in range(30)), Ticket("open", 0.0), Ticket("told", 0.0, first_reply=60.0, solved=120.0)]
    figures = ticket_figures(tickets, -1.0, 1.0, 5 * DAY)
    assert figures.first_reply is not None
    assert (figures.first_reply.finished, figures.first_reply.waiting, figures.unanswered) == (1, 1, 30)
    assert (figures.first_reply.value, figures.first_reply.low) == (None, None)
    late = ticket_figures([Ticket("a", 0.0, solved=3 * DAY), Ticket("b", 0.0, first_reply=2 * DAY)], -1.0, 1.0, DAY)
    assert late.first_reply is not None
    assert (late.first_reply.waiting, late.unanswered) == (2, 0)


def test_of_a_desk_that_never_tells_of_replies_nothing_is_known() -> None:
    """Its tickets are in no figure about replies; with no other desk there is none at all."""
    tickets = [Ticket("a", 0.0, source="mute"), Ticket("b", 0.0, solved=9.0, source="mute"), Ticket("c", 0.0, first_reply=60.0, source="desk")]
    figures = ticket_figures(tickets, -1.0, 1.0, DAY, replying={"desk"})
    assert figures.first_reply is not None
    assert (figures.first_reply.value, figures.first_reply.waiting, figures.replies_untold, figures.unanswered, figures.opened) == (60.0, 0, 2, 0, 3)
    nobody = ticket_figures(tickets[:2], -1.0, 1.0, DAY, replying=set())
    assert (nobody.first_reply, nobody.replies_untold) == (None, 2)


def test_what_waits_again_was_opened_again() -> None:
    """One opened again three times and still open, and thirty solved for good: 1 of 31 that were ever solved."""
    figures = ticket_figures([*(Ticket(f"{n}", 0.0, solved=60.0) for n in range(30)), Ticket("again", 0.0, reopens=3), Ticket("new", 0.0)], -1.0, 1.0, DAY)
    assert (figures.reopened.count, figures.reopened.of, figures.solved.count) == (1, 31, 30)


def test_repeats_reopened_and_what_is_not_known_yet() -> None:
    """A second ticket of a person on the topic within a week is a repeat; a solution after `now` is none yet."""
    tickets = [
        Ticket("a", 0.0, solved=100.0, reopens=1, person="p", topic="pay"),
        Ticket("b", 2 * DAY, solved=9 * DAY, person="p", topic="pay"),
        Ticket("c", 2 * DAY, person="p", topic="ship"),
        Ticket("d", 2 * DAY, person="", topic="pay"),
        Ticket("later", 4 * DAY, person="p", topic="pay"),
    ]
    figures = ticket_figures(tickets, 0.0, 10 * DAY, 3 * DAY)
    assert (figures.opened, figures.repeat.count, figures.repeat.of) == (4, 1, 3)
    assert (figures.reopened.count, figures.reopened.of) == (1, 1)
    assert (figures.stale.count, figures.stale.of) == (0, 1)
    nothing = ticket_figures([], 0.0, DAY, DAY)
    assert (nothing.first_reply, nothing.solved.low, nothing.per_day.direction) == (None, None, "unknown")
    with pytest.raises(ValueError, match=r"^the window of tickets must be longer than nothing"):
        ticket_figures([], 1.0, 1.0, 2.0)
