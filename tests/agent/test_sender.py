"""The sender against a real server: what each answer does to a batch."""

import asyncio
import contextlib
import gzip
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTracePartialSuccess, ExportTraceServiceResponse

from sojourn_agent.dead_letters import DeadLetters
from sojourn_agent.partial_success import refused_in
from sojourn_agent.sender import Pace, Sender, _one_line, _retry_after
from sojourn_agent.spool import Spool
from tests.agent.receiver import Answer, Asked, Receiver, listening

QUICK = Pace(first=0.005, most=0.02, patience=5.0)


@asynccontextmanager
async def sending(folder: Path, url: str, key: Callable[[], str | None] = lambda: None, pace: Pace = QUICK) -> AsyncIterator[tuple[Spool, Sender]]:
    """A spool with one destination and its running sender."""
    letters = DeadLetters(folder / "dead-letters")
    async with Spool(folder / "spool", ["a"]) as spool, httpx2.AsyncClient(trust_env=False, timeout=None) as client:
        sender = Sender("a", url, spool.reader("a"), letters, client, key=key, pace=pace)
        task = asyncio.create_task(sender.run())
        try:
            yield spool, sender
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


async def seen(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` is true."""
    async with asyncio.timeout(15):
        while not condition():
            await asyncio.sleep(0.005)
    assert condition(), what


async def test_a_batch_goes_out_as_it_lies_in_the_spool(tmp_path):
    """Path by signal, protobuf, gzip, its id as Idempotency-Key, the key as bearer; then nothing waits."""
    with listening(Receiver()) as receiver:
        async with sending(tmp_path, receiver.url, key=lambda: "sj_key") as (spool, _):
            batches = [await spool.append("traces", b""), await spool.append("logs", b""), await spool.append("metrics", b"")]
            await seen(lambda: spool.waiting("a") == 0, "all delivered")
    assert {asked.path: asked.batch for asked in receiver.asked} == dict(zip(("/v1/traces", "/v1/logs", "/v1/metrics"), batches, strict=True))
    headers = receiver.asked[0].headers
    assert (headers["content-type"], headers["content-encoding"], headers["authorization"]) == ("application/x-protobuf", "gzip", "Bearer sj_key")
    assert gzip.decompress(receiver.asked[0].wire) == b""


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504, 0])
async def test_a_busy_server_gets_the_same_batch_again(tmp_path, status, caplog):
    """408, 425, 429, 5xx and a dropped connection: the same id and the same bytes again, until it is taken; no dead letter."""
    with listening(Receiver(lambda n, _: Answer(status or 200, drop=status == 0) if n < 3 else Answer())) as receiver:
        async with sending(tmp_path, receiver.url) as (spool, sender):
            batch = await spool.append("traces", b"")
            await seen(lambda: sender.state.delivered == 1, "delivered")
    assert [asked.batch for asked in receiver.asked] == [batch] * 4
    assert len({asked.wire for asked in receiver.asked}) == 1
    assert (sender.state.dead, sender.state.trouble, sender.state.alarm) == (0, "", "")
    assert [record.levelname for record in caplog.records] == ["WARNING"], "trouble, said once, and no alarm: nobody has to do anything"


@pytest.mark.parametrize("status", [400, 409, 413, 415, 422])
async def test_a_batch_refused_for_good_is_a_dead_letter_and_holds_nothing_up(tmp_path, status):
    """The refused batch is kept with its reason, the next one is delivered."""
    with listening(Receiver(lambda n, _: Answer(status, body=b'{"error": "bad\x1b span"}') if n == 0 else Answer())) as receiver:
        async with sending(tmp_path, receiver.url, pace=Pace(0.005, 0.02, 5.0, in_flight=1)) as (spool, sender):
            batch, following = await spool.append("traces", b""), await spool.append("logs", b"")
            await seen(lambda: spool.waiting("a") == 0, "both done")
    [letter] = DeadLetters(tmp_path / "dead-letters").all()
    assert (letter.batch, letter.signal, letter.destination, letter.status, letter.reason) == (batch, "traces", "a", status, '{"error": "bad span"}')
    assert [asked.batch for asked in receiver.accepted] == [following]
    assert sender.state.dead == 1


@pytest.mark.parametrize(
    ("status", "cure"),
    [
        (401, "the key is missing or wrong; set key: under send:"),
        (403, "the key may not write there"),
        (404, "nothing takes OTLP there; see url: under send:"),
        (302, "see url: under send:"),
    ],
)
async def test_a_wrong_configuration_holds_with_an_alarm_and_recovers(tmp_path, status, cure, caplog):
    """401, 403, 404 and redirects: everything is held, the alarm says what to do, and once it is mended the same batch arrives."""
    mended = False
    with listening(Receiver(lambda n, _: Answer() if mended else Answer(status, body=b"no"))) as receiver, caplog.at_level(logging.ERROR):
        async with sending(tmp_path, receiver.url) as (spool, sender):
            batch = await spool.append("traces", b"")
            await seen(lambda: len(receiver.asked) >= 3, "tried again")
            assert sender.state.alarm == f"{receiver.url}/v1/traces answered {status}: no ({cure})"
            assert (sender.state.dead, spool.waiting("a")) == (0, 1)
            mended = True
            await seen(lambda: sender.state.delivered == 1, "delivered")
            assert sender.state.alarm == ""
    assert {asked.batch for asked in receiver.asked} == {batch}
    assert len([record for record in caplog.records if record.levelno == logging.ERROR]) == 1, "said once"


async def test_a_new_key_is_taken_without_a_restart(tmp_path):
    """After a 401 the key is read again."""
    keys = ["old"]
    with listening(Receiver(lambda n, asked: Answer() if asked.headers["authorization"] == "Bearer new" else Answer(401))) as receiver:
        async with sending(tmp_path, receiver.url, key=lambda: keys[-1]) as (spool, sender):
            await spool.append("traces", b"")
            await seen(lambda: sender.state.alarm, "held")
            keys.append("new")
            await seen(lambda: sender.state.delivered == 1, "delivered")


async def test_a_server_that_is_not_there_is_waited_for(tmp_path):
    """Nothing listens, then something does: everything arrives once."""
    with listening(Receiver()) as away:
        port = away.port
    async with sending(tmp_path, f"http://127.0.0.1:{port}") as (spool, sender):
        batches = [await spool.append("traces", b"") for _ in range(10)]
        await seen(lambda: sender.state.trouble, "in trouble")
        assert sender.state.trouble.startswith(f"http://127.0.0.1:{port}/v1/traces cannot be reached: ")
        with listening(Receiver(), port) as receiver:
            await seen(lambda: spool.waiting("a") == 0, "all delivered")
    assert sorted(asked.batch for asked in receiver.asked) == sorted(batches)


async def test_in_trouble_one_batch_tries_for_all(tmp_path):
    """While a destination fails there is one try at a time, however many batches wait."""
    together: list[int] = []

    def say(number: int, asked: Asked) -> Answer:
        together.append(receiver.open_now)
        return Answer(503) if number < 12 else Answer()

    with listening(Receiver(say)) as receiver:
        async with sending(tmp_path, receiver.url) as (spool, _):
            await asyncio.gather(*(spool.append("traces", b"") for _ in range(8)))
            await seen(lambda: spool.waiting("a") == 0, "all delivered")
    assert len(receiver.asked) == 12 + 8
    assert max(together[4:12]) == 1, "the first four were out before the first answer"


async def test_retry_after_is_honoured(tmp_path):
    """A 429 with Retry-After: 1 is not tried again before."""
    times: list[float] = []

    def say(number: int, _: Asked) -> Answer:
        times.append(asyncio.run_coroutine_threadsafe(now(), loop).result())
        return Answer(429, {"retry-after": "1"}) if number == 0 else Answer()

    async def now() -> float:
        return loop.time()

    loop = asyncio.get_running_loop()
    with listening(Receiver(say)) as receiver:
        async with sending(tmp_path, receiver.url) as (spool, sender):
            await spool.append("traces", b"")
            await seen(lambda: sender.state.delivered == 1, "delivered")
    assert times[1] - times[0] >= 1


async def test_partial_success_is_counted_and_not_sent_again(tmp_path):
    """A 200 that refuses some spans is delivered; what was refused is counted."""
    partly = ExportTraceServiceResponse(partial_success=ExportTracePartialSuccess(rejected_spans=3, error_message="span id of 20 bytes"))
    with listening(Receiver(lambda n, _: Answer(body=partly.SerializeToString()))) as receiver:
        async with sending(tmp_path, receiver.url) as (spool, sender):
            await spool.append("traces", b"")
            await seen(lambda: sender.state.delivered == 1, "delivered")
    assert (len(receiver.asked), sender.state.refused_items) == (1, 3)


async def test_a_cancelled_sender_sends_again_under_the_same_id(tmp_path):
    """Stopped between request and answer, the batch goes out again after the restart with id and bytes unchanged."""
    with listening(Receiver(lambda n, _: Answer(drop=n == 0))) as receiver:
        async with sending(tmp_path, receiver.url, pace=Pace(60, 60, 60)) as (spool, _):
            batch = await spool.append("traces", b"")
            await seen(lambda: receiver.asked, "asked")
        async with sending(tmp_path, receiver.url) as (spool, _):
            await seen(lambda: spool.waiting("a") == 0, "delivered")
    assert [asked.batch for asked in receiver.asked] == [batch, batch]
    assert receiver.asked[0].wire == receiver.asked[1].wire


def test_retry_after_may_be_seconds_or_a_date():
    """Both forms of RFC 9110; anything else is ignored."""
    then = datetime(2026, 1, 1, tzinfo=UTC)
    assert _retry_after("7", 0) == 7
    assert _retry_after(format_datetime(then, usegmt=True), then.timestamp() - 5) == 5
    assert _retry_after(format_datetime(then, usegmt=True), then.timestamp() + 5) == 0
    assert [_retry_after(text, 0) for text in ("", "soon", "-1", None)] == [None, None, None, None]


@given(st.binary(max_size=600))
def test_what_a_server_says_is_one_printable_line(body):
    """No control character, no line break, at most 200 characters, whatever comes."""
    line = _one_line(body)
    assert len(line) <= 200
    assert line.isprintable()


@given(st.binary(max_size=100), st.sampled_from(["traces", "logs", "metrics"]))
def test_an_answer_that_is_no_protobuf_refuses_nothing(body, signal):
    """Any body is read without an error."""
    assert refused_in(signal, body)[0] is not None
