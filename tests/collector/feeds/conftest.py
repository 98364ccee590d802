"""A server on loopback that answers as a test says, and a control database."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sojourn_collector.store.control import Control
from tests.collector.control_file import open_control
from tests.collector.sources.vendor_api import VendorApi, running


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    one = open_control(tmp_path / "control.sqlite")
    yield one
    one.close()


@pytest.fixture
async def api() -> AsyncIterator[VendorApi]:
    async with running() as one:
        yield one
