"""A journey over time on its page: gaps stay gaps, breaks cut the lines, and what is marked is the journey's."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import httpx2
import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.store.client import Store
from sojourn_collector.web.format import Clockface
from sojourn_collector.web.history_shown import HistoryShown, history_shown
from sojourn_collector.web.models import Break, Impact, Named
from sojourn_collector.web.models_fixes import Mark
from sojourn_collector.web.models_history import HistoryCustomers, HistoryPeriod, JourneyHistory
from sojourn_collector.web.pages import build_pages
from tests.collector.web.asking import asking
from tests.collector.web.stage import NOW, broken_shop, context_of

BERLIN = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)


def day(number: int) -> datetime:
    """When that day of October 2026 begins in Berlin; the 25th has 25 hours."""
    return datetime(2026, 10, number, tzinfo=BERLIN).astimezone(UTC)


def customers(tried: int = 100, stopped: int = 10, *, impact: Impact | None = None, visits: Impact | None = None) -> HistoryCustomers:
    """So many tried, so many of them were stopped, the others finished."""
    counts = {"tried": tried, "finished": tried - stopped, "gave_up": 0, "stopped": stopped, "trying": 0, "people": tried - 5, "anonymous": 5}
    return HistoryCustomers(**counts, stopped_low=0.05, stopped_high=0.18, impact=impact, impact_of_visits=visits)


def score(value: float, covers: str = "people") -> Impact:
    return Impact.model_validate({"state": "measured", "covers": covers, "score": value, "low": value / 2, "high": value * 2, "of": 95})


def told(days: dict[int, HistoryCustomers], *breaks: Break, marks: tuple[Mark, ...] = (), usual_until: datetime | None = None) -> HistoryShown:
    """These days of October, shown."""
    periods = [HistoryPeriod(since=day(at), until=day(at + 1), customers=one, steps=[]) for at, one in days.items()]
    found = JourneyHistory(
        as_of=day(31),
        window_from=day(1),
        window_to=day(31),
        id="checkout",
        name="checkout",
        every="day",
        timezone=BERLIN.key,
        kept_days=400,
        periods=periods,
        breaks=list(breaks),
        usual_severities_until=usual_until,
    )
    return history_shown(found, marks, Clockface(BERLIN, day(31)))


def broken(at: datetime, kind: str = "stored") -> Break:
    return Break.model_validate({"at": at, "kind": kind, "before": "a", "version": "b", "changes": [], "sentence": "."})


def test_what_was_not_measured_is_a_gap_over_the_change_of_the_clocks_too() -> None:
    """Of four days the second is missing: four points, none at the second, each day once though one of them has 25 hours."""
    shown = told({24: customers(), 26: customers(), 27: customers()})
    points = shown.chart("stopped")["points"]
    assert [(one["name"], one["value"], one["low"], one["high"]) for one in points] == [
        ("24 Oct", 10.0, 5.0, 18.0),
        ("25 Oct", None, None, None),
        ("26 Oct", 10.0, 5.0, 18.0),
        ("27 Oct", 10.0, 5.0, 18.0),
    ]
    assert [(one["value"], one["apart"]) for one in shown.chart("people")["points"]] == [(95.0, 5), (None, None), (95.0, 5), (95.0, 5)]


def test_a_break_cuts_the_line_and_a_day_that_is_of_both_stands_alone() -> None:
    """At midnight the day begins a part; within a day it is one of its own. What all is worked out anew by cuts nothing, nor what lies outside."""
    days = {at: customers() for at in range(10, 20)}

    def parts(*breaks: Break) -> list[int]:
        return [one["part"] for one in told(days, *breaks).chart("impact")["points"]]

    assert parts() == [0] * 10
    assert parts(broken(day(13), "coverage")) == [0] * 3 + [1] * 7
    assert parts(broken(day(13) + timedelta(hours=9))) == [0] * 3 + [1] + [2] * 6
    assert parts(broken(day(13), "recomputed"), broken(day(28)), broken(day(2))) == [0] * 10
    lines = told(days, broken(day(13)), broken(day(15), "coverage")).chart("people")["lines"]
    assert lines == [{"at": 3, "kind": "break", "name": "configuration changed"}, {"at": 5, "kind": "break", "name": "another share of orders has a visit"}]
    assert [one["part"] for one in told(days, usual_until=day(12)).chart("impact")["points"]] == [0, 0, *[1] * 8]


def test_marks_are_those_of_the_journey_and_of_none() -> None:
    """A release of the whole app and a fix of this journey are marked; one of another, and one before, are not. The newest thirty."""
    days = {at: customers() for at in range(10, 20)}

    def mark(ident: str, at: datetime, journey: str = "") -> Mark:
        return Mark(
            id=ident, kind="fix" if journey else "release", origin="told", at=at, name=ident, journey=Named(id=journey, name=journey) if journey else None
        )

    mine = (mark("2.4", day(12)), mark("card", day(14) + DAY / 2, "checkout"), mark("else", day(14), "renew"), mark("old", day(9)), mark("new", day(20)))
    assert [(line.place, line.name, line.kind) for line in told(days, marks=mine).lines] == [(2, "release 2.4", "release"), (4, "fix card", "fix")]
    many = tuple(mark(f"r{number}", day(12) + timedelta(minutes=number)) for number in range(40))
    assert [line.name for line in told(days, marks=many).lines] == [f"release r{number}" for number in range(10, 40)]


def test_one_kind_of_score_is_drawn() -> None:
    """Of people where they have one on any day; else per visit, and said so; days without it are gaps."""
    visits = score(30, "anonymous visits")
    shown = told({10: customers(impact=score(20), visits=visits), 11: customers(visits=visits)})
    assert (shown.covers, [one["value"] for one in shown.chart("impact")["points"]]) == ("people", [20, None])
    shown = told({10: customers(visits=visits), 11: customers()})
    assert (shown.covers, [one["value"] for one in shown.chart("impact")["points"]]) == ("anonymous visits", [30, None])
    assert told({}).rows == []


@pytest.fixture
async def client(store: Store, tmp_path: Path) -> AsyncIterator[httpx2.AsyncClient]:
    context: Context = context_of(store, tmp_path, impact=ImpactConfig(timezone=BERLIN.key))
    rows = broken_shop()
    for number in range(40):
        rows.customer(f"old{number}", NOW - 3 * DAY, fails=number < 10, stopped=number < 10, done=number >= 10)
    await rows.store(store)
    await Rollups(context.store, context.control, BERLIN, 400, lambda: 1, context.clock).catch_up()
    async with asking(build_pages(context)) as one:
        yield one
    context.control.close()


async def test_the_page_of_what_is_stored(client: httpx2.AsyncClient) -> None:
    """Days with customers are in the table with their share stopped and its interval, others as not seen; the journey's page has the charts."""
    page = (await client.get("/journeys/checkout/history")).text
    assert "17 Nov" in page
    assert "25% <span" in page
    assert "10 of 40" in page
    assert "no customer seen" in page
    assert "chart-history-stopped" in page
    hours = (await client.get("/journeys/checkout/history?every=hour")).text
    assert "Impact" not in hours.split("<tbody>")[0].split("<table>")[1]
    assert "chart-history-people" in (await client.get("/journeys/checkout")).text


@pytest.mark.parametrize(
    ("address", "status", "said"),
    [
        ("/journeys/checkout/history?every=hour&last=30d", 200, "Hours are shown of at most 8 days; these are days."),
        ("/journeys/checkout/history?from=tomorrow", 422, "From is not a time;"),
        ("/journeys/checkout/history?last=1y", 422, "Last is one of 24h, 7d, 30d, 90d; for another window give from and to."),
        ("/journeys/checkout/history?every=week", 404, "There is no page at this address."),
        ("/journeys/nobody/history", 404, "No journey file of this id"),
        ("/journeys/newsletter/history", 200, "No customer was seen in this journey in this time."),
        ("/journeys/checkout/experience?by=shoe-size", 404, "There is no page at this address."),
        ("/journeys/checkout/experience?step=nowhere", 404, "No journey file of this id"),
        ("/journeys/checkout/experience?by=hour&last=7d&step=pay", 200, "How customers fared, by"),
    ],
)
async def test_addresses_that_make_no_sense_say_why(client: httpx2.AsyncClient, address: str, status: int, said: str) -> None:
    """Each by its sentence, as a page."""
    answer = await client.get(address)
    assert (answer.status_code, said in answer.text) == (status, True), answer.text[-600:]
