"""Alarms over stored walks: against four weeks of sums by hour, over HTTP, and as the metric that Prometheus alerts from."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx2
import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.counters import Counters
from sojourn_collector.join.run_counts import RunCounts
from sojourn_collector.store.client import QueryTimeout, Store
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from sojourn_collector.web.slis import Slis
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import NOW, Rows, minute

HOUR = NOW.replace(minute=0, second=0, microsecond=0)


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(context)) as one:
        yield one


async def weeks_before(store: Store, *, step: str = "pay", people: int = 50, hit: int = 0, visits: int = 0, days: int = 27) -> None:
    """So many people an hour in the four weeks before yesterday, of whom so many were hit, as the rollups keep it."""
    hours = [HOUR - timedelta(days=day, hours=hour) for day in range(2, days + 2) for hour in range(24)]
    same: dict[str, Any] = {"version": 1, "journey": "checkout", "step": step, "traffic": "real", "every": "hour", "people": people, "people_hit": hit}
    await store.insert("step_sums", [{**same, "anonymous_units": visits, "t": at} for at in hours])


def now_hit(rows: Rows, hit: int, well: int, *, step: str = "pay", anonymous: int = 0, ago: float = 20) -> None:
    """So many people of one minute who were stopped, and who came through, and visits without a name that were stopped."""
    for number in range(hit + well):
        rows.customer(f"u{step}{number}", NOW - minute(ago), fails=number < hit, stopped=number < hit, done=number >= hit)
        rows.steps[-1]["step"] = step
    for number in range(anonymous):
        rows.customer(f"a{step}{number}", NOW - minute(ago), fails=True, stopped=True, anonymous=True)
        rows.steps[-1]["step"] = step


async def test_more_hit_than_is_usual_is_an_alarm_of_the_first_step(client: httpx2.AsyncClient, store: Store) -> None:
    """Usually 1 of 50. Nine of thirty people and three nameless visits are stopped at Pay, five of ten later at Thanks: one alarm, Pay's."""
    await weeks_before(store, people=50, hit=1, visits=10)
    await weeks_before(store, step="thanks", people=20)
    rows = Rows()
    now_hit(rows, 9, 21, anonymous=3)
    now_hit(rows, 5, 5, step="thanks", ago=10)
    # Tries again twenty minutes later, and fails again: still one.
    rows.customer("upay0", NOW - minute(1), fails=True, stopped=True)
    await rows.store(store)
    told = await get(client, "alarms")
    (one,) = told["alarms"]
    assert (one["journey"]["id"], one["step"]["id"], [step["id"] for step in one["also"]]) == ("checkout", "pay", ["thanks"])
    assert (one["state"], one["wakes"], one["people"], one["hit"], one["hit_people"], one["hit_visits"]) == ("alarm", True, 33, 12, 9, 3)
    assert one["since"] == one["raised"] == (NOW - minute(20)).replace(second=0, microsecond=0).isoformat().replace("+00:00", "Z")
    assert one["usual"] == pytest.approx(1 / 60)
    assert one["usual"] < one["usual_high"] < one["low"] / 100 < one["impact"] / 100 == pytest.approx(12 / 33)
    assert one["sum"] >= one["threshold"]
    assert (told["watched"], told["unwatched"], told["false_per_week"], told["impact_from"]) == (2, 0, 1.0, 5.0)
    assert told["people_per_week"] == pytest.approx(80 * 168, rel=0.05)


async def test_what_is_usual_is_no_alarm(client: httpx2.AsyncClient, store: Store) -> None:
    """The same people where 15 of 50 are usually hit: nothing. Where 2 of 50 are, 3 of 30: more than usual, and no alarm."""
    rows = Rows()
    now_hit(rows, 9, 21)
    await rows.store(store)
    await weeks_before(store, people=50, hit=15)
    told = await get(client, "alarms")
    assert (told["watched"], told["alarms"], told["rising"]) == (1, [], [])


async def test_three_of_thirty_are_rising(client: httpx2.AsyncClient, store: Store) -> None:
    """Where 2 of 50 are usually hit, 3 of 10 are more and not yet an alarm: told apart, and how near it is."""
    rows = Rows()
    now_hit(rows, 3, 7)
    await rows.store(store)
    await weeks_before(store, people=50, hit=2)
    told = await get(client, "alarms")
    (one,) = told["rising"]
    assert (told["alarms"], one["state"], one["hit"], one["raised"], one["wakes"]) == ([], "rising", 3, None, False)
    assert 0 < one["sum"] < one["threshold"]


async def test_yesterday_s_outage_neither_alarms_nor_is_usual(client: httpx2.AsyncClient, store: Store) -> None:
    """An outage of two days ago is among the worst hours, left out; one of 25 hours ago is looked at no more, and who was hit then may be newly hit."""
    await weeks_before(store, people=50)
    same: dict[str, Any] = {"version": 2, "journey": "checkout", "step": "pay", "traffic": "real", "every": "hour", "people": 50, "people_hit": 50}
    await store.insert("step_sums", [{**same, "t": HOUR - timedelta(days=2, hours=hour)} for hour in range(5)])
    rows = Rows()
    now_hit(rows, 20, 0, ago=25 * 60)
    await rows.store(store)
    assert (await get(client, "alarms"))["alarms"] == []
    rows = Rows()
    now_hit(rows, 9, 21)
    await rows.store(store)
    (one,) = (await get(client, "alarms"))["alarms"]
    assert (one["usual"], one["hit"]) == (0.0, 9)


async def test_a_step_of_too_little_past_is_not_watched(client: httpx2.AsyncClient, context: Context, store: Store) -> None:
    """Nobody came before, or fewer than a hundred: no alarm, and the metric is absent rather than 0, so that the rule of a tenth holds."""
    rows = Rows()
    now_hit(rows, 9, 1)
    await rows.store(store)
    told = await get(client, "alarms")
    assert (told["watched"], told["unwatched"], told["journeys"], told["alarms"]) == (0, 1, [], [])
    slis = Slis(context, RunCounts(), Counters())
    await slis.refresh()
    assert not [one for one in slis.samples() if one.name == "sojourn_journey_alarm_people"]


async def test_what_those_hit_are_worth_wakes_where_it_is_told_to(context: Context, store: Store) -> None:
    """15 newly hit of 985 are an alarm whose impact wakes nobody. Of them one paid 400 and two belong to an account of 300 a month, which counts once for three
    months; a guest, and what was paid since, add nothing: 1,300."""
    await weeks_before(store, people=1000, hit=1)
    rows = Rows()
    now_hit(rows, 14, 970, anonymous=1)
    rows.order("before", NOW - timedelta(days=20), 400.0, person="user:upay0")
    rows.order("since", NOW - minute(2), 5000.0, person="user:upay0")
    rows.order("well", NOW - timedelta(days=20), 9000.0, person="user:upay20")
    rows.accounts.append({"id": "big", "version": 1, "mrr": 300, "currency": "EUR"})
    rows.people += [{"id": f"upay{number}", "version": 1, "account_id": "big"} for number in (1, 2)]
    await rows.store(store)

    async def told(worth: float | None) -> dict[str, Any]:
        impact = context.impact.model_copy(update={"alarms": context.impact.alarms.model_copy(update={"worth": worth})})
        async with asking(build_measures(replace(context, impact=impact))) as one:
            answer = await get(one, "alarms")
        assert (answer["worth_from"], answer["currency"]) == (worth, "EUR")
        alarm: dict[str, Any] = answer["alarms"][0]
        assert (alarm["hit"], alarm["hit_visits"], alarm["low"] < 5) == (15, 1, True)
        return alarm

    assert [(one["worth"], one["wakes"]) for one in [await told(None), await told(1301), await told(1300)]] == [(None, False), (1300.0, False), (1300.0, True)]


async def test_prometheus_sees_those_hit_while_it_wakes(context: Context, store: Store) -> None:
    """0 while nothing is wrong; the number of those hit while an alarm is worth waking for; 0 again where impact.yaml asks for more impact than there is."""

    async def shown(one: Context) -> list[float]:
        slis = Slis(one, RunCounts(), Counters())
        await slis.refresh()
        return [sample.value for sample in slis.samples() if sample.name == "sojourn_journey_alarm_people" and isinstance(sample.value, int)]

    await weeks_before(store, people=50)
    assert await shown(context) == [0]
    rows = Rows()
    now_hit(rows, 9, 21)
    await rows.store(store)
    assert await shown(context) == [9]
    assert await shown(replace(context, impact=ImpactConfig.model_validate({"alarms": {"impact": 90}}))) == [0]


async def test_the_first_page_tells_an_alarm(context: Context, store: Store) -> None:
    """Where, how many of how many and what is usual; a name that a stranger wrote is text; nothing of it while all is quiet."""
    await weeks_before(store, people=50, hit=1)
    async with asking(build_pages(context)) as browser:
        assert "newly hit" not in (await browser.get("/")).text
    rows = Rows()
    now_hit(rows, 9, 21, step="<b>pay")
    await weeks_before(store, step="<b>pay", people=50, hit=1)
    await rows.store(store)
    async with asking(build_pages(replace(context, problems=None))) as browser:
        page = (await browser.get("/")).text
    assert '<h2 id="alarms">More customers than usual are newly hit</h2>' in page
    assert "9</a> of 30</strong>" in page
    assert "usually 2.0 of 100 at this hour" in page
    assert "&lt;b&gt;pay" in page
    assert "<b>pay" not in page


class Slow:
    """The store, whose query of minutes runs into its deadline."""

    def __init__(self, store: Store) -> None:
        self._store, self._query = store, store.query

    async def __call__(self, name: str, /, **asked: Any) -> list[dict[str, Any]]:
        if name == "alarm_minutes":
            raise QueryTimeout("alarm_minutes took longer than 60 s")
        return await self._query(name, **asked)


async def test_alarms_that_cannot_be_worked_out_take_nothing_else_with_them(
    context: Context, store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first page tells the rest and says what it does not know; `/metrics` has no sample of it, the others, and counts; the log says why."""
    rows = Rows()
    now_hit(rows, 9, 21)
    await rows.store(store)
    monkeypatch.setattr(store, "query", Slow(store))
    async with asking(build_pages(context)) as browser:
        answer = await browser.get("/")
    assert answer.status_code == 200
    assert "It is not known whether more customers than usual are newly hit" in answer.text
    assert "Pay" in answer.text
    counters = Counters()
    slis = Slis(context, RunCounts(), counters)
    await slis.refresh()
    names = {one.name for one in slis.samples()}
    assert "sojourn_journey_alarm_people" not in names
    assert "sojourn_journey_impact_score" in names
    assert counters.value("sojourn_slis_refresh_errors") == 1
    assert "could not be worked out: alarm_minutes took longer than 60 s" in caplog.text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"false_per_week": 0}, "Input should be greater than or equal to 0.01"),
        ({"impact": 101}, "Input should be less than or equal to 100"),
        ({"factor": 1}, "Input should be greater than or equal to 1.2"),
        ({"worth": 0}, "Input should be greater than 0"),
    ],
)
def test_a_budget_that_is_none_is_refused(wrong: dict[str, Any], said: str) -> None:
    """Nothing false at all cannot be had; impact lies in 0–100; what is usual is no alarm."""
    with pytest.raises(ValueError, match=said):
        ImpactConfig.model_validate({"alarms": wrong})
