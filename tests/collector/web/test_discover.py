"""`sojourn discover` against the real routes: what people walked becomes journey files, and with those in force nothing is left to find."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from fastapi import FastAPI

from sojourn_collector.context import Context
from sojourn_collector.web.measures import build_measures
from sojourn_probes.cli import main
from sojourn_probes.load import load_file
from tests.collector.web.stage import CHECKOUT, NEWSLETTER, Folder, Rows
from tests.serving import served

WALKED = ("/account", "/orders/47{}", "/orders/47{}/again")


def reordering(people: int, at: datetime) -> Rows:
    """People who order again from their account, which ends with the conversion `reordered`."""
    rows = Rows()
    for number in range(people):
        session = f"d{number}"
        rows.sessions.append(
            {"version": 1, "session_id": session, "person_id": f"user:u{number}", "person_kind": "user", "traffic": "real", "app": "shop", "started": at}
        )
        for place, path in enumerate(one.format(number) for one in WALKED):
            attrs = {"sojourn.page.path": path}
            seen = at + timedelta(seconds=place)
            rows.span(seen, path, f"{number + 1:032x}", f"{place + 1:016x}", span_type="page_view", session_id=session, attrs=attrs)
        done = {"sojourn.conversion.name": "reordered"}
        rows.events.append({"ts": at + timedelta(seconds=9), "accepted": at, "name": "sojourn.conversion", "session_id": session, "attrs": done})
    return rows


async def _discover(context: Context, *arguments: str) -> int:
    """The command's exit code, run against the collector's routes on loopback."""
    app = FastAPI()
    app.include_router(build_measures(context))
    async with served(app) as url:
        with pytest.raises(SystemExit) as ended:
            await asyncio.to_thread(main, ["discover", "--collector", url, *arguments])
    return int(ended.value.code or 0)


async def test_from_visits_to_journeys_that_cover_them(context: Context, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Eight people's path becomes a file that loads with their pages, ids as stars and nobody named; once it is in force the path is no longer found."""
    now = datetime.now(UTC)
    context = replace(context, clock=lambda: now)
    await reordering(8, now - timedelta(days=1)).store(context.store)
    out = tmp_path / "found"
    assert await _discover(context, "--out", str(out), "--last", "2d") == 0
    (path,) = out.iterdir()
    found = load_file(path)
    steps = [(one.customers.reached.page, one.customers.done) for one in found.steps if one.customers and one.customers.reached]
    assert [page for page, _ in steps] == ["/account", "/orders/*", "/orders/*/again"]
    assert [done.event for _, done in steps if done] == ["reordered"]
    assert "user:" not in path.read_text()
    assert "47" not in path.read_text()
    capsys.readouterr()
    covered = replace(context, journeys=Folder(CHECKOUT, NEWSLETTER, found))
    assert await _discover(covered, "--out", str(out), "--last", "2d") == 0
    assert capsys.readouterr().err == "nothing that enough people walk is outside the journeys that are known\n"


async def test_a_refusal_of_the_collector_is_one_sentence(context: Context, capsys: pytest.CaptureFixture[str]) -> None:
    """What the routes say of a wrong question is what the command says, with exit code 2."""
    old = replace(context, clock=lambda: datetime(2020, 1, 1, tzinfo=UTC))
    assert await _discover(old, "--last", "1h") == 2
    assert "answered 422: from lies in the future; give a time before now" in capsys.readouterr().err
