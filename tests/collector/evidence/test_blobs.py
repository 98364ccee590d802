"""What every place for contents keeps to: the same tests for the folder and for a bucket of a real S3 server."""

import asyncio
import hashlib
import socket
import stat
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from sojourn_collector.config import EvidenceBucket, EvidenceSettings, KeptKey
from sojourn_collector.store.evidence.blobs import BlobMissingError, Blobs, BlobsUnavailableError
from sojourn_collector.store.evidence.bucket import BucketBlobs, BucketPlace
from sojourn_collector.store.evidence.folder import FolderBlobs
from sojourn_collector.store.evidence.place import EvidencePlaceError, blobs_of, try_place
from tests.collector.evidence.conftest import lying
from tests.processes import free_port


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def test_what_was_put_is_got(blobs: Blobs):
    """Small and large contents come back byte for byte, under their digest, with their size and the time they were written."""
    for content in (b"a", bytes(range(256)) * 40_000):
        await blobs.put(digest(content), content)
        assert await blobs.get(digest(content)) == content
    [small, large] = sorted([blob async for blob in blobs.all()], key=lambda blob: blob.bytes)
    assert (small.sha256, small.bytes, large.bytes) == (digest(b"a"), 1, 10_240_000)
    assert abs(small.changed - datetime.now(UTC)) < timedelta(minutes=5)


async def test_putting_again_changes_nothing(blobs: Blobs):
    """Twice in a row and twice at the same time: one content."""
    await asyncio.gather(*(blobs.put(digest(b"same"), b"same") for _ in range(4)))
    await blobs.put(digest(b"same"), b"same")
    assert await lying(blobs) == {digest(b"same")}


async def test_what_a_crash_left_is_swept_by_the_first_alone(tmp_path):
    """Sixteen first puts at once, over a folder where an end left a half of one: that goes, and none loses its own."""
    for turn in range(20):
        left = tmp_path / f"{turn}" / "unfinished" / "left"
        left.parent.mkdir(parents=True)
        left.write_bytes(b"ha")
        blobs = FolderBlobs(tmp_path / f"{turn}")
        contents = [f"{n}".encode() for n in range(16)]
        await asyncio.gather(*(blobs.put(digest(one), one) for one in contents))
        assert await lying(blobs) == {digest(one) for one in contents}
        assert not left.exists()


async def test_what_is_not_there_is_said(blobs: Blobs):
    """Getting raises; removing is no error, the first time and again."""
    with pytest.raises(BlobMissingError):
        await blobs.get(digest(b"never"))
    await blobs.put(digest(b"gone"), b"gone")
    for _ in range(2):
        await blobs.delete(digest(b"gone"))
    assert await lying(blobs) == set()
    with pytest.raises(BlobMissingError):
        await blobs.get(digest(b"gone"))


async def test_a_content_that_is_not_what_its_name_says_is_missing(blobs: Blobs):
    """Bytes that were changed where they lie are never given out."""
    await blobs.put(digest(b"true"), b"false")
    with pytest.raises(BlobMissingError, match="damaged"):
        await blobs.get(digest(b"true"))
    await blobs.put(digest(b"true"), b"true")
    assert await blobs.get(digest(b"true")) == b"true", "sent again, it is whole"


async def test_the_folder_is_for_its_owner_alone(tmp_path: Path):
    """Contents are 0600 in folders of 0700, two letters a folder; what an earlier process left unfinished goes."""
    folder = tmp_path / "evidence"
    (folder / "unfinished").mkdir(parents=True)
    (folder / "unfinished/torn").write_bytes(b"half")
    blobs = FolderBlobs(folder)
    await blobs.put(digest(b"x"), b"x")
    path = folder / digest(b"x")[:2] / digest(b"x")[2:]
    assert [stat.S_IMODE(one.stat().st_mode) for one in (path, path.parent)] == [0o600, 0o700]
    assert list((folder / "unfinished").iterdir()) == []


async def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path):
    """A file stands where the folder should be: unavailable, with the place and the reason."""
    (tmp_path / "evidence").write_text("a file")
    with pytest.raises(BlobsUnavailableError, match=f"the folder {tmp_path}/evidence cannot be used: Not a directory"):
        await FolderBlobs(tmp_path / "evidence").put(digest(b"x"), b"x")


async def test_names_of_others_are_left_alone(bucket: BucketPlace, s3: str, tmp_path: Path):
    """What lies beside, under no name of ours, is not listed and so never removed."""
    import urllib.request

    for name in ("readme.txt", "sojourn/evidence/ab/short", f"elsewhere/ab/{'c' * 62}"):
        urllib.request.urlopen(urllib.request.Request(f"{s3}/{bucket.name}/{name}", data=b"x", method="PUT")).close()
    assert await lying(BucketBlobs(bucket)) == set()
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab/short").write_text("x")
    (tmp_path / "lost+found").mkdir()
    assert await lying(FolderBlobs(tmp_path)) == set()


async def test_a_bucket_that_is_not_there_is_said(s3: str):
    """Not as missing content: as a place that cannot be used, with the cure."""
    blobs = BucketBlobs(BucketPlace("nobody-made-it", s3, "us-east-1", "p", "id", "secret"))
    for asked in (blobs.put(digest(b"x"), b"x"), blobs.get(digest(b"x"))):
        with pytest.raises(BlobsUnavailableError, match=f"the bucket nobody-made-it at {s3} does not exist; make it"):
            await asked


async def test_a_server_that_is_away_is_said_in_time():
    """Nobody listens, or somebody who never answers: unavailable, and no secret in the sentence."""
    silent = socket.create_server(("127.0.0.1", 0))
    for where in (free_port(), silent.getsockname()[1]):
        blobs = BucketBlobs(BucketPlace("b", f"http://127.0.0.1:{where}", "us-east-1", "", "an-id", "canary-secret"), seconds=0.3)
        with pytest.raises(BlobsUnavailableError) as said:
            await blobs.put(digest(b"x"), b"x")
        assert "canary" not in str(said.value)
        assert str(said.value).startswith(f"the bucket b at http://127.0.0.1:{where} ")
    silent.close()


def config(where: BucketPlace, **more: object) -> EvidenceSettings:
    """The bucket as collector.yaml would name it, its key in the environment."""
    keys = {"access_key": KeptKey(env="S3_ID"), "secret_key": KeptKey(env="S3_KEY")}
    return EvidenceSettings(bucket=EvidenceBucket.model_validate({"name": where.name, "endpoint": where.endpoint, **keys, **more}))


async def test_the_configuration_names_the_place(bucket: BucketPlace, tmp_path: Path):
    """Without a bucket the folder under the data folder; with one the bucket, which `check` tries by writing, reading and removing."""
    folder = blobs_of(EvidenceSettings(), tmp_path, {})
    assert folder.where == f"the folder {tmp_path}/evidence"
    blobs = blobs_of(config(bucket), tmp_path, {"S3_ID": "id", "S3_KEY": "secret"})
    await try_place(blobs)
    assert await lying(blobs) == set()
    away = blobs_of(config(replace(bucket, name="not-made")), tmp_path, {"S3_ID": "id", "S3_KEY": "secret"})
    with pytest.raises(EvidencePlaceError, match=r"the bucket not-made at .* does not exist; make it"):
        await try_place(away)


def test_a_key_that_is_not_there_is_said(bucket: BucketPlace, tmp_path: Path):
    """By where it was looked for: the environment, a file that is missing, a file that is empty."""
    with pytest.raises(EvidencePlaceError, match=r"^evidence.bucket.secret_key: the environment variable S3_KEY is empty; put the key there$"):
        blobs_of(config(bucket), tmp_path, {"S3_ID": "id"})
    missing = config(bucket, secret_key=KeptKey(file=tmp_path / "s3_key"))
    with pytest.raises(EvidencePlaceError, match=rf"^evidence.bucket.secret_key: {tmp_path}/s3_key cannot be read \(.*\); put the key there$"):
        blobs_of(missing, tmp_path, {"S3_ID": "id"})
    (tmp_path / "s3_key").write_text("\n")
    with pytest.raises(EvidencePlaceError, match=rf"^evidence.bucket.secret_key: {tmp_path}/s3_key is empty; put the key there$"):
        blobs_of(missing, tmp_path, {"S3_ID": "id"})


def test_a_missing_package_is_said(bucket: BucketPlace, tmp_path: Path, monkeypatch):
    """The collector is light without buckets: which extra to install."""
    for name in [name for name in sys.modules if name == "obstore" or name.startswith("obstore.")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "obstore.store", None)
    with pytest.raises(EvidencePlaceError, match=r"^evidence.bucket: the package for buckets is not installed; install it with: pip install 'sojourn\[s3\]'$"):
        blobs_of(config(bucket), tmp_path, {"S3_ID": "id", "S3_KEY": "secret"})
