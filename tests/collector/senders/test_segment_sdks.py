"""Unmodified SDKs of Segment and RudderStack send to us when their host is changed and nothing else: for Python, Node and pages."""

import asyncio
import os
import shutil
import subprocess
from collections.abc import AsyncIterator, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import rudderstack.analytics.client as rudder
import segment.analytics.client as segment
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from sojourn_collector.sources.email import email_digest
from sojourn_collector.store.control import Scope
from sojourn_probes import chromium
from tests.collector.sources.conftest import desk_of
from tests.collector.sources.webhook_rig import NOW, Desk
from tests.serving import served

JS = Path(__file__).parent / "js"
PAGES = JS / "node_modules/@segment/analytics-next/dist/umd"
RUDDER_PAGES = JS / "node_modules/@rudderstack/analytics-js/dist/npm/modern/bundled/umd"
NEEDS_NODE = pytest.mark.skipif(shutil.which("node") is None or not PAGES.exists() or not RUDDER_PAGES.exists(), reason="needs node and `make senders`")
ORDER = {"order_id": "o-1", "revenue": 19.99, "total": 25, "currency": "EUR", "session_id": "s-1", "products": [{"name": "IPod Nano"}]}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """The collector's doors."""
    async with desk_of(tmp_path, {}) as one:
        yield one


async def key_of(desk: Desk, scope: Scope = Scope.SOURCES) -> str:
    """A write key."""
    return (await desk.control.keys.create("shop", [scope])).text


async def is_told(desk: Desk) -> None:
    """All five messages came once, and mean what they say; nothing of the person but digest and role is kept."""
    kept = [one["event"] for one in await desk.bodies()]
    assert sorted(one["type"] for one in kept) == ["group", "identify", "page", "track", "track"]
    rows = await desk.records()
    assert await desk.errors() == []
    (order,), (person,), (account,) = (rows[table].values() for table in ("orders", "people", "accounts"))
    assert (order["id"], order["amount"], order["refunded"], order["currency"]) == ("o-1", Decimal("19.99"), 5, "EUR")
    assert (order["user_id"], order["given_session_id"]) == ("u-1", "s-1")
    assert (person["id"], person["email_sha256"], person["role"], person["account_id"]) == ("u-1", email_digest("jo@example.com"), "buyer", "acme")
    assert (account["id"], account["name"], account["plan"]) == ("acme", "Acme", "pro")
    assert not [word for word in ("IPod", "Doe", "jo@") if word in str(kept)]
    assert 0 <= (NOW - order["ts"]).total_seconds() < 60  # by our clock, which is months away from theirs here


def told_by(client: Any) -> None:
    """What both SDKs for Python can say in the same words."""
    client.identify("u-1", traits={"email": "jo@example.com", "name": "Jo Doe", "role": "buyer"})
    client.group("u-1", "acme", {"name": "Acme", "plan": "pro"})
    client.page("u-1", "shop", "Cart", {"path": "/cart"})
    client.track("u-1", "Order Completed", ORDER)
    client.track("u-1", "Order Refunded", {"order_id": "o-1", "total": 5, "currency": "EUR"})
    client.flush()
    client.join()


@pytest.mark.parametrize("make", [segment.Client, rudder.Client], ids=["segment", "rudderstack"])
@pytest.mark.parametrize("packed", [False, True])
async def test_python(desk: Desk, make: Callable[..., Any], packed: bool) -> None:
    """segment-analytics-python and rudder-sdk-python, plain and packed."""
    failed: list[object] = []
    client = make(await key_of(desk), host=desk.url, gzip=packed, on_error=lambda error, _: failed.append(error), max_retries=0)
    await asyncio.to_thread(told_by, client)
    assert failed == []
    await is_told(desk)


@pytest.mark.parametrize("make", [segment.Client, rudder.Client], ids=["segment", "rudderstack"])
async def test_python_is_told_when_its_key_is_wrong(desk: Desk, make: Callable[..., Any]) -> None:
    """The SDK's own error carries our sentence."""
    failed: list[object] = []
    client = make("sj_no_key", host=desk.url, on_error=lambda error, _: failed.append(error), max_retries=0)
    await asyncio.to_thread(told_by, client)
    assert "This write key is unknown or was revoked." in str(failed[0])


@NEEDS_NODE
@pytest.mark.parametrize("sdk", ["segment", "rudderstack"])
async def test_node(desk: Desk, sdk: str) -> None:
    """@segment/analytics-node and @rudderstack/rudder-sdk-node."""
    command = ["node", "segment.mjs", sdk, desk.url, await key_of(desk)]
    done = await asyncio.to_thread(subprocess.run, command, cwd=JS, env=dict(os.environ), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    await is_told(desk)


PAGE = """<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script src="/umd/index.js"></script><script>
window.done = (async () => {
  const [key, host] = location.hash.slice(1).split("@");
  const [analytics] = await AnalyticsNext.AnalyticsBrowser.load({writeKey: key, cdnURL: host});
  await analytics.identify("u-1", {email: "jo@example.com", name: "Jo Doe", role: "buyer"});
  await analytics.group("acme", {name: "Acme", plan: "pro"});
  await analytics.page("shop", "Cart");
  await analytics.track("Order Completed", {order_id: "o-1", revenue: 19.99, currency: "EUR", session_id: "s-1", products: [{name: "IPod Nano"}]});
  await analytics.track("Order Refunded", {order_id: "o-1", total: 5, currency: "EUR"});
})()
</script>"""

RUDDER_PAGE = """<!doctype html><title>Shop</title><link rel="icon" href="data:,"><script src="/umd/index.js"></script><script>
const [key, host] = location.hash.slice(1).split("@");
const analytics = new rudderanalytics.RudderAnalytics();
analytics.load(key, host, {configUrl: host});
analytics.identify("u-1", {email: "jo@example.com", name: "Jo Doe", role: "buyer"});
analytics.group("acme", {name: "Acme", plan: "pro"});
analytics.page("shop", "Cart");
analytics.track("Order Completed", {order_id: "o-1", revenue: 19.99, currency: "EUR", session_id: "s-1", products: [{name: "IPod Nano"}]});
analytics.track("Order Refunded", {order_id: "o-1", total: 5, currency: "EUR"});
</script>"""


@NEEDS_NODE
@pytest.mark.browser
@pytest.mark.parametrize("scope", [Scope.SOURCES, Scope.PAGE])
@pytest.mark.parametrize(("shown", "scripts"), [(PAGE, PAGES), (RUDDER_PAGE, RUDDER_PAGES)], ids=["segment", "rudderstack"])
async def test_pages(tmp_path: Path, shown: str, scripts: Path, scope: Scope) -> None:
    """The SDKs for pages in a page of another origin: each asks for its settings, then posts; a key for pages makes no orders."""
    from playwright.async_api import async_playwright

    app = Starlette(routes=[Route("/", lambda _: HTMLResponse(shown)), Mount("/umd", StaticFiles(directory=scripts))])
    choice = chromium.find()
    async with served(app) as shop, desk_of(tmp_path, {}, origin=shop) as desk, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=choice.path, args=list(choice.args))
        try:
            page = await browser.new_page()
            wrong: list[str] = []
            page.on("console", lambda message: wrong.append(message.text) if message.type in ("error", "warning") else None)
            await page.goto(f"{shop}/#{await key_of(desk, scope)}@{desk.url}")
            await page.evaluate("window.done")
            async with asyncio.timeout(20):
                while len(await desk.bodies()) < 5:
                    await asyncio.sleep(0.05)
            assert wrong == []
        finally:
            await browser.close()
        if scope is Scope.SOURCES:
            await is_told(desk)
        else:
            assert {"orders", "people", "accounts"} & (await desk.records()).keys() == set()
