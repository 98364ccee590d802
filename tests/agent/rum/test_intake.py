"""Beacons over real HTTP: what is taken, what is refused and how, and that nothing hostile gets further than its answer."""

import asyncio
import time
from typing import Any

import httpx2
import pytest

from sojourn_agent.rum.config import RumConfig
from sojourn_agent.rum.intake import build_app
from sojourn_agent.spool_memory import MemorySpool
from sojourn_probes.ids import new_run_id
from sojourn_probes.marks import make_mark
from tests.agent.rum.taking import ORIGIN, SPAN, TRACE, beacon, fetch, page_view, taking

KEY = {"k1": b"a probe key"}


async def test_a_beacon_is_on_the_spool_when_it_is_answered():
    """204 comes once the spans and records are stored; ids of people go along with consent granted."""
    async with taking() as intake:
        done = await intake.post(
            beacon(page_view(), fetch(status=502), consent="granted", user="u1", visitor="v1", account="a1", cart={"value": 62, "currency": "EUR"})
        )
        assert (done.status_code, done.content) == (204, b"")
        view, paid = intake.spans()
        assert (view.name, view.raw.trace_id.hex(), view.raw.span_id.hex()) == ("page_view /cart", TRACE, SPAN)
        assert (view.has["service.name"], view.has["sojourn.app"], view.has["session.id"]) == ("shop", "shop", "s-1")
        assert (view.has["user.id"], view.has["enduser.pseudo.id"], view.has["sojourn.account.id"], view.has["sojourn.consent"]) == (
            "u1",
            "v1",
            "a1",
            "granted",
        )
        assert (view.has["sojourn.cart.value"], view.has["sojourn.cart.currency"]) == (62.0, "EUR")
        assert (paid.name, paid.raw.status.code, paid.has["error.type"], paid.has["url.path"], paid.has["sojourn.page.path"]) == (
            "fetch POST /payments",
            2,
            "502",
            "/payments",
            "/cart",
        )
        assert paid.has["url.full"] == f"{ORIGIN}/payments"


@pytest.mark.parametrize("consent", ["denied", "unknown", "perhaps", None])
async def test_without_consent_no_person_leaves_the_intake(consent):
    """Ids of people in a beacon without `granted` are withheld and counted, whatever the page said."""
    async with taking() as intake:
        assert (await intake.post(beacon(page_view(), consent=consent, user="u1", visitor="v1", account="a1"))).status_code == 204
        assert not {"user.id", "enduser.pseudo.id", "sojourn.account.id"} & set(intake.spans()[0].has)
        assert intake.counts.ids_withheld == 1


@pytest.mark.parametrize(("policy", "kept"), [("anonymise", "denied"), ("ignore", "granted")])
async def test_global_privacy_control_counts_as_consent_denied(policy, kept):
    """Sec-GPC: 1 makes a beacon anonymous unless the app is told to ignore it."""
    async with taking(gpc=policy) as intake:
        await intake.post(beacon(page_view(), consent="granted", user="u1"), sec_gpc="1")
        assert intake.spans()[0].has["sojourn.consent"] == kept
        assert ("user.id" in intake.spans()[0].has) == (kept == "granted")


async def test_a_repeat_is_stored_once():
    """The same session and beacon id again, also at the same time, is answered 204 and stored once; another id is another beacon."""
    async with taking() as intake:
        answers = await asyncio.gather(*(intake.post(beacon(page_view())) for _ in range(8)))
        assert {answer.status_code for answer in answers} == {204}
        assert len(intake.spans()) == 1
        assert intake.counts.repeated == 7
        await intake.post(beacon(page_view(), id="b-2"))
        assert len(intake.spans()) == 2


async def test_company_shares_a_batch():
    """Beacons that come together become one traces batch and one logs batch."""
    async with taking() as intake:
        error = {"type": "error", "name": "TypeError", "message": "x"}
        await asyncio.gather(*(intake.post(beacon(page_view(), error, id=f"b-{n}")) for n in range(20)))
        assert len(intake.spans()) == len(intake.records()) == 20
        assert len(intake.spool.batches) < 20


async def test_a_spool_that_refuses_is_503_and_the_repeat_is_stored():
    """While the spool cannot keep anything the page is told to come again; its next try is stored, once."""
    async with taking() as intake:
        intake.spool.unavailable = "no room"
        answer = await intake.post(beacon(page_view()))
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        assert answer.json() == {"error": "beacons cannot be kept right now; try again in 5 s"}
        intake.spool.unavailable = ""
        assert (await intake.post(beacon(page_view()))).status_code == 204
        assert len(intake.spans()) == 1


class HalfSpool(MemorySpool):
    """Refuses logs while `logs_refused`."""

    logs_refused = True

    async def append(self, signal, body):
        if signal == "logs" and self.logs_refused:
            self.unavailable = "logs only"
        try:
            return await super().append(signal, body)
        finally:
            self.unavailable = ""


async def test_half_stored_is_finished_not_doubled():
    """When the spool took the traces and refused the logs, the repeat stores the logs alone."""
    spool = HalfSpool()
    app = build_app(RumConfig.model_validate({"apps": {"shop": {"origins": [ORIGIN]}}}), spool, {})
    body = beacon(page_view(), {"type": "error", "message": "x"})
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://intake", headers={"origin": ORIGIN, "user-agent": "Chrome"}) as client:
        assert (await client.post("/v1/beacons", json=body)).status_code == 503
        spool.logs_refused = False
        assert (await client.post("/v1/beacons", json=body)).status_code == 204
    assert [signal for signal, _, _ in spool.batches] == ["traces", "logs"]


async def test_a_verified_mark_makes_it_synthetic_even_from_a_webdriver():
    """A probe's beacon is synthetic and carries its run; bots: drop does not drop it."""
    run = new_run_id(time.time())
    async with taking(keys=KEY) as intake:
        await intake.post(beacon(page_view(), probe=make_mark(run, "k1", KEY["k1"], time.time()), device={"webdriver": True}))
        (view,) = intake.spans()
        assert (view.has["sojourn.traffic"], view.has["sojourn.run.id"], view.has["sojourn.probe.key_id"]) == ("synthetic", run, "k1")
        assert intake.counts.synthetic == 1


@pytest.mark.parametrize(
    "forge", [lambda mark: "nonsense", lambda mark: mark[:-1] + ("0" if mark[-1] != "0" else "1"), lambda mark: mark.replace(".k1.", ".k2.")]
)
async def test_a_forged_mark_is_real_and_says_so(forge):
    """A mark that proves nothing is counted; the beacon stays real, with `sojourn.probe.unverified`, so nobody hides by forging one."""
    async with taking(keys=KEY) as intake:
        await intake.post(beacon(page_view(), probe=forge(make_mark(new_run_id(time.time()), "k1", KEY["k1"], time.time()))))
        (view,) = intake.spans()
        assert (view.has["sojourn.traffic"], view.has["sojourn.probe.unverified"]) == ("real", True)
        assert "sojourn.run.id" not in view.has
        assert intake.counts.invalid_marks == 1


async def test_an_old_mark_no_longer_verifies():
    """A mark is good for an hour after its run began."""
    then = time.time() - 4000
    async with taking(keys=KEY) as intake:
        await intake.post(beacon(page_view(), probe=make_mark(new_run_id(then), "k1", KEY["k1"], then)))
        assert intake.spans()[0].has["sojourn.traffic"] == "real"


@pytest.mark.parametrize(("agent", "device"), [("Googlebot/2.1", {}), ("Mozilla/5.0 HeadlessChrome/156", {}), ("Mozilla/5.0 Chrome/156", {"webdriver": True})])
@pytest.mark.parametrize(("bots", "stored"), [("drop", 0), ("keep", 1)])
async def test_bots_are_left_out_unless_kept(agent, device, bots, stored):
    """Crawlers and driven browsers get 204 and are dropped, or with bots: keep are stored."""
    async with taking(bots=bots) as intake:
        assert (await intake.post(beacon(page_view(), device=device), user_agent=agent)).status_code == 204
        assert len(intake.spans()) == stored
        assert intake.counts.bots == 1 - stored


@pytest.mark.parametrize(
    ("origin", "sentence"),
    [
        ("https://evil.example", "origin 'https://evil.example' is not listed for any app; add it under rum: apps: origins: in agent.yaml"),
        (
            "https://shop.example.evil.example",
            "origin 'https://shop.example.evil.example' is not listed for any app; add it under rum: apps: origins: in agent.yaml",
        ),
        ("http://shop.example", "origin 'http://shop.example' is not listed for any app; add it under rum: apps: origins: in agent.yaml"),
        ("https://shop.example:8443", "origin 'https://shop.example:8443' is not listed for any app; add it under rum: apps: origins: in agent.yaml"),
        ("null", "origin 'null' is not listed for any app; add it under rum: apps: origins: in agent.yaml"),
        ("", "the request names no Origin; beacons are taken from listed pages only"),
    ],
)
async def test_an_origin_that_is_not_listed_is_403(origin, sentence):
    """Scheme, host and port must be on the list; the answer names the cure and carries no CORS permission."""
    async with taking() as intake:
        answer = await intake.post(beacon(page_view()), origin=origin)
        assert (answer.status_code, answer.json()) == (403, {"error": sentence})
        assert "access-control-allow-origin" not in answer.headers
        assert intake.spool.batches == []


async def test_without_an_origin_the_referer_counts():
    """A request without Origin is judged by the origin of its Referer."""
    async with taking() as intake:
        assert (await intake.post(beacon(page_view()), origin="", referer=f"{ORIGIN}/cart")).status_code == 204
        assert (await intake.post(beacon(page_view(), id="b-2"), origin="", referer="http://[bad")).status_code == 403


async def test_a_preflight_is_answered_before_anything_else():
    """OPTIONS from a listed origin is 204 with what the browser needs; from another it is 204 without permission."""
    async with taking() as intake:
        allowed = await intake.client.options("/v1/beacons", headers={"origin": ORIGIN, "access-control-request-method": "POST"})
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == ORIGIN
        assert allowed.headers["vary"] == "Origin"
        assert "idempotency-key" in allowed.headers["access-control-allow-headers"]
        refused = await intake.client.options("/v1/beacons", headers={"origin": "https://evil.example"})
        assert (refused.status_code, refused.headers.get("access-control-allow-origin")) == (204, None)


DEEP = b'{"v":1,"id":"b","app":"shop","session":{"id":"s"},"more":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
DEEP_PAGE = DEEP.replace(b'"more"', b'"page"')


@pytest.mark.parametrize(
    ("body", "status", "sentence"),
    [
        (b"", 400, "the body is not JSON: Input data was truncated"),
        (b"{", 400, "the body is not JSON: Input data was truncated"),
        (b"\xff\xfe\x00", 400, "the body is not JSON: JSON is malformed: invalid character (byte 0)"),
        (b"[]", 400, "not a beacon of version 1: Expected `object`, got `array`"),
        (b"null", 400, "not a beacon of version 1: Expected `object`, got `null`"),
        (b'{"v":2,"id":"b","app":"shop","session":{"id":"s"}}', 400, "not a beacon of version 1: Invalid enum value 2 - at `$.v`"),
        (b'{"v":1,"id":"b","app":"shop"}', 400, "not a beacon of version 1: Object missing required field `session`"),
        (b'{"v":1,"id":"b","app":"shop","session":{}}', 400, "not a beacon of version 1: Object missing required field `id`"),
        (b'{"v":1,"id":"","app":"shop","session":{"id":"s"}}', 400, "not a beacon of version 1: Expected `str` of length >= 1 - at `$.id`"),
        (b'{"v":1,"id":"b","app":"other","session":{"id":"s"}}', 403, "app 'other' is not known here; add it under rum: apps: in agent.yaml"),
        (DEEP, 400, "the JSON is nested too deeply"),
        (DEEP_PAGE, 400, "the JSON is nested too deeply"),
        (b" " * 65_537, 413, "a beacon may have 65536 bytes; send fewer items at once"),
    ],
)
async def test_hostile_bodies_are_one_sentence(body, status, sentence):
    """A body that is no beacon is refused with one sentence, nothing is stored, and the next beacon is taken."""
    async with taking() as intake:
        answer = await intake.post(body)
        assert (answer.status_code, answer.json()) == (status, {"error": sentence})
        assert intake.spool.batches == []
        assert (await intake.post(beacon(page_view()))).status_code == 204


async def test_a_chunked_body_is_bounded_too():
    """A body without a length is cut off at the limit."""

    async def endless():
        for _ in range(200):
            yield b" " * 1024

    async with taking() as intake:
        try:
            answer = await intake.client.post("/v1/beacons", content=endless(), headers={"origin": ORIGIN})
            assert answer.status_code == 413
        except httpx2.TransportError:
            pass  # the connection may be closed under a client that goes on sending
        assert intake.counts.refused_size == 1


async def test_an_encoded_body_is_415():
    """Content-Encoding is not taken: no bomb to unpack."""
    async with taking() as intake:
        answer = await intake.post(b"\x1f\x8b", content_encoding="gzip")
        assert (answer.status_code, answer.json()) == (415, {"error": "the body is encoded; send it as it is"})


async def test_a_slow_body_is_given_up():
    """A body that does not arrive in time is 408, and others are taken meanwhile."""
    async with taking(body_seconds=0.3) as intake:
        host, port = intake.url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(f"POST /v1/beacons HTTP/1.1\r\nhost: x\r\norigin: {ORIGIN}\r\ncontent-length: 100\r\n\r\n{{".encode())
        await writer.drain()
        assert (await intake.post(beacon(page_view()))).status_code == 204
        async with asyncio.timeout(20):
            assert b" 408 " in await reader.readline()
        writer.close()
        await writer.wait_closed()
        assert intake.counts.refused_slow == 1


async def test_too_many_from_one_address_is_429():
    """A burst beyond the bucket is refused with Retry-After; the bucket fills again with time."""
    now = [1_800_000_000.0]
    async with taking(per_ip={"per_second": 1, "burst": 3}, clock=lambda: now[0]) as intake:
        answers = [await intake.post(beacon(page_view(), id=f"b-{n}")) for n in range(4)]
        assert [answer.status_code for answer in answers] == [204, 204, 204, 429]
        assert (answers[3].json(), answers[3].headers["retry-after"]) == ({"error": "too many beacons from this address; try again in 5 s"}, "5")
        now[0] += 1
        assert (await intake.post(beacon(page_view(), id="b-9"))).status_code == 204


async def test_an_app_has_a_bucket_of_its_own():
    """The limit per app is counted under the configured name."""
    async with taking(per_app={"per_second": 1, "burst": 1}, clock=lambda: 1_800_000_000.0) as intake:
        answers = [await intake.post(beacon(page_view(), id=f"b-{n}")) for n in range(2)]
        assert answers[1].json() == {"error": "too many beacons of app 'shop'; try again in 5 s"}


async def test_the_snippet_is_served_with_an_etag():
    """/rum.js is a script for any origin, cached by ETag."""
    async with taking() as intake:
        script = await intake.client.get("/rum.js")
        assert (script.status_code, script.headers["content-type"]) == (200, "text/javascript; charset=utf-8")
        assert (await intake.client.get("/rum.js", headers={"if-none-match": script.headers["etag"]})).status_code == 304


async def test_unknown_paths_and_methods_are_one_sentence():
    """404 and 405 say where beacons go."""
    async with taking() as intake:
        lost = await intake.client.post("/v1/beacon", content=b"x")
        assert (lost.status_code, lost.json()) == (404, {"error": "nothing here; beacons go to POST /v1/beacons, the snippet is /rum.js"})
        wrong = await intake.client.get("/v1/beacons")
        assert (wrong.status_code, wrong.json()) == (405, {"error": "this method is not for this path; beacons go to POST /v1/beacons"})


@pytest.mark.parametrize(("proxies", "second"), [([], 429), (["127.0.0.1"], 204)])
async def test_a_proxy_on_loopback_is_believed_only_when_it_is_listed(proxies, second):
    """Two clients that an unlisted neighbour on this machine names are one to the limit; of a listed one they are two."""
    async with taking(per_ip={"per_second": 0.001, "burst": 1}, proxies=proxies) as intake:
        answers = [(await intake.post(beacon(page_view(), id=address), x_forwarded_for=address)).status_code for address in ("203.0.113.7", "203.0.113.8")]
        assert answers == [204, second]


async def test_a_fetch_says_whether_it_asked_the_sites_own():
    """Own are the page's origin and what the page calls its own, whoever sends it; a request without an address is none and is dropped."""
    asked: list[dict[str, Any]] = [
        {"url": f"{ORIGIN}/payments"},
        {"url": "/payments"},
        {"url": "https://shop.example:443/payments"},
        {"url": "https://api.shop.example/payments", "own": True},
        {"url": "https://api.shop.example/payments"},
        {"url": "https://tracker.example/collect", "page": "https://tracker.example/x"},
        {"url": "", "error": "network"},
    ]
    async with taking() as intake:
        await intake.post(beacon(*({"type": "fetch", "trace": TRACE, "span": SPAN, **one} for one in asked)))
        assert [span.has["sojourn.request.own"] for span in intake.spans()] == [True, True, True, True, False, True]
        assert intake.counts.items_dropped == 1
