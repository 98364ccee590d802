"""A world on the real engine, with a tenant and a control database of its own."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sojourn_collector.store.client import Store
from tests.collector.control_file import open_control
from tests.collector.join.world import World, journeys


@pytest.fixture
async def world(store: Store, tmp_path: Path) -> AsyncIterator[World]:
    """Shoppers, a join worker and the tables they meet in."""
    control = open_control(tmp_path / "control.sqlite")
    yield World(store, control, journeys(tmp_path / "journeys"))
    control.close()
