"""Where charts and axes put what they draw."""

from datetime import timedelta

import pytest

from sojourn_collector.web import axis, charts
from sojourn_collector.web.format import Clockface
from tests.collector.web import fixtures, fixtures_of_fixes, fixtures_of_one


def test_people_over_time_counts_up_to_those_listed():
    """The line ends at the number of people listed and begins at zero."""
    chart = charts.people_over_time(fixtures.problem(), Clockface(now=fixtures.NOW))
    assert [point["people"] for point in chart["points"]] == [0, *range(1, 13), 12]
    assert [mark["name"] for mark in chart["marks"]] == ["first probe failed"]


def test_nothing_is_drawn_outside_its_axis():
    """Spans that begin before or end after their trace, and items of no time at all, stay inside 0 to 100."""
    span = fixtures_of_one.trace().spans[0]
    for offset, duration, whole in ((-5.0, 1.0, 1.0), (0.0, 99.0, 1.0), (7.0, 1.0, 1.0), (0.0, 0.0, 0.0)):
        x, width = axis.span_place(span.model_copy(update={"offset": offset, "duration": duration}), whole)
        assert x >= 0
        assert width > 0
        assert x + width <= 100.001
    drawing = axis.timeline(fixtures_of_one.timeline(), Clockface(now=fixtures.NOW))
    assert drawing is not None
    assert [lane.name for lane in drawing.lanes] == ["Pages", "Actions", "Requests", "Backend", "Feedback and orders"]
    assert all(mark.x >= 0 and mark.x + mark.width <= 100.001 for lane in drawing.lanes for mark in lane.marks)
    assert axis.timeline([], Clockface()) is None


def test_what_came_long_after_a_visit_does_not_press_it_together():
    """A ticket solved days later stands in the list; the axis ends where the visit does, and marks keep the numbers of the list."""
    items = fixtures_of_one.timeline()
    late = items[-1].model_copy(update={"at": fixtures.NOW + timedelta(days=3)})
    until = max(item.at for item in items)
    face = Clockface(now=fixtures.NOW)
    assert axis.timeline([*items, late], face, until) == axis.timeline(items, face)
    assert axis.timeline([*items, late], face) != axis.timeline(items, face)
    assert axis.timeline([late], face, until) is None


def test_an_axis_of_days_says_each_day_once():
    """Five labels with day and hour lie on one another on a phone: of more than a day each day stands once; of hours there are hours."""
    first = fixtures_of_one.timeline()[0]
    face = Clockface(now=fixtures.NOW)

    def labels(span: timedelta) -> list[str]:
        drawing = axis.timeline([first, first.model_copy(update={"at": first.at + span})], face)
        assert drawing is not None
        return [label for _, label, _ in drawing.ticks]

    assert labels(timedelta(hours=36)) == ["22 Nov", "", "23 Nov", "", "24 Nov"]
    assert labels(timedelta(days=40)) == ["22 Nov", "2 Dec", "12 Dec", "22 Dec", "1 Jan 2027"]
    assert labels(timedelta(hours=4)) == ["14:01", "15:01", "16:01", "17:01", "18:01"]


def test_two_runs_are_drawn_on_one_scale():
    """The bars of a failing run and of the good one beside it can be compared."""
    failing, good = fixtures_of_one.probe_steps(failed=True), fixtures_of_one.probe_steps(failed=False)
    whole = axis.longest_exchange([*failing, *good])
    ends = [phases[-1].x + phases[-1].width for phases in (axis.phases(steps[-1].exchanges[0], whole) for steps in (failing, good))]
    assert ends[0] == pytest.approx(100, abs=0.5)
    assert ends[1] < 40


def test_the_clock_is_in_order_and_ends_now():
    """The moments of a problem stand in the order they came, whichever of probe or customer was first."""
    moments = axis.problem_clock(fixtures.problem().clock, fixtures.NOW)
    assert [moment.label for moment in moments] == ["Our last good probe", "First customer hit", "Our probe failed first", "Now"]
    assert (moments[0].x, moments[-1].x) == (0, 100)
    over = axis.problem_clock(fixtures.problem(state="over").clock, fixtures.NOW)
    assert over[-1].label == "Over"


def test_a_change_is_drawn_in_the_part_its_day_lies_in():
    """Of two changes in one week there is one line, of a day outside every part none."""
    helped = fixtures_of_fixes.verification(fixtures_of_fixes.HELPED, "x")
    assert helped is not None
    satisfied = helped.measures[0]
    first, last = satisfied.parts[0], satisfied.parts[-1]
    assert charts.fix_weeks(satisfied)["lines"] == []
    assert charts.fix_weeks(satisfied, [first.first, first.last, last.last, last.last + timedelta(days=1)])["lines"] == [0, len(satisfied.parts) - 1]
