"""Evidence as it is read: links that are good for a while, and contents that do no harm whatever is in them."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.config import CollectorConfig, EvidenceSettings
from sojourn_collector.context import Context
from sojourn_collector.counters import Counters
from sojourn_collector.store.control.evidence import Piece
from sojourn_collector.store.evidence.blobs import BlobsUnavailableError
from sojourn_collector.store.evidence.evidence import Bounds, Evidence
from sojourn_collector.store.evidence.folder import FolderBlobs
from sojourn_collector.store.evidence.links import EvidenceLinks
from sojourn_collector.store.evidence.media import MEDIA
from sojourn_collector.web.answers.run import run
from sojourn_collector.web.evidence import build_evidence
from sojourn_collector.web.guard import Guard
from tests.collector.control_file import open_control
from tests.collector.web.stage import NOW, Rows

HOSTILE = b"<!doctype html><svg onload=alert(1)><script>parent.stolen = document.cookie</script>"


@dataclass
class Desk:
    """The route behind the guard of a listener that needs a key, and what is behind it. `now` is its clock."""

    http: httpx2.AsyncClient
    evidence: Evidence
    links: EvidenceLinks
    folder: Path
    now: datetime

    async def kept(self, name: str, content: bytes) -> str:
        """Keep a piece; a link to it."""
        piece = Piece("default", name, "r1", "checkout", "pay", "answer", 1)
        await self.evidence.keep(piece, content, MEDIA[name.rpartition(".")[2]].media_type)
        return self.links.link(piece.id)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    control = open_control(tmp_path / "control.sqlite")
    now = datetime.now(UTC)

    def clock() -> datetime:
        return one.now

    evidence = Evidence(FolderBlobs(tmp_path / "evidence"), control.evidence, Bounds(timedelta(days=30), 1 << 20), Counters(), clock)
    links = EvidenceLinks(await control.signing_keys.get("evidence links", now), 3600, clock)
    app = FastAPI()
    app.include_router(build_evidence(evidence, links))
    guard = Guard(app, frozenset(), control.keys, needs_key=True, token="t")
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(guard), base_url="http://127.0.0.1") as http:
        one = Desk(http, evidence, links, tmp_path / "evidence", now)
        yield one
    control.close()


async def test_a_link_is_enough_for_an_hour(desk: Desk):
    """No key, no session; after its end 403 with what to do; another piece's signature, an end moved, none at all: 403."""
    link = await desk.kept("a.txt", b"the answer")
    other = await desk.kept("b.txt", b"another")
    assert (await desk.http.get(link)).content == b"the answer"
    exp, sig = (parse_qs(urlsplit(link).query)[key][0] for key in ("exp", "sig"))
    path = urlsplit(link).path
    wrong = [
        path,
        f"{path}?exp={exp}",
        f"{path}?exp={exp}&sig={parse_qs(urlsplit(other).query)['sig'][0]}",
        f"{path}?exp={int(exp) + 1}&sig={sig}",
        f"{path}?exp={exp}&sig={sig[:-1]}",
        f"{path}?exp={exp}&sig=%F0%9F%92%A5",
        f"{path}?exp=9e9&sig={sig}",
    ]
    for address in wrong:
        answer = await desk.http.get(address)
        assert (answer.status_code, answer.json()) == (403, {"error": "This link is wrong or its time is over; open the run's page again."}), address
    desk.now += timedelta(minutes=59)
    assert (await desk.http.get(link)).status_code == 200
    desk.now += timedelta(minutes=7)
    assert (await desk.http.get(link)).status_code == 403


def test_a_page_a_moment_later_has_the_same_links():
    """Ends are rounded, so that a browser need not fetch a picture again; another key signs otherwise."""
    at = datetime(2026, 11, 20, 14, 0, 1, tzinfo=UTC)
    first = EvidenceLinks(b"k" * 32, 3600, lambda: at).link("a" * 32)
    assert first == EvidenceLinks(b"k" * 32, 3600, lambda: at + timedelta(seconds=200)).link("a" * 32)
    assert first != EvidenceLinks(b"o" * 32, 3600, lambda: at).link("a" * 32)


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=80))
def test_no_text_is_a_good_link(ident, exp, sig):
    """Whatever stands in a link that we did not sign, it is not good, and never an error."""
    assert not EvidenceLinks(b"k" * 32, 3600, lambda: NOW).good(ident, exp, sig)


@pytest.mark.parametrize(
    ("name", "content", "media_type", "disposition"),
    [
        ("a.png", b"\x89PNG\r\n\x1a\n" + HOSTILE, "image/png", 'inline; filename="a.png"'),
        ("a.jpg", b"\xff\xd8\xff" + HOSTILE, "image/jpeg", 'inline; filename="a.jpg"'),
        ("a.txt", HOSTILE, "text/plain; charset=utf-8", 'inline; filename="a.txt"'),
        ("a.html", HOSTILE, "text/plain; charset=utf-8", 'attachment; filename="a.html.txt"'),
        ("a.har", b'{"log": "</script>"}', "application/octet-stream", 'attachment; filename="a.har"'),
        ("a.zip", b"PK\x03\x04" + HOSTILE, "application/octet-stream", 'attachment; filename="a.zip"'),
    ],
)
async def test_hostile_content_is_harmless(desk: Desk, name, content, media_type, disposition):
    """Byte for byte what was sent, but never as anything that runs here: no type that is active, none guessed, in a sandbox that loads nothing."""
    answer = await desk.http.get(await desk.kept(name, content))
    assert (answer.status_code, answer.content) == (200, content)
    assert (answer.headers["content-type"], answer.headers["content-disposition"]) == (media_type, disposition)
    assert answer.headers["content-security-policy"] == "sandbox; default-src 'none'; frame-ancestors 'none'"
    assert [answer.headers[name] for name in ("x-content-type-options", "cache-control", "cross-origin-resource-policy", "x-frame-options")] == [
        "nosniff", "private, no-store", "same-origin", "DENY",
    ]  # fmt: skip


async def test_what_is_gone_says_why(desk: Desk, monkeypatch):
    """410 with the reason for what is too old, damaged or lost; 404 for what was erased; 503 while the place is away."""
    old = await desk.kept("a.txt", b"old")
    desk.evidence.bounds = replace(desk.evidence.bounds, keep=timedelta(0))
    await desk.evidence.tidy()
    answer = await desk.http.get(old)
    assert (answer.status_code, answer.json()) == (410, {"error": "This piece of evidence is gone: its time was over."})
    lost = await desk.kept("b.txt", b"lost")
    for path in desk.folder.rglob("*"):
        if path.is_file():
            path.write_bytes(b"changed")
    assert (await desk.http.get(lost)).json() == {"error": "This piece of evidence is lost or damaged where it was kept."}
    await desk.evidence.erase("default", ["r1"])
    assert (await desk.http.get(lost)).status_code == 404

    async def away(sha256: str) -> bytes:
        raise BlobsUnavailableError("away")

    piece = Piece("default", "c.txt", "r2", "checkout", "pay", "answer", 1)
    await desk.evidence.keep(piece, b"x", "text/plain")
    monkeypatch.setattr(desk.evidence.blobs, "get", away)
    answer = await desk.http.get(desk.links.link(piece.id))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")


async def test_a_run_tells_the_evidence_of_its_steps(context: Context, tmp_path: Path):
    """Beside the step whose span names it: what came with a link, in the order of the kinds; what has not come, with the host it is still on;
    what is too old, and what was erased."""
    links = EvidenceLinks(b"k" * 32, 3600, context.clock)
    context = replace(context, evidence_links=links, config=CollectorConfig(evidence=EvidenceSettings(keep=3600.0)))
    tenant = context.store.tenant
    evidence = Evidence(FolderBlobs(tmp_path / "evidence"), context.control.evidence, Bounds(timedelta(days=30), 1 << 20), Counters(), context.clock)
    rows = Rows()
    ids = [rows.probe(at, "failed", message="502") for at in (NOW - timedelta(minutes=2), NOW - timedelta(hours=2))]
    for ident, at in zip(ids, (NOW - timedelta(minutes=2), NOW - timedelta(hours=2)), strict=True):
        named = {f"sojourn.evidence.{kind}": f"{ident}-1-pay-{kind}.{ending}" for kind, ending in (("har", "har"), ("answer", "txt"), ("screenshot", "png"))}
        attrs = {"sojourn.attempt": "1", **named}
        common: dict[str, Any] = {"traffic": "synthetic", "run_id": ident, "step": "pay", "service": "sojourn-agent", "res": {"host.name": "probe-7"}}
        rows.span(at, "step pay", "aa" * 16, "01" * 8, span_type="step", attrs=attrs, **common)
    await rows.store(context.store)
    for kind, name, content in (("answer", f"{ids[0]}-1-pay-answer.txt", b"HTTP 502"), ("screenshot", f"{ids[0]}-1-pay-screenshot.png", b"\x89PNG")):
        await evidence.keep(Piece(tenant, name, ids[0], "checkout", "pay", kind, 1), content, "text/plain")
    found = await run(context, ids[0])
    assert found is not None
    shot, answer, har = found.steps[1].evidence
    assert found.steps[0].evidence == []
    assert [(one.kind, one.state, one.bytes, one.host) for one in (shot, answer, har)] == [
        ("screenshot", "kept", 4, "probe-7"), ("answer", "kept", 8, "probe-7"), ("har", "not_sent", None, "probe-7"),
    ]  # fmt: skip
    assert (answer.link, har.link) == (links.link(Piece(tenant, answer.name, "", "", "", "", 1).id), "")
    old = await run(context, ids[1])
    assert old is not None
    assert {one.state for one in old.steps[1].evidence} == {"too_old"}
    await evidence.erase(tenant, [ids[0]])
    gone = await run(context, ids[0])
    assert gone is not None
    assert {(one.state, one.link) for one in gone.steps[1].evidence} == {("erased", "")}
