"""Events of vendors in the control database, on SQLite and PostgreSQL."""

import asyncio
from datetime import UTC, datetime, timedelta

from sojourn_collector.store.control import Arrival, Control
from sojourn_collector.store.control.webhooks import Arriving, digest

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def event(key: str, *records: str, awaits: datetime | None = None, source: str = "helpdesk") -> Arriving:
    """One that came."""
    return Arriving(Arrival("default", source, "zendesk", key, NOW, '{"event":{}}'), [digest(one) for one in records], awaits)


async def ids(control: Control, record: str, source: str = "helpdesk") -> list[str]:
    """Keys of a record's events, in their order."""
    return [row.source_key for row in await control.webhooks.of_record("default", source, digest(record))]


async def test_an_event_is_kept_once(control: Control) -> None:
    """However often and however many at once, in one delivery too; each source has its own ids."""
    counts = await asyncio.gather(*(control.webhooks.take([event("a"), event("b"), event("a")]) for _ in range(8)))
    assert sum(counts) == 2
    assert await control.webhooks.take([event("a", source="other")]) == 1
    assert sorted(row.source_key for row in await control.inbox.waiting()) == ["a", "a", "b"]
    assert (await control.webhooks.seen("default", "helpdesk", "a"), await control.webhooks.seen("default", "helpdesk", "c")) == (True, False)
    await control.webhooks.forget_before(NOW + timedelta(seconds=1))
    assert await control.webhooks.take([event("a")]) == 1


async def test_the_events_of_a_record(control: Control) -> None:
    """They are found in the order they came, by source, without those that wait; a record may be named later; a row that goes takes its names along."""
    await control.webhooks.take([event("a", "tickets/1", "feedback/1"), event("b", "tickets/2"), event("c", "tickets/1"), event("d", "tickets/1", awaits=NOW)])
    await control.webhooks.take([event("a", "tickets/1", source="other")])
    assert (await ids(control, "tickets/1"), await ids(control, "feedback/1"), await ids(control, "tickets/1", "other")) == (["a", "c"], ["a"], ["a"])
    rows = {row.source_key: row for row in await control.inbox.waiting() if row.source == "helpdesk"}
    for _ in range(2):
        await control.webhooks.concern([(rows["b"], digest("tickets/1")), (rows["b"], digest("tickets/2"))])
    assert await ids(control, "tickets/1") == ["a", "b", "c"]
    await control.inbox.remove([rows["a"].id])
    assert (await ids(control, "tickets/1"), await ids(control, "feedback/1")) == (["b", "c"], [])


async def test_what_waits_for_an_answer(control: Control) -> None:
    """It goes no further and says why, is due when it is, and goes on with its answer; an erased one gets none."""
    await control.webhooks.take([event("a", awaits=NOW), event("b", awaits=NOW + timedelta(seconds=5)), event("c", awaits=NOW)])
    assert (await control.inbox.waiting(), await control.inbox.count_waiting(), await control.webhooks.count_awaiting()) == ([], 0, {"helpdesk": 3})
    a, c = await control.webhooks.awaiting(NOW)
    assert (a.source_key, c.source_key, await control.webhooks.next_due()) == ("a", "c", NOW)
    await control.webhooks.later(a.id, NOW + timedelta(minutes=1), "busy")
    assert [(row.source_key, row.error, row.tries) for row in await control.webhooks.awaiting(NOW + timedelta(hours=1))] == [
        ("c", None, 0),
        ("b", None, 0),
        ("a", "busy", 1),
    ]
    await control.webhooks.answered(a.id, '{"event":{},"fetched":{"x":1}}')
    assert [(row.source_key, row.error, row.body) for row in await control.inbox.waiting()] == [("a", None, '{"event":{},"fetched":{"x":1}}')]
    await control.webhooks.given_up(c.id, NOW, "gone")
    assert [(row.error, row.normalised_at) for row in await control.inbox.after(0) if row.id == c.id] == [("gone", NOW)]
    await control.inbox.rewrite(a.id, "{}")  # an erasure was quicker
    await control.webhooks.answered(a.id, '{"whose":"gone"}')
    assert [row.body for row in await control.inbox.after(0) if row.id == a.id] == ["{}"]


async def test_whose_turn_it_is(control: Control) -> None:
    """Those least tried come first; to be put off is no try, concerns what is due of one source, and leaves a reason of its own standing."""
    await control.webhooks.take([event("a", awaits=NOW), event("b", awaits=NOW), event("c", awaits=NOW), event("d", awaits=NOW, source="other")])
    a, b, *_ = await control.webhooks.awaiting(NOW)
    await control.webhooks.later(a.id, NOW - timedelta(seconds=5), "busy")
    await control.webhooks.later(b.id, NOW + timedelta(hours=1), "refused")
    assert [row.source_key for row in await control.webhooks.awaiting(NOW)] == ["c", "d", "a"]
    assert await control.webhooks.put_off("helpdesk", NOW, NOW + timedelta(minutes=1), "its turn") == 2
    assert [row.source_key for row in await control.webhooks.awaiting(NOW)] == ["d"]
    rows = await control.webhooks.awaiting(NOW + timedelta(hours=1))
    assert [(row.source_key, row.tries, row.error) for row in rows] == [("d", 0, None), ("c", 0, "its turn"), ("a", 1, "busy"), ("b", 1, "refused")]


async def test_asking_again(control: Control) -> None:
    """Rows that are dealt with wait for an answer again, or go on at once; those that wait are due at once; one that is not dealt with is left alone."""
    await control.webhooks.take([event("a", awaits=NOW), event("b"), event("c"), event("d", awaits=NOW + timedelta(hours=6))])
    (a,), (b, c) = await control.webhooks.awaiting(NOW), await control.inbox.waiting()
    await control.webhooks.later(a.id, NOW, "busy")
    await control.webhooks.given_up(a.id, NOW, "gone")
    await control.inbox.mark([b.id], NOW, {b.id: "bad"})
    assert [row.source_key for row in await control.inbox.dealt_with("helpdesk", None, ["zendesk"], 0, 10)] == ["a", "b"]
    assert [row.source_key for row in await control.inbox.dealt_with("zendesk", NOW, ["zendesk"], a.id, 10)] == ["b"]
    assert await control.inbox.dealt_with("helpdesk", NOW + timedelta(seconds=1), ["zendesk"], 0, 10) == []
    assert await control.inbox.dealt_with("helpdesk", None, ["hubspot"], 0, 10) == []
    assert await control.inbox.again("helpdesk", None, but=["zendesk"]) == 0
    await control.webhooks.again([a.id, c.id], [b.id], NOW + timedelta(minutes=1))
    assert [(row.source_key, row.error) for row in await control.inbox.waiting()] == [("b", None), ("c", None)]
    assert (await control.webhooks.ask_now("other", None, NOW), await control.webhooks.ask_now("helpdesk", NOW + timedelta(days=1), NOW)) == (0, 0)
    assert await control.webhooks.ask_now("helpdesk", None, NOW) == 2
    assert [(row.source_key, row.error, row.tries) for row in await control.webhooks.awaiting(NOW)] == [("a", None, 0), ("d", None, 0)]
    await control.webhooks.answered(a.id, "{}")
    assert [row.source_key for row in await control.inbox.waiting()] == ["a", "b", "c"]


async def test_replay(control: Control) -> None:
    """Rows of a feed or of a kind, of all times or since one, are waiting again; those that wait for an answer go on waiting."""
    await control.webhooks.take([event("a"), event("b", awaits=NOW)])
    await control.inbox.add_many([Arrival("default", "api", "orders", "o", NOW - timedelta(days=1), "{}")])
    rows = await control.inbox.waiting()
    await control.inbox.mark([row.id for row in rows], NOW, {rows[0].id: "bad"})
    assert await control.inbox.again("orders", NOW) == 0
    assert [await control.inbox.again(name, None) for name in ("helpdesk", "orders", "nobody")] == [1, 1, 0]
    assert sorted((row.source_key, row.error) for row in await control.inbox.waiting()) == [("a", None), ("o", None)]
    assert await control.inbox.kinds() == ["orders", "zendesk"]


async def test_folds(control: Control) -> None:
    """What is kept of records is replaced, goes with an event of theirs and with a replay of their source, and stays with others."""
    await control.webhooks.take([event("a", "accounts/1", "people/1"), event("b", "accounts/2"), event("a", "accounts/1", source="other")])
    names = {(source, one): ("default", source, digest(one)) for source in ("helpdesk", "other") for one in ("accounts/1", "people/1", "accounts/2")}
    await control.folds.put(dict.fromkeys(names.values(), "old"))
    await control.folds.put({names["helpdesk", "accounts/1"]: "new"})

    async def kept() -> dict[tuple[str, str], str]:
        found = await control.folds.get(list(names.values()))
        return {short: found[name] for short, name in names.items() if name in found}

    assert await kept() == {short: "new" if short == ("helpdesk", "accounts/1") else "old" for short in names}
    rows = {(row.source, row.source_key): row for row in await control.inbox.waiting()}
    await control.inbox.remove([rows["helpdesk", "a"].id])
    assert set(await kept()) == set(names) - {("helpdesk", "accounts/1"), ("helpdesk", "people/1")}
    await control.inbox.rewrite(rows["helpdesk", "b"].id, "{}")
    assert set(await kept()) == {short for short in names if short[0] == "other"}
    await control.inbox.mark([rows["other", "a"].id], NOW)
    await control.inbox.again("helpdesk", None)
    assert set(await kept()) == {short for short in names if short[0] == "other"}
    await control.inbox.again("other", None)
    assert await kept() == {}
