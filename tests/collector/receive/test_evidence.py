"""`PUT /v1/evidence/{name}`: what is kept, and each refusal by its exact sentence."""

import asyncio
import contextlib
import gzip
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.config import Limits
from sojourn_collector.counters import Counters
from sojourn_collector.listeners import take
from sojourn_collector.receive.answers import RefusalError
from sojourn_collector.receive.evidence import EvidenceApp, piece_of
from sojourn_collector.receive.intake import Intake
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.keys import Scope
from sojourn_collector.store.evidence.evidence import Bounds, Evidence
from sojourn_collector.store.evidence.folder import FolderBlobs
from tests.collector.control_file import open_control
from tests.collector.receive.conftest import PromptQuietServer

WHOSE = {"run": "r1", "journey": "checkout", "step": "pay", "kind": "answer", "attempt": "1"}
LARGEST = 2000


@dataclass
class Listener:
    """A running listener that takes evidence and nothing else."""

    url: str
    http: httpx2.AsyncClient
    control: Control
    evidence: Evidence
    counters: Counters
    folder: Path

    async def put(self, name: str, content: Any, query: dict[str, str] | None = None, **headers: str) -> httpx2.Response:
        """Send a file; header names with _ for -."""
        given = {key.replace("_", "-"): value for key, value in headers.items()}
        return await self.http.put(f"{self.url}/v1/evidence/{name}", content=content, params=WHOSE if query is None else query, headers=given)

    def files(self) -> list[bytes]:
        """Everything that lies in the folder."""
        return [path.read_bytes() for path in self.folder.rglob("*") if path.is_file()]


@contextlib.asynccontextmanager
async def listening(folder: Path, *, needs_key: bool = False) -> AsyncIterator[Listener]:
    """Serve it."""
    control, counters = open_control(folder / "control.sqlite"), Counters()
    evidence = Evidence(FolderBlobs(folder / "evidence"), control.evidence, Bounds(timedelta(days=1), 1 << 20), counters, lambda: datetime.now(UTC))
    intake = Intake(cast("Any", None), cast("Any", None), control.keys, Limits(body_deadline=0.5), counters)

    async def other(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 299, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    taken = take("127.0.0.1:0", "otlp.listen")
    server = PromptQuietServer(EvidenceApp(other, intake, evidence, LARGEST, needs_key=needs_key))
    serving = asyncio.create_task(server.serve(sockets=[taken]))
    async with httpx2.AsyncClient(trust_env=False, verify=False, timeout=30) as http:
        try:
            yield Listener(f"http://127.0.0.1:{taken.getsockname()[1]}", http, control, evidence, counters, folder / "evidence")
        finally:
            server.should_exit = True
            await serving
            taken.close()
            control.close()


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[Listener]:
    """On loopback, where no key is needed."""
    async with listening(tmp_path) as one:
        yield one


async def test_a_file_is_kept_under_whose_it_is(listener: Listener):
    """200 with its id; content on disk, the row says run, journey, step, kind, attempt; the same again is 200 and one."""
    for _ in range(2):
        answer = await listener.put("r1-1-pay-answer.txt", b"HTTP/1.1 502\n", content_type="text/html")
        assert answer.status_code == 200
    assert {**answer.json(), "id": ""} == {"id": "", "kept": True, "bytes": 13, "media_type": "text/plain"}
    row = await listener.evidence.rows.get(answer.json()["id"])
    assert row is not None
    assert (row.tenant, row.name, row.run_id, row.journey, row.step, row.kind, row.attempt, row.media_type) == (
        "default", "r1-1-pay-answer.txt", "r1", "checkout", "pay", "answer", 1, "text/plain",
    )  # fmt: skip
    assert listener.files() == [b"HTTP/1.1 502\n"]
    assert [listener.counters.value("sojourn_evidence", became=word) for word in ("new", "known")] == [1, 1]


async def test_another_content_under_a_name_is_409(listener: Listener):
    """The first stays."""
    await listener.put("a.txt", b"one")
    answer = await listener.put("a.txt", b"two")
    assert (answer.status_code, answer.json()["message"]) == (409, "This name was used before with another content.")
    assert listener.files() == [b"one"]


async def test_of_an_erased_run_nothing_is_kept(listener: Listener):
    """200, so that the agent sends it no more; `kept` is false and nothing is on disk."""
    await listener.evidence.erase("default", ["r1"])
    answer = await listener.put("a.txt", b"one")
    assert (answer.status_code, answer.json()["kept"], listener.files()) == (200, False, [])


async def test_packed_bodies_are_unpacked_within_the_bound(listener: Listener):
    """gzip is kept as what it unpacks to; a small body that unpacks to more than is taken is refused."""
    assert (await listener.put("a.txt", gzip.compress(b"words " * 100), content_encoding="gzip")).status_code == 200
    assert listener.files() == [b"words " * 100]
    answer = await listener.put("b.txt", gzip.compress(b"x" * (LARGEST + 1)), content_encoding="gzip")
    assert (answer.status_code, answer.json()["message"]) == (413, f"The body is larger than the {LARGEST} bytes taken here once decompressed.")


PNG = b"\x89PNG\r\n\x1a\n"
GOOD = {
    "a.png": PNG, "a.jpg": b"\xff\xd8\xff\xe0", "a.webp": b"RIFF\0\0\0\0WEBPVP8 ", "a.har": b'{"log": {}}', "a.json": b"[1]",
    "a.html": b"<!doctype html><p>x", "a.zip": b"PK\x03\x04", "a.txt": "Übergröße\0".encode(),
}  # fmt: skip


async def test_every_medium_is_taken_by_its_content(listener: Listener):
    """One of each ending is kept; with the content of a program it is 415 and leaves nothing."""
    for name, content in GOOD.items():
        kept = await listener.put(name, content)
        assert (kept.status_code, kept.json()["kept"]) == (200, True)
        answer = await listener.put(f"b{name}", b"\x7fELF\xff\xfe")
        said = f"The content is no {kept.json()['media_type']}, as the name's ending says."
        assert (answer.status_code, answer.json()["message"]) == (415, said)
    assert sorted(listener.files()) == sorted(GOOD.values())


NO_NAME = "A name of evidence has at most 200 letters, digits, dots, hyphens and underscores, and does not begin with a dot."
NO_ENDING = "Evidence ends in .png, .jpg, .jpeg, .webp, .txt, .har, .json, .html, .zip; this name does not."
SENSELESS = [
    ("a.svg", {}, 415, NO_ENDING),
    ("a", {}, 415, NO_ENDING),
    (".txt", {}, 400, NO_NAME),
    ("%2e%2e%2fcontrol.txt", {}, 400, NO_NAME),
    ("a%00.txt", {}, 400, NO_NAME),
    ("a" * 201 + ".txt", {}, 400, NO_NAME),
    ("a.txt", {"run": "../r1"}, 400, "?run= is needed once: the run's id."),
    ("a.txt", {"attempt": "0"}, 400, "?attempt= is needed once: the number of the attempt."),
    ("a.txt", {"kind": "<svg>"}, 400, "?kind= is needed once: what it is, such as screenshot."),
    ("a.txt", {"step": "a" * 129}, 400, "?step= is needed once: the step's id."),
    ("a.txt", {"journey": "j" * 3000}, 400, "What stands behind the ? is longer than 2000 characters."),
    ("a.txt", {"tenant": "x"}, 400, "?'tenant' is not known here; known are run, journey, step, kind, attempt."),
]


async def test_what_makes_no_sense_is_refused(listener: Listener):
    """Names, endings and what the address says, each with its sentence; nothing is written."""
    for name, query, status, sentence in SENSELESS:
        answer = await listener.put(name, b"x", WHOSE | query)
        assert (answer.status_code, answer.json()["message"]) == (status, sentence), (name, query)
    assert listener.files() == []


async def test_an_empty_body_and_other_methods_are_refused(listener: Listener):
    """400 and 405, each with its sentence; other paths are the other application's."""
    empty = await listener.put("a.txt", b"")
    assert (empty.status_code, empty.json()["message"]) == (400, "The body is empty.")
    posted = await listener.http.post(f"{listener.url}/v1/evidence/a.txt", content=b"x")
    assert (posted.status_code, posted.headers["allow"], posted.json()["message"]) == (405, "PUT", "/v1/evidence/… takes PUT only.")
    assert (await listener.http.post(f"{listener.url}/v1/evidences", content=b"x")).status_code == 299


async def test_a_sender_can_ask_what_is_taken(listener: Listener):
    """`GET /v1/evidence` says the largest size, the endings and how long things are kept."""
    answer = (await listener.http.get(f"{listener.url}/v1/evidence")).json()
    assert (answer["largest"], answer["keep_seconds"], answer["endings"][:2]) == (LARGEST, 86_400, ["har", "html"])


async def test_too_large_is_known_before_it_is_read(listener: Listener):
    """By its Content-Length at once; without one as soon as more came than is taken."""
    said = f"The body is larger than the {LARGEST} bytes taken here; send smaller batches."
    told = await listener.put("a.txt", b"x" * (LARGEST + 1))
    assert (told.status_code, told.json()["message"]) == (413, said)

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 1000

    with contextlib.suppress(httpx2.TransportError):
        streamed = await listener.put("a.txt", endless())
        assert streamed.status_code == 413
    assert listener.counters.value("sojourn_rejected", signal="evidence", reason="size") == 2
    assert listener.files() == []


async def test_the_key_is_checked_before_the_body(tmp_path: Path):
    """Without, with a wrong one and with one of another scope: refused while the body has not come; with the right one it is kept for its tenant."""
    async with listening(tmp_path, needs_key=True) as listener:
        reader_key = await listener.control.keys.create("reader", [Scope.READ])
        agent_key = await listener.control.keys.create("agent", [Scope.OTLP], tenant="shop")
        port = int(listener.url.rpartition(":")[2])
        for line, status in (("", b"401"), ("authorization: Bearer sj_x_y\r\n", b"401"), (f"authorization: Bearer {reader_key.text}\r\n", b"403")):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(f"PUT /v1/evidence/a.txt?run=r HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n{line}\r\n".encode())
            async with asyncio.timeout(10):
                assert (await reader.readline()).split()[1] == status
            writer.close()
            await writer.wait_closed()
        answer = await listener.put("a.txt", b"one", authorization=f"Bearer {agent_key.text}")
        assert answer.status_code == 200
        assert [row.name for row in await listener.evidence.rows.of_runs("shop", ["r1"])] == ["a.txt"]


async def test_a_place_that_cannot_be_written_is_503(listener: Listener):
    """With Retry-After; no path of this machine is told to the sender; once the place is there again the same request is kept."""
    listener.folder.write_text("no folder")
    answer = await listener.put("a.txt", b"one")
    assert (answer.status_code, answer.headers["retry-after"], answer.json()["message"]) == (503, "5", "Evidence cannot be kept just now; come back later.")
    listener.folder.unlink()
    assert (await listener.put("a.txt", b"one")).status_code == 200


@given(st.text(max_size=60), st.binary(max_size=200))
def test_no_address_is_anything_but_taken_or_refused(name, query):
    """Any name and any bytes behind the ? end in a piece or in a 400, never in an error of ours."""
    refused: list[int] = []
    try:
        names = [piece_of("default", name, query).name]
    except RefusalError as error:
        refused, names = [error.status], []
    assert refused in ([], [400])
    assert not [name for name in names if "/" in name or name.startswith(".")]
