"""Where the contents of evidence lie, each under its SHA-256. Two ways: a folder, or a bucket that speaks S3."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class BlobMissingError(Exception):
    """There is no such content, or what lies under its name is not it."""


class BlobsUnavailableError(Exception):
    """The place cannot be used just now; the text is one sentence's middle and names no secret."""


@dataclass(frozen=True, slots=True)
class Blob:
    """A content that lies there. `changed` is when it was last written."""

    sha256: str
    bytes: int
    changed: datetime


class Blobs(Protocol):
    """The place. A digest is 64 hexadecimal digits in lower case; contents have at most some megabytes. Everything may raise `BlobsUnavailableError`."""

    where: str
    """The place in words, for logs."""

    async def put(self, sha256: str, content: bytes) -> None:
        """Keep `content`, whole and durable when this returns; again is as good as once, and makes it new."""
        ...

    async def get(self, sha256: str) -> bytes:
        """The content, checked against its digest. Raises `BlobMissingError`."""
        ...

    async def delete(self, sha256: str) -> None:
        """Remove it; when it is not there, all is well."""
        ...

    def all(self) -> AsyncIterator[Blob]:
        """Everything that lies there under a name of ours."""
        ...
