"""Opening the control database and running work on it in its own threads, so that the event loop never waits for a disk."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, Table, create_engine, event
from sqlalchemy.dialects import postgresql, sqlite

T = TypeVar("T")
_MIGRATIONS = Path(__file__).parent / "migrations"


class Database:
    """One SQLite file in WAL mode. Writers take turns; readers never wait for them.

    `synchronous = FULL` because a ledger row that is lost in a power cut would let a batch in twice.
    """

    def __init__(self, path: Path) -> None:
        self._engine = _engine(path)
        self._writing = threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="control")

    def migrate(self) -> None:
        """Bring the tables to the newest version; does nothing when they are."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
        with self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a reading transaction, in this thread."""
        with self._engine.connect() as connection, connection.begin():
            return work(connection)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a writing transaction, in this thread; it is durable when this returns."""
        with self._writing, self._engine.connect().execution_options(writes=True) as connection, connection.begin():
            return work(connection)

    async def read(self, work: Callable[[Connection], T]) -> T:
        """`read_now` in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_now, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """`write_now` in a thread. A cancelled caller does not stop a write that has begun."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.write_now, work)

    def close(self) -> None:
        """Finish what runs, then let go of the file."""
        self._threads.shutdown(wait=True)
        self._engine.dispose()


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the words of the connection's dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def _engine(path: Path) -> Engine:
    path.parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(f"sqlite:///{path}", connect_args={"check_same_thread": False, "timeout": 10.0})

    @event.listens_for(engine, "connect")
    def _configure(raw: Any, _record: Any) -> None:
        raw.isolation_level = None  # we say BEGIN ourselves, below; the driver's own would start a transaction too late
        cursor = raw.cursor()
        for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON", "busy_timeout = 10000"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        # A writer that begins as a reader can fail when it upgrades; IMMEDIATE waits its turn instead.
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("writes") else "BEGIN")

    return engine
