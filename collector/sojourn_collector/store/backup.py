"""A backup while the collector runs: tables frozen, control database, journal, dead letters and evidence of one moment, in a folder with a manifest.

Loader and join stand still while the engine freezes its tables, which makes links and copies nothing, so senders notice nothing; copying comes after.
The manifest is written last: a folder without one is a backup that did not come to its end.
"""

import asyncio
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.journal import Journal, sync_folder, write_durably
from sojourn_collector.store.load import Loader
from sojourn_collector.store.turns import Turns

FORMAT = 1
MANIFEST = "manifest.json"
FOLDERS = ("dead-letters", "evidence")
"""Folders of the data folder that are copied as they are."""
NOT_KEPT = ("migrations", "erasing")
"""Tables that a restore makes anew."""
PATIENCE = 60.0
"""Seconds the journal is waited for; what is not loaded then is kept as files."""
_PIECE = 4 << 20


class BackupError(Exception):
    """A backup cannot be made or used; the text says why."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup is made of."""

    data: Path
    store: Store
    control: Control
    journal: Journal
    loader: Loader
    turns: Turns

    async def into(self, folder: Path, at: datetime) -> AsyncIterator[dict[str, Any]]:
        """Make one; yields how far it is, at last `{"done": …}`. Raises BackupError, StoreError, OSError, NoFileError; then the folder has no manifest."""
        if not self.store.embedded:
            raise BackupError("the tables are on ClickHouse servers, where no files can be frozen from here; keep them with ClickHouse's own BACKUP")
        if self.control.database.shared:
            raise BackupError(
                "the control database is PostgreSQL, which no file can be copied of; keep it with pg_dump, and the data folders by snapshots of the disk"
            )
        await asyncio.to_thread(_empty, folder)
        name = f"backup{secrets.token_hex(6)}"
        async with self.turns.copy:
            await asyncio.to_thread(shutil.rmtree, self._shadow, ignore_errors=True)
            try:
                yield {"state": "loading what was accepted before"}
                await self._loaded()
                yield {"state": "freezing"}
                async with self.turns.load, self.turns.join:
                    found = await self._freeze(name, folder)
                found |= {"format": FORMAT, "sojourn": version("sojourn"), "at": at.isoformat()}
                frozen = [(path, folder / target) for path, target in await asyncio.to_thread(self._frozen, name, found.pop("paths"))]
                for part in FOLDERS[1:]:
                    frozen += [(path, folder / path.relative_to(self.data)) for path in await asyncio.to_thread(_files, self.data / part)]
                total = sum(path.stat().st_size for path, _ in frozen)
                copied = 0
                for path, target in frozen:
                    copied += await asyncio.to_thread(_copy, path, target)
                    yield {"state": "copying", "bytes": copied, "of": total}
            finally:
                # The engine's own UNFREEZE does no more than this.
                await asyncio.shield(asyncio.to_thread(shutil.rmtree, self._shadow, ignore_errors=True))
        yield {"state": "writing the manifest"}
        found["files"] = await asyncio.to_thread(sums, folder)
        await asyncio.to_thread(write_durably, folder / MANIFEST, json.dumps(found, indent=1).encode())
        yield {"done": {key: found[key] for key in ("sojourn", "at", "seq", "rows")}, "files": len(found["files"])}

    @property
    def _shadow(self) -> Path:
        return self.data / "engine/data/shadow"

    async def _loaded(self) -> None:
        until = self.journal.last_seq
        try:
            async with asyncio.timeout(PATIENCE):
                while self.journal.loaded_seq < until:
                    await self.loader.wait_beyond(self.journal.loaded_seq)
        except TimeoutError:
            return  # they are copied as they are

    async def _freeze(self, name: str, folder: Path) -> dict[str, Any]:
        """One moment: the control database first, so that it never knows of more than the tables hold."""
        await self.control.copy(folder / "control.sqlite")
        sql = "SELECT name, data_paths[1] AS path FROM system.tables WHERE database = currentDatabase() AND engine LIKE '%MergeTree' ORDER BY name"
        paths = {row["name"]: row["path"] for row in await self.store.rows(sql) if row["name"] not in NOT_KEPT}
        rows = {}
        for table in paths:
            await self.store.statement(f"ALTER TABLE {table} FREEZE WITH NAME '{name}'")
            rows[table] = int((await self.store.rows(f"SELECT count() AS n FROM {table}", deadline=60))[0]["n"])  # noqa: S608 - names of our tables
        number = max(row["number"] for row in await self.store.query("migrations_done"))
        await asyncio.to_thread(self._rest, folder)
        return {"seq": self.journal.loaded_seq, "migration": number, "rows": rows, "paths": paths}

    def _rest(self, folder: Path) -> None:
        """What is small: files of the journal not loaded yet, each up to what was acknowledged, and dead letters."""
        into = folder / "journal"
        into.mkdir()
        shutil.copy2(self.data / "journal/journal.json", into)
        for path, size in self.journal.waiting():
            with path.open("rb") as source:
                (into / path.name).write_bytes(source.read(size))
            if (marker := path.with_suffix(".split")).exists():
                shutil.copy2(marker, into)
        for path in _files(self.data / FOLDERS[0]):
            _copy(path, folder / path.relative_to(self.data))

    def _frozen(self, name: str, paths: dict[str, str]) -> list[tuple[Path, Path]]:
        root = (self.data / "engine/data").resolve()
        found = []
        for table, path in paths.items():
            below = self._shadow / name / Path(path).resolve().relative_to(root)
            found += [(file, Path("tables") / table / file.relative_to(below)) for file in _files(below)]
        return found


def _empty(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.iterdir()):
        raise BackupError(f"{folder} is not empty; give a new folder")
    folder.chmod(0o700)  # it holds everything about everybody, and keys' digests


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _copy(source: Path, target: Path) -> int:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        shutil.copyfile(source, target)
    except FileNotFoundError:
        return 0  # evidence whose time was over meanwhile
    return target.stat().st_size


def sums(folder: Path) -> dict[str, dict[str, Any]]:
    """Size and SHA-256 of every file, made durable on the way."""
    found = {}
    for path in _files(folder):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            found[str(path.relative_to(folder))] = {"size": path.stat().st_size, "sha256": digest_of(_pieces(file))}
    for inner in [*(path for path in folder.rglob("*") if path.is_dir()), folder]:
        sync_folder(inner)
    return found


def digest_of(pieces: Iterator[bytes]) -> str:
    """SHA-256 in hex."""
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()


def _pieces(file: Any) -> Iterator[bytes]:
    while piece := file.read(_PIECE):
        yield piece


def checked(folder: Path) -> dict[str, Any]:
    """The manifest of a whole backup, every file looked at. Raises BackupError."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text())
        files, made = dict(manifest["files"]), int(manifest["format"])
    except FileNotFoundError:
        raise BackupError(f"{folder} has no {MANIFEST}: it is no backup, or one that did not come to its end") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackupError(f"{folder / MANIFEST} cannot be read ({error})") from error
    if made != FORMAT:
        raise BackupError(f"{folder} was made by sojourn {manifest.get('sojourn')} in another form; restore it with that version")
    for name, wanted in files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BackupError(f"{folder / MANIFEST} names a file outside of it: {name}")
        try:
            with path.open("rb") as file:
                same = path.stat().st_size == wanted["size"] and digest_of(_pieces(file)) == wanted["sha256"]
        except OSError as error:
            raise BackupError(f"{path} cannot be read ({error.strerror}); this backup is damaged") from error
        if not same:
            raise BackupError(f"{path} is not what it was when the backup was made; this backup is damaged")
    return manifest
