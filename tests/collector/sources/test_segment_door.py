"""The door of Segment's messages: who may send, what is read, what hostile and repeated bodies are answered."""

import gzip
import json

from sojourn_collector.store.control import Scope
from tests.collector.sources.conftest import Opening
from tests.collector.sources.segment_sender import AT, key_of, message, order, post
from tests.collector.sources.webhook_rig import NOW


async def test_seen_before(opened: Opening) -> None:
    """A batch that is sent again is kept once, also by another path and packed; without an id the same message at the same time is the same."""
    desk, key = await opened(), None
    key = await key_of(desk)
    nameless = {"event": "x", "userId": "u", "timestamp": AT}
    for _ in range(2):
        assert (await post(desk, {"batch": [order(), {**nameless, "type": "track"}], "sentAt": NOW.isoformat()}, key=key)).status_code == 200
        packed = gzip.compress(json.dumps({**order(), "sentAt": NOW.isoformat()}).encode())
        assert (await post(desk, packed, path="track", key=key, content_encoding="gzip")).status_code == 200
    assert len(await desk.bodies()) == 2
    assert desk.counters.value("sojourn_webhook_events", source="segment", outcome="seen") == 4


async def test_short_paths_and_a_key_in_the_body(opened: Opening) -> None:
    """Pages post to /v1/t, /v1/i and so on as text, some with the key in the body alone."""
    desk, key = await opened(), None
    key = await key_of(desk)
    for path, kind in {"t": "track", "i": "identify", "g": "group", "p": "page", "s": "screen", "a": "alias"}.items():
        body = {**message(kind, groupId="acme", event="x"), "type": "lies", "writeKey": key, "sentAt": NOW.isoformat()}
        answer = await desk.client.post(f"/v1/{path}", content=json.dumps(body), headers={"content-type": "text/plain"})
        assert (answer.status_code, answer.json()) == (200, {"success": True})
    answer = await desk.client.post("/v1/b", json={"batch": [message("page", messageId="m-9")], "writeKey": key})
    assert answer.status_code == 200
    large = await desk.client.post("/v1/b", content=b"x" * ((1 << 19) + 1))
    assert (large.status_code, large.json()["error"]) == (413, "The body is larger than 512 KiB; send it in several requests.")
    assert [one["event"]["type"] for one in await desk.bodies()] == ["track", "identify", "group", "page", "screen", "alias", "page"]


async def test_a_key_that_stands_in_a_page(opened: Opening) -> None:
    """Everybody can read it, so no order, person or account is made of what comes under it."""
    desk = await opened()
    answer = await post(desk, {"batch": [order(), message("identify"), message("group", groupId="acme")]}, key=await key_of(desk, Scope.PAGE))
    assert answer.json() == {"success": True}
    assert {"orders", "people", "accounts"} & (await desk.records()).keys() == set()
    assert len(await desk.bodies()) == 3


WHO: list[tuple[str | None, int, str]] = [
    (None, 401, "A write key is needed: give the SDK a key as sj_…; `sojourn-collector key create --scope sources` makes one."),
    ("Basic !!", 401, "The header Authorization is no Basic one; its user is the write key, its password empty."),
    ("Basic c2pfeF95Og==", 401, "This write key is unknown or was revoked."),
    ("Basic Og==", 401, "A write key is needed: give the SDK a key as sj_…; `sojourn-collector key create --scope sources` makes one."),
    ("Bearer sj_x_y", 401, "This write key is unknown or was revoked."),
    ("Digest x", 401, "The header Authorization is neither Basic nor Bearer; SDKs send Basic with the write key as user."),
]


async def test_the_configuration_of_a_source(opened: Opening) -> None:
    """RudderStack's script for pages gets one for a good key, in either writing of the address, readable and asked for before by listed origins alone."""
    desk = await opened()
    key, mine, other = await key_of(desk, Scope.PAGE), {"origin": "https://shop.example"}, {"origin": "https://other.example"}
    for path, given in (("/sourceConfig", {"params": {"writeKey": key}}), ("/sourceConfig/", {"auth": (key, "")})):
        answer = await desk.client.get(path, headers=mine, **given)
        source = answer.json()["source"]
        assert (answer.status_code, source["enabled"], source["destinations"], source["id"] != "") == (200, True, [], True)
        assert source["config"] == {"statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}}}
        assert answer.headers["access-control-allow-origin"] == "https://shop.example"
        assert "access-control-allow-origin" not in (await desk.client.get(path, headers=other, **given)).headers
        asked = {"access-control-request-method": "GET", "access-control-request-headers": "authorization,x-other,sentat"}
        before = await desk.client.options(path, headers=mine | asked)
        assert (before.status_code, before.headers["access-control-allow-methods"]) == (204, "GET")
        assert before.headers["access-control-allow-headers"] == "authorization, sentat"
        assert (await desk.client.options(path, headers=other | asked)).status_code == 403
    for given in ({}, {"params": {"writeKey": "sj_x_y"}}, {"auth": (await key_of(desk, Scope.READ), "")}):
        assert (await desk.client.get("/sourceConfig/", **given)).status_code in (401, 403)


async def test_who_may_not(opened: Opening) -> None:
    """Without a good key nothing is kept, and the sentence stands where SDKs look for one."""
    desk = await opened()
    for authorization, status, sentence in WHO:
        answer = await desk.client.post("/v1/track", json=order(), headers={"authorization": authorization} if authorization else {})
        assert (answer.status_code, answer.json()) == (status, {"success": False, "code": "unauthorized", "message": sentence, "error": sentence})
    refused = await post(desk, order(), path="track", key=await key_of(desk, Scope.READ))
    assert (refused.status_code, refused.json()["error"]) == (
        403,
        'The key "shop" may not send here; make one with scope sources, or page for one that stands in a page.',
    )
    assert await desk.bodies() == []


HOSTILE: list[tuple[bytes, int, str]] = [
    (b"", 400, "The body is not JSON: Expecting value at line 1, column 1."),
    (b'{"batch": [', 400, "The body is not JSON: Expecting value at line 1, column 12."),
    (b"\xff\xfe", 400, "The body is not UTF-8."),
    (b"[]", 400, "The body is not a JSON object."),
    (b"{}", 400, "The body has no batch, which is a list of messages."),
    (b'{"batch": {}}', 400, "The body has no batch, which is a list of messages."),
    (b'{"batch": [1, null]}', 400, "the message is not a JSON object."),
    (b'{"batch": [{"type": "x", "messageId": "1"}]}', 400, 'type: "x" is none of track, identify, group, page, screen, alias.'),
    (b'{"batch": [{"type": "track", "timestamp": "yesterday"}]}', 400, 'timestamp: "yesterday" is no time with a zone.'),
    (b'{"batch": [{"type": "track", "timestamp": "2026-03-01T11:00:00"}]}', 400, 'timestamp: "2026-03-01T11:00:00" is no time with a zone.'),
    (b'{"batch": [{"type": "track", "messageId": "' + b"m" * 300 + b'"}]}', 400, "the event has no id that could be kept."),
    (b'{"batch": [{"type": "track", "event": "' + b"e" * 70_000 + b'"}]}', 400, "the message is larger than 64 KiB."),
    (b"[" * 100_000, 400, "The JSON is nested deeper than 32 levels."),
    (b'{"batch": [' + b"1," * 2500 + b"1]}", 413, "The batch has more than 2500 messages; send it in several requests."),
    (b"x" * ((2 << 20) + 1), 413, "The body is larger than 2 MiB; send it in several requests."),
]


async def test_hostile_and_truncated_bodies(opened: Opening) -> None:
    """What cannot be read is refused with one sentence; nothing is kept."""
    desk = await opened()
    key = await key_of(desk)
    for body, status, sentence in HOSTILE:
        answer = await post(desk, body, key=key)
        assert (answer.status_code, answer.json()["error"]) == (status, sentence)
    assert await desk.bodies() == []


PACKED: list[tuple[bytes, str, int, str]] = [
    (gzip.compress(b"0" * (4 << 20)), "gzip", 413, "The body is larger than 2 MiB once unpacked; send it in several requests."),
    (gzip.compress(b'{"batch": []}')[:-9], "gzip", 400, "The body is not whole gzip, as its content encoding says it is."),
    (b'{"batch": []}', "gzip", 400, "The body is not whole gzip, as its content encoding says it is."),
    (b"x", "br", 415, 'The content encoding "br" is not taken; send gzip or none.'),
]


async def test_packed_bodies(opened: Opening) -> None:
    """A bomb goes off nowhere, and what is cut is not taken for whole."""
    desk = await opened()
    for body, coding, status, sentence in PACKED:
        answer = await post(desk, body, content_encoding=coding)
        assert (answer.status_code, answer.json()["error"]) == (status, sentence)


async def test_good_messages_beside_bad_ones(opened: Opening) -> None:
    """The good ones are kept, the bad ones come back with their number."""
    desk = await opened()
    answer = await post(desk, {"batch": [order(), {"type": "nonsense"}, 5]})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "success": True,
            "errors": [
                {"row": 1, "error": 'type: "nonsense" is none of track, identify, group, page, screen, alias'},
                {"row": 2, "error": "the message is not a JSON object"},
            ],
        },
    )
    assert len(await desk.bodies()) == 1


async def test_dry_run(opened: Opening) -> None:
    """The rows it would make, and nothing kept."""
    desk = await opened()
    answer = await post(desk, {"batch": [order(), order(messageId="2", properties={"order_id": "x", "revenue": 1})]}, query="?dry_run=true")
    told = answer.json()
    assert [(one["kind"], one["row"]["id"]) for one in told["records"]] == [("usage", "m-Order Completed"), ("orders", "o-1"), ("usage", "2")]
    assert (told["success"], told["records"][1]["row"]["amount"], told["errors"]) == (False, "55.2000", [{"row": 1, "error": "currency is missing"}])
    assert await desk.bodies() == []


async def test_pages_of_other_origins(opened: Opening) -> None:
    """A page's script may post from an origin that is configured, asks before it does, and from no other."""
    desk = await opened()
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type,x-evil"}
    before = await desk.client.request("OPTIONS", "/v1/t", headers={"origin": "https://shop.example", **asks})
    assert (before.status_code, before.headers["access-control-allow-origin"], before.headers["access-control-allow-headers"]) == (
        204,
        "https://shop.example",
        "authorization, content-type",
    )
    answer = await post(desk, order(), path="t", origin="https://shop.example")
    assert (answer.status_code, answer.headers["access-control-allow-origin"], answer.headers["vary"]) == (200, "https://shop.example", "origin")
    sentence = 'Pages of "https://evil.example" may not post here; add the origin to web.origins in collector.yaml.'
    for other in (
        await desk.client.request("OPTIONS", "/v1/t", headers={"origin": "https://evil.example", **asks}),
        await post(desk, order(messageId="2"), path="t", origin="https://evil.example"),
    ):
        assert (other.status_code, other.json()["error"], other.headers.get("access-control-allow-origin")) == (403, sentence, None)
    assert len(await desk.bodies()) == 1
