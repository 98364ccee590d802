"""Imports in the control database, on SQLite and on PostgreSQL."""

from datetime import UTC, datetime

import pytest

from sojourn_collector.store.control import Arrival, Control
from sojourn_collector.store.control.imports import ImportClosedError, Undone

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def row(key: str, body: str, tenant: str = "default") -> Arrival:
    """An order as kept."""
    return Arrival(tenant, "api", "orders", key, NOW, body)


async def test_undo_withdraws_and_brings_back_the_newest_of_before(control: Control):
    """Of several versions before, the newest is read again; another tenant's, and what came since, are left alone."""
    await control.inbox.add_many([row("a", "1"), row("a", "2"), row("a", "other", "other"), row("b", "1")])
    one = await control.imports.begin("orders", "f.csv", "cli", NOW)
    await control.imports.add(one, [row("a", "3"), row("b", "2"), row("c", "1")], rejected=2)
    await control.inbox.add_many([row("b", "3")])
    kept = await control.inbox.waiting()
    await control.inbox.mark([each.id for each in kept], NOW)
    assert await control.imports.undo(one.id, NOW) == Undone(rows=3, restored=1)
    assert [(each.source_key, each.body, each.withdrawn) for each in await control.inbox.waiting()] == [
        ("a", "2", False),
        ("a", "3", True),
        ("b", "2", True),
        ("c", "1", True),
    ]
    listed = await control.imports.get(one.id)
    assert listed is not None
    assert (listed.accepted, listed.rejected, listed.undone_at) == (3, 2, NOW)


async def test_an_import_belongs_to_its_tenant(control: Control):
    """Others neither see it nor undo it."""
    one = await control.imports.begin("orders", "f.csv", "cli", NOW, tenant="other")
    assert await control.imports.get(one.id) is None
    assert await control.imports.latest() == []
    with pytest.raises(ImportClosedError, match=f"^there is no import {one.id} that could be undone"):
        await control.imports.undo(one.id, NOW)
