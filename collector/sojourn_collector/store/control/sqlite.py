"""The control database in one SQLite file, for one collector. In WAL mode readers never wait for writers.

`synchronous = FULL` because a ledger row that is lost in a power cut would let a batch in twice.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event


def sqlite_engine(path: Path) -> Engine:
    """The engine of the file at `path`, whose folder is made when needed."""
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
