"""What an answer means, whom a destination trusts, and how long it is left alone."""

from pathlib import Path

import pytest
import trustme

from sojourn_collector.forward.forwarding import ForwardError
from sojourn_collector.forward.outlet import Answer, Verdict, judge
from tests.collector.forward.sink import sinking
from tests.collector.forward.test_forwarding import Bench, destination

URL = "http://far/v1/traces"


@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ("7", 7.0),
        ("Tue, 14 Nov 2023 22:13:30 GMT", 10.0),
        ("Tue, 14 Nov 2023 22:13:10 GMT", 0.0),
        ("soon", None),
        ("-5", None),
        ("9" * 400, 999999999.0),
        (None, None),
    ],
)
def test_retry_after_is_seconds_or_a_date(given: str | None, wait: float | None):
    """Both forms are understood, a date in the past is now, anything else is none."""
    answer = judge(429, {"retry-after": given} if given else {}, b"", "traces", URL, 1700000000.0)
    assert answer == Answer(Verdict.BUSY, f"{URL} answered 429", wait)


def test_hostile_answers_are_one_short_line():
    """Control characters, bytes that are no text and a success that is no OTLP do no harm."""
    said = judge(400, {}, b"a\x1b[31m\r\n\xff" + b"x" * 100_000, "logs", URL, 0.0).text
    assert said.startswith(f"{URL} answered 400: a [31m \ufffdxxx")
    assert len(said) < 260
    assert judge(200, {}, b"<html>", "logs", URL, 0.0) == Answer(Verdict.DELIVERED)


async def test_a_destination_is_left_alone_for_as_long_as_it_asks(tmp_path: Path):
    """After Retry-After: 3600 nothing more is asked of it meanwhile, whatever else comes in; the other goes on."""
    async with sinking() as busy, sinking() as near:
        busy.answer = lambda path, headers, body: (429, {"retry-after": "3600"}, b"")
        async with Bench(tmp_path, destination("busy", busy.url), destination("near", near.url)) as bench:
            await bench.accept("b1")
            await busy.until(lambda: bool(busy.asked))
            await bench.until(lambda: bench.forwarding.report()["busy"]["state"] == "trouble")
            for number in range(5):
                await bench.accept(f"more-{number}")
            await near.until(lambda: len(near.taken) == 6)
            assert bench.forwarding.forwarders["busy"]._wait == 3600.0
            assert len(busy.asked) == 1


async def test_only_a_trusted_certificate_is_sent_to(tmp_path: Path):
    """Without its authority a destination is held and gets nothing, with ca_file it gets everything; a ca_file that is none stops the start."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    async with sinking(certificate=tmp_path / "server.pem") as sink:
        async with Bench(tmp_path, destination("far", sink.url)) as bench:
            await bench.accept("b1")
            await bench.until(lambda: bench.forwarding.report()["far"]["state"] == "held")
            assert "shows a certificate that is not trusted here (" in bench.forwarding.report()["far"]["reason"]
        assert sink.asked == []
        async with Bench(tmp_path, destination("far", sink.url, ca_file=tmp_path / "ca.pem")):
            await sink.until(lambda: bool(sink.taken))
    (tmp_path / "none.pem").write_text("nothing")
    bad = Bench(tmp_path, destination("far", "https://127.0.0.1:1", ca_file=tmp_path / "none.pem"))
    await bad.journal.open()
    with pytest.raises(ForwardError, match=r"^forward: far: .*none\.pem cannot be used \("):
        await bad.forwarding.open()
    await bad.journal.close()
