"""Dead letters: opened, put back, thrown away."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sojourn_collector.store.control.control import Control
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.letter_error import LetterError
from sojourn_collector.store.letters import Letters
from sojourn_collector.store.record import Record
from tests.collector.control_file import open_control
from tests.collector.store.test_load import body

NOW = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


class Desk:
    """Letters over a control database, a folder and an open journal."""

    def __init__(self, folder: Path, control: Control, journal: Journal) -> None:
        self.folder, self.control, self.journal = folder / "dead", control, journal
        self.folder.mkdir()
        self.letters = Letters(control, self.folder, journal, lambda: NOW)

    async def put(self, data: bytes, signal: str = "traces", name: str = "1.pb") -> int:
        """A dead letter whose file holds `data`; returns its id."""
        (self.folder / name).write_bytes(data)
        await self.control.dead_letters.add(signal, "The engine refused it (code 27).", name, NOW)
        return next(letter.id for letter in await self.control.dead_letters.list() if letter.file == name)


def record(data: bytes) -> Record:
    return Record("acme", "batch-7", 1_795_000_000 * 10**9, "key-1", bytes(32), 2, data)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    control = open_control(tmp_path / "control.sqlite")
    journal = Journal(tmp_path / "journal", linger=0)
    await journal.open()
    yield Desk(tmp_path, control, journal)
    await journal.close()
    control.close()


async def test_a_letter_is_opened_with_all_that_is_known_of_it(desk: Desk):
    """Who sent it, when, as what, and the request itself as JSON; a request that is none is told as such."""
    good = (await desk.letters.open(await desk.put(record(body("b", 2)).encode()))).as_dict()
    assert {key: good[key] for key in ("signal", "tenant", "sender", "batch", "items", "received", "reason")} == {
        "signal": "traces",
        "tenant": "acme",
        "sender": "key-1",
        "batch": "batch-7",
        "items": 2,
        "received": "2026-11-18T11:06:40+00:00",
        "reason": "The engine refused it (code 27).",
    }
    assert len(good["request"]["resourceSpans"][0]["scopeSpans"][0]["spans"]) == 2
    odd = (await desk.letters.open(await desk.put(record(b"\xff\xff").encode(), name="2.pb"))).as_dict()
    assert (odd["request"], odd["bytes"]) == (None, 2)


async def test_a_letter_put_back_is_in_the_journal_as_it_came(desk: Desk):
    """Tenant, batch, sender and time of arrival stay; the letter and its file are gone, and the audit log says who did it."""
    one = record(body("b"))
    ident = await desk.put(one.encode())
    assert await desk.letters.replay(ident, "key-9") == 1
    file = await desk.journal.next_file()
    assert (file.signal, file.items, file.records[0].batch, file.records[0].tenant) == ("traces", 2, "batch-7", "acme")
    assert file.path.read_bytes() == one.encode()
    assert await desk.control.dead_letters.list() == []
    assert list(desk.folder.iterdir()) == []
    (deed,) = await desk.control.audit.list()
    assert (deed.actor, deed.action, deed.subject) == ("key-9", "dead-letter.replay", str(ident))


async def test_two_who_put_a_letter_back_at_once_put_it_back_once(desk: Desk):
    """The second hears that there is no such letter, and one record is in the journal."""
    ident = await desk.put(record(body("b")).encode())
    done = await asyncio.gather(*(desk.letters.replay(ident, "cli") for _ in range(4)), return_exceptions=True)
    assert sorted(str(one) for one in done) == ["1", *[f"there is no dead letter {ident}; see: sojourn-collector dead-letters"] * 3]
    assert desk.journal.last_seq == 1


async def test_a_letter_that_cannot_be_put_back_stays(desk: Desk):
    """Unknown, without its file, damaged: one sentence each, and nothing is forgotten."""
    damaged = await desk.put(os.urandom(50))
    gone = await desk.put(record(b"").encode(), name="gone.pb")
    (desk.folder / "gone.pb").unlink()
    for ident, said in (
        (99, r"^there is no dead letter 99; see: sojourn-collector dead-letters$"),
        (damaged, rf"^the file of dead letter {damaged} is damaged: .*/1\.pb$"),
        (gone, rf"^the file of dead letter {gone} cannot be read \(No such file or directory\): .*/gone\.pb$"),
    ):
        with pytest.raises(LetterError, match=said):
            await desk.letters.replay(ident, "cli")
    assert len(await desk.control.dead_letters.list()) == 2


async def test_a_letter_thrown_away_is_gone(desk: Desk):
    """Its file too, also when that is damaged; twice is refused."""
    ident = await desk.put(os.urandom(50))
    await desk.letters.discard(ident, "cli")
    assert list(desk.folder.iterdir()) == []
    with pytest.raises(LetterError, match=rf"^there is no dead letter {ident}; "):
        await desk.letters.discard(ident, "cli")
