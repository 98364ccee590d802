"""Forwarding over a real journal to real servers: nothing lost, nobody held up, what is refused said."""

import asyncio
import contextlib
import errno
import itertools
import json
import os
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse

from sojourn_collector.app import serve
from sojourn_collector.config import CollectorConfig, ImpactConfig, Limits, OtlpListener, WebListener
from sojourn_collector.counters import Counters
from sojourn_collector.folder_lock import StartError
from sojourn_collector.forward import forwarding as module
from sojourn_collector.forward.erase import scrub_of
from sojourn_collector.forward.forwarder import Pace
from sojourn_collector.forward.forwarding import ForwardError, Forwarding, is_self
from sojourn_collector.forward_config import Destination
from sojourn_collector.listeners import take
from sojourn_collector.receive.batches import Batches
from sojourn_collector.receive.intake import Intake
from sojourn_collector.store.hops import forwarded, hops
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.record import Record
from tests.collector.forward.sink import Sink, sinking
from tests.collector.receive.conftest import traces

NUMBERS = itertools.count(1)


def record(batch: str = "", spans: int = 2, request: ExportTraceServiceRequest | None = None) -> Record:
    """An accepted request."""
    body = (request or traces(spans, batch=batch)).SerializeToString()
    return Record("default", batch, time.time_ns(), "local", batch.encode().ljust(32, b"-"), spans, body)


def destination(name: str, url: str, **more: Any) -> Destination:
    """One of collector.yaml."""
    return Destination.model_validate({"name": name, "endpoint": url, **more})


class Bench:
    """A journal whose files are let go at once, as by a loader with nothing to do, and forwarding on it."""

    def __init__(self, data: Path, *destinations: Destination, environ: dict[str, str] | None = None) -> None:
        self.data, self.counters = data, Counters()
        self.journal = Journal(data / "journal", linger=0)
        self.forwarding = Forwarding(destinations, data, self.journal, self.counters, environ or {}, pace=Pace(0.01, 0.02))
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> "Bench":
        await self.journal.open()
        await self.forwarding.open()
        self._tasks = [asyncio.create_task(self.forwarding.run()), asyncio.create_task(self._load())]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.forwarding.close()
        await self.journal.close()

    async def _load(self) -> None:
        while True:
            await self.journal.resolve(await self.journal.next_file())

    async def accept(self, *batches: str) -> list[bytes]:
        """Put a request for each into the journal; returns their bodies."""
        found = [record(batch) for batch in batches]
        for one in found:
            await self.journal.append("traces", one)
        return [one.body for one in found]

    def waiting(self, name: str) -> list[str]:
        """Files of a destination."""
        return sorted(path.name for path in (self.data / "forward" / name).glob("*.pb"))

    async def until(self, what: Any) -> None:
        """Wait for what files and states say."""
        async with asyncio.timeout(30):
            while not what():
                await asyncio.sleep(0.01)


@pytest.fixture
async def sink() -> AsyncIterator[Sink]:
    """A backend that takes everything."""
    async with sinking() as one:
        yield one


async def test_a_batch_arrives_as_it_came(tmp_path: Path, sink: Sink):
    """The untouched body goes to /v1/traces with the destination's headers and an id of its own; nothing is left behind in its folder."""
    (tmp_path / "key").write_text("s3cret\n")
    headers = {"authorization": {"file": str(tmp_path / "key"), "prefix": "Bearer "}, "x-tenant": {"env": "TENANT"}}
    async with Bench(tmp_path, destination("far", sink.url + "/otlp/", headers=headers), environ={"TENANT": "acme"}) as bench:
        (body,) = await bench.accept("b1")
        await sink.until(lambda: bool(sink.taken))
        path, given, taken = sink.taken[0]
        assert (path, taken) == ("/otlp/v1/traces", body)
        assert (given["authorization"], given["x-tenant"], given["content-type"]) == ("Bearer s3cret", "acme", "application/x-protobuf")
        assert hops(given["idempotency-key"]) == (bench.journal.id,)
        await bench.until(lambda: not bench.waiting("far"))
        assert bench.counters.value("sojourn_forward_delivered_items", destination="far", signal="traces") == 2


async def test_a_new_destination_starts_now(tmp_path: Path, sink: Sink):
    """What was in the journal before a destination was configured is not sent to it."""
    journal = Journal(tmp_path / "journal", linger=0)
    await journal.open()
    await journal.append("traces", record("before"))
    await journal.close()
    async with Bench(tmp_path, destination("far", sink.url)) as bench:
        (body,) = await bench.accept("after")
        await sink.until(lambda: bool(sink.taken))
    assert [taken for _, _, taken in sink.taken] == [body]


async def test_a_dead_destination_holds_up_nobody_and_misses_nothing(tmp_path: Path, sink: Sink):
    """One of two destinations is away: the other has everything at once, the journal is empty, and after a restart and its return the first has it too."""
    async with sinking() as away:
        gone = away.url
    both = (destination("far", gone), destination("near", sink.url))
    async with Bench(tmp_path, *both) as bench:
        bodies = await bench.accept("b1", "b2", "b3")
        await sink.until(lambda: len(sink.taken) == 3)
        await bench.until(lambda: bench.forwarding.report()["far"]["state"] == "trouble" and bench.journal.waiting_bytes == 0)
        assert "cannot be reached" in bench.forwarding.report()["far"]["reason"]
        await bench.until(lambda: not bench.waiting("near"))
        assert bench.forwarding.report()["near"]["state"] == "ok"
    async with sinking(gone.removeprefix("http://")) as back:
        async with Bench(tmp_path, *both) as bench:
            await back.until(lambda: len(back.taken) == 3)
            await bench.until(lambda: not bench.waiting("far"))
        assert sorted(taken for _, _, taken in back.taken) == sorted(bodies)
    assert len(sink.taken) == 3


async def test_a_busy_destination_is_waited_for(tmp_path: Path, sink: Sink):
    """429 and 503 are tried again, under the same id, until they are taken; Retry-After is kept to."""
    said = iter([429, 503, 200])
    sink.answer = lambda path, headers, body: (next(said), {"retry-after": "0"}, b"")
    async with Bench(tmp_path, destination("far", sink.url)) as bench:
        await bench.accept("b1")
        await sink.until(lambda: bool(sink.taken))
    assert len({given["idempotency-key"] for _, given, _ in sink.asked}) == 1
    assert len(sink.asked) == 3


async def test_poison_is_set_aside(tmp_path: Path, sink: Sink):
    """What is refused with 400 lies in aside/ with the reason, is counted, and what comes after it goes on."""
    sink.answer = lambda path, headers, body: (400, {}, b"no such\nthing") if b"bad" in body else (200, {}, b"")
    async with Bench(tmp_path, destination("far", sink.url)) as bench:
        await bench.accept("bad", "good")
        await sink.until(lambda: bool(sink.taken))
        await bench.until(lambda: not bench.waiting("far"))
        assert bench.counters.value("sojourn_forward_set_aside", destination="far") == 1
    (why,) = (tmp_path / "forward/far/aside").glob("*.json")
    assert json.loads(why.read_text())["why"] == f"{sink.url}/v1/traces answered 400: no such thing"
    assert why.with_suffix(".pb").stat().st_size > 0


@pytest.mark.parametrize(
    ("status", "cure"), [(401, "set headers: of this destination"), (404, "nothing takes OTLP there; see endpoint:"), (302, "see endpoint:")]
)
async def test_what_a_person_must_mend_is_held(tmp_path: Path, sink: Sink, status: int, cure: str):
    """401, 404 and a redirect, which is not followed, hold with an alarm; the key is read anew, and then everything goes on."""
    (tmp_path / "key").write_text("old")
    sink.answer = lambda path, headers, body: (200 if headers["authorization"] == "new" else status, {"location": "/elsewhere"}, b"")
    async with Bench(tmp_path, destination("far", sink.url, headers={"authorization": {"file": str(tmp_path / "key")}})) as bench:
        await bench.accept("b1")
        await bench.until(lambda: bench.forwarding.report()["far"]["state"] == "held")
        assert bench.forwarding.report()["far"]["reason"] == f"{sink.url}/v1/traces answered {status} ({cure})"
        (tmp_path / "key").write_text("new")
        await sink.until(lambda: bool(sink.taken))
        await bench.until(lambda: bench.forwarding.report()["far"]["state"] == "ok")
    assert {path for path, _, _ in sink.asked} == {"/v1/traces"}


async def test_partial_success_is_counted(tmp_path: Path, sink: Sink):
    """Items that the destination refuses of a batch it takes are counted and not sent again."""
    response = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=1, error_message="too old"))
    sink.answer = lambda path, headers, body: (200, {}, response.SerializeToString())
    async with Bench(tmp_path, destination("far", sink.url)) as bench:
        await bench.accept("b1")
        await bench.until(lambda: bench.counters.value("sojourn_forward_delivered_items") == 1)
        assert bench.counters.value("sojourn_forward_refused_items", destination="far") == 1
    assert len(sink.asked) == 1


async def test_only_what_is_wanted_is_sent(tmp_path: Path, sink: Sink):
    """`only:` leaves out single items; a request with none left is not sent; other signals are not kept."""
    async with Bench(tmp_path, destination("far", sink.url, signals=("traces",), only={"attributes": {"batch": "yes"}})) as bench:
        mixed = traces(2, batch="yes")
        mixed.resource_spans[0].scope_spans[0].spans[0].attributes[0].value.string_value = "no"
        await bench.journal.append("logs", record("log"))
        await bench.journal.append("traces", record("m", request=mixed))
        await bench.accept("no", "yes")
        await sink.until(lambda: len(sink.taken) == 2)
        await bench.until(lambda: not bench.waiting("far"))
        assert bench.counters.value("sojourn_forward_filtered_items", destination="far") == 3
        assert bench.counters.value("sojourn_forward_delivered_items", destination="far") == 3
    names = [[span.name for span in ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans] for _, _, body in sink.taken]
    assert sorted(names) == [["GET /0", "GET /1"], ["GET /1"]]


async def test_a_file_sent_before_the_loader_lets_it_go_is_not_sent_twice(tmp_path: Path, sink: Sink):
    """With the engine away a closed file is forwarded at once; neither a restart nor its retirement sends it again."""
    for _ in range(2):
        bench = Bench(tmp_path, destination("far", sink.url))
        bench._load = contextlib.nullcontext  # type: ignore[assignment,method-assign]
        await bench.journal.open()
        await bench.forwarding.open()
        running = asyncio.create_task(bench.forwarding.run())
        if not sink.taken:
            await bench.accept("b1")
            await bench.journal.close_aged(0)
        await sink.until(lambda: bool(sink.taken))
        waiting = bench.waiting
        await bench.until(lambda waiting=waiting: not waiting("far") and list((tmp_path / "forward/far").glob("*.done")))
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await bench.forwarding.close()
        await bench.journal.close()
    async with Bench(tmp_path, destination("far", sink.url)) as bench:
        await bench.accept("b2")
        await sink.until(lambda: len(sink.taken) >= 2)
        await bench.until(lambda: bench.journal.waiting_bytes == 0 and not bench.waiting("far"))
        await asyncio.to_thread(bench.forwarding.bound, bench.forwarding.forwarders["far"])
        assert list((tmp_path / "forward/far").glob("*.done")) == []
    assert len(sink.taken) == 2


async def test_no_loaded_file_goes_before_it_is_kept(tmp_path: Path, sink: Sink, monkeypatch):
    """A file nobody had time to link is linked before the loader lets it go; on a full disk the journal keeps it till there is room."""
    bench, good = Bench(tmp_path, destination("far", sink.url)), os.link

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    await bench.journal.open()
    await bench.forwarding.open()
    (body,) = await bench.accept("b1")
    file = await bench.journal.next_file()
    monkeypatch.setattr(os, "link", full)
    with pytest.raises(OSError, match="No space left on device"):
        await bench.journal.resolve(file)
    assert file.path.exists()
    monkeypatch.setattr(os, "link", good)
    await bench.journal.resolve(file)
    assert not file.path.exists()
    running = asyncio.create_task(bench.forwarding.run())
    await sink.until(lambda: bool(sink.taken))
    assert [taken for _, _, taken in sink.taken] == [body]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await bench.forwarding.close()
    await bench.journal.close()


async def test_a_folder_that_takes_nothing_holds_up_nobody(tmp_path: Path, sink: Sink, monkeypatch):
    """A destination whose folder refuses files loses them, counted; loading and the other destination go on."""
    good = os.link

    def refusing(source: Path, target: Path) -> None:
        if "forward/far" in str(target):
            raise PermissionError(errno.EACCES, "Permission denied")
        good(source, target)

    monkeypatch.setattr(os, "link", refusing)
    async with Bench(tmp_path, destination("far", sink.url), destination("near", sink.url)) as bench:
        await bench.accept("b1")
        await sink.until(lambda: bool(sink.taken))
        await bench.until(lambda: bench.journal.waiting_bytes == 0 and bench.counters.value("sojourn_forward_dropped_items", reason="folder") == 2)
        assert bench.counters.value("sojourn_forward_dropped_items", destination="near") == 0
    assert len(sink.taken) == 1


async def test_what_waits_is_bounded(tmp_path: Path):
    """Beyond max_bytes and max_age the oldest files go, with their items counted; the newest stay."""
    async with sinking() as away:
        gone = away.url
    async with Bench(tmp_path, destination("far", gone, max_bytes=1 << 20, max_age=60.0)) as bench:
        for number in range(4):
            await bench.journal.append("traces", record(f"{number}", 5000))
            await bench.until(lambda number=number: len(bench.waiting("far")) == number + 1)
        newest = bench.waiting("far")[-1]
        old = tmp_path / "forward/far" / bench.waiting("far")[0]
        os.utime(old, (0, 0))
        dropped = await asyncio.to_thread(bench.forwarding.bound, bench.forwarding.forwarders["far"])
        size = (tmp_path / "forward/far" / newest).stat().st_size
        kept = (1 << 20) // size
        assert dropped == {"age": (1, 5000), "bytes": (3 - kept, 5000 * (3 - kept))}
        assert len(bench.waiting("far")) == kept
        assert newest in bench.waiting("far")
        assert bench.forwarding.report()["far"]["waiting_bytes"] == kept * size


async def test_a_nearly_full_disk_takes_from_those_who_have_much(tmp_path: Path, monkeypatch):
    """When the disk runs out, files of a destination with much waiting are dropped, so that what comes in is still taken."""
    async with sinking() as away:
        gone = away.url
    async with Bench(tmp_path, destination("far", gone)) as bench:
        await bench.accept("b1")
        await bench.until(lambda: bench.waiting("far"))
        monkeypatch.setattr(module, "KEEP_FREE", 1 << 62)
        assert await asyncio.to_thread(bench.forwarding.bound, bench.forwarding.forwarders["far"]) == {}
        monkeypatch.setattr(module, "KEEP_WAITING", 0)
        assert await asyncio.to_thread(bench.forwarding.bound, bench.forwarding.forwarders["far"]) == {"disk": (1, 2)}


async def test_an_erased_subject_leaves_with_nobody(tmp_path: Path):
    """After an erasure no waiting or set-aside file holds the subject, orphaned folders included; the others' items arrive."""
    async with sinking() as away:
        gone = away.url
    mixed = traces(2, batch="m")
    mixed.resource_spans[0].scope_spans[0].spans[0].attributes.add(key="user.id").value.string_value = "u12"
    async with Bench(tmp_path, destination("far", gone), destination("old", gone)) as bench:
        await bench.journal.append("traces", record("m", request=mixed))
        await bench.until(lambda: bench.waiting("far") and bench.waiting("old"))
        forwarder = bench.forwarding.forwarders["old"]
        (path,) = [one.path for one in forwarder.queue.waiting()]
        forwarder.queue.set_aside(path, 0, record("m", request=mixed), "no", 1.0)
    async with sinking(gone.removeprefix("http://")) as back:
        back.answer = lambda path, headers, body: (503, {}, b"")
        async with Bench(tmp_path, destination("far", gone)) as bench:
            await back.until(lambda: bool(back.asked))
            assert await bench.forwarding.erase(scrub_of({"user.id": {"u12"}})) == 3
            left = [path for path in (tmp_path / "forward").rglob("*") if path.is_file() and b"u12" in path.read_bytes()]
            assert left == []
            back.answer = lambda path, headers, body: (200, {}, b"")
            await back.until(lambda: bool(back.taken))
            await bench.until(lambda: not bench.waiting("far"))
    (body,) = [body for _, _, body in back.taken]
    assert [span.name for span in ExportTraceServiceRequest.FromString(body).resource_spans[0].scope_spans[0].spans] == ["GET /1"]


async def test_a_missing_header_stops_the_start(tmp_path: Path):
    """A header whose value is nowhere is one sentence at the start."""
    bench = Bench(tmp_path, destination("far", "http://127.0.0.1:1", headers={"authorization": {"env": "NONE"}}))
    await bench.journal.open()
    with pytest.raises(ForwardError, match=r"^forward: far: headers: authorization: the environment variable NONE is empty; put the value there$"):
        await bench.forwarding.open()
    await bench.journal.close()


async def test_what_comes_back_is_not_stored_again(tmp_path: Path):
    """A batch that this collector forwarded is taken as the repeat it is, and its sender told; one that came through others is stored."""

    class Nothing:
        async def find(self, *_: object) -> None:
            return None

        async def verify(self, _: str) -> None:
            return None

    journal, counters = Journal(tmp_path / "journal"), Counters()
    await journal.open()
    intake = Intake(journal, Batches(Nothing()), Nothing(), Limits(), counters, own=journal.id)
    body = traces().SerializeToString()
    taken = await intake.take("traces", body, forwarded(forwarded("b1", journal.id), "ba9876543210"), ("local", "default"))
    assert taken.message == "This batch was forwarded by this collector itself and came back; it is here already. Look at forward: in collector.yaml."
    assert (journal.waiting_bytes, counters.value("sojourn_circles")) == (0, 1)
    await intake.take("traces", body, forwarded("b1", "ba9876543210"), ("local", "default"))
    assert journal.waiting_bytes > 0
    await journal.close()


async def test_a_collector_that_forwards_to_itself_does_not_start(tmp_path: Path):
    """Its own address as a destination is one sentence, and nothing is opened."""
    with take("127.0.0.1:0", "x") as found:
        port = found.getsockname()[1]
    config = CollectorConfig(data=tmp_path, otlp=OtlpListener(listen=f"127.0.0.1:{port}"), web=WebListener(listen="127.0.0.1:0"))
    looping = config.model_copy(update={"forward": (destination("me", f"http://localhost:{port}"),)})
    with pytest.raises(StartError, match=f"^forward: me: http://localhost:{port} is this collector itself; give endpoint the address of another backend$"):
        await serve(looping, ImpactConfig(), {})
    assert list(tmp_path.iterdir()) == []


def test_our_own_address_is_known():
    """A destination that is one of our listeners is recognised by loopback name, by address, and behind a wildcard."""
    assert is_self("http://localhost:4318", [("127.0.0.1", 4318)])
    assert is_self("https://10.0.0.5:4318/x", [("10.0.0.5", 4318)])
    assert is_self("http://[::1]:4318", [("0.0.0.0", 4318)])
    assert not is_self("http://127.0.0.1:4319", [("127.0.0.1", 4318)])
    assert not is_self("http://other.example:4318", [("127.0.0.1", 4318)])
