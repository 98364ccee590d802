"""Contents of evidence in a bucket that speaks S3: Amazon's, or any other such as MinIO, Ceph and Garage. Needs the extra `s3` (obstore).

Only the collector talks to the bucket; readers get the content from the collector (docs/decisions/0015).
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sojourn_collector.store.evidence.blobs import Blob, BlobMissingError, BlobsUnavailableError

if TYPE_CHECKING:
    from obstore.store import S3Store

SECONDS = 30.0
"""What one request to the bucket may take, tries included."""
_NAME = re.compile(r"([0-9a-f]{2})/([0-9a-f]{62})")


@dataclass(frozen=True, slots=True)
class BucketPlace:
    """Where the bucket is. Without `access_key` the host's own credentials are used (AWS_… variables, instance role).

    `endpoint` is empty for Amazon. `prefix` is where in the bucket contents lie; it belongs to one installation.
    """

    name: str
    endpoint: str
    region: str
    prefix: str
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)


class BucketBlobs:
    """The bucket. Raises ImportError without the extra `s3`, ValueError when the place makes no sense."""

    def __init__(self, place: BucketPlace, seconds: float = SECONDS) -> None:
        self.where = f"the bucket {place.name}" + (f" at {place.endpoint}" if place.endpoint else "")
        self._prefix = f"{place.prefix.strip('/')}/" if place.prefix.strip("/") else ""
        self._seconds = seconds
        self._store = _store(place, seconds)

    async def put(self, sha256: str, content: bytes) -> None:
        """See `Blobs`. A PUT that S3 has answered is durable there."""
        import obstore

        await self._asked(obstore.put_async(self._store, self._key(sha256), content, use_multipart=False))

    async def get(self, sha256: str) -> bytes:
        """See `Blobs`."""
        import obstore

        async def read() -> bytes:
            return bytes(await (await obstore.get_async(self._store, self._key(sha256))).bytes_async())

        try:
            content: bytes = await self._asked(read())
        except FileNotFoundError as error:
            raise BlobMissingError(sha256) from error
        if hashlib.sha256(content).hexdigest() != sha256:
            raise BlobMissingError(f"{self._key(sha256)} in {self.where} is damaged")
        return content

    async def delete(self, sha256: str) -> None:
        """See `Blobs`."""
        import obstore

        try:
            await self._asked(obstore.delete_async(self._store, self._key(sha256)))
        except FileNotFoundError:
            return

    async def all(self) -> AsyncIterator[Blob]:
        """See `Blobs`."""
        import obstore

        listing = aiter(obstore.list(self._store, prefix=self._prefix or None, chunk_size=500))
        while True:
            try:
                some = await self._asked(anext(listing))
            except StopAsyncIteration:
                return
            for one in some:
                match = _NAME.fullmatch(one["path"].removeprefix(self._prefix))
                if match:
                    yield Blob(match[1] + match[2], one["size"], one["last_modified"])

    def _key(self, sha256: str) -> str:
        return f"{self._prefix}{sha256[:2]}/{sha256[2:]}"

    async def _asked(self, request: Any) -> Any:
        from obstore.exceptions import BaseError

        try:
            async with asyncio.timeout(self._seconds):
                return await request
        except TimeoutError as error:
            raise BlobsUnavailableError(f"{self.where} did not answer within {self._seconds:g} s") from error
        except FileNotFoundError as error:
            if "NoSuchBucket" in str(error):
                raise BlobsUnavailableError(f"{self.where} does not exist; make it") from error
            raise
        except (BaseError, OSError) as error:
            raise BlobsUnavailableError(f"{self.where} cannot be used: {_one_line(error)}") from error


def _store(place: BucketPlace, seconds: float) -> "S3Store":
    from datetime import timedelta

    from obstore.store import S3Store

    given: dict[str, Any] = {"access_key_id": place.access_key, "secret_access_key": place.secret_key} if place.access_key else {}
    if place.endpoint:
        given["endpoint"] = place.endpoint
    return S3Store(
        place.name,
        region=place.region,
        client_options={"allow_http": place.endpoint.startswith("http:"), "timeout": timedelta(seconds=seconds), "connect_timeout": timedelta(seconds=5)},
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=seconds)},
        **given,
    )


def _one_line(error: Exception) -> str:
    """The beginning of what went wrong: the answer's XML and the debug text behind it help nobody."""
    text = str(error).partition("\n")[0].partition("Debug source")[0]
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
