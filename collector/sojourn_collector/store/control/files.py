"""The control database as files: rewritten so that nothing deleted stays in them, and copied while in use. SQLite's; of PostgreSQL, tables are vacuumed."""

import sqlite3
import time
from pathlib import Path

from sqlalchemy import Engine

_TRIES = 50
_PAUSE = 0.1


class NoFileError(Exception):
    """The control database is no file of ours; the text says what to do."""


def compact(engine: Engine) -> None:
    """Rewrite the database, so that deleted rows are no longer on disk. Other writers wait meanwhile.

    PostgreSQL frees the room for other rows and writes over it in time; its log and its backups are the operator's.
    """
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for table in ("inbox", "dead_letters", "erasures"):
                connection.exec_driver_sql(f"VACUUM {table}")
        return
    raw = engine.raw_connection()
    try:
        cursor = raw.cursor()
        cursor.execute("VACUUM")
        for _ in range(_TRIES):
            # A reader of an older state hinders it; readers here last milliseconds.
            busy = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if not busy:
                return
            time.sleep(_PAUSE)
        raise OSError("the control database's log could not be emptied while it was being read")
    finally:
        raw.close()


def copy(engine: Engine, path: Path) -> None:
    """A consistent copy of the database at `path`, which must not exist. Raises NoFileError for PostgreSQL."""
    if engine.dialect.name == "postgresql":
        raise NoFileError("the control database is PostgreSQL; take its copy with: pg_dump --format=custom")
    raw = engine.raw_connection()
    try:
        source = raw.driver_connection
        assert isinstance(source, sqlite3.Connection)
        into = sqlite3.connect(path)
        try:
            source.backup(into, pages=1000)
        finally:
            into.close()
    finally:
        raw.close()
