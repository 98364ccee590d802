"""A rig on the session's engine."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sojourn_collector.store.client import Store
from tests.collector.erasure.rig import Rig, rig


@pytest.fixture
async def parts(tmp_path: Path, store: Store) -> AsyncIterator[Rig]:
    """Journal, loader, tombstones and eraser."""
    async with rig(tmp_path / "data", store) as one:
        yield one
