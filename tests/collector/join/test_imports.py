"""What an import brought leaves the engine when it is undone, whenever that is."""

import json
from typing import Any

import pytest

from sojourn_collector.store.control import Arrival, InboxRow
from tests.collector.join.working import keep, table
from tests.collector.join.world import World


async def bring(world: World, source: str, *rows: dict[str, Any]) -> str:
    """Rows by an import of their own."""
    tenant = world.store.tenant
    made = await world.control.imports.begin(source, "a.csv", "cli", world.clock(), tenant=tenant)
    await world.control.imports.add(made, [Arrival(tenant, "api", source, row["id"], world.clock(), json.dumps(row)) for row in rows], 0)
    return made.id


async def test_undone_while_it_is_copied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """An undo that comes between reading a batch and writing it is not lost, though the version before was in the same batch."""
    await keep(world, "people", id="u1", name="old")
    ident = await bring(world, "people", {"id": "u1", "name": "new"})
    read = world.control.inbox.waiting

    async def waiting(limit: int = 1000) -> list[InboxRow]:
        rows = await read(limit)
        monkeypatch.undo()
        await world.control.imports.undo(ident, world.clock(), tenant=world.store.tenant)
        return rows

    monkeypatch.setattr(world.control.inbox, "waiting", waiting)
    await world.join()
    assert [row["name"] for row in await table(world, "people")] == ["old"]


async def test_one_import_over_another_falls_back_to_it(world: World) -> None:
    """Whichever is undone first, what is left is what the other brought; with both undone nothing is."""
    one, two = await bring(world, "people", {"id": "u1", "name": "one"}), await bring(world, "people", {"id": "u1", "name": "two"})
    await world.join()
    await world.control.imports.undo(one, world.clock(), tenant=world.store.tenant)
    await world.join()
    assert [row["name"] for row in await table(world, "people")] == ["two"]
    await world.control.imports.undo(two, world.clock(), tenant=world.store.tenant)
    await world.join()
    assert await table(world, "people") == []
