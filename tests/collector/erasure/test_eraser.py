"""Erasures one step at a time: who is found, what stays, what happens when something fails in the middle."""

import asyncio
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sojourn_collector.forward.queue import Queue
from sojourn_collector.store.client import Store, StoreError
from sojourn_collector.store.control.erasures import DONE
from sojourn_collector.store.control.evidence import Piece
from sojourn_collector.store.control.inbox import Arrival
from sojourn_collector.store.ddl import render
from sojourn_collector.store.erasure.find import find
from sojourn_collector.store.erasure.letters import LettersPlace
from sojourn_collector.store.erasure.others import Others
from sojourn_collector.store.erasure.statements import CONDITIONS, NAMES_NOBODY, clear, condition, count, delete, strip_orders
from sojourn_collector.store.erasure.statements import Names as Where
from sojourn_collector.store.erasure.subject import Names, Orders, Subject, SubjectError, shown
from sojourn_collector.store.erasure.tables import Tables
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.erasure.work import lent
from sojourn_collector.store.evidence.blobs import BlobsUnavailableError
from sojourn_collector.store.layout import Layout
from sojourn_collector.store.load_sql import quoted
from sojourn_collector.store.record import Record
from tests.collector.erasure.people import Customer, ago, put
from tests.collector.erasure.rig import Rig, rig

PNG = b"\x89PNG\r\n\x1a\n" + bytes(20)


async def erase(parts: Rig, kind: Any, name: str, orders: Orders = "strip") -> dict[str, int]:
    """Erase and say what went."""
    ident = await parts.eraser.ask(Subject(kind, name), "tests", orders)
    await parts.eraser.work()
    row = await parts.control.erasures.get(ident)
    assert row is not None
    assert (row.state, row.note, row.work) == (DONE, "", {})
    return row.counts


# --- Statements -----------------------------------------------------------------------------------------------------------


async def test_every_table_says_whether_it_is_about_somebody(store: Store):
    """A new table must be put into one of the two lists, else nobody would be erased from it."""
    tables = {row["name"] for row in await store.rows("SELECT name FROM system.tables WHERE database = currentDatabase() AND engine NOT LIKE '%View'")}
    assert tables - set(CONDITIONS) - NAMES_NOBODY == set()


async def test_a_mutation_whose_names_are_gone_takes_nothing(parts: Rig):
    """The engine forgets the names when it is killed, and goes on with the mutation when it is back: rows that are nobody's, empty texts, all of it stays."""
    nobody = Customer("nobody")
    await parts.load("traces", nobody.spans(ago(5)))
    await parts.load("logs", nobody.logs(ago(5), speaks=False))
    await parts.load("metrics", nobody.metrics(ago(5)))
    where = Where(parts.store.tenant, "gone", patterns=1)
    for table in CONDITIONS:
        if table in {"spans", "events", "metrics"} or await parts.store.rows(f"EXISTS TABLE {table}") == [{"result": 1}]:
            assert await parts.store.rows(count(table, where)) == [{"n": 0}]


def test_no_statement_names_anybody():
    """A mutation's text stays on the disk: it holds the job and the tenant, and looks names up."""
    where = Where("acme", "j1", patterns=1)
    for text in [delete(table, where) for table in CONDITIONS] + [strip_orders(where)]:
        assert "FROM erasing WHERE job = 'j1'" in text
        assert "tenant = 'acme'" in text


def test_a_tenant_is_quoted_and_a_job_is_letters_and_digits():
    """Neither can end the text it stands in."""
    assert "tenant = 'a\\'b' AND" in condition("people", Where("a'b", "j1"))
    with pytest.raises(AssertionError, match="letters and digits"):
        Where("acme", "x' OR 1")


async def test_names_are_lent_and_taken_back(parts: Rig):
    """After a piece of work, and after one that failed, no name is in the engine's memory."""
    names = Names(users=frozenset({"user-a-1"}))

    async def work() -> None:
        async with lent(parts.store, names, "j1"):
            assert await parts.store.rows("SELECT id FROM erasing WHERE job = 'j1' AND kind = 'user'") == [{"id": "user-a-1"}]
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await work()
    assert await parts.store.rows("SELECT id FROM erasing WHERE job = 'j1'") == []


HOSTILE = ("a'); DROP TABLE spans; --", "user\\", "(.*)|x1234567", "user-\u202e-4711", "line\nand\ttab\x00nul", "u" * 16_384, "%(x)s{tenant:String}")


async def test_hostile_names_are_names(parts: Rig):
    """Whatever users are called: these users go, and nobody else."""
    await views(parts, *((f"s{number}", name, "") for number, name in enumerate(HOSTILE)), ("other", "user-other-4711", ""))
    for number, name in enumerate(HOSTILE):
        assert (await find(parts.store, Subject("person", name))).sessions == {f"s{number}"}
    async with lent(parts.store, Names(users=frozenset(HOSTILE)), "hostile") as work:
        assert await work.delete("spans") == len(HOSTILE)
    assert await parts.count("spans", "user_id = 'user-other-4711'") == await parts.count("spans") == 1
    await erase(parts, "person", HOSTILE[4])
    assert await parts.count("spans") == 1


@pytest.mark.parametrize("name", ["", "  ", "\n", "u" * 16_385, "half a \ud800 letter"])
def test_what_is_no_name_is_refused(name: str):
    """Blank, too long, no text at all."""
    with pytest.raises(SubjectError, match="the id of a person is a text of 1 to 16384 characters"):
        Subject("person", name)


def test_names_do_not_control_a_terminal():
    """What a sender called itself is written out where it would move the cursor or turn the line round."""
    assert shown("\x1b[2Jann\u202e \n") == "\\u001b[2Jann\\u202e \\u000a"


# --- Who is found ---------------------------------------------------------------------------------------------------------


async def views(parts: Rig, *seen: tuple[str, str, str]) -> None:
    """A page view for each session, user and visitor."""
    request = Customer("x").spans(ago(5))
    del request.resource_spans[1:]
    one = request.resource_spans[0].scope_spans[0].spans[0]
    plain = type(one).FromString(one.SerializeToString())
    del request.resource_spans[0].resource.attributes[:], request.resource_spans[0].scope_spans[0].spans[:]
    for number, (session, user, visitor) in enumerate(seen):
        span = request.resource_spans[0].scope_spans[0].spans.add()
        span.CopyFrom(plain)
        span.span_id, span.trace_id = bytes([number + 1] * 8), bytes([number + 1] * 16)
        for key, value in (("session.id", session), ("user.id", user), ("enduser.pseudo.id", visitor)):
            if value:
                put(span, key, value)
    await parts.load("traces", request)


@pytest.mark.parametrize("name", ["ann", "user:ann", "v1", "visitor:v1"])
async def test_a_person_is_found_under_user_and_visitor_id(parts: Rig, name: str):
    """From either id: the visits signed in, the anonymous ones of the same browser, and both ids; a stranger's are not among them."""
    await views(parts, ("s1", "", "v1"), ("s2", "ann", "v1"), ("s3", "ann", ""), ("s4", "bob", "v2"))
    names = await find(parts.store, Subject("person", name))
    assert [set(names.users - {"v1"}), set(names.visitors), set(names.sessions)] == [{"ann"}, {"v1"}, {"s1", "s2", "s3"}]
    assert names.shared == set()


async def test_a_browser_of_two_is_nobodys_alone(parts: Rig):
    """Of a browser that Bob signs in with too, Ann's visits are hers; its anonymous visits and its id may be Bob's."""
    await views(parts, ("s1", "", "v1"), ("s2", "ann", "v1"), ("s3", "bob", "v1"))
    names = await find(parts.store, Subject("person", "ann"))
    assert [set(names.users), set(names.visitors), set(names.sessions), set(names.shared)] == [{"ann"}, set(), {"s2"}, {"v1"}]
    await erase(parts, "person", "ann")
    left = await parts.store.rows(f"SELECT session_id FROM spans WHERE tenant = '{parts.store.tenant}' ORDER BY session_id")
    assert [row["session_id"] for row in left] == ["s1", "s3"]


async def test_of_a_visit_of_two_only_what_names_the_person_goes(parts: Rig):
    """Ann and then Bob signed in within one visit: Bob's rows stay."""
    await views(parts, ("s1", "ann", ""), ("s1", "bob", ""))
    await erase(parts, "person", "ann")
    assert await parts.count("spans", "user_id = 'bob'") == 1
    assert await parts.count("spans", "user_id = 'ann'") == 0


async def test_one_session_takes_nothing_else_of_its_person(parts: Rig):
    """Erasing a visit leaves the same user's other visit."""
    await views(parts, ("s1", "ann", ""), ("s2", "ann", ""))
    await erase(parts, "session", "s1")
    assert await parts.count("spans", "session_id = 's1'") == 0
    assert await parts.count("spans", "session_id = 's2'") == 1


async def test_an_account_goes_with_everybody_in_it(parts: Rig):
    """Members by the feed of people; the account's row too; another account's people stay."""
    people = [{"source": "people", "id": user, "version": 1, "account_id": account} for user, account in (("ann", "acme"), ("bob", "acme"), ("eve", "evil"))]
    await parts.store.insert("people", people)
    await parts.store.insert("accounts", [{"source": "accounts", "id": one, "version": 1, "name": one} for one in ("acme", "evil")])
    await views(parts, ("s1", "ann", ""), ("s2", "bob", ""), ("s3", "eve", ""))
    counts = await erase(parts, "account", "acme")
    assert counts == {"accounts": 1, "people": 2, "spans": 2}
    assert await parts.count("people") == await parts.count("accounts") == await parts.count("spans") == 1


async def test_a_number_as_user_id_is_found_wherever_it_stands(parts: Rig):
    """Senders that write user.id as a number mean the same person, in tables and dead letters."""
    request = Customer("x").spans(ago(5))
    for resource in request.resource_spans:
        for span in resource.scope_spans[0].spans:
            for pair in span.attributes:
                if pair.key == "user.id":
                    pair.value.int_value = 4711
    await parts.load("traces", request)
    path = await parts.letter("1.pb", parts.record(request))
    counts = await erase(parts, "person", "4711")
    assert counts["spans"] == 4
    assert counts["dead letters"] == 4
    assert path.exists(), "the span of the job names nobody of that number"


async def test_a_scope_may_name_them_too(parts: Rig):
    """An SDK that writes the user on the instrumentation scope: rows and items of that scope alone go."""
    mine = Customer("mine")
    request = mine.spans(ago(5))
    del request.resource_spans[:-1]
    del request.resource_spans[0].scope_spans[0].spans[0].attributes[:]
    other = request.resource_spans[0].scope_spans.add()
    other.CopyFrom(request.resource_spans[0].scope_spans[0])
    put(request.resource_spans[0].scope_spans[0].scope, "user.id", "ann")
    await parts.load("traces", request)
    path = await parts.letter("1.pb", parts.record(request))
    assert await erase(parts, "person", "ann") == {"spans": 1, "dead letters": 1}
    assert await parts.count("spans") == 1
    assert b"ann" not in path.read_bytes()


# --- Places ---------------------------------------------------------------------------------------------------------------


async def test_letters_lose_only_what_is_theirs(parts: Rig):
    """Of a letter of two the other's items stay; one of theirs alone goes with its file; unreadable ones go when they speak of them; others stay."""
    mine, other = Customer("mine"), Customer("other")
    await parts.load("traces", mine.spans(ago(5)))
    both = mine.metrics(ago(5))
    point = both.resource_metrics[0].scope_metrics[0].metrics[0].gauge.data_points.add(time_unix_nano=ago(5), as_double=2.0)
    put(point, "user.id", other.user)
    shared = await parts.letter("1.pb", parts.record(both), "metrics", f"near '{mine.user}', not {mine.user}x")
    alone = await parts.letter("2.pb", parts.record(mine.logs(ago(5))), "logs")
    torn = await parts.letter("3.pb", b"\xff" * 20 + mine.user.encode() + b"\xff")
    damaged = Record(parts.store.tenant, "b", ago(0), "local", bytes(32), 1, b"\xff\xff" + mine.visitor.encode()).encode()
    no_request = await parts.letter("4.pb", damaged, "logs")
    others = await parts.letter("5.pb", untouched := parts.record(other.spans(ago(5))))
    foreign = await parts.letter("6.pb", parts.record(mine.spans(ago(5)), tenant="another"))
    counts = await erase(parts, "person", mine.user)
    assert counts["dead letters"] == 1 + 2 + 1 + 1
    assert [path.exists() for path in (shared, alone, torn, no_request, others, foreign)] == [True, False, False, False, True, True]
    assert others.read_bytes() == untouched
    assert mine.user.encode() not in shared.read_bytes()
    assert other.user.encode() in shared.read_bytes()
    letters = {one.file: one.reason for one in await parts.control.dead_letters.list()}
    assert letters == {"1.pb": f"near '[erased]', not {mine.user}x", "5.pb": "refused", "6.pb": "refused"}


async def test_what_waits_for_destinations_is_scrubbed(parts: Rig):
    """Files that wait and those set aside lose the person's items, backend spans of the person's traces too; another's stay."""
    mine, other = Customer("mine"), Customer("other")
    await parts.load("traces", mine.spans(ago(5)))
    queue = Queue(parts.data / "forward/backup", parts.data / "journal", ("traces",))
    queue.open(0)
    both = mine.spans(ago(5))
    both.MergeFrom(other.spans(ago(5)))
    files = [queue.folder / "7.traces.pb", queue.folder / "aside/3-0.traces.pb"]
    for path in files:
        path.write_bytes(parts.record(both))
    look = await parts.eraser.look(Subject("person", mine.user))
    assert look.counts["to be forwarded"] == 10
    assert all(mine.traces[0] in path.read_bytes() for path in files), "a look changes nothing"
    counts = await erase(parts, "person", mine.user)
    assert counts["to be forwarded"] == 10
    for path in files:
        assert not [word for word in mine.words() if word in path.read_bytes()]
        assert all(word in path.read_bytes() for word in (other.user.encode(), other.traces[1]))


async def test_evidence_of_their_runs_goes(parts: Rig):
    """A piece of a run of theirs goes from the disk and is not taken again; a run's of somebody else stays."""
    await views(parts, ("s1", "ann", ""))
    run = {"version": 1, "traffic": "real", "journey": "j", "started": datetime.now(UTC), "ended": datetime.now(UTC)}
    await parts.store.insert("runs", [{**run, "run_id": "r1", "session_id": "s1", "person_id": "user:ann"}, {**run, "run_id": "r2", "session_id": "s2"}])
    for number, name in enumerate(("r1", "r2")):
        piece = Piece(parts.store.tenant, f"{name}.png", name, "j", "s", "screenshot", 1)
        await parts.evidence.keep(piece, PNG + bytes([number]), "image/png")
    counts = await erase(parts, "person", "ann")
    assert (counts["evidence"], counts["runs"]) == (1, 1)
    assert len([path for path in (parts.data / "evidence").rglob("*") if path.is_file()]) == 1
    assert await parts.control.evidence.erased(parts.store.tenant, "r1")


async def test_orders_go_whole_when_asked(parts: Rig):
    """`delete` takes the order and its row of the inbox; `strip` is the default and told by the scan."""
    row = {"id": "o1", "at": datetime.now(UTC).isoformat(), "amount": "5", "currency": "EUR", "user_id": "ann"}
    await parts.control.inbox.add_many([Arrival(parts.store.tenant, "shop", "orders", "o1", datetime.now(UTC), json.dumps(row))])
    order = {"source": "shop", "id": "o1", "version": 1, "ts": datetime.now(UTC), "received": datetime.now(UTC), "user_id": "ann"}
    await parts.store.insert("orders", [{**order, "amount": 5, "currency": "EUR"}])
    counts = await erase(parts, "person", "ann", "delete")
    assert counts == {"orders": 1, "inbox orders": 1}
    assert await parts.count("orders") == 0
    assert await parts.control.inbox.after(0) == []


# --- What fails -----------------------------------------------------------------------------------------------------------


class Failing:
    """A place that cannot be used the first time."""

    name = "attic"

    def __init__(self, error: Exception) -> None:
        self.error: Exception | None = error

    async def count(self, names: Names) -> dict[str, int]:
        return {}

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        if self.error is not None:
            error, self.error = self.error, None
            raise error
        return {"attic": len(names.sessions)}

    async def kept(self, names: Names) -> Any:
        nothing: list[Any] = []
        for one in nothing:
            yield one


@pytest.mark.parametrize("error", [StoreError("The engine is away."), BlobsUnavailableError("the bucket is away")])
async def test_an_erasure_that_failed_goes_on_under_all_names(tmp_path: Path, store: Store, error: Exception):
    """Tables are empty of the person when a later place fails, so nobody could find their visits again: the names wait in the control database."""
    place = Failing(error)
    async with rig(tmp_path / "data", store, place) as parts:
        await views(parts, ("s1", "ann", "v1"), ("s2", "ann", ""))
        ident = await parts.eraser.ask(Subject("person", "ann"), "tests", "strip")
        with pytest.raises(type(error)):
            await parts.eraser.work()
        row = await parts.control.erasures.get(ident)
        assert row is not None
        assert (row.state, row.note, row.counts["spans"]) == ("erasing: attic", str(error), 2)
        assert await parts.count("spans") == 0
        assert not parts.turns.load.locked()
        assert not parts.turns.join.locked()
        await parts.eraser.work()
        row = await parts.control.erasures.get(ident)
        assert row is not None
        assert (row.state, row.counts["spans"], row.counts["attic"]) == (DONE, 2, 2)
        raw = (parts.data / "control.sqlite").read_bytes() + (parts.data / "control.sqlite-wal").read_bytes()
        assert b'"s1"' not in raw


async def test_the_same_person_is_not_begun_twice(parts: Rig):
    """Asked again while it waits: the same erasure. Asked again when it is done: another one, which finds nothing."""
    first = await parts.eraser.ask(Subject("person", "ann"), "tests", "strip")
    assert await parts.eraser.ask(Subject("person", "ann"), "tests", "strip") == first
    await parts.eraser.work()
    assert await parts.eraser.ask(Subject("person", "ann"), "tests", "strip") == first + 1
    await parts.eraser.work()
    assert [(row.state, row.counts) for row in await parts.control.erasures.list()] == [(DONE, {}), (DONE, {})]


async def test_merges_of_others_hold_no_erasure_up(store: Store):
    """Only the files replaced till then are waited for: a busy table always has others."""
    seen = [frozenset({("spans", "a"), ("spans", "b")}), frozenset({("spans", "b"), ("spans", "c")}), frozenset({("spans", "c"), ("spans", "d")})]

    class Busy(Tables):
        async def _replaced(self) -> frozenset[tuple[str, str]]:
            return seen.pop(0)

    await Busy(store).settled(0.0)
    assert seen == []


# --- What comes late ------------------------------------------------------------------------------------------------------


async def test_older_data_that_come_late_go_again(parts: Rig):
    """Data of before the erasure, also of a visit nobody knew of: gone before the join may see them, and counted. What happens later is a new person's."""
    await views(parts, ("s1", "ann", "v1"))
    await erase(parts, "person", "ann")
    await views(parts, ("s1", "ann", "v1"), ("s9", "", "v1"), ("s5", "bob", "v2"))
    assert await parts.count("spans") == 1
    assert parts.counters.value("sojourn_forgotten", signal="traces") == 2
    later = Customer("x").spans(ago(-30))
    for resource in later.resource_spans:
        put(resource.resource, "user.id", "ann")
    await parts.load("traces", later)
    assert await parts.count("spans", "user_id = 'ann'") == 4


async def test_loading_waits_while_names_are_looked_for(parts: Rig):
    """Nothing is loaded between finding the names and burying them: it could be under a name not found."""
    await views(parts, ("s1", "ann", ""))
    async with parts.turns.load:
        loading = asyncio.create_task(views(parts, ("s2", "ann", "")))
        asked = await parts.eraser.ask(Subject("person", "ann"), "tests", "strip")
        working = asyncio.create_task(parts.eraser.work())
        await asyncio.sleep(0)
    await asyncio.gather(loading, working)
    row = await parts.control.erasures.get(asked)
    assert row is not None
    assert row.state == DONE
    assert await parts.count("spans") == 0


async def test_tombstones_of_traces_end_and_those_of_people_stay(parts: Rig):
    """A trace's id is told apart for 31 days, as long as a sender's data are taken; a person's for ever."""
    old = datetime.now(UTC) - timedelta(days=40)
    await parts.control.erasures.bury(parts.store.tenant, {"trace": ["ab"], "user": ["ann"]}, old)
    await erase(parts, "person", "eve")
    assert {(one.kind, one.erased_at == old) for one in await parts.control.erasures.tombstones()} == {("user", True), ("user", False)}


async def test_nobody_is_named_in_audit_and_list(parts: Rig):
    """Who asked, what went and a digest under this installation's key."""
    await views(parts, ("s1", "ann-4711", ""))
    await erase(parts, "person", "ann-4711")
    told = json.dumps([row.shown() for row in await parts.control.erasures.list()]) + repr(await parts.control.audit.list())
    assert "ann" not in told
    assert "erasure 1 of a person: 1 of spans" in told


# --- On servers -----------------------------------------------------------------------------------------------------------


async def test_every_statement_has_a_form_for_a_cluster(store: Store):
    """Mutations go to each shard's own table on every host, names to the table every host has; ClickHouse's own parser takes them."""
    cluster, where = Layout("sojourn", "main"), Where("acme", "j1", patterns=2, seq=7, before=1)
    for table in CONDITIONS:
        (one,) = render(delete(table, where), cluster)
        assert one.startswith(f"ALTER TABLE sojourn.{table}_local ON CLUSTER 'main'\n  DELETE WHERE ")
        await store.statement(f"SELECT formatQuery({quoted(one)})")
    (one,) = render(strip_orders(where), cluster)
    assert one.startswith("ALTER TABLE sojourn.orders_local ON CLUSTER 'main'\n  UPDATE user_id = '', ")
    await store.statement(f"SELECT formatQuery({quoted(one)})")
    assert render(clear("j1"), cluster)[0].startswith("ALTER TABLE sojourn.erasing ON CLUSTER 'main'\n  DELETE WHERE job = 'j1'")


async def test_with_several_collectors_tombstones_of_others_count(parts: Rig):
    """Another collector erased somebody: what is loaded here from then on is looked at, without being told."""
    shared = Tombstones(parts.store, parts.control, parts.turns, shared=True)
    assert shared.active
    seq = await parts.load("traces", Customer("mine").spans(ago(5)))
    assert await shared.loaded(seq) == 0
    await parts.control.erasures.bury(parts.store.tenant, {"user": [Customer("mine").user]}, datetime.now(UTC))
    assert await shared.loaded(seq) == 3, "the view of the user, the visit before signing in, and the job that speaks of them"


async def test_each_collector_goes_through_its_own_disk(tmp_path: Path, store: Store):
    """The one whose turn it is waits for those that live, and names one that is away: its dead letters could still hold the person."""
    mine = Customer("mine")
    async with rig(tmp_path / "data", store) as parts:
        await parts.load("traces", mine.spans(ago(5)))
        first = await parts.control.nodes.register("a", "host-a", 60.0)
        second = await parts.control.nodes.register("b", "host-b", 60.0)
        gone = await parts.control.nodes.register("c", "host-c", 0.0)
        folder = tmp_path / "disk of b"
        folder.mkdir()
        (folder / "b.pb").write_bytes(parts.record(mine.spans(ago(5))))
        await parts.control.dead_letters.add("traces", "refused", "b.pb", datetime.now(UTC), node=second.number)
        theirs = LettersPlace(parts.control.dead_letters, folder, store.tenant)
        own = Others(parts.control, first.number, [], look_every=0.01)
        parts.eraser._others = own
        ident = await parts.eraser.ask(Subject("person", mine.user), "tests", "strip")
        working = asyncio.create_task(parts.eraser.work())
        following = [asyncio.create_task(one.run()) for one in (own, Others(parts.control, second.number, [theirs], look_every=0.01))]
        await working
        for task in following:
            task.cancel()
        await asyncio.gather(*following, return_exceptions=True)
        row = await parts.control.erasures.get(ident)
        assert row is not None
        assert row.note == f"the disks of node {gone.number} (host-c) were not gone through: it was away; erase again when it is back"
        assert not (folder / "b.pb").exists()
        assert [deed.detail.endswith(row.note) for deed in await parts.control.audit.list() if deed.action == "erasure.done"] == [True]
