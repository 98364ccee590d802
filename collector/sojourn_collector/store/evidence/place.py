"""Which place the configuration names for contents of evidence."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

from sojourn_collector.config import EvidenceBucket, EvidenceSettings, KeptKey
from sojourn_collector.counters import Counters
from sojourn_collector.store.control.evidence import EvidenceRows
from sojourn_collector.store.evidence.blobs import BlobMissingError, Blobs, BlobsUnavailableError
from sojourn_collector.store.evidence.evidence import Bounds, Evidence
from sojourn_collector.store.evidence.folder import FolderBlobs

FOLDER = "evidence"
"""Name of the folder under the data folder."""


CHECKED = b"sojourn-collector check"


class EvidencePlaceError(Exception):
    """The place cannot be made; the text is one sentence with the cure."""


def blobs_of(settings: EvidenceSettings, data: Path, environ: Mapping[str, str]) -> Blobs:
    """The folder, or the bucket; nothing is asked of either yet. Raises `EvidencePlaceError`."""
    return FolderBlobs(data / FOLDER) if settings.bucket is None else _bucket(settings.bucket, environ)


def open_evidence(
    settings: EvidenceSettings,
    data: Path,
    environ: Mapping[str, str],
    rows: EvidenceRows,
    counters: Counters,
    clock: Callable[[], datetime],
    *,
    shared: bool,
) -> Evidence:
    """Evidence as the configuration wants it, with other collectors in the same place or not; nothing is asked of it yet. Raises `EvidencePlaceError`."""
    return Evidence(blobs_of(settings, data, environ), rows, Bounds(timedelta(seconds=settings.keep), settings.max), counters, clock, shared=shared)


async def try_place(blobs: Blobs) -> None:
    """Write, read and remove a content. Raises `EvidencePlaceError`."""
    sha256 = hashlib.sha256(CHECKED).hexdigest()
    try:
        await blobs.put(sha256, CHECKED)
        await blobs.get(sha256)
        await blobs.delete(sha256)
    except (BlobsUnavailableError, BlobMissingError) as error:
        raise EvidencePlaceError(str(error)) from error


def _bucket(settings: EvidenceBucket, environ: Mapping[str, str]) -> Blobs:
    from sojourn_collector.store.evidence.bucket import BucketBlobs, BucketPlace

    place = BucketPlace(
        settings.name,
        settings.endpoint,
        settings.region,
        settings.prefix,
        _key(settings.access_key, "access_key", environ),
        _key(settings.secret_key, "secret_key", environ),
    )
    try:
        return BucketBlobs(place)
    except ImportError as error:
        raise EvidencePlaceError("evidence.bucket: the package for buckets is not installed; install it with: pip install 'sojourn[s3]'") from error
    except ValueError as error:
        raise EvidencePlaceError(f"evidence.bucket: {error}; correct it in collector.yaml") from error


def _key(kept: KeptKey | None, what: str, environ: Mapping[str, str]) -> str:
    if kept is None:
        return ""
    try:
        text = kept.file.read_text(encoding="utf-8").strip() if kept.file else environ.get(kept.env or "", "").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise EvidencePlaceError(f"evidence.bucket.{what}: {kept.file} cannot be read ({error}); put the key there") from error
    if not text:
        raise EvidencePlaceError(f"evidence.bucket.{what}: {kept.file or f'the environment variable {kept.env}'} is empty; put the key there")
    return text
