"""Running work on the control database in its own threads, so that the event loop never waits for a disk or a network."""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import ColumnElement, Connection, Engine, Table, literal, literal_column, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from sojourn_collector.store.control import files
from sojourn_collector.store.control.errors import ControlError, ControlUnavailableError
from sojourn_collector.store.control.postgres import CONNECTIONS, OLDEST_SERVER, PostgresAddress, postgres_engine
from sojourn_collector.store.control.sqlite import sqlite_engine
from sojourn_collector.store.control.tables import Instant

T = TypeVar("T")
_MIGRATIONS = Path(__file__).parent / "migrations"
_MIGRATING = 0x50_4A_4F_55_52_4E  # any number of ours: whoever holds this advisory lock migrates
_PASSING = frozenset({"40001", "40P01"})
"""PostgreSQL's states of a transaction that lost to another and is to be run again: serialization failure, deadlock."""
_READ_ONLY = "25006"
_TRIES = 3
_DAMAGED = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
"""How SQLite names files that are no database, or one no more."""


class Database:
    """A SQLite file or a PostgreSQL database. In SQLite writers take turns; readers never wait for them.

    What `read` and `write` run may be run again, so it must change nothing but the database. They raise ControlUnavailableError when the database does
    not answer; a connection that broke is made anew by the next call.
    """

    def __init__(self, where: Path | PostgresAddress) -> None:
        self._shared = isinstance(where, PostgresAddress)
        self._engine: Engine = postgres_engine(where) if isinstance(where, PostgresAddress) else sqlite_engine(where)
        self._name = str(where)
        self._writing: contextlib.AbstractContextManager[Any] = contextlib.nullcontext() if self._shared else threading.Lock()
        self._threads = ThreadPoolExecutor(max_workers=CONNECTIONS if self._shared else 4, thread_name_prefix="control")
        self.trouble = ""
        """Why the last work did not come through, in one sentence; empty when it did."""

    @property
    def shared(self) -> bool:
        """Whether several collectors may use it."""
        return self._shared

    @classmethod
    def migrated(cls, where: Path | PostgresAddress) -> Self:
        """Opened and brought to this version. Raises ControlError, ControlUnavailableError."""
        one = cls(where)
        try:
            one.migrate()
        except BaseException:
            one.close()
            raise
        return one

    def migrate(self) -> None:
        """Bring the tables to the newest version; does nothing when they are. Two that do so at once take turns."""
        config = Config()
        config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))

        def work(connection: Connection) -> None:
            if connection.dialect.name == "postgresql":
                self._fit(connection)
                connection.exec_driver_sql("SET LOCAL lock_timeout = '60s'")
                connection.exec_driver_sql("SET LOCAL statement_timeout = '10min'")
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise ControlError(
                    f"the control database {self._name} was written by a newer version ({error}); install that version or a newer one"
                ) from error

        self.write_now(work)

    def version(self) -> str:
        """How far its tables are, for people; changes nothing. Raises ControlError, ControlUnavailableError."""

        def work(connection: Connection) -> str:
            if connection.dialect.name == "postgresql":
                self._fit(connection)
            elif (said := connection.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()) != "ok":
                raise ControlError(f"the control database {self._name} is damaged ({str(said).strip().splitlines()[-1][:200]}); bring it back from a backup")
            found = MigrationContext.configure(connection).get_current_revision()
            return f"tables of version {found}" if found else "empty; the tables are made at the first start"

        return self.read_now(work)

    def _fit(self, connection: Connection) -> None:
        version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
        if version < OLDEST_SERVER:
            raise ControlError(f"the control database {self._name} is PostgreSQL {version // 10_000}; version {OLDEST_SERVER // 10_000} or newer is needed")
        encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
        if encoding != "UTF8":
            raise ControlError(f"the control database {self._name} keeps {encoding}; make one with: createdb --encoding=UTF8 --template=template0 NAME")

    def read_now(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a reading transaction, in this thread."""
        return self._run(work, writes=False)

    def write_now(self, work: Callable[[Connection], T]) -> T:
        """Run `work` in a writing transaction, in this thread; it is durable when this returns."""
        with self._writing:
            return self._run(work, writes=True)

    def _run(self, work: Callable[[Connection], T], *, writes: bool) -> T:
        for tries in range(1, _TRIES + 1):
            committing = False
            try:
                with self._engine.connect().execution_options(writes=writes) as connection, connection.begin():
                    result = work(connection)
                    committing = True
            except (OperationalError, InterfaceError, PoolTimeoutError) as error:
                # Before the commit nothing has happened, so it can be done again; a commit whose answer is lost may have happened.
                lost = isinstance(error, DBAPIError) and error.connection_invalidated
                if tries < _TRIES and not committing and (lost or _state(error) in _PASSING):
                    continue
                self.trouble = f"The control database cannot be used just now ({_first_line(error)})."
                raise ControlUnavailableError(self.trouble) from error
            except DBAPIError as error:
                if isinstance(error.orig, sqlite3.DatabaseError) and getattr(error.orig, "sqlite_errorname", "").startswith(_DAMAGED):
                    raise ControlError(
                        f"the control database {self._name} is damaged ({_first_line(error)}); bring it back from a backup, or move it away: "
                        "then keys are made anew, and what sources sent and waits there is lost"
                    ) from error
                if _state(error) != _READ_ONLY:
                    raise
                self.trouble = "The control database cannot be used just now (it is read-only)."
                raise ControlUnavailableError(self.trouble) from error
            self.trouble = ""
            return result
        raise AssertionError("the last try returns or raises")

    async def read(self, work: Callable[[Connection], T]) -> T:
        """`read_now` in a thread."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.read_now, work)

    async def write(self, work: Callable[[Connection], T]) -> T:
        """`write_now` in a thread. A cancelled caller does not stop a write that has begun."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.write_now, work)

    async def compact(self) -> None:
        """Rewrite the files so that nothing deleted stays in them; other writers wait."""

        def work() -> None:
            with self._writing:
                files.compact(self._engine)

        await asyncio.get_running_loop().run_in_executor(self._threads, work)

    async def copy(self, path: Path) -> None:
        """A consistent copy while others read and write. Raises NoFileError for a database that is no file."""
        await asyncio.get_running_loop().run_in_executor(self._threads, files.copy, self._engine, path)

    def close(self) -> None:
        """Finish what runs, then let go of the database."""
        self._threads.shutdown(wait=True)
        self._engine.dispose()


def insert_into(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """An INSERT that knows ON CONFLICT, in the words of the connection's dialect."""
    return postgresql.insert(table) if connection.dialect.name == "postgresql" else sqlite.insert(table)


def now_at(connection: Connection) -> ColumnElement[datetime]:
    """The database's own time, so that leases do not hang on the clocks of several machines."""
    if connection.dialect.name == "postgresql":
        return literal_column("(extract(epoch FROM clock_timestamp()) * 1000000)::bigint", Instant())
    return literal(datetime.now(UTC), Instant())


def _state(error: Exception) -> str:
    """PostgreSQL's SQLSTATE, empty when there is none."""
    return str(getattr(getattr(error, "orig", None), "sqlstate", None) or "")


def _first_line(error: Exception) -> str:
    """What the driver says, without the statement."""
    return str(getattr(error, "orig", None) or error).strip().partition("\n")[0][:200].rstrip(".")
