"""Pulling a feed: what is new is kept once, without its author; what is wrong is said in one sentence; nothing is passed over."""

import asyncio
import json
from datetime import timedelta

import pytest
from starlette.responses import Response

from sojourn_collector.kept_key import KeptKeyError
from sojourn_collector.store.control import Control
from sojourn_collector.store.control.authors import author_digest
from tests.collector.feeds.rig import KEY, NOW, Desk, settings
from tests.collector.sources.vendor_api import VendorApi


def item(number: int, text: str = "It broke", author: str = "Alice", **more: str) -> str:
    """An entry of a forum."""
    rest = "".join(f"<{name}>{value}</{name}>" for name, value in more.items())
    return (
        f"<item><guid isPermaLink='false'>t-{number}</guid><title>Topic {number}</title><link>https://forum.example/u/alice/{number}</link>"
        f"<dc:creator xmlns:dc='http://purl.org/dc/elements/1.1/'>{author}</dc:creator><pubDate>Sun, 01 Mar 2026 11:0{number % 10}:00 +0000</pubDate>"
        f"<description>{text}</description>{rest}</item>"
    )


def feed(*items: str, status: int = 200, **headers: str) -> Response:
    """A feed with these entries."""
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(f"<rss version='2.0'><channel><title>Forum</title>{''.join(items)}</channel></rss>", status, sent, "application/rss+xml")


def desk(control: Control, api: VendorApi, **more: object) -> Desk:
    """A puller of one forum."""
    return Desk(control, {"feed": settings("rss", url=f"{api.url}/rss", journey="checkout", **more)})


async def test_entries_become_mentions(control: Control, api: VendorApi) -> None:
    """Each is kept raw first and becomes a mention about the feed's journey; its author is a digest and stands nowhere else."""
    api.answers["/rss"] = [feed(item(1, "@Alice: write to joe@example.com"), item(2))]
    one = desk(control, api)
    state = await one.pull()
    assert (state.items, state.fresh, state.error, state.failures, state.answered_at) == (2, 2, "", 0, NOW)
    kept = await one.kept()
    assert "alice" not in json.dumps(kept).lower()
    assert "joe@example.com" not in json.dumps(kept)
    assert (kept[0]["id"], kept[0]["entry"]["title"], kept[0]["author_digest"]) == ("t-1", "Topic 1", author_digest(KEY, "feed", "alice"))
    row, _ = await one.rows()
    assert (row["id"], row["source"], row["kind"], row["title"], row["comment"]) == ("t-1", "feed", "mention", "Topic 1", "@-: write to [email]")
    assert (row["journey"], row["channel"], row["url"], row["author"]) == ("checkout", "feed", "https://forum.example/u/-/1", kept[0]["author_digest"])
    assert row["ts"] == NOW - timedelta(minutes=59)
    assert await one.errors() == []


async def test_what_was_seen_is_not_kept_again_and_what_changed_is(control: Control, api: VendorApi) -> None:
    """The same entries bring nothing new, also after a restart; an edited one is a newer version of the same mention, and the last one counts."""
    api.answers["/rss"] = [feed(item(1), item(2)), feed(item(1), item(2)), feed(item(1, "It works again"), item(2), item(3))]
    one = desk(control, api)
    await one.pull()
    one.pulling = one.new()
    assert (await one.pull(after=900)).fresh == 0
    state = await one.pull(after=900)
    assert (state.fresh, state.items) == (2, 4)
    rows = await one.rows()
    assert [(row["id"], row["comment"]) for row in rows] == [("t-1", "It broke"), ("t-2", "It broke"), ("t-1", "It works again"), ("t-3", "It broke")]
    assert one.counters.value("sojourn_feed_entries", outcome="fresh") == 4
    assert one.counters.value("sojourn_feed_entries", outcome="seen") == 3


async def test_a_replay_reads_what_was_kept(control: Control, api: VendorApi) -> None:
    """Without asking anybody the same rows are made again, also by the name of the kind, and after the feed was taken out of the configuration."""
    api.answers["/rss"] = [feed(item(1))]
    one = desk(control, api)
    await one.pull()
    first = await one.rows()
    assert await control.inbox.again("feed", None) == 1
    assert await one.rows() == first
    one.feeds = {}
    assert await control.inbox.again("rss", None) == 1
    (row,) = await one.rows()
    assert (row["id"], row["comment"], row["author"], row["journey"]) == ("t-1", "It broke", first[0]["author"], "")
    assert len(api.asked) == 1


async def test_a_feed_that_did_not_change_is_not_sent_again(control: Control, api: VendorApi) -> None:
    """ETag and Last-Modified go back as they came; 304 is an answer, and what is known stays known."""
    modified = "Sun, 01 Mar 2026 11:00:00 GMT"
    api.answers["/rss"] = [feed(item(1), etag='W/"1"', last_modified=modified), Response(status_code=304), feed(item(2), etag='"2"')]
    one = desk(control, api)
    await one.pull()
    state = await one.pull(after=900)
    assert (state.fresh, state.error, state.answered_at) == (0, "", NOW + timedelta(seconds=900))
    await one.pull(after=900)
    await one.pull(after=900)
    told = [(request.headers.get("if-none-match"), request.headers.get("if-modified-since")) for request in api.asked]
    assert told == [(None, None), ('W/"1"', modified), ('W/"1"', modified), ('"2"', None)]


async def test_an_answer_that_was_not_kept_whole_is_asked_for_again(control: Control, api: VendorApi) -> None:
    """More entries than are taken at once: the validator is not remembered, and the rest follows the next time, none lost and none doubled."""
    api.answers["/rss"] = [feed(*(item(number) for number in range(7)), etag='"1"')]
    one = desk(control, api, most=3)
    assert [(await one.pull(after=900)).fresh for _ in range(4)] == [3, 3, 1, 0]
    assert {row["id"] for row in await one.rows()} == {f"t-{number}" for number in range(7)}
    assert [request.headers.get("if-none-match") for request in api.asked] == [None, None, None, '"1"']


@pytest.mark.parametrize(
    ("answer", "pause", "sentence"),
    [
        (feed(status=429, retry_after="1800"), 1800, "127.0.0.1 answered 429; it is asked too often"),
        (feed(status=503, retry_after="Sun, 01 Mar 2026 12:45:00 GMT"), 1800, "127.0.0.1 answered 503"),
        (feed(status=503, retry_after="0"), 60, "127.0.0.1 answered 503"),
        (feed(status=503, retry_after="99999999"), 86_400, "127.0.0.1 answered 503"),
        (feed(status=500), 60, "127.0.0.1 answered 500"),
        (feed(status=404), 60, "127.0.0.1 answered 404; see its address"),
        (feed(status=401), 60, "127.0.0.1 answered 401; see its token"),
        (Response("no feed"), 60, "what 127.0.0.1 answers cannot be taken: it is no well-formed XML: Start tag expected, '<' not found, line 1, column 1"),
        (Response("{}", media_type="application/json"), 60, "what 127.0.0.1 answers cannot be taken: it is no well-formed XML: Start tag expected"),
    ],
)
async def test_what_is_wrong_is_said_and_asked_again_later(control: Control, api: VendorApi, answer: Response, pause: float, sentence: str) -> None:
    """One sentence; the pause is the one that was asked for, else it begins at a minute; what was kept before stays, and the next answer heals it."""
    api.answers["/rss"] = [feed(item(1), etag='"1"'), answer, feed(item(2))]
    one = desk(control, api)
    await one.pull()
    state = await one.pull(after=900)
    assert state.error.startswith(sentence)
    assert (state.failures, state.items, state.answered_at, state.next_at) == (1, 1, NOW, one.now + timedelta(seconds=pause))
    state = await one.pull(after=pause)
    assert (state.error, state.failures, state.items) == ("", 0, 2)
    assert one.counters.value("sojourn_feed_pulls", outcome="failed") == 1


async def test_pauses_grow_to_six_hours(control: Control, api: VendorApi) -> None:
    """A server that stays away is asked less and less often."""
    api.answers["/rss"] = [500]
    one = desk(control, api)
    pauses = []
    for _ in range(11):
        state = await one.pull()
        assert state.next_at is not None
        pauses.append((state.next_at - one.now).total_seconds() / 60)
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360]


async def test_entries_that_say_no_time_that_can_be(control: Control, api: VendorApi) -> None:
    """They are taken as said when they were first seen, and the mention stays the same when it comes again."""
    dates = ["", "yesterday", "Sun, 99 Xyz 2026 11:00:00 +0000", "2999-01-01T00:00:00Z", "1970-01-01T00:00:00Z", "Sun, 01 Mar 99999 11:00:00 +0000"]
    items = [f"<item><guid>d-{number}</guid><title>x</title><pubDate>{date}</pubDate></item>" for number, date in enumerate(dates)]
    api.answers["/rss"] = [feed(*items)]
    one = desk(control, api)
    await one.pull()
    assert (await one.pull(after=900)).fresh == 0
    assert [row["ts"] for row in await one.rows()] == [NOW] * len(dates)
    assert await one.errors() == []


async def test_ids_and_addresses_that_cannot_be_kept(control: Control, api: VendorApi) -> None:
    """An id with the author's name in it, or one too long, is kept as a digest; an address that is none of the web is left out; the mention stays."""
    items = [
        "<item><guid>https://forum.example/u/alice/1</guid><author>alice@mail.example (Alice)</author><title>x</title></item>",
        f"<item><guid>{'g' * 300}</guid><title>x</title></item>",
        "<item><guid>3</guid><title>x</title><link>javascript:alert(1)</link></item>",
        "<item><guid>4</guid><title>x</title><link>http://[::1/</link></item>",
        "<item><guid>5</guid></item>",
    ]
    api.answers["/rss"] = [feed(*items)]
    one = desk(control, api)
    await one.pull()
    rows = await one.rows()
    assert [row["id"][:3] for row in rows] == ["id-", "id-", "3", "4"]
    assert [row["url"] for row in rows] == ["", "", "", ""]
    assert "alice" not in json.dumps(await one.kept()).lower()
    assert rows[0]["author"] == author_digest(KEY, "feed", "Alice")


async def test_very_long_words_are_cut(control: Control, api: VendorApi) -> None:
    """An entry longer than what a mention may hold is cut, not lost."""
    api.answers["/rss"] = [feed(f"<item><guid>1</guid><title>{'t' * 400}</title><description>{'w ' * 40_000}</description></item>")]
    one = desk(control, api)
    await one.pull()
    (row,) = await one.rows()
    assert (len(row["title"]), len(row["comment"]), row["comment"][-1]) == (300, 10_000, "…")


async def test_feeds_are_asked_when_they_are_due(control: Control, api: VendorApi) -> None:
    """At the start those that were never asked, then when their time has come; one that fails does not hold up the other."""
    api.answers |= {"/rss": [feed(item(1))], "/other": [500]}
    one = Desk(control, {"feed": settings("rss", url=f"{api.url}/rss"), "other": settings("rss", url=f"{api.url}/other")})
    running = asyncio.create_task(one.pulling.run())
    async with asyncio.timeout(10):
        while len(api.asked) < 2 or len(one.pulling.states) < 2 or not all(state.pulled_at for state in one.pulling.states.values()):
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    states = await control.feeds.list()
    assert states["feed"].next_at == NOW + timedelta(seconds=900)
    assert one.pulling.due(states["feed"]) == NOW + timedelta(seconds=900)
    assert (states["other"].failures, one.pulling.due(states["other"])) == (1, NOW + timedelta(minutes=1))
    shorter = Desk(control, {"feed": settings("rss", url=f"{api.url}/rss", every="2m")})
    assert shorter.pulling.due(states["feed"]) == NOW + timedelta(minutes=2)


async def test_a_token_is_sent_and_a_missing_one_stops_the_start(control: Control, api: VendorApi) -> None:
    """It goes along as a bearer; where it lies nowhere the start ends with a sentence."""
    api.answers["/rss"] = [feed(item(1))]
    one = desk(control, api, token={"env": "TOKEN"})
    one.pulling.check_secrets()
    await one.pull()
    assert api.asked[0].headers["authorization"] == "Bearer token-of-ours"
    lost = Desk(control, one.feeds, environ={})
    with pytest.raises(KeptKeyError, match=r"^feeds: feed: token: the environment variable TOKEN is empty; put it there$"):
        lost.pulling.check_secrets()
    assert (await lost.pull()).error == "feeds: feed: token: the environment variable TOKEN is empty; put it there"


async def test_an_erased_entry_does_not_come_back_with_the_next_pull(control: Control, api: VendorApi) -> None:
    """What was taken out of the inbox is known as seen."""
    api.answers["/rss"] = [feed(item(1))]
    one = desk(control, api)
    await one.pull()
    await control.inbox.remove([row.id for row in await control.inbox.after(0)])
    assert (await one.pull(after=900)).fresh == 0
    assert await one.kept() == []
