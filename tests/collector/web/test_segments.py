"""What people are broken down by: facts that their visits told, attributes that impact.yaml names, and the choices a page offers."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from sojourn_collector.config import ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_collector.web.answers.breakdown import choices
from sojourn_collector.web.measures import build_measures
from sojourn_collector.web.pages import build_pages
from tests.collector.join.world import Browser, World, journeys
from tests.collector.web.asking import asking, get
from tests.collector.web.stage import Rows, context_of

CHOSEN = {"segments": ["region", {"attribute": "ab.test", "of": "visit", "label": "Test <b>"}, {"attribute": "tier"}]}


@pytest.fixture
async def shop(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    """Twelve visits three hours ago, six of them from Germany, by mail, under test B and stopped; one of the others tells nothing."""
    context = context_of(store, tmp_path, impact=ImpactConfig.model_validate(CHOSEN), now=datetime.now(UTC))
    world = World(store, context.control, journeys(tmp_path / "journeys"))
    world.impact = context.impact
    world.worker = world.new_worker()
    start = context.clock() - timedelta(hours=3)
    for number in range(12):
        hit = number < 6
        browser = Browser(f"s-{number}", start + timedelta(seconds=number), user_id=f"u{number}")
        browser.res = {**browser.res, **({"geo.country_iso_code": "DE" if hit else "FR", "geo.region_iso_code": "BE" if hit else "IDF"} if number < 11 else {})}
        if number == 5:
            del browser.res["geo.region_iso_code"]
        landing = browser.page(0, "/", attrs={"url.query": "utm_medium=email"} if hit else {})
        tried = browser.page(9, "/checkout/pay", attrs={"ab.test": "B" if hit else "A", "secret": "x"} if number < 11 else {})
        await world.load([landing, tried, *([browser.fetch(10, "/checkout/pay", "/payments", 502)] if hit else [])])
    await world.join()
    rows = Rows()
    rows.people += [{"source": "crm", "id": f"u{number}", "version": 1, "attrs": {"channel": "phone", "tier": "gold"}} for number in (6, 7)]
    rows.people += [{"source": "crm", "id": "u5", "version": 1, "attrs": {"region": "DE-BE", "country": "AT"}}]
    await rows.store(store)
    yield replace(context, journeys=world.journeys)
    context.control.close()


@pytest.fixture
async def client(shop: Context) -> AsyncIterator[httpx2.AsyncClient]:
    async with asking(build_measures(shop), build_pages(shop)) as one:
        yield one


async def test_region_country_and_channel_are_what_visits_told(client: httpx2.AsyncClient) -> None:
    """The group of those who were stopped is found by each; what nobody told stays unknown; a channel that only a feed of people knows stands in,
    and so does a region where a visit told no more than its country."""
    for by, value, unknown in (("region", "DE-BE", 1), ("country", "DE", 1), ("channel", "email", 4)):
        told = await get(client, "journeys/checkout/breakdown", by=by)
        assert [(one["value"], one["people"]) for one in told["groups"]] == [(value, 12)], by  # each visit was kept by half
        assert (told["units"], told["unknown"]) == (12, unknown), by


async def test_an_attribute_of_visits_is_kept_where_impact_yaml_names_it(client: httpx2.AsyncClient) -> None:
    """One that it names is a group like any other, one that it does not name is unknown of everybody; of whom an attribute is may be said."""
    told = await get(client, "journeys/checkout/breakdown", attr="ab.test")
    assert [(one["value"], one["people"]) for one in told["groups"]] == [("B", 12)]
    assert (told["by"], told["unknown"]) == ("ab.test", 1)
    assert (await get(client, "journeys/checkout/breakdown", attr="ab.test", of="visit"))["unknown"] == 1
    assert (await get(client, "journeys/checkout/breakdown", attr="ab.test", of="person"))["unknown"] == 12
    assert (await get(client, "journeys/checkout/breakdown", attr="secret"))["reason"] == "of nobody is known: secret"
    assert (await get(client, "journeys/checkout/breakdown", attr="tier"))["unknown"] == 10


async def test_a_page_offers_what_impact_yaml_names_and_nothing_else(client: httpx2.AsyncClient) -> None:
    """Choices in the order of the file with their labels as text; the chosen one is marked; another fact or attribute is no page."""
    page = (await client.get("/breakdown/checkout?attr=ab.test&of=visit")).text
    nav = page[page.index('<nav class="choices"') : page.index("</nav>", page.index('<nav class="choices"'))]
    offered = [part.partition('"')[0] for part in nav.split('href="/breakdown/checkout?')[1:]]
    assert offered == ["by=cause", "by=step", "by=failure_kind", "by=region", "attr=ab.test&amp;of=visit", "attr=tier"]
    assert nav.count("aria-current") == 1
    assert "Test &lt;b&gt;" in page
    assert "<b>" not in page
    for path in ("by=device", "attr=secret", "attr=ab.test", "attr=tier&of=person", "by=cause&of=visit"):
        assert (await client.get(f"/breakdown/checkout?{path}")).status_code == (200 if path == "by=cause&of=visit" else 404), path


def test_without_a_word_in_impact_yaml_every_fact_is_offered() -> None:
    """What happened first, then all facts that have a name here; their words are known to the pages."""
    told = choices(ImpactConfig())
    assert [one.name for one in told][:5] == ["cause", "step", "failure_kind", "device", "browser"]
    assert {one.name for one in told} >= {"country", "region", "location", "channel", "plan", "lifecycle"}
