"""Contents of evidence in a folder: `ab/cdef…`, readable by the collector's own user only, written beside and renamed."""

import asyncio
import hashlib
import os
import re
import secrets
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TypeVar

from sojourn_collector.store.evidence.blobs import Blob, BlobMissingError, BlobsUnavailableError

T = TypeVar("T")
_SHELF = re.compile(r"[0-9a-f]{2}")
_NAME = re.compile(r"[0-9a-f]{62}")
_UNFINISHED = "unfinished"


class FolderBlobs:
    """The folder. Used by one process at a time: what an earlier one left unfinished is removed at the first write."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.where = f"the folder {folder}"
        self._swept = False
        self._sweeping = threading.Lock()

    async def put(self, sha256: str, content: bytes) -> None:
        """See `Blobs`."""
        await self._in_thread(lambda: self._put(sha256, content))

    async def get(self, sha256: str) -> bytes:
        """See `Blobs`."""
        return await self._in_thread(lambda: self._get(sha256))

    async def delete(self, sha256: str) -> None:
        """See `Blobs`."""
        await self._in_thread(lambda: self._delete(sha256))

    async def all(self) -> AsyncIterator[Blob]:
        """See `Blobs`."""
        for shelf in await self._in_thread(self._shelves):
            for blob in await self._in_thread(partial(_lying_on, shelf)):
                yield blob

    async def _in_thread(self, work: Callable[[], T]) -> T:
        try:
            return await asyncio.to_thread(work)
        except OSError as error:
            raise BlobsUnavailableError(f"{self.where} cannot be used: {error.strerror or error}") from error

    def _path(self, sha256: str) -> Path:
        return self.folder / sha256[:2] / sha256[2:]

    def _put(self, sha256: str, content: bytes) -> None:
        path, beside = self._path(sha256), self.folder / _UNFINISHED
        beside.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._sweeping:  # or a second of the first puts would lose its file to the first
            if not self._swept:
                for left in beside.iterdir():
                    left.unlink(missing_ok=True)
                self._swept = True
        unfinished = beside / secrets.token_hex(16)
        try:
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            if not path.parent.is_dir():
                path.parent.mkdir(mode=0o700, exist_ok=True)
                _sync(self.folder)
            # Over what is there: a content damaged on disk is whole again when it is sent again.
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        _sync(path.parent)

    def _get(self, sha256: str) -> bytes:
        try:
            content = self._path(sha256).read_bytes()
        except FileNotFoundError as error:
            raise BlobMissingError(sha256) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise BlobMissingError(f"{self._path(sha256)} is damaged")
        return content

    def _delete(self, sha256: str) -> None:
        path = self._path(sha256)
        if path.exists():
            path.unlink(missing_ok=True)
            _sync(path.parent)

    def _shelves(self) -> list[Path]:
        return sorted(path for path in self.folder.iterdir() if _SHELF.fullmatch(path.name) and path.is_dir()) if self.folder.is_dir() else []


def _lying_on(shelf: Path) -> list[Blob]:
    found = []
    with os.scandir(shelf) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                stat = entry.stat()
                found.append(Blob(shelf.name + entry.name, stat.st_size, datetime.fromtimestamp(stat.st_mtime, UTC)))
    return found


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
