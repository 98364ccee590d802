"""A pulled feed through the whole collector: pulled by itself, listed, shown, replayed, copied for its author and erased."""

import asyncio
import contextlib
import io
import json
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.responses import Response

from sojourn_collector.cli import main
from tests.collector.feeds.test_kinds import STATUS
from tests.collector.process import CollectorProcess
from tests.collector.sources.vendor_api import VendorApi

pytestmark = pytest.mark.timeout(240)
POSTED = (datetime.now(UTC) - timedelta(hours=1)).isoformat(timespec="milliseconds")


@pytest.fixture
async def collector(tmp_path: Path, api: VendorApi) -> AsyncIterator[CollectorProcess]:
    """A collector that pulls a Mastodon server, and a forum that is no feed."""
    post = {**STATUS, "created_at": POSTED, "language": None, "content": "<p>Seit dem Update stürzt die App ständig ab</p>", "spoiler_text": ""}
    api.answers |= {"/api/v1/timelines/tag/shop": [[post]], "/rss": [Response("<html>Sign in</html>")]}
    one = CollectorProcess(tmp_path, tables=True)
    more = 'insecure: true, internal: ["127.0.0.1/32"]'
    one.config.write_text(
        one.config.read_text()
        + f"feeds:\n  social: {{kind: mastodon, url: {api.url}, hashtag: shop, {more}}}\n  forum: {{kind: rss, url: {api.url}/rss, {more}}}\n"
    )
    await one.start()
    await one.ready()
    yield one
    one.stop()


async def command(collector: CollectorProcess, *arguments: str) -> Any:
    """What a command prints as JSON."""
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        assert await asyncio.to_thread(main, [*arguments, "--json", "--config", str(collector.config)]) == 0
    return json.loads(out.getvalue())


async def test_through_the_whole_collector(collector: CollectorProcess, tmp_path: Path, api: VendorApi) -> None:
    """A post becomes a mention in its language without anybody's doing; the feed's state, metrics and pages tell of it; whoever wrote it can have a copy
    and be erased by name, and the next pull brings nothing back."""
    author = f"author:mastodon/@alice@{api.url.removeprefix('http://')}"
    async with httpx2.AsyncClient(trust_env=False, timeout=20, base_url=collector.runtime["web"]) as http:

        async def listed() -> list[dict[str, Any]]:
            return list((await http.get("/api/v1/feedback", params={"kind": "mention"})).json()["items"])

        async def there() -> bool:
            return bool(await listed())

        await collector.until_true(there, "the mention to be listed")
        (item,) = await listed()
        assert (item["source"], item["text"], item["language"], item["language_by"]) == (
            "social",
            "Seit dem Update stürzt die App ständig ab",
            "de",
            "detected",
        )
        assert (item["channel"], item["link"], item["url"]) == ("mastodon", "unlinked", f"{api.url}/statuses/{STATUS['id']}")
        forum, social = (await http.get("/api/v1/feeds")).json()["feeds"]
        assert (social["name"], social["kind"], social["items"], social["fresh"], social["error"]) == ("social", "mastodon", 1, 1, "")
        assert forum["error"].startswith("what 127.0.0.1 answers cannot be taken: it is neither RSS nor Atom but begins with <html>")
        assert forum["answered_at"] is None
        ready = (await http.get("/readyz")).json()
        assert (ready["ready"], list(ready["feeds"])) == (True, ["forum"])
        metrics = (await http.get("/metrics")).text
        assert 'sojourn_feed_entries_total{outcome="fresh",source="social"} 1' in metrics
        assert 'sojourn_feed_failures{source="forum"}' in metrics
        page = (await http.get("/add")).text
        assert "Feeds that are pulled" in page
        assert "It is neither" not in page
        assert "neither RSS nor Atom but begins with &lt;html&gt;" in page
        assert "(recognised)" in (await http.get("/feedback")).text
        assert item["author"] in (await http.get(f"/feedback/{item['id']}")).text
        assert await command(collector, "replay", "--source", "social") == {"rows": 1, "waiting": 0}

        await command(collector, "export", "--person", author, "--out", str(tmp_path / "hers.zip"))
        with zipfile.ZipFile(tmp_path / "hers.zip") as packed:
            assert {"feedback.jsonl", "inbox_mastodon.jsonl"} <= set(packed.namelist())
        erased = await command(collector, "erase", "--person", author)
        assert {name: number for name, number in erased["counts"].items() if number} == {"feedback": 1, "inbox mastodon": 1}
        assert await listed() == []
        assert await command(collector, "replay", "--source", "social") == {"rows": 0, "waiting": 0}
