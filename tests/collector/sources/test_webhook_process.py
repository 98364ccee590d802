"""A vendor's webhook through the whole collector: signed delivery, tables, replay, copy for the person, erasure."""

import asyncio
import contextlib
import io
import json
import sqlite3
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest

from sojourn_collector.cli import main
from tests.collector.process import CollectorProcess
from tests.collector.sources.test_stripe import SESSION, SUBSCRIPTION, event
from tests.collector.sources.webhook_rig import SECRET, SIGNERS

pytestmark = pytest.mark.timeout(240)
SOURCES = """sources:
  helpdesk: {kind: zendesk, secret: {file: secret}}
  pay: {kind: stripe, secret: {file: secret}}
"""
CANARY = "user-canary-4711"


@pytest.fixture
async def collector(tmp_path: Path) -> AsyncIterator[CollectorProcess]:
    """A collector with two vendors."""
    one = CollectorProcess(tmp_path, tables=True)
    (tmp_path / "secret").write_text(SECRET)
    one.config.write_text(one.config.read_text() + SOURCES + "impact: impact.yaml\n")
    (tmp_path / "impact.yaml").write_text("currency: EUR\nfx: rates.csv\n")
    (tmp_path / "rates.csv").write_text(f"Date,USD\n{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d},1.25\n")
    await one.start()
    await one.ready()
    yield one
    one.stop()


async def deliver(collector: CollectorProcess, name: str, kind: str, body: dict[str, Any]) -> None:
    """As the vendor does."""
    raw = json.dumps(body).encode()
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as http:
        answer = await http.post(f"{collector.runtime['web']}/api/v1/in/{name}", content=raw, headers=SIGNERS[kind](raw, SECRET, datetime.now(UTC)))
        assert answer.status_code == 200, answer.text


async def command(collector: CollectorProcess, *arguments: str) -> Any:
    """What a command prints as JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert await asyncio.to_thread(main, [*arguments, "--json", "--config", str(collector.config)]) == 0
    return json.loads(out.getvalue())


async def settled(collector: CollectorProcess) -> None:
    """Everything in the inbox was dealt with."""

    async def done() -> bool:
        with sqlite3.connect(collector.folder / "data/control.sqlite") as control:
            return not control.execute("SELECT count(*) FROM inbox WHERE normalised_at IS NULL").fetchone()[0]

    await collector.until_true(done, "the inbox to be copied")


async def test_through_the_whole_collector(collector: CollectorProcess, tmp_path: Path) -> None:
    """What vendors told of a person is in the copy for them, from the tables and as it was sent; after the erasure it is nowhere, also when it comes again,
    but for what was bought; what others told stays, and a replay brings nothing back."""
    trigger = {"ticket_id": "77", "status": "Open", "created_at": "2026-03-01T09:00:00Z", "updated_at": "2026-03-01T09:30:00Z", "topic": "Login"}
    mine = {**trigger, "user_id": CANARY, "satisfaction": "Bad", "comment": "no"}
    await deliver(collector, "helpdesk", "zendesk", mine)
    await deliver(collector, "helpdesk", "zendesk", {**trigger, "ticket_id": "78", "user_id": "user-other-0815"})
    await deliver(collector, "pay", "stripe", event("checkout.session.completed", {**SESSION, "client_reference_id": CANARY}))
    await deliver(collector, "pay", "stripe", event("customer.subscription.created", {**SUBSCRIPTION, "metadata": {"user_id": CANARY}}))
    key = (await command(collector, "key", "create", "--name", "shop", "--scope", "sources"))["key"]
    told = {"order_id": "o-canary", "revenue": 7, "currency": "USD"}
    async with httpx2.AsyncClient(trust_env=False, timeout=20) as http:
        for body in ({"event": "Order Completed", "properties": told}, {"event": "Searched", "properties": {"query": "shoes"}}):
            answer = await http.post(f"{collector.runtime['web']}/v1/track", json={"userId": CANARY, **body}, auth=(key, ""))
            assert (answer.status_code, answer.json()) == (200, {"success": True})
    await settled(collector)
    assert await command(collector, "replay", "--source", "helpdesk") == {"rows": 2, "waiting": 0}
    await settled(collector)

    await command(collector, "export", "--person", CANARY, "--out", str(tmp_path / "mine.zip"))
    with zipfile.ZipFile(tmp_path / "mine.zip") as packed:
        rows = {name.removesuffix(".jsonl"): packed.read(name).decode().splitlines() for name in packed.namelist() if name.endswith(".jsonl")}
    assert {name: len(found) for name, found in rows.items()} == {
        "tickets": 1,
        "feedback": 1,
        "orders": 2,
        "subscriptions": 1,
        "usage": 2,
        "inbox_segment": 2,
        "inbox_stripe": 2,
        "inbox_zendesk": 1,
    }
    assert json.loads(rows["tickets"][0])["topic"] == "Login"
    rates = {one["id"]: (one["rate"], one["rate_currency"]) for one in map(json.loads, rows["orders"])}
    assert rates == {"o-canary": (0.8, "EUR"), "pi_1": (0, "")}

    done = await command(collector, "erase", "--person", CANARY)
    expected = {"tickets": 1, "feedback": 1, "orders": 2, "subscriptions": 1, "usage": 2, "inbox zendesk": 1, "inbox stripe": 2, "inbox segment": 2}
    assert {what: done["counts"].get(what) for what in expected} == expected
    # The engine's own files follow within half a minute; tests of erasures wait for that.
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file() and "engine" not in path.parts]
    assert [path.name for path in files if CANARY.encode() in path.read_bytes()] == []
    await deliver(collector, "helpdesk", "zendesk", {**mine, "updated_at": "2026-03-01T09:40:00Z"})  # told late, of before
    await command(collector, "replay", "--source", "pay")
    await settled(collector)
    collector.stop()
    with sqlite3.connect(collector.folder / "data/control.sqlite") as control:
        kept = {(kind, body) for kind, body in control.execute("SELECT kind, body FROM inbox")}
    assert sorted(kind for kind, _ in kept) == ["segment", "stripe", "zendesk"]
    assert CANARY not in str(kept)
    orders = [json.loads(body)["kept"][0] for _, body in sorted(kept) if "kept" in json.loads(body)]
    assert [(one["kind"], one["id"], one["fields"]["amount"]) for one in orders] == [("orders", "o-canary", "7.0000"), ("orders", "pi_1", "62.00")]


async def test_replay_without_a_collector(collector: CollectorProcess, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With none running the rows are marked and follow later; a time without a zone is refused with a sentence."""
    collector.stop()
    assert await command(collector, "replay", "--source", "helpdesk", "--since", "2026-03-01T00:00:00Z") == {"rows": 0, "waiting": 0}
    assert await asyncio.to_thread(main, ["replay", "--source", "helpdesk", "--since", "2026-03-01", "--config", str(collector.config)]) == 2
    assert capsys.readouterr().err == ("sojourn-collector: --since: '2026-03-01' is no time with a zone; write one such as 2026-03-01T00:00:00Z\n")
    await collector.start()
