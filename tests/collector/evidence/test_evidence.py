"""Rows and contents together: kept once, ended by age and by room, erased, and nothing left behind."""

import asyncio
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from sojourn_collector.counters import Counters
from sojourn_collector.store.control.evidence import Noted
from sojourn_collector.store.evidence.blobs import Blobs, BlobsUnavailableError
from sojourn_collector.store.evidence.evidence import Bounds, Evidence
from tests.collector.control_file import open_control
from tests.collector.evidence.conftest import Clock, lying, piece


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


async def keep(evidence: Evidence, name: str, content: bytes, *, run: str = "r1", tenant: str = "default") -> Noted:
    return await evidence.keep(piece(name, run=run, tenant=tenant), content, "text/plain")


async def test_a_piece_is_kept_once(evidence: Evidence, clock: Clock):
    """The same again is known; another content under the name is refused and leaves the first as it was."""
    assert await keep(evidence, "a.txt", b"one") is Noted.NEW
    assert await keep(evidence, "a.txt", b"one") is Noted.KNOWN
    assert await keep(evidence, "a.txt", b"two") is Noted.OTHER
    row = await evidence.rows.get(piece("a.txt").id)
    assert row is not None
    assert (await evidence.content(row), row.sha256, row.bytes, row.expires_at - row.received_at) == (b"one", digest(b"one"), 3, timedelta(days=30))
    assert await lying(evidence.blobs) == {digest(b"one")}


async def test_many_at_once_are_one(evidence: Evidence):
    """Eight of one name at the same time: one is new, seven are known."""
    found = await asyncio.gather(*(keep(evidence, "a.txt", b"one") for _ in range(8)))
    assert sorted(found) == sorted([Noted.NEW, *[Noted.KNOWN] * 7])


async def test_the_same_content_of_two_runs_lies_once_and_goes_with_the_last(evidence: Evidence):
    """Two rows, one content; erasing one run leaves it, erasing the other removes it."""
    await keep(evidence, "a.txt", b"same", run="r1")
    await keep(evidence, "b.txt", b"same", run="r2")
    await evidence.tidy()
    assert (evidence.pieces, evidence.bytes) == (2, 4)
    assert await evidence.erase("default", ["r1"]) == 1
    assert await lying(evidence.blobs) == {digest(b"same")}
    assert await evidence.erase("default", ["r2"]) == 1
    assert await lying(evidence.blobs) == set()


async def test_tenants_do_not_meet(evidence: Evidence):
    """The same name in two tenants is two pieces; erasing a run of one leaves the other's."""
    assert await keep(evidence, "a.txt", b"one", tenant="x") is Noted.NEW
    assert await keep(evidence, "a.txt", b"two", tenant="y") is Noted.NEW
    await evidence.erase("x", ["r1"])
    assert [row.sha256 for row in await evidence.rows.of_runs("y", ["r1"])] == [digest(b"two")]
    assert await evidence.rows.of_runs("x", ["r1"]) == []


async def test_what_is_erased_does_not_come_back(evidence: Evidence):
    """Erased before it was sent, and sent again after: nothing is kept, of that run alone."""
    await keep(evidence, "a.txt", b"one", run="r1")
    await evidence.erase("default", ["r1", "r9"])
    assert await keep(evidence, "a.txt", b"one", run="r1") is Noted.ERASED
    assert await keep(evidence, "z.txt", b"late", run="r9") is Noted.ERASED
    assert await keep(evidence, "b.txt", b"other", run="r2") is Noted.NEW
    assert await lying(evidence.blobs) == {digest(b"other")}


async def test_erasing_is_not_done_until_the_content_is_gone(evidence: Evidence, monkeypatch):
    """A place that cannot be used raises; asked again it is finished."""
    await keep(evidence, "a.txt", b"one")

    async def away(sha256: str) -> None:
        raise BlobsUnavailableError("away")

    with monkeypatch.context() as broken:
        broken.setattr(evidence.blobs, "delete", away)
        with pytest.raises(BlobsUnavailableError):
            await evidence.erase("default", ["r1"])
    assert await evidence.erase("default", ["r1"]) == 1
    assert (await lying(evidence.blobs), await evidence.rows.of_runs("default", ["r1"])) == (set(), [])


async def test_what_is_too_old_goes(evidence: Evidence, clock: Clock):
    """After 30 days the content is gone and the row says why; sent again it is not kept; after 400 days more nobody remembers."""
    await keep(evidence, "a.txt", b"old")
    clock.pass_by(days=29)
    await keep(evidence, "b.txt", b"young", run="r2")
    await evidence.tidy()
    assert await lying(evidence.blobs) == {digest(b"old"), digest(b"young")}
    clock.pass_by(days=1)
    await evidence.tidy()
    assert await lying(evidence.blobs) == {digest(b"young")}
    [row] = await evidence.rows.of_runs("default", ["r1"])
    assert (row.gone_at, row.gone_why, evidence.pieces) == (clock.now, "age", 1)
    assert await keep(evidence, "a.txt", b"old") is Noted.GONE
    clock.pass_by(days=401)
    await evidence.tidy()
    assert await evidence.rows.of_runs("default", ["r1"]) == []


async def test_a_shorter_time_holds_for_what_is_there(evidence: Evidence, clock: Clock):
    """`keep` of collector.yaml lowered: what came under the longer time goes by the new one."""
    await keep(evidence, "a.txt", b"x")
    clock.pass_by(days=2)
    evidence.bounds = type(evidence.bounds)(timedelta(days=1), 1000)
    await evidence.tidy()
    assert await lying(evidence.blobs) == set()


async def test_beyond_the_room_the_oldest_go_first(evidence: Evidence, clock: Clock, caplog):
    """1000 bytes of room, 4 × 300 bytes: the oldest goes, is counted and said in the log; the row says why."""
    contents = [bytes([65 + number]) * 300 for number in range(4)]
    for number, content in enumerate(contents):
        await keep(evidence, f"{number}.txt", content, run=f"r{number}")
        clock.pass_by(seconds=1)
    await evidence.tidy()
    assert await lying(evidence.blobs) == {digest(content) for content in contents[1:]}
    assert [row.gone_why for row in await evidence.rows.of_runs("default", [f"r{number}" for number in range(4)])] == ["room", None, None, None]
    assert evidence.bytes == 900
    assert "removed the oldest 1 pieces of evidence: there was more than evidence.max of collector.yaml (1000 bytes)" in caplog.text


async def test_too_much_is_removed_at_once(evidence: Evidence):
    """The background work does not wait for its minute when there is too much."""
    working = asyncio.create_task(evidence.run())
    try:
        for number in range(5):
            await keep(evidence, f"{number}.txt", bytes([65 + number]) * 300, run=f"r{number}")
        async with asyncio.timeout(20):
            while (await evidence.rows.live_bytes())[1] > 1000:
                await asyncio.sleep(0.01)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)


async def test_contents_that_belong_to_nothing_go(evidence: Evidence, clock: Clock):
    """What a crash left before its row was written goes after an hour, not before; what belongs to a piece stays."""
    await evidence.blobs.put(digest(b"left"), b"left")
    await keep(evidence, "a.txt", b"owned")
    assert await evidence.remove_orphans() == 0
    clock.pass_by(hours=1, minutes=2)
    assert await evidence.remove_orphans() == 1
    assert await lying(evidence.blobs) == {digest(b"owned")}


async def test_a_full_place_is_tidied_later(evidence: Evidence, clock: Clock, monkeypatch):
    """A place that is away does not end the background work; the trouble is told, and over with the first thing that works."""
    await keep(evidence, "a.txt", b"x")
    clock.pass_by(days=31)

    async def away(sha256: str) -> None:
        raise BlobsUnavailableError("the place is away")

    with monkeypatch.context() as broken:
        broken.setattr(evidence.blobs, "delete", away)
        await evidence.tidy()
        assert evidence.trouble == "the place is away"
    clock.pass_by(hours=2)
    await evidence.remove_orphans()
    assert (await lying(evidence.blobs), evidence.trouble) == (set(), "")


async def test_a_new_database_removes_nothing(evidence: Evidence, clock: Clock):
    """A collector that starts on another's folder or bucket with an empty control database leaves alone what lies there."""
    await evidence.blobs.put(digest(b"another's"), b"another's")
    clock.pass_by(days=2)
    assert await evidence.remove_orphans() == 0
    assert await lying(evidence.blobs) == {digest(b"another's")}


async def test_what_comes_again_while_it_is_removed_is_there(evidence: Evidence, clock: Clock, monkeypatch):
    """A content is being removed for its age when another run brings the same: in the end it can be read."""
    await keep(evidence, "a.txt", b"same")
    clock.pass_by(days=31)
    removing, go_on, delete = asyncio.Event(), asyncio.Event(), evidence.blobs.delete

    async def slowly(sha256: str) -> None:
        removing.set()
        await go_on.wait()
        await delete(sha256)

    monkeypatch.setattr(evidence.blobs, "delete", slowly)
    tidying = asyncio.create_task(evidence.tidy())
    await removing.wait()
    keeping = asyncio.create_task(keep(evidence, "b.txt", b"same", run="r2"))
    await asyncio.wait({keeping}, timeout=0.3)  # room for a wrong order: it waits for the removal, and must not be done
    go_on.set()
    await tidying
    assert await keeping is Noted.NEW
    [row] = await evidence.rows.of_runs("default", ["r2"])
    assert await evidence.content(row) == b"same"


async def test_what_another_collector_brings_while_it_is_removed_is_there(evidence: Evidence, blobs: Blobs, clock: Clock, monkeypatch):
    """Two collectors in one place: one removes a content for its age while the other notes it for another run; in the end it can be read."""
    bounds = Bounds(timedelta(days=30), 1000)
    ours, theirs = (Evidence(blobs, evidence.rows, bounds, Counters(), clock, shared=True) for _ in range(2))
    await keep(ours, "a.txt", b"same")
    clock.pass_by(days=31)
    delete = blobs.delete

    async def beaten(sha256: str) -> None:
        monkeypatch.setattr(blobs, "delete", delete)
        assert await keep(theirs, "b.txt", b"same", run="r2") is Noted.NEW
        await delete(sha256)

    monkeypatch.setattr(blobs, "delete", beaten)
    await ours.tidy()
    [row] = await ours.rows.of_runs("default", ["r2"])
    assert await theirs.content(row) == b"same"
    clock.pass_by(days=31)
    await ours.tidy()
    assert await lying(blobs) == set()


async def test_links_live_on_over_a_restart(tmp_path):
    """The key that signs them is made once and kept; each use has its own, of 32 bytes."""
    found = []
    for _ in range(2):
        control = open_control(tmp_path / "links.sqlite")
        found.append(await control.signing_keys.get("evidence links", datetime.now(UTC)))
        other = await control.signing_keys.get("another use", datetime.now(UTC))
        control.close()
    assert found[0] == found[1]
    assert len(found[0]) == 32
    assert other != found[0]
