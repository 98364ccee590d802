"""What is answered is asked of a context with a store of its own tenant."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from tests.collector.web.stage import context_of


@pytest.fixture
async def context(store: Store, tmp_path: Path) -> AsyncIterator[Context]:
    """Over the session's engine; nothing is stored yet."""
    one = context_of(store, tmp_path)
    yield one
    one.control.close()
