"""Accounts and people of whom many events tell: what is known is folded once, nothing is forgotten, and no event is read again for the next one."""

import json
import random
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.sources.base import latest
from sojourn_collector.sources.configured import plain
from sojourn_collector.sources.folding import Fold
from sojourn_collector.sources.records import EventReading, Records, changes_of, concerned_by
from sojourn_collector.sources.segment_messages import messages_in
from sojourn_collector.sources.webhook import Change
from sojourn_collector.store.control import Arrival, Control, InboxRow
from sojourn_collector.store.control import webhooks as kept_webhooks
from sojourn_collector.store.control.said import Record
from sojourn_collector.store.control.webhooks import Arriving
from tests.collector.control_file import open_control
from tests.collector.sources.webhook_rig import NOW, SECRETS


class Counted(EventReading):
    """Counts the events it reads."""

    def __init__(self) -> None:
        super().__init__({})
        self.read = 0

    def changes(self, row: InboxRow) -> list[Change]:
        self.read += 1
        return super().changes(row)


class Feed:
    """Events of an SDK as they come in, and what goes on to the engine."""

    def __init__(self, control: Control) -> None:
        self.control = control
        self.reading = Counted()
        self.records = Records(control, self.reading, SECRETS, lambda: NOW)
        self._sent = 0

    async def groups(self, *traits: Mapping[str, Any], ago: float = 3600.0) -> None:
        """`group` calls of the account `acme`, a second apart, each by another user."""
        messages = []
        for told in traits:
            self._sent += 1
            at = NOW - timedelta(days=1, seconds=ago) + timedelta(seconds=self._sent)
            messages.append(
                {"type": "group", "userId": f"u{self._sent}", "groupId": "acme", "traits": told, "messageId": f"m{self._sent}", "timestamp": at.isoformat()}
            )
        events, wrong = messages_in("batch", {"batch": messages}, NOW, in_page=False)
        assert not wrong
        arriving = [Arrival("default", "segment", "segment", key, NOW, event.to_json()) for key, event in events]
        concerned = [concerned_by(changes_of(plain("segment"), event)) for _, event in events]
        await self.control.webhooks.take([Arriving(one, names) for one, names in zip(arriving, concerned, strict=True)])

    async def drain(self, at_once: int = 300) -> list[Record]:
        """The account as it went on, each time it did."""
        found: list[Record] = []
        while rows := await self.control.inbox.waiting(at_once):
            told = await self.records(rows)
            errors = {row.id: "; ".join(wrong) for row, (_, wrong) in zip(rows, told, strict=True) if wrong}
            await self.control.inbox.mark([row.id for row in rows], NOW, errors)
            found += [record for records, _ in told for record in records if record.kind == "accounts"]
        return found

    async def account(self) -> dict[str, Any]:
        """The account as it went on last."""
        return (await self.drain())[-1].row


@pytest.fixture
async def feed(tmp_path: Path) -> AsyncIterator[Feed]:
    control = open_control(tmp_path / "control.sqlite")
    yield Feed(control)
    control.close()


def test_a_fold_is_all_events_in_their_order() -> None:
    """In whatever order they come, again and again, and kept as text in between, it is what they say one by one since the last that told everything."""
    rng = random.Random(7)
    for _ in range(200):
        changes = [
            Change(
                "accounts",
                "acme",
                NOW + timedelta(seconds=rng.randrange(4)),
                {key: rng.choice(["a", "b", "", None, Decimal("1.50")]) for key in rng.sample(["name", "plan", "mrr"], 2)},
                sequence=rng.randrange(2),
                whole=rng.random() < 0.2,
            )
            for _ in range(6)
        ]
        said = sorted(enumerate(changes), key=lambda one: (one[1].time, one[1].sequence, one[0]))
        told = [one for _, one in said]
        told = told[max((number for number, one in enumerate(told) if one.whole), default=0) :]
        fold = Fold()
        for number, one in rng.sample(list(enumerate(changes)), 6) + rng.choices(list(enumerate(changes)), k=3):
            fold.add(one, number, NOW + timedelta(seconds=2))
            fold = Fold.from_json(fold.to_json())
        assert fold.fields == json.loads(json.dumps(latest([one.fields for one in told]), default=str))
        assert all(at <= NOW + timedelta(seconds=2) for at in fold.times.values())


async def test_nothing_is_forgotten(feed: Feed, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the first of very many events said is known after the last, also when all of them are read anew in portions."""
    monkeypatch.setattr(kept_webhooks, "MOST_EVENTS", 20)
    await feed.groups({"name": "Acme", "plan": "pro"}, *({"owner": f"o{number}"} for number in range(70)))
    assert await feed.account() == {"name": "Acme", "plan": "pro", "owner": "o69", "id": "acme", "source": "segment"}
    await feed.groups({"owner": "Kim"})
    await feed.control.inbox.again("segment", None)
    assert await feed.account() == {"name": "Acme", "plan": "pro", "owner": "Kim", "id": "acme", "source": "segment"}


async def test_events_are_read_once(feed: Feed) -> None:
    """Of an account of which every event tells, a batch reads its own events and no others; the account goes on once a batch."""
    for number in range(3):
        await feed.groups(*({"plan": f"p{number}-{event}"} for event in range(100)))
        feed.reading.read = 0
        (record,) = await feed.drain()
        assert record.row["plan"] == f"p{number}-99"
        # The first batch finds nothing kept, and reads of the account and of each user what there is.
        assert feed.reading.read <= (300 if number == 0 else 200)


async def test_events_that_name_an_account_and_say_nothing(feed: Feed) -> None:
    """They make it known once and bring nothing on after that; they are not among its events."""
    await feed.groups({})
    assert await feed.account() == {"id": "acme", "source": "segment"}
    await feed.groups({"plan": "pro"})
    assert (await feed.account())["plan"] == "pro"
    await feed.groups(*({} for _ in range(5)))
    assert await feed.drain() == []
    assert len(await feed.control.webhooks.of_record("default", "segment", kept_webhooks.digest("accounts", "acme"))) == 1


async def test_late_events(feed: Feed) -> None:
    """What happened before and comes after fills gaps, and replaces nothing newer."""
    await feed.groups({"plan": "pro"})
    await feed.drain()
    await feed.groups({"plan": "free", "name": "Acme"}, ago=7200)
    assert await feed.account() == {"plan": "pro", "name": "Acme", "id": "acme", "source": "segment"}


async def test_what_was_erased_is_not_kept(feed: Feed) -> None:
    """With an event goes what it said, also when it only loses its person: what is known is made anew of those that stay."""
    await feed.groups({"name": "Acme"}, {"plan": "pro"}, {"owner": "Kim"})
    await feed.drain()
    first, second, _ = await feed.control.inbox.after(0)
    await feed.control.inbox.remove([first.id])
    await feed.groups({"segment": "b2b"})
    assert await feed.account() == {"plan": "pro", "owner": "Kim", "segment": "b2b", "id": "acme", "source": "segment"}
    await feed.control.inbox.rewrite(second.id, '{"kept":[]}')
    await feed.groups({"segment": "b2c"})
    assert await feed.account() == {"owner": "Kim", "segment": "b2c", "id": "acme", "source": "segment"}


async def test_no_row_until_it_is_whole(feed: Feed) -> None:
    """Events of which no row can be made say why, each of them, and no longer once a later one says what was missing."""
    await feed.groups({"mrr": 9}, {"mrr": 10})
    assert await feed.drain() == []
    assert {row.error for row in await feed.control.inbox.after(0)} == {"accounts acme: currency is missing: mrr needs one, such as EUR"}
    await feed.groups({"mrr": 11, "currency": "EUR"})
    assert (await feed.account())["mrr"] == Decimal(11)
    assert {row.error for row in await feed.control.inbox.after(0)} == {None}
