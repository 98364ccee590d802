"""The control database: the same facts on a SQLite file and on a real PostgreSQL."""

import asyncio
import hashlib
import multiprocessing
import os
import signal
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from sqlalchemy import text
from sqlalchemy.exc import StatementError

from sojourn_collector.store.control import Arrival, Control, LedgerRow, Scope, database
from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.postgres import PostgresAddress
from sojourn_collector.store.control.tables import metadata
from sojourn_collector.store.control.webhooks import Arriving
from tests.collector.control.conftest import Where

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)


def batch(number: int, body: str = "00", at: datetime = NOW) -> LedgerRow:
    """A ledger row."""
    return LedgerRow("key-1", "/v1/traces", f"batch-{number}", body, number, at)


class TestDatabase:
    """The file itself."""

    async def test_a_file_is_durable(self, path: Path) -> None:
        """The file is in WAL mode, and every connection of ours writes with synchronous = FULL."""
        control = Control.open(path)
        rows = await control.database.read(lambda c: [c.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")])
        control.close()
        assert rows == ["wal", 2]
        with closing(sqlite3.connect(path)) as plain:
            assert plain.execute("PRAGMA journal_mode").fetchone() == ("wal",)

    async def test_postgresql_is_durable(self, postgres_database: PostgresAddress) -> None:
        """Commits wait for the disk whatever the server's own setting is, and nothing waits for ever."""
        control = Control.open(postgres_database)
        names = ("synchronous_commit", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        assert await control.database.read(lambda c: [c.exec_driver_sql(f"SHOW {name}").scalar() for name in names]) == ["on", "30s", "10s", "1min"]
        control.close()

    async def test_opening_again_keeps_everything(self, where: Where) -> None:
        """What was written before a close is there after the next open; migrating twice changes nothing."""
        first = Control.open(where)
        await first.ledger.add_many([batch(1)])
        first.close()
        second = Control.open(where)
        assert await second.ledger.find("key-1", "/v1/traces", "batch-1") == batch(1)
        second.close()

    def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        """A file that is something else is an error at the start and is left as it is."""
        file = tmp_path / "control.sqlite"
        file.write_text("not a database, for sure, and long enough to be looked at" * 10)
        with pytest.raises(Exception, match="file is not a database"):
            Control.open(file)
        assert file.read_text().startswith("not a database")

    async def test_two_processes_may_write(self, control: Control, where: Where) -> None:
        """The command line writes while the collector runs: both get their rows in."""
        other = Control.open(where)
        await asyncio.gather(*(c.progress.set(f"{name}-{n}", n) for n in range(20) for name, c in (("a", control), ("b", other))))
        assert [await control.progress.get(f"b-{n}") for n in range(20)] == list(range(20))
        other.close()

    async def test_what_was_answered_survives_kill(self, where: Where) -> None:
        """Rows whose write returned are there after the process was killed."""
        context = multiprocessing.get_context("spawn")
        receiving, sending = context.Pipe(duplex=False)
        process = context.Process(target=_write_and_wait, args=(where, sending))
        process.start()
        assert await asyncio.to_thread(receiving.recv) == "written"
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        process.close()
        again = Control.open(where)
        assert len(await again.inbox.waiting()) == 1
        again.close()

    async def test_naive_times_are_our_own_fault(self, control: Control) -> None:
        """A time without zone is never stored."""
        with pytest.raises(StatementError, match="a datetime without a time zone cannot be stored"):
            await control.watermarks.advance("orders", datetime(2026, 3, 1), sender="shop")
        assert await control.watermarks.get("orders") is None


def _write_and_wait(where: Where, sending: object) -> None:
    control = Control.open(where)
    arrival = Arrival("default", "api", "orders", "o-1", NOW, "{}")
    asyncio.run(control.inbox.add_many([arrival]))
    sending.send("written")  # type: ignore[attr-defined]
    signal.pause()


class TestLedger:
    """Which batches were accepted."""

    async def test_rows_are_found_by_their_whole_name(self, control: Control) -> None:
        """Credential, path and batch id together name a batch; times come back to the microsecond."""
        assert await control.ledger.add_many([batch(1, "aa")]) == 1
        assert await control.ledger.find("key-1", "/v1/traces", "batch-1") == batch(1, "aa")
        for other in (("key-2", "/v1/traces", "batch-1"), ("key-1", "/v1/logs", "batch-1"), ("key-1", "/v1/traces", "batch-2")):
            assert await control.ledger.find(*other) is None

    async def test_adding_again_changes_nothing(self, control: Control) -> None:
        """A row already there stays, whatever the second says; the count is of new ones."""
        assert await control.ledger.add_many([batch(1, "aa"), batch(2)]) == 2
        assert await control.ledger.add_many([batch(1, "bb"), batch(3), batch(3)]) == 1
        found = await control.ledger.find("key-1", "/v1/traces", "batch-1")
        assert found is not None
        assert found.body_sha256 == "aa"
        assert await control.ledger.add_many([]) == 0

    async def test_many_rows(self, control: Control) -> None:
        """More rows than one statement has room for parameters."""
        assert await control.ledger.add_many([batch(n) for n in range(20_000)]) == 20_000
        assert await control.ledger.highest_seq() == 19_999

    async def test_forgetting_keeps_the_newest(self, control: Control) -> None:
        """Old rows go; the one with the highest number stays, for the journal counts on from it."""
        await control.ledger.add_many([batch(n, at=NOW - timedelta(days=30 - n)) for n in range(4)])
        assert await control.ledger.forget_before(NOW) == 3
        assert await control.ledger.highest_seq() == 3

    async def test_an_empty_ledger(self, control: Control) -> None:
        """Without rows the highest number is 0."""
        assert await control.ledger.highest_seq() == 0


class TestKeys:
    """Keys are shown once."""

    async def test_a_key_is_shown_once_and_known_again(self, control: Control, where: Where) -> None:
        """The whole text verifies; the database holds its digest and nothing of the secret."""
        made = await control.keys.create(" shop ", [Scope.SOURCES], now=NOW)
        assert await control.keys.verify(made.text) == made.key
        assert (made.key.name, made.key.scopes, made.key.tenant, made.key.created_at) == ("shop", frozenset({Scope.SOURCES}), "default", NOW)
        secret = made.text.split("_")[2]
        assert len(secret) == 64
        if isinstance(where, Path):
            for file in where.parent.iterdir():
                assert secret.encode() not in file.read_bytes()
        assert secret not in str(await control.database.read(lambda c: c.exec_driver_sql("SELECT * FROM keys").all()))
        assert secret not in repr(made)

    async def test_wrong_texts(self, control: Control) -> None:
        """Anything but the whole right text is nothing, however long or odd."""
        text = (await control.keys.create("shop", [Scope.SOURCES])).text
        prefix, id_, secret = text.split("_")
        wrong = ["", "sj_", "sj__", f"sj_{id_}_", f"sj_{id_}", f"sj__{secret}", f"xx_{id_}_{secret}", text + "0", text[:-1], text.upper(), f" {text}"]
        wrong += [f"sj_{id_}_{'0' * 64}", f"sj_000000000000_{secret}", "sj_" + "x" * 10_000, f"sj_{id_}_é", f"sj_{id_}' OR 1=1 --_{secret}", "\x00"]
        assert prefix == "sj"
        assert [w for w in wrong if await control.keys.verify(w)] == []

    async def test_a_revoked_key_is_worthless(self, control: Control) -> None:
        """Revoking works once and at once; the list still shows the key."""
        made = await control.keys.create("shop", [Scope.OTLP])
        assert await control.keys.revoke(made.key.id, now=NOW)
        assert not await control.keys.revoke(made.key.id)
        assert not await control.keys.revoke("nonsense")
        assert await control.keys.verify(made.text) is None
        assert [(k.id, k.revoked_at) for k in await control.keys.list()] == [(made.key.id, NOW)]

    async def test_scopes(self, control: Control) -> None:
        """A key may do what its scopes say, an admin's everything."""
        one = (await control.keys.create("a", [Scope.SOURCES, Scope.OTLP])).key
        admin = (await control.keys.create("b", [Scope.ADMIN])).key
        assert [one.allows(scope) for scope in (Scope.SOURCES, Scope.OTLP, Scope.READ, Scope.ADMIN)] == [True, True, False, False]
        assert all(admin.allows(scope) for scope in Scope)

    async def test_what_no_key_is_made_of(self, control: Control) -> None:
        """A key needs a name and a scope that exists."""
        with pytest.raises(ValueError, match=r"^a key needs a name of 1 to 200 characters$"):
            await control.keys.create(" ", [Scope.READ])
        with pytest.raises(ValueError, match=r"^a key needs a scope: sources, page, otlp, read, admin$"):
            await control.keys.create("shop", [])
        with pytest.raises(ValueError, match="'write' is not a valid Scope"):
            await control.keys.create("shop", ["write"])  # type: ignore[list-item]


class TestInbox:
    """What sources sent."""

    async def test_rows_wait_until_they_are_marked(self, control: Control) -> None:
        """Rows come back oldest first until they are marked, with or without a reason."""
        arrivals = [Arrival("default", "api", "orders", f"o-{n}", NOW, '{"é": "😀"}') for n in range(3)]
        assert not control.inbox.arrived.is_set()
        await control.inbox.add_many(arrivals)
        assert control.inbox.arrived.is_set()
        rows = await control.inbox.waiting()
        assert [(row.source_key, row.body, row.received_at) for row in rows] == [(a.source_key, a.body, a.received_at) for a in arrivals]
        assert rows[0].id < rows[1].id < rows[2].id
        await control.inbox.mark([rows[0].id, rows[1].id], NOW, {rows[1].id: "no good"})
        assert [row.source_key for row in await control.inbox.waiting()] == ["o-2"]
        assert await control.inbox.count_waiting() == 1

    async def test_when_a_source_was_last_heard_of(self, control: Control) -> None:
        """The newest arrival of a kind is known, and that there never was one."""
        await control.inbox.add_many([Arrival("default", "api", "orders", "1", NOW - timedelta(hours=n), "{}") for n in range(3)])
        assert await control.inbox.last_received("orders") == NOW
        assert await control.inbox.last_received("feedback") is None
        assert await control.inbox.last_received("orders", tenant="other") is None

    async def test_usage_is_forgotten(self, control: Control) -> None:
        """Old messages that told of usage alone go; new ones, those that wait or could not be read, and those that told of an order too stay."""

        def arrival(kind: str, name: str, days: int = 9) -> Arrival:
            return Arrival("default", "api", kind, name, NOW - timedelta(days=days), "{}")

        kept = [arrival("segment", "bad"), arrival("segment", "new", 1), arrival("orders", "order"), arrival("usage", "new", 1)]
        await control.inbox.add_many([arrival("usage", "old"), arrival("segment", "old"), *kept])
        await control.webhooks.take([Arriving(arrival("segment", "bought"), ["a record"])])
        rows = await control.inbox.waiting()
        await control.inbox.mark([row.id for row in rows], NOW, {rows[2].id: "no good"})
        await control.inbox.add_many([arrival("usage", "waits")])
        assert await control.inbox.forget_usage(NOW - timedelta(days=5)) == 2
        assert [row.source_key for row in await control.inbox.after(0)] == ["bad", "new", "order", "new", "bought", "waits"]


class TestTheRest:
    """Watermarks, progress, dead letters, audit."""

    async def test_a_watermark_only_moves_forward(self, control: Control) -> None:
        """An earlier moment changes nothing; another zone is the same moment; tenants are apart."""
        await control.watermarks.advance("orders", NOW, sender="shop")
        await control.watermarks.advance("orders", NOW - timedelta(hours=1), sender="shop")
        await control.watermarks.advance("orders", NOW.astimezone(timezone(timedelta(hours=9))), sender="shop")
        await control.watermarks.advance("orders", NOW + timedelta(hours=1), sender="shop", tenant="other")
        assert await control.watermarks.get("orders") == NOW
        assert await control.watermarks.get("orders", tenant="other") == NOW + timedelta(hours=1)
        assert await control.watermarks.get("tickets") is None

    async def test_the_slowest_sender_decides(self, control: Control) -> None:
        """Everything is known only up to the earliest of the senders' moments; one whose key was revoked holds nothing back."""
        fast, slow = [(await control.keys.create(name, [Scope.SOURCES])).key.id for name in ("shop", "till")]
        await control.watermarks.advance("orders", NOW, sender=fast)
        await control.watermarks.advance("orders", NOW - timedelta(hours=2), sender=slow)
        assert await control.watermarks.get("orders") == NOW - timedelta(hours=2)
        await control.watermarks.advance("orders", NOW - timedelta(hours=1), sender=slow)
        assert await control.watermarks.get("orders") == NOW - timedelta(hours=1)
        await control.keys.revoke(slow)
        assert await control.watermarks.get("orders") == NOW

    async def test_a_sender_goes_on_under_the_key_that_follows(self, control: Control) -> None:
        """A rotated key is the same sender: its watermark stands while either key is good, and holds nothing back when both are not."""
        old = (await control.keys.create("shop", [Scope.SOURCES])).key
        await control.watermarks.advance("orders", NOW, sender=old.sender)
        new = await control.keys.rotate(old.id, timedelta(hours=1))
        assert new is not None
        assert (new.key.sender, new.key.name, new.key.scopes) == (old.sender, "shop", old.scopes)
        await control.keys.revoke(old.id)
        assert await control.watermarks.get("orders") == NOW
        await control.keys.revoke(new.key.id)
        assert await control.watermarks.get("orders") is None

    async def test_a_rotated_key_is_good_for_its_overlap(self, control: Control) -> None:
        """Both are good until then, only the new one afterwards; what is revoked or rotated already is not rotated."""
        old = await control.keys.create("shop", [Scope.OTLP], now=NOW)
        new = await control.keys.rotate(old.key.id, timedelta(days=7), now=NOW)
        assert new is not None
        for at, good in ((NOW + timedelta(days=6), True), (NOW + timedelta(days=7), False)):
            assert (await control.keys.verify(old.text, at) is not None) is good
            assert await control.keys.verify(new.text, at) is not None
        assert await control.keys.rotate(old.key.id, timedelta(days=7), now=NOW) is None
        assert await control.keys.rotate("no-such-key", timedelta(days=7), now=NOW) is None

    async def test_two_who_rotate_a_key_at_once_make_one(self, control: Control) -> None:
        """Ending the old one and making the new one is one transaction: only one follows."""
        old = (await control.keys.create("shop", [Scope.OTLP], now=NOW)).key
        made = await asyncio.gather(*(control.keys.rotate(old.id, timedelta(days=7), now=NOW) for _ in range(4)))
        assert sum(one is not None for one in made) == 1
        assert len(await control.keys.list()) == 2

    async def test_progress(self, control: Control) -> None:
        """Numbers are replaced; large ones fit; an unknown one is its default."""
        await control.progress.set_many({"a": 1, "b": 2**62})
        await control.progress.set("a", 5)
        await control.progress.set_many({})
        assert [await control.progress.get(name) for name in ("a", "b", "c")] == [5, 2**62, 0]

    async def test_a_dead_letter_is_noted_once(self, control: Control) -> None:
        """The same file a second time, as after a repeated bisection, is not another dead letter."""
        await control.dead_letters.add("traces", "bad", "1.pb", NOW)
        await control.dead_letters.add("traces", "bad again", "1.pb", NOW)
        await control.dead_letters.add("logs", "bad", "2.pb", NOW)
        assert [(d.signal, d.reason, d.file, d.at) for d in await control.dead_letters.list()] == [
            ("logs", "bad", "2.pb", NOW),
            ("traces", "bad", "1.pb", NOW),
        ]

    async def test_the_audit_log(self, control: Control) -> None:
        """Deeds are added and read newest first."""
        await control.audit.add(NOW, "cli", "key.create", "abc")
        await control.audit.add(NOW, "cli", "key.revoke", "abc", "lost")
        assert [(a.action, a.detail) for a in await control.audit.list()] == [("key.revoke", "lost"), ("key.create", "")]


async def test_a_database_of_the_first_version_goes_forward(where: Where) -> None:
    """Keys made then are good now, each a sender of its own; watermarks, which had no sender, are said again; batches are node 0's and settled."""
    settings = Config()
    settings.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    engine = Database(where)._engine
    with engine.begin() as connection:
        settings.attributes["connection"] = connection
        command.upgrade(settings, "0001")
        connection.execute(
            text("INSERT INTO keys VALUES ('abc', 'shop', 'otlp', :digest, 'default', 0, NULL)"), {"digest": hashlib.sha256(b"secret").hexdigest()}
        )
        connection.execute(text("INSERT INTO watermarks VALUES ('default', 'orders', 0)"))
        connection.execute(text("INSERT INTO ledger VALUES ('abc', '/v1/traces', 'batch-1', '00', 7, 0)"))
        connection.execute(text("INSERT INTO dead_letters (signal, reason, file, at) VALUES ('traces', 'bad', '1.pb', 0)"))
        connection.execute(text("INSERT INTO inbox (tenant, source, kind, source_key, received_at, body) VALUES ('default', 'api', 'orders', 'o', 0, '{}')"))
        connection.execute(text("INSERT INTO progress VALUES ('joined_seq', 7)"))
        connection.execute(text("INSERT INTO audit (at, actor, action, subject, detail) VALUES (0, 'cli', 'key.create', 'abc', '')"))
    engine.dispose()
    control = Control.open(where)
    key = await control.keys.verify("sj_abc_secret")
    assert key is not None
    assert (key.sender, key.name) == ("abc", "shop")
    assert await control.watermarks.get("orders") is None
    row = await control.ledger.find("abc", "/v1/traces", "batch-1")
    assert row is not None
    assert (row.seq, row.node, [letter.node for letter in await control.dead_letters.list()]) == (7, 0, [0])
    assert (await control.progress.get("joined_seq"), len(await control.inbox.waiting()), len(await control.audit.list())) == (7, 1, 1)
    # SQLite knows no longest text, and keeps the type that a column was made with.
    changes = await control.database.read(lambda connection: compare_metadata(MigrationContext.configure(connection), metadata))
    assert [change for change in changes if control.database.shared or not str(change).startswith("[('modify_type'")] == []
    control.close()
