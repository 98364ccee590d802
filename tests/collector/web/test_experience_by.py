"""How customers fared in a journey by one fact: the journey's own figures, told apart, and small groups neither shown nor leading."""

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

import httpx2
import pytest
from scipy import stats

from sojourn_collector.context import Context
from sojourn_collector.impact_config import FACTS
from sojourn_collector.score.intervals import wilson
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.experience import experiences
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.measures import build_measures
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import NOW, Rows, minute

BEGAN = NOW - timedelta(hours=5)
PATH = "journeys/checkout/experience"
COUNTS = ("tried", "finished", "gave_up", "stopped", "trying", "hit", "slow")


@pytest.fixture
async def client(context: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(context)) as one:
        yield one


def shop() -> Rows:
    """Sixty phones, of which twenty are stopped at Pay, and a hundred computers, of which ten gave up; ten anonymous visits on phones; three on a television,
    all stopped. Each tenth walked again three days before; five still try. Half of the phones came from Berlin, ten of their people have a plan."""
    rows = Rows()

    def walk(name: str, device: str, at: datetime = BEGAN, **met: Any) -> None:
        rows.customer(name, at, device=device, account=f"a{name}" if name.startswith("phone1") else "", **met)
        rows.runs[-1] |= {"browser": f"{device} browser", "facts": {"region": "DE-BE", "attribute:pay": "card"} if name.endswith(("0", "2", "4")) else {}}
        if met.get("fails"):
            rows.runs[-1] |= {"failure_step": "pay"}

    for number in range(60):
        walk(f"phone{number}", "phone", fails=number < 20, stopped=number < 20, done=number >= 30)
        if number % 10 == 0:
            walk(f"phone{number}", "desktop", BEGAN - timedelta(days=3), done=True)
            walk(f"phone{number}", "desktop", BEGAN - minute(90), done=True)
    for number in range(100):
        walk(f"desk{number}", "desktop", done=number >= 10)
    for number in range(10):
        walk(f"anon{number}", "phone", anonymous=True, fails=number < 5, done=True)
        walk(f"open{number}", "desktop", settled=number >= 5, done=number >= 5)
    for number in range(3):
        walk(f"tv{number}", "tv", fails=True, stopped=True, message="TypeError")
    for number in range(10, 20):
        told = {"plan": "pro" if number < 15 else "free", "attrs": {"tier": "gold"}}
        rows.accounts.append({"source": "crm", "id": f"aphone{number}", "version": 1, **told})
    return rows


async def test_the_groups_are_the_journeys_own_figures_told_apart(client: httpx2.AsyncClient, context: Context, store: Store) -> None:
    """By every fact the walks of the groups, of those of whom nothing is known and of those not shown add up to the journey's, and all together have
    its score, intervals and all, but for what is usual."""
    await shop().store(store)
    window = Window(NOW - timedelta(days=28), NOW, NOW)
    own, impact, of_visits = (await experiences(context, window, ["checkout"]))["checkout"]
    assert of_visits is not None
    asked: list[dict[str, str]] = [{"by": fact} for fact in (*FACTS, "step", "failure_kind")]
    for more in [*asked, {"attr": "tier"}, {"attr": "tier", "of": "account"}, {"attr": "pay"}, {"attr": "pay", "of": "visit"}, {"attr": "pay", "of": "person"}]:
        told = await get(client, PATH, **more)
        whole, parts = told["whole"], [*told["groups"], *filter(None, (told["unknown"], told["others"]))]
        assert {key: sum(part[key] for part in parts) for key in COUNTS} == {key: whole[key] for key in COUNTS}, more
        for key in ("tried", "finished", "gave_up", "stopped", "trying", "finished_low", "finished_high"):
            assert whole[key] == getattr(own, key), (more, key)
        unlike = {"usual": None, "excess": None}
        assert whole["impact"] == impact.model_copy(update=unlike).model_dump(), more
        assert whole["impact_of_visits"] == of_visits.model_copy(update=unlike).model_dump(), more
        if told["hidden"] == told["cut"] == 0 and more.get("by") not in ("step", "failure_kind"):
            assert sum(part["impact"]["of"] for part in parts) == impact.of, more


async def test_a_group_says_how_its_customers_fared(client: httpx2.AsyncClient, store: Store) -> None:
    """Phones lead: 20 of 65 walks stopped, with Wilson's interval; 20 of 60 people hurt, drawn towards all. Whoever walked on both in a day counts for
    the worst of it. Visits without identity stand apart; three televisions are not shown."""
    await shop().store(store)
    told = await get(client, PATH, by="device")
    phone, desk = told["groups"]
    assert [one["value"] for one in (phone, desk)] == ["phone", "desktop"]
    assert [[one[key] for key in COUNTS] for one in (phone, desk)] == [[70, 40, 10, 20, 0, 25, 0], [122, 107, 10, 0, 5, 0, 0]]
    assert (phone["stopped_low"], phone["stopped_high"]) == wilson(20 / 70, 70)
    assert (desk["gave_up_low"], desk["gave_up_high"]) == wilson(10 / 117, 117)
    assert (phone["hit_low"], phone["hit_high"]) == wilson(25 / 70, 70)
    # Of six people on both in a day: the two stopped on the phone, the other four by the newest of equal walks.
    assert (phone["impact"]["of"], phone["impact"]["score"]) == (60, pytest.approx(100 / 3))
    assert (desk["impact"]["of"], desk["impact"]["score"], desk["impact"]["trying"]) == (111, 0.0, 5)
    assert (phone["impact_of_visits"]["of"], phone["impact_of_visits"]["reason"]) == (10, "10 settled, measured from 30 on")
    assert desk["impact_of_visits"] is None
    assert 0.3 < phone["drawn"]["share"] < 1 / 3
    assert phone["drawn"]["low"] < phone["drawn"]["share"] < phone["drawn"]["high"]
    assert (told["hidden"], told["cut"], told["others"]["tried"], told["others"]["stopped"], told["unknown"]) == (1, 0, 3, 3, None)
    assert "tv" not in {one["value"] for one in told["groups"]}


async def test_by_where_and_how_a_walk_failed(client: httpx2.AsyncClient, store: Store) -> None:
    """Walks that failed at Pay, and how; those that met no failure are a group of their own. None has an impact, for whom a failure hit is hurt by it."""
    await shop().store(store)
    step, kind = await get(client, PATH, by="step"), await get(client, PATH, by="failure_kind")
    assert [(one["name"], one["tried"], one["stopped"], one["finished"]) for one in step["groups"]] == [("met no failure", 167, 0, 142), ("Pay", 28, 23, 5)]
    assert [(one["name"], one["tried"], one["stopped"]) for one in kind["groups"]] == [("met no failure", 167, 0), ("status", 25, 20)]
    assert (kind["hidden"], kind["others"]["stopped"], kind["others"]["hit"]) == (1, 3, 3)
    assert {one["impact"] for one in (*step["groups"], *kind["groups"])} == {None}
    assert (step["unknown"], step["whole"]["impact"]["of"]) == (None, 174)


async def test_of_a_step_with_apdex(client: httpx2.AsyncClient, context: Context, store: Store) -> None:
    """Who came to Pay, by what only their walk tells: reached, went on, hit, slow and Apdex add up to those of the journey's way."""
    rows = shop()
    for number, row in enumerate(rows.steps):
        row |= {"lcp_ms": (500.0, 3000.0, 20_000.0)[number % 3], "slow": number % 4 == 0 and not row["hit"]}
    await rows.store(store)
    window = Window(NOW - timedelta(days=28), NOW, NOW)
    (pay,) = (await experiences(context, window, ["checkout"]))["checkout"][0].steps
    for more in ({"by": "browser"}, {"by": "device"}, {"by": "region"}, {"by": "failure_kind"}, {"by": "step"}, {"attr": "pay"}, {"by": "plan"}):
        told = await get(client, PATH, step="pay", **more)
        whole, parts = told["whole"], [*told["groups"], *filter(None, (told["unknown"], told["others"]))]
        mine = (whole["tried"], whole["finished"], whole["hit"], whole["slow"], whole["apdex"], whole["apdex_of"], whole["apdex_t"])
        assert mine == (pay.reached, pay.done, pay.hit, pay.slow, pay.apdex, pay.apdex_of, pay.apdex_t), more
        assert {key: sum(part[key] for part in parts) for key in (*COUNTS, "apdex_of")} == {key: whole[key] for key in (*COUNTS, "apdex_of")}, more
        assert whole["impact"]["of"] == 174, more
        assert sum(part["apdex"] * part["apdex_of"] for part in parts) == pytest.approx(whole["apdex"] * whole["apdex_of"]), more
    assert [(one["value"], one["tried"], one["impact"]["of"]) for one in (await get(client, PATH, by="browser", step="pay"))["groups"]] == [
        ("phone browser", 70, 60),
        ("desktop browser", 122, 111),
    ]


async def test_a_small_group_does_not_lead(client: httpx2.AsyncClient, store: Store) -> None:
    """Six of six hurt among fifty releases of six are drawn towards all; a release of 400 with a quarter hurt stands before them."""
    rows = Rows()
    for number in range(300):
        rows.customer(f"small{number}", BEGAN, fails=number % 6 == 0 or number < 6, stopped=number % 6 == 0 or number < 6)
        rows.runs[-1] |= {"release": f"1.{number // 6}"}
    for number in range(400):
        rows.customer(f"large{number}", BEGAN, fails=number % 4 == 0, stopped=number % 4 == 0)
        rows.runs[-1] |= {"release": "2.0"}
    await rows.store(store)
    first, second, *_ = (await get(client, PATH, by="release"))["groups"]
    assert (first["value"], first["thin"], second["value"], second["thin"]) == ("2.0", False, "1.0", True)
    assert (second["stopped"], second["tried"], second["impact"]["state"]) == (6, 6, "not measured")
    assert second["drawn"]["share"] < 0.9


async def test_everybody_counts_however_many_groups_there_are(client: httpx2.AsyncClient, store: Store) -> None:
    """Of 2,060 roles of five walks the 50 that lead are told, the others together; none is left out of the sum."""
    rows = Rows()
    for number in range(2060 * 5):
        rows.customer(f"u{number}", BEGAN, done=True)
        rows.people.append({"source": "crm", "id": f"u{number}", "version": 1, "role": f"r{number // 5}"})
    await rows.store(store)
    told = await get(client, PATH, by="role")
    assert (len(told["groups"]), told["hidden"], told["cut"], told["whole"]["tried"], told["others"]["tried"]) == (50, 0, 2010, 10_300, 10_050)


async def test_where_people_were_sampled_every_visit_counts_by_its_weight(client: httpx2.AsyncClient, store: Store) -> None:
    """200 of 2,000 visits kept, 40 of them stopped, all on phones: no score of people, 20 of 100 per visit, no surer than 200 are."""
    rows = Rows()
    for number in range(200):
        rows.customer(f"u{number}", BEGAN, fails=number < 40, stopped=number < 40, device="phone")
        rows.runs[-1] |= {"sample_rate": 0.1}
    await rows.store(store)
    (one,) = (await get(client, PATH))["groups"]
    assert (one["impact"]["state"], one["impact_of_visits"]["covers"], one["impact_of_visits"]["score"]) == ("not measured", "all visits", pytest.approx(20.0))
    assert one["impact_of_visits"]["n_eff"] == pytest.approx(200)
    assert (one["drawn"]["low"], one["drawn"]["high"]) == pytest.approx((stats.beta.ppf(0.1, 40.2, 160.8), stats.beta.ppf(0.9, 40.2, 160.8)), abs=1e-3)


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("nowhere/experience", 404, "There is no journey 'nowhere'."),
        ("checkout/experience?step=teleport", 404, "There is no step 'teleport' in the journey 'checkout'."),
        ("nowhere/experience?step=pay", 404, "There is no journey 'nowhere'."),
        ("checkout/experience?of=dog", 422, "of: Input should be '', 'person', 'account' or 'visit'"),
        ("checkout/experience?attr=a%00b", 422, "attr holds a control character; leave it out"),
        ("checkout/experience?step=%ED%A0%80", 404, None),
        ("checkout/experience?from=2026-11-20T00:00:00Z&to=2026-11-19T00:00:00Z", 422, "from must lie before to"),
        ("checkout/experience?from=2026-01-01T00:00:00Z", 422, "the window is longer than 92 days; choose a shorter one"),
    ],
)
async def test_what_makes_no_sense_is_said_in_a_sentence(client: httpx2.AsyncClient, path: str, status: int, said: str | None) -> None:
    """Exact sentences; a name is shown, never put into the query."""
    answer = await client.get(f"/api/v1/journeys/{path}")
    assert answer.status_code == status, answer.text
    if said:
        assert answer.json() == {"error": said}


@pytest.mark.parametrize("name", ["'); DROP TABLE runs --", "plan", "a" * 512, "☃ {by:String}", "\\' OR 1=1", "attribute:pay", "%s"])
async def test_a_hostile_name_of_an_attribute_is_a_name(client: httpx2.AsyncClient, store: Store, name: str) -> None:
    """Whatever it is called: nobody has it, and the figures of everybody stand."""
    await shop().store(store)
    told = await get(client, PATH, attr=name)
    assert (told["by"], told["whole"]["tried"], told["unknown"]["tried"], told["groups"], told["reason"]) == (name, 195, 195, [], f"of nobody is known: {name}")


async def test_nobody_came(client: httpx2.AsyncClient) -> None:
    """Zero walks have no shares and no score, and say why."""
    told = await get(client, PATH)
    assert (told["whole"]["tried"], told["whole"]["finished_low"], told["groups"], told["others"]) == (0, None, [], None)
    assert told["reason"] == "no customer was seen in this journey in this time"
    assert (await get(client, PATH, step="pay"))["reason"] == "no customer came to this step in this time"
