"""Evidence on its way to a collector: what waits survives, what each answer does to it, and what is said about it."""

import asyncio
import contextlib
import gzip
import json
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from sojourn_agent.check import check
from sojourn_agent.config import load_agent_config
from sojourn_agent.drain import drain
from sojourn_agent.evidence_outbox import EvidenceOutbox, Piece, on_disk
from sojourn_agent.evidence_sender import EvidenceSender, packed
from sojourn_agent.outlets import evidence_outbox
from sojourn_agent.sender import Pace
from sojourn_agent.spool_memory import MemorySpool
from tests.agent.receiver import Answer, Receiver, listening
from tests.agent.test_walker import journey, walker

QUICK = Pace(first=0.005, most=0.02, patience=5.0)


def left(folder: Path, name: str, content: bytes = b"the answer") -> Piece:
    """A piece of evidence on this host."""
    (folder / "evidence").mkdir(exist_ok=True)
    (folder / "evidence" / name).write_bytes(content)
    return Piece(name, "r1", "checkout", "pay", "answer", 1)


def box(folder: Path, *destinations: str) -> EvidenceOutbox:
    """The outbox on `folder`."""
    return EvidenceOutbox(folder / "waiting", folder / "evidence", destinations or ("a",))


@asynccontextmanager
async def sending(outbox: EvidenceOutbox, url: str, key: Callable[[], str | None] = lambda: None) -> AsyncIterator[EvidenceSender]:
    """A running sender to `a`."""
    async with httpx2.AsyncClient(trust_env=False, timeout=None) as client:
        sender = EvidenceSender("a", url, outbox, client, key=key, pace=QUICK)
        task = asyncio.create_task(sender.run())
        try:
            yield sender
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def seen(condition: Callable[[], object]) -> None:
    """Wait until `condition` is true."""
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.005)


async def test_a_piece_goes_out_with_whose_it_is(tmp_path):
    """PUT under its name, run, journey, step, kind and attempt behind the ?, the key as bearer; then nothing waits, and the file stays here."""
    outbox = box(tmp_path)
    with listening(Receiver()) as receiver:
        async with sending(outbox, receiver.url, key=lambda: "sj_key") as sender:
            await outbox.put([left(tmp_path, "r1-1-pay-answer.txt")])
            await seen(lambda: sender.state.delivered)
    [asked] = receiver.asked
    assert urlsplit(asked.path).path == "/v1/evidence/r1-1-pay-answer.txt"
    assert parse_qs(urlsplit(asked.path).query) == {"run": ["r1"], "journey": ["checkout"], "step": ["pay"], "kind": ["answer"], "attempt": ["1"]}
    assert (asked.wire, asked.headers["authorization"]) == (b"the answer", "Bearer sj_key")
    assert (outbox.waiting("a"), on_disk(tmp_path / "waiting", "a")) == (0, (0, 0))
    assert (tmp_path / "evidence/r1-1-pay-answer.txt").exists()


async def test_what_waits_survives_a_restart(tmp_path):
    """Another outbox on the same folder has it, the oldest run first; each destination by itself."""
    await box(tmp_path, "a", "b").put([left(tmp_path, "r2.txt"), left(tmp_path, "r1.txt")])
    again = box(tmp_path, "a", "b")
    assert (again.waiting("a"), again.waiting("b"), again.first("a")) == (2, 2, "r1.txt")
    await again.finish("a", "r1.txt")
    assert [box(tmp_path, "a", "b").waiting(name) for name in ("a", "b")] == [1, 2]


@pytest.mark.parametrize("status", [408, 429, 500, 503, 0])
async def test_a_busy_collector_gets_it_again(tmp_path, status, caplog):
    """The same bytes again until they are taken; said once."""
    outbox = box(tmp_path)
    await outbox.put([left(tmp_path, "r1.txt")])
    with listening(Receiver(lambda n, _: Answer(status or 200, drop=status == 0) if n < 3 else Answer())) as receiver:
        async with sending(outbox, receiver.url) as sender:
            await seen(lambda: sender.state.delivered)
    assert [asked.wire for asked in receiver.asked] == [b"the answer"] * 4
    assert (sender.state.dead, sender.state.trouble, sender.state.alarm) == (0, "", "")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


@pytest.mark.parametrize("status", [400, 409, 413, 415])
async def test_what_is_refused_for_good_stays_here_and_holds_nothing_up(tmp_path, status):
    """The next piece goes; why the first did not is written down until the piece itself goes from this host."""
    outbox = box(tmp_path)
    await outbox.put([left(tmp_path, "r1.txt"), left(tmp_path, "r2.txt")])
    with listening(Receiver(lambda n, _: Answer(status, body=b"no\x1b such thing") if n == 0 else Answer())) as receiver:
        async with sending(outbox, receiver.url) as sender:
            await seen(lambda: sender.state.delivered)
    assert (sender.state.dead, outbox.waiting("a"), outbox.dead("a")) == (1, 0, 1)
    written = json.loads((tmp_path / "waiting/a/r1.txt.dead").read_text())
    assert (written["status"], written["reason"]) == (status, "no such thing")
    (tmp_path / "evidence/r1.txt").unlink()
    await outbox.tidy()
    assert outbox.dead("a") == 0


@pytest.mark.parametrize(
    ("status", "cure"),
    [
        (401, "the key is missing or wrong; set key: under send:"),
        (403, "the key may not write there"),
        (404, "it takes no evidence; drop evidence: true under send:"),
    ],
)
async def test_a_wrong_configuration_is_an_alarm_and_loses_nothing(tmp_path, status, cure):
    """Held and tried again, with what a person can do; a new key is read without a restart."""
    outbox, keys = box(tmp_path), ["old"]
    await outbox.put([left(tmp_path, "r1.txt")])
    with listening(Receiver(lambda n, asked: Answer() if asked.headers["authorization"] == "Bearer new" else Answer(status))) as receiver:
        async with sending(outbox, receiver.url, key=lambda: keys[-1]) as sender:
            await seen(lambda: sender.state.alarm)
            assert sender.state.alarm == f"{receiver.url}/v1/evidence/r1.txt answered {status} ({cure})"
            keys.append("new")
            await seen(lambda: sender.state.delivered)
    assert sender.state.alarm == ""


async def test_one_piece_that_a_collector_chokes_on_does_not_hold_the_others_up(tmp_path):
    """503 to one piece for ever: the others are delivered, that one waits."""
    outbox = box(tmp_path)
    await outbox.put([left(tmp_path, name) for name in ("r1.txt", "r2.txt", "r3.txt")])
    with listening(Receiver(lambda n, asked: Answer(503 if "r1.txt" in asked.path else 200))) as receiver:
        async with sending(outbox, receiver.url) as sender:
            await seen(lambda: sender.state.delivered == 2)
    assert (outbox.waiting("a"), outbox.first("a")) == (1, "r1.txt")


async def test_what_was_removed_before_it_went_is_counted(tmp_path, caplog):
    """The bounds of evidence: on this host win; the agent says so, at the next tidying and when the piece has its turn."""
    outbox = box(tmp_path)
    await outbox.put([left(tmp_path, name) for name in ("r1.txt", "r2.txt")])
    (tmp_path / "evidence/r1.txt").unlink()
    await outbox.tidy()
    assert (outbox.dropped, outbox.waiting("a")) == ({"a": 1}, 1)
    (tmp_path / "evidence/r2.txt").unlink()
    with listening(Receiver()) as receiver:
        async with sending(outbox, receiver.url):
            await seen(lambda: outbox.dropped == {"a": 2})
    assert receiver.asked == []
    assert "the evidence r2.txt was removed from this host before a had it" in caplog.text


async def test_a_disk_that_takes_nothing_holds_nobody_up(tmp_path, caplog):
    """The run's telemetry leaves all the same; that its evidence stays here is said."""
    (tmp_path / "waiting").write_text("no folder")
    spool = MemorySpool()
    made = walker(spool, tmp_path / "evidence")
    made.outbox = box(tmp_path)
    await made.walk(journey(), 0)
    await made.outbox.put([left(tmp_path, "r1.txt")])
    assert len(spool.of("traces")) == 1
    assert "1 pieces of evidence stay on this host" in caplog.text


async def test_destinations_that_take_none_any_more_are_forgotten(tmp_path):
    """Their folder goes, with a word in the log; what waits for others stays."""
    await box(tmp_path, "a", "b").put([left(tmp_path, "r1.txt")])
    box(tmp_path, "b").forget_others()
    assert [on_disk(tmp_path / "waiting", name) for name in ("a", "b")] == [(0, 0), (1, 0)]


def test_texts_are_packed_pictures_are_not():
    """gzip where it helps; what would look like a bomb to the receiver goes as it is."""
    text = "".join(f"line {number} of a page\n" for number in range(500)).encode()
    assert gzip.decompress(packed("a.html", text)) == text
    assert len(packed("a.html", text)) < len(text) / 2
    assert [packed(name, content) for name, content in (("a.png", text), ("a.txt", b"x" * 100_000), ("a.txt", b"short"))] == [text, b"x" * 100_000, b"short"]
    noise = os.urandom(4000)
    assert packed("a.har", noise) is noise


def config(folder: Path, url: str, evidence: str = "true") -> Path:
    """agent.yaml with one destination that takes evidence."""
    (folder / "journeys").mkdir(exist_ok=True)
    path = folder / "agent.yaml"
    path.write_text(f'journeys: journeys\ndata: data\nsend: [{{name: a, url: "{url}", evidence: {evidence}}}]\n')
    return path


async def waiting(path: Path) -> None:
    """One piece waits under the data folder of `path`."""
    loaded = load_agent_config(path)
    loaded.data.mkdir(exist_ok=True)
    await evidence_outbox(loaded).put([left(loaded.data, "r1.txt")])


async def test_drain_sends_it_too(tmp_path):
    """Everything goes; what cannot go is counted, with the reason."""
    with listening(Receiver()) as receiver:
        path = config(tmp_path, receiver.url)
        await waiting(path)
        [done] = await drain(load_agent_config(path), {}, 10)
    assert (done.evidence, done.evidence_waiting) == (1, 0)
    await waiting(path)
    [done] = await drain(load_agent_config(path), {}, 0.3)
    assert (done.evidence, done.evidence_waiting) == (0, 1)
    assert "cannot be reached" in done.why


async def test_check_says_what_waits_and_whether_it_is_taken(tmp_path):
    """A line more when a destination is told to take evidence: taken, or not and the cure; none without."""
    with listening(Receiver()) as receiver:
        path = config(tmp_path, receiver.url)
        await waiting(path)
        # The receiver knows no GET: as any OTLP backend that takes no evidence.
        line = (await asyncio.to_thread(lambda: list(check(path, {}))))[-1]
        assert (line.what, line.fine) == ("evidence", False)
        assert line.text == f"{receiver.url}/v1/evidence answered 501; correct url: or key: under send:; 1 wait, 0 were refused for good"
        lines = await asyncio.to_thread(lambda: list(check(config(tmp_path, receiver.url, "false"), {})))
        assert "evidence" not in [line.what for line in lines]
