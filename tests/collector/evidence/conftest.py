"""Places for contents: a folder, and a bucket of a real S3 server on loopback."""

import logging
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from sojourn_collector.counters import Counters
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.evidence import Piece
from sojourn_collector.store.evidence.blobs import Blobs
from sojourn_collector.store.evidence.bucket import BucketBlobs, BucketPlace
from sojourn_collector.store.evidence.evidence import Bounds, Evidence
from sojourn_collector.store.evidence.folder import FolderBlobs
from tests.collector.control_file import open_control

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """Where a real server speaks S3."""
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str) -> BucketPlace:
    """An empty bucket."""
    name = f"b-{uuid.uuid4().hex[:12]}"
    urllib.request.urlopen(urllib.request.Request(f"{s3}/{name}", method="PUT")).close()
    return BucketPlace(name, s3, "us-east-1", "sojourn/evidence", "an-id", "a-secret")


@pytest.fixture(params=["folder", "bucket"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    """Each place in turn."""
    return FolderBlobs(tmp_path / "evidence") if request.param == "folder" else BucketBlobs(request.getfixturevalue("bucket"))


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = datetime.now(UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **span: float) -> None:
        """Let time go by."""
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    """Now."""
    return Clock()


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    """A control database of its own."""
    one = open_control(tmp_path / "control.sqlite")
    yield one
    one.close()


@pytest.fixture
def evidence(blobs: Blobs, control: Control, clock: Clock) -> Evidence:
    """30 days, 1000 bytes."""
    return Evidence(blobs, control.evidence, Bounds(timedelta(days=30), 1000), Counters(), clock)


def piece(name: str = "r1-1-pay-answer.txt", *, run: str = "r1", tenant: str = "default") -> Piece:
    """A piece of the step `pay`."""
    return Piece(tenant, name, run, "checkout", "pay", "answer", 1)


async def lying(blobs: Blobs) -> set[str]:
    """The digests of what lies in the place."""
    return {blob.sha256 async for blob in blobs.all()}
