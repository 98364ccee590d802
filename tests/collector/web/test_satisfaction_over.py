"""Each group of satisfaction by day, week or month: the newest answer of a person in each, thin ones hidden, the largest groups alone, bounded."""

from collections.abc import AsyncIterator
from datetime import date, timedelta

import httpx2
import pytest

from sojourn_collector.context import Context
from sojourn_collector.score.intervals import wilson
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers import satisfaction_over
from sojourn_collector.web.answers.feedback_facts import Over, begin_of, next_of
from sojourn_collector.web.feedback import build_feedback
from sojourn_collector.web.models_feedback import SatisfactionBy
from sojourn_collector.web.over_time import over_time
from sojourn_collector.web.pages import build_pages
from tests.collector.web import fixtures_of_feedback
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import NOW, Rows
from tests.collector.web.test_pages import Read

DAY = timedelta(days=1)


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_feedback(context), build_pages(context)) as one:
        yield one


async def three_weeks(store: Store) -> None:
    """Plan pro: 10 of 20 satisfied two weeks ago, four answers in the week after, 18 of 20 now, of the same people; free: five now."""
    rows = Rows()
    for week, of, satisfied in ((2, 20, 10), (1, 4, 4), (0, 20, 18)):
        for number in range(of):
            rows.answer(f"f{week}-{number}", NOW - week * 7 * DAY, 5 if number < satisfied else 1, person=f"user:u{number}")
    rows.answer("older", NOW - DAY, 1, person="user:u0")
    for number in range(5):
        rows.answer(f"free{number}", NOW, 5, person=f"user:v{number}")
        rows.people.append({"source": "crm", "id": f"v{number}", "version": 1, "account_id": "free"})
    rows.people += [{"source": "crm", "id": f"u{number}", "version": 1, "account_id": "pro"} for number in range(20)]
    rows.accounts += [{"source": "crm", "id": plan, "version": 1, "plan": plan} for plan in ("pro", "free")]
    for row in rows.feedback:
        row["ts"] -= timedelta(minutes=5)
    await rows.store(store)


async def test_a_plan_by_week_with_intervals(client: httpx2.AsyncClient, store: Store) -> None:
    """Of each week a person's newest answer counts, while of the whole window it counts once; a week of four answers is not told, and is a gap."""
    await three_weeks(store)
    told = await get(client, "satisfaction", by="plan", over="week")
    alone = await get(client, "satisfaction", by="plan")
    assert (told["over"], told["periods"]) == ("week", ["2026-10-19", "2026-10-26", "2026-11-02", "2026-11-09", "2026-11-16"])
    pro, free = told["groups"]
    assert {**pro, "periods": None} == alone["groups"][0]
    assert (pro["value"], pro["answered"], pro["csat"]["satisfied"]) == ("pro", 20, 18)
    then, now = pro["periods"]
    assert [(one["period"], one["whole"], one["answered"], one["csat"]["satisfied"], one["thin"]) for one in (then, now)] == [
        ("2026-11-02", True, 20, 10, True),
        ("2026-11-16", False, 20, 18, True),
    ]
    assert (then["csat"]["low"], then["csat"]["high"]) == pytest.approx(wilson(0.5, 20))
    assert [one["period"] for one in free["periods"]] == ["2026-11-16"]
    by_month = (await get(client, "satisfaction", by="plan", over="month"))["groups"][0]["periods"]
    assert [(one["period"], one["answered"]) for one in by_month] == [("2026-11-01", 20)]
    by_day = (await get(client, "satisfaction", by="plan", over="day", last="90d"))["periods"]
    assert len(by_day) == 91


async def test_the_page_draws_each_group_and_says_the_same_in_a_table(client: httpx2.AsyncClient, store: Store) -> None:
    """A picture per group with one point per week, and beside it a table with the same weeks; time alone is not drawn over time."""
    await three_weeks(store)
    page = Read((await client.get("/feedback?by=plan&over=week")).text)
    assert (page.wrong, page.open) == ([], [])
    assert [attrs.get("class") for tag, attrs in page.tags if tag == "circle" and "value" in str(attrs.get("class"))] == ["value", "value cut", "value cut"]
    assert "2 Nov2050% satisfied [30–70%]16 Nov in part2090% satisfied [70–97%]" in page.text
    (json,) = [one for one in page.values("a", "href") if one.startswith("/api/v1/satisfaction")]
    assert json == "/api/v1/satisfaction?by=plan&over=week"
    assert "By month" in page.text
    assert "By month" not in (await client.get("/feedback?by=week")).text


async def test_only_the_largest_groups_are_told_by_time(client: httpx2.AsyncClient, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many groups there are, so many are told over time and the others counted; where rows would be missing none is."""
    await three_weeks(store)
    monkeypatch.setattr(satisfaction_over, "MOST_GROUPS", 1)
    told = await get(client, "satisfaction", by="plan", over="week")
    assert [(one["value"], one["periods"] is None) for one in told["groups"]] == [("pro", False), ("free", True)]
    assert told["without_periods"] == 1
    monkeypatch.setattr(satisfaction_over, "MOST_ROWS", 3)
    told = await get(client, "satisfaction", by="plan", over="week")
    assert ([one["periods"] for one in told["groups"]], told["without_periods"]) == ([None, None], 2)


@pytest.mark.parametrize(
    ("over", "day", "begin", "after"),
    [
        ("day", date(2026, 12, 31), date(2026, 12, 31), date(2027, 1, 1)),
        ("week", date(2027, 1, 1), date(2026, 12, 28), date(2027, 1, 4)),
        ("month", date(2026, 12, 31), date(2026, 12, 1), date(2027, 1, 1)),
        ("month", date(2028, 2, 29), date(2028, 2, 1), date(2028, 3, 1)),
    ],
)
def test_periods_begin_on_local_days(over: Over, day: date, begin: date, after: date) -> None:
    """Weeks on Mondays, months on the first."""
    assert (begin_of(day, over), next_of(begin, over)) == (begin, after)


def test_points_that_do_not_follow_one_another_are_not_joined() -> None:
    """A week without enough answers is a gap in the line; a net promoter score of 0 stands in the middle of its scale."""
    told: SatisfactionBy = fixtures_of_feedback.satisfaction("segment", over="week")
    share, nps = over_time(told)
    assert [(one.name, other.name) for one, other in share.lines] == [("19 Oct", "26 Oct"), ("26 Oct", "2 Nov")]
    assert all(one.high <= one.y <= one.low for one in (*share.points, *nps.points))
    assert (share.edges, nps.edges) == (("100%", "0%"), ("100", "−100"))
    assert share.points[0].x < share.points[-1].x == 97
    middle = nps.group.model_copy(update={"periods": [nps.points[0].period.model_copy(update={"nps": nps.group.nps.model_copy(update={"score": 0.0})})]})  # type: ignore[union-attr]
    assert over_time(told.model_copy(update={"groups": [middle]}))[0].points[0].y == 44
