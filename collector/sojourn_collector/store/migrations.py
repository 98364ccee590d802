"""Numbered migrations of the engine's tables: `schema/NNNN_name.sql`, one idempotent statement after the other, each with a progress row.

A statement that was interrupted runs again; one that is noted does not. A changed file that already ran is refused: history is not rewritten.
The files are written for the embedded engine; `Store.statement` brings each statement into the form that a server or a cluster needs (`ddl.py`). What is
noted is the digest of the file's text.
"""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from sojourn_collector.store.client import Store
from sojourn_collector.store.ddl import DdlError

FOLDER = Path(__file__).parent / "schema"
SEPARATOR = re.compile(r"^-{8,}\s*$", re.MULTILINE)
COMMENT = re.compile(r"^\s*--[^\n]*$", re.MULTILINE)
PROGRESS = """CREATE TABLE IF NOT EXISTS migrations (number UInt32, statement UInt32, name String, sha256 String, at DateTime64(3) DEFAULT now64(3))
ENGINE = MergeTree ORDER BY (number, statement) SETTINGS fsync_after_insert = 1, fsync_part_directory = 1"""


class MigrationError(Exception):
    """The engine's tables cannot be brought to this version; the text says why."""


@dataclass(frozen=True, slots=True)
class Migration:
    """One file of the schema."""

    number: int
    name: str
    statements: tuple[str, ...]


def read(folder: Path = FOLDER) -> list[Migration]:
    """Every migration in its order. Raises MigrationError when two carry the same number."""
    found: dict[int, Migration] = {}
    for path in sorted(folder.glob("[0-9][0-9][0-9][0-9]_*.sql")):
        number = int(path.name[:4])
        if number in found:
            raise MigrationError(f"{path.name}: there is already a migration {number:04}; give this one the next number.")
        parts = (COMMENT.sub("", part).strip().rstrip(";").strip() for part in SEPARATOR.split(path.read_text(encoding="utf-8")))
        found[number] = Migration(number, path.stem, tuple(part for part in parts if part))
    return [found[number] for number in sorted(found)]


async def migrate(store: Store, folder: Path = FOLDER) -> int:
    """Bring the tables to the newest version; returns how many statements ran. Raises MigrationError, EngineUnavailable, StatementFailed."""
    await store.statement(PROGRESS)
    done = {(row["number"], row["statement"]): row["sha256"] for row in await store.query("migrations_done")}
    ran = 0
    for migration in read(folder):
        for index, sql in enumerate(migration.statements):
            digest = hashlib.sha256(sql.encode()).hexdigest()
            noted = done.get((migration.number, index))
            if noted is None:
                try:
                    await store.statement(sql)
                except DdlError as error:
                    raise MigrationError(f"{migration.name}.sql, statement {index + 1}: {error}") from error
                await store.insert("migrations", [{"number": migration.number, "statement": index, "name": migration.name, "sha256": digest}])
                ran += 1
            elif noted != digest:
                raise MigrationError(f"{migration.name}.sql, statement {index + 1}, was changed after it had run here; put changes into a new migration.")
    return ran
