"""Room on disk, on the real engine: the oldest days of raw data go first, never today's, and everybody is told."""

import logging
import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError

from sojourn_collector.counters import Counters
from sojourn_collector.keep_config import Keep
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.progress import Progress
from sojourn_collector.store.disk_budget import DiskBudget, days_of, shown
from tests.collector.control_file import open_control

NOW = datetime.now(UTC)
TODAY = NOW.date()
PLENTY = 1 << 60


@pytest.fixture
async def days(own: Store) -> Store:
    """Five days of raw data up to today, random so that they take room, and a run and an order of the oldest day."""
    for table in ("spans", "events", "metrics", "trace_times", "runs", "orders"):
        await own.statement(f"TRUNCATE TABLE {table} SYNC")
    at = "now64(9) - INTERVAL number % 5 DAY"
    await own.statement(
        f"INSERT INTO spans (tenant, ts, trace_id, span_id, name) SELECT 'default', {at}, randomFixedString(16), randomFixedString(8), 'x' FROM numbers(20000)"
    )
    await own.statement(f"INSERT INTO events (tenant, ts, body) SELECT 'default', {at}, hex(randomString(20)) FROM numbers(5000)")
    await own.statement(f"INSERT INTO metrics (tenant, ts, name, value) SELECT 'default', {at}, 'm', rand() FROM numbers(5000)")
    old = NOW - timedelta(days=4)
    await own.insert("runs", [{"run_id": "r", "journey": "checkout", "started": old, "version": 1}])
    await own.insert("orders", [{"source": "api", "id": "o", "ts": old, "version": 1}])
    return own


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    """A control database."""
    one = open_control(tmp_path / "control.sqlite")
    yield one
    one.close()


def budget(store: Store, control: Control, **keep: Any) -> tuple[DiskBudget, Counters]:
    """A budget over the store, as after a start."""
    counters = Counters()
    return DiskBudget(store, control.progress, Keep.model_construct(**{**Keep().model_dump(), **keep}), counters, lambda: NOW), counters


async def sizes(store: Store) -> dict[date, int]:
    """Bytes of each day of raw data."""
    return {day: sum(tables.values()) for day, tables in days_of(await store.query("disk_parts")).items()}


async def test_within_the_budget_nothing_goes(days: Store, control: Control) -> None:
    """A look tells what is used and left, and drops nothing."""
    disk, counters = budget(days, control, disk=PLENTY)
    state = await disk.look()
    assert state.used is not None
    assert state.free is not None
    assert state.used > sum((await sizes(days)).values()) > 0
    assert state.free > 0
    assert (state.trouble, state.last_dropped, state.gone_before, len(await sizes(days))) == ("", "", None, 5)
    assert counters.value("sojourn_raw_days_dropped") == 0


async def test_beyond_it_the_oldest_day_of_every_raw_table_goes_and_is_told(days: Store, control: Control, caplog: pytest.LogCaptureFixture) -> None:
    """A day goes from all three tables at once, with a line and a count each; the report knows since when, also after a restart."""
    used = sum(int(row["bytes"]) for row in await days.query("disk_parts"))
    disk, counters = budget(days, control, disk=used - 1000)
    with caplog.at_level(logging.WARNING, "sojourn.disk"):
        state = await disk.look()
    first = TODAY - timedelta(days=4)
    assert min(await sizes(days)) == first + timedelta(days=1)
    told = [record.getMessage() for record in caplog.records]
    assert [line.partition(" (")[0] for line in told] == [f"dropped {table} of {first}" for table in ("spans", "events", "metrics")]
    assert all(line.endswith(f"the tables took {shown(used)}, keep.disk allows {shown(used - 1000)}") for line in told)
    assert [counters.value("sojourn_raw_days_dropped", table=table) for table in ("spans", "events", "metrics")] == [1, 1, 1]
    assert (state.gone_before, state.trouble) == (first + timedelta(days=1), "")
    assert state.report()["raw_gone_before"] == f"{first + timedelta(days=1)}"
    assert state.last_dropped.startswith(f"metrics of {first} (")
    tables = {row["table"] for row in await days.query("disk_parts") if row["n"] and row["partition"] == str(first)}
    assert tables == set()
    assert {row["table"]: row["n"] for row in await days.query("disk_parts") if row["table"] in ("runs", "orders") and row["n"]} == {"runs": 1, "orders": 1}
    # Freed a little beyond the budget: the next look has nothing to do.
    await disk.look()
    assert counters.value("sojourn_raw_days_dropped") == 3
    again, _ = budget(days, control, disk=PLENTY)
    assert (await again.look()).gone_before == first + timedelta(days=1)


async def test_todays_data_stay_and_it_is_said(days: Store, control: Control, caplog: pytest.LogCaptureFixture) -> None:
    """With a budget that nothing fits into all earlier days go, today's stay, and the trouble is one sentence, logged once."""
    disk, _ = budget(days, control, disk=10)
    state = await disk.look()
    assert list(await sizes(days)) == [TODAY]
    caplog.clear()
    with caplog.at_level(logging.ERROR, "sojourn.disk"):
        assert (await disk.look()).trouble == state.trouble
    assert caplog.records == []
    assert state.used is not None
    assert state.trouble == (
        f"The tables take {shown(state.used)}, more than keep.disk allows (10 B), and of raw data only today's are left, "
        "which stay; give them more room, keep less or send less."
    )


async def test_a_volume_that_runs_full_frees_the_oldest_day(days: Store, control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """Below keep.free a day goes; what the engine is about to remove counts as free, so that one shortage costs no second day."""
    disk, _ = budget(days, control, free=1 << 20)
    query = days.query
    volume = (1 << 20) - 10 + sum(int(row["bytes"]) for row in await query("disk_parts"))

    async def full(name: str, /, **parameters: Any) -> list[dict[str, Any]]:
        if name != "disk_free":
            return await query(name, **parameters)
        return [{"free": volume - sum(int(row["bytes"] + row["leaving"]) for row in await query("disk_parts"))}]

    monkeypatch.setattr(days, "query", full)
    state = await disk.look()
    assert len(await sizes(days)) == 4
    assert re.search(r": the volume had \d+\.\d KiB left, keep\.free wants 1\.0 MiB$", state.last_dropped)
    await disk.look()
    assert len(await sizes(days)) == 4


async def test_room_comes_before_notes(days: Store, control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a full disk the control database may not take the note: the day goes all the same, and the note is made as soon as it can be."""
    disk, _ = budget(days, control, disk=10)
    note = Progress.set

    async def full(self: Progress, name: str, value: int) -> None:
        raise OperationalError("database or disk is full", None, OSError())

    monkeypatch.setattr(Progress, "set", full)
    await disk.look()
    assert list(await sizes(days)) == [TODAY]
    monkeypatch.setattr(Progress, "set", note)
    await disk.look()
    again, _ = budget(days, control, disk=PLENTY)
    assert (await again.look()).gone_before == TODAY


def test_only_days_of_raw_data_are_days():
    """Months, other tables, empty partitions and what lies beside raw data without any are left alone."""
    part = {"bytes": 5, "leaving": 0, "n": 1}
    parts = [
        {"table": "spans", "partition": "2026-11-02", **part},
        {"table": "trace_times", "partition": "2026-11-02", **part},
        {"table": "trace_times", "partition": "2026-11-01", **part},
        {"table": "events", "partition": "2026-11-01'; DROP TABLE runs", **part},
        {"table": "metrics", "partition": "2026-11-03", **part, "n": 0},
        {"table": "runs", "partition": "202611", **part},
    ]
    assert days_of(parts) == {date(2026, 11, 2): {"spans": 5, "trace_times": 5}}
