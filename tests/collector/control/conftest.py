"""An empty control database of each kind, for facts that hold on both."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sojourn_collector.store.control import Control
from sojourn_collector.store.control.postgres import PostgresAddress

Where = Path | PostgresAddress


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the SQLite file is; its folder does not exist yet."""
    return tmp_path / "a 50% new folder" / "control.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, path: Path) -> Where:
    """An empty control database of each kind."""
    if request.param == "sqlite":
        return path
    found: PostgresAddress = request.getfixturevalue("postgres_database")
    return found


@pytest.fixture
def control(where: Where) -> Iterator[Control]:
    """An open control database."""
    one = Control.open(where)
    yield one
    one.close()
