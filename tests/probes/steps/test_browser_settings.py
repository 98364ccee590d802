"""What holds for all browser steps of a journey: `defaults: {browser: …}`, seen from the page and from the server."""

import base64
import datetime

import pytest

from sojourn_probes.names import Names
from sojourn_probes.secrets import SecretStore
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.auth import SigV4
from sojourn_probes.steps.auth_aws import aws_signer
from sojourn_probes.steps.browser_devices import FILE, source
from tests.probes.site import Answer, Asked, answer, site
from tests.probes.steps.browser_site import page
from tests.probes.steps.browsing import Warm, journey, only_failure
from tests.probes.walking import walk

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module")]


def with_defaults(defaults: str, text: str) -> str:
    return f"defaults: {{browser: {defaults}}}\n{text}"


async def plain(asked: Asked) -> Answer:
    return page("Home", "<h1>Home</h1>")


SEEN = [
    ("{viewport: 800x600}", "[innerWidth, innerHeight]", [800, 600]),
    ("{}", "[innerWidth, innerHeight]", [1280, 800]),
    ("{device: iPhone 15}", "[/iPhone/.test(navigator.userAgent), /Sojourn/.test(navigator.userAgent), devicePixelRatio]", [True, True, 3]),
    ("{device: iPhone 15, viewport: {width: 500, height: 700}}", "screen.width > 0 && innerWidth >= 500", True),
    ("{locale: de-DE}", "[navigator.language, (1.5).toLocaleString()]", ["de-DE", "1,5"]),
    ('{locale: "${vars.lang}"}', "navigator.language", "fr-FR"),
    ("{timezone: Asia/Tokyo}", "Intl.DateTimeFormat().resolvedOptions().timeZone", "Asia/Tokyo"),
    ("{color_scheme: dark}", "matchMedia('(prefers-color-scheme: dark)').matches", True),
    ("{permissions: [notifications]}", "navigator.permissions.query({name: 'notifications'}).then((a) => a.state)", "granted"),
    (
        "{geolocation: {latitude: 52.5, longitude: 13.4}, permissions: [geolocation]}",
        "new Promise((done, no) => navigator.geolocation.getCurrentPosition((at) => done(at.coords.latitude), (e) => done(e.message)))",
        52.5,
    ),
    ("{dialogs: accept}", "confirm('Sure?')", True),
    ("{}", "confirm('Sure?')", False),
]


async def test_the_page_sees_what_the_journey_says(warm: Warm):
    """Device, viewport, locale, time zone, colour scheme, permissions, position and dialogs reach the page."""
    failures = []
    async with warm(plain) as (served, tools):
        for defaults, expression, wanted in SEEN:
            step = journey(
                served.url, "goto: /", f"evaluate: {{js: {expression!r}, equals: {str(wanted) if wanted not in (True, False) else str(wanted).lower()}}}"
            )
            step = step.replace("[True, True, 3]", "[true, true, 3]")
            result = await walk("vars: {lang: fr-FR}\n" + with_defaults(defaults, step), tools=tools)
            failures += [(defaults, result.failure.message)] if result.failure else []
    assert failures == []


async def test_a_slow_line_and_a_slow_device_are_slow(warm: Warm):
    """`network` lets bytes trickle and adds its latency, `cpu` stretches the page's own work; both through DevTools."""

    async def big(asked: Asked) -> Answer:
        return answer(200, b"x" * 100_000) if asked.target == "/big" else page("Home", "<h1>Home</h1>")

    fetching = "(async () => { const t = performance.now(); await (await fetch('/big')).text(); return performance.now() - t; })()"
    once = "() => { const t = performance.now(); let n = 0; for (let i = 0; i < 5e6; i++) n += i % 7; return performance.now() - t; }"
    working = f"Math.min(...Array.from({{length: 20}}, {once}))"  # the quickest of many: other work of the machine comes between some, not all
    took: dict[str, float] = {}
    async with warm(big) as (served, tools):
        for name, defaults, js in (
            ("line", "{network: {down: 400 kbit/s, latency: 300ms}}", fetching),
            ("plain line", "{}", fetching),
            ("device", "{cpu: 6x}", working),
            ("plain device", "{}", working),
        ):
            text = with_defaults(defaults, journey(served.url, "goto: /", more=f"    extract: {{ms: {{evaluate: {js!r}}}}}\n"))
            text += '  - id: tell\n    browser: [{goto: "/told/${steps.buy.ms}"}]\n'
            assert (await walk(text, tools=tools)).failure is None
            took[name] = float(served.asked[-1].target.rpartition("/")[2])
    assert took["line"] >= 1800  # 100 kB at 50 kB/s, and the latency
    assert took["line"] > took["plain line"]
    assert took["device"] > 2 * took["plain device"]


async def test_headers_and_credentials_go_to_own_origins_alone(warm: Warm):
    """Headers and a bearer token are on every own request, and not on a stranger's, not even after our own redirect to it."""

    async def stranger(asked: Asked) -> Answer:
        return answer(200, "ok", content_type="text/html", access_control_allow_origin="*")

    async with site(stranger) as other:

        async def own(asked: Asked) -> Answer:
            if asked.target == "/away":
                return answer(302, location=f"{other.url}/landed")
            return page("Home", f"<script>fetch('/a'); fetch('{other.url}/b').then(() => document.body.append('all done'))</script>")

        async with warm(own) as (served, tools):
            defaults = '{headers: {x-canary: "1", accept-language: tlh}, auth: {bearer: "${secrets.token}"}}'
            text = with_defaults(defaults, journey(served.url, "goto: /", "expect: all done", "goto: /away", "expect: ok"))
            result = await walk(text, environ={"SOJOURN_SECRET_TOKEN": "token-1234"}, tools=tools)
    assert result.failure is None
    assert {(asked.headers.get("x-canary"), asked.headers["accept-language"], asked.headers.get("authorization")) for asked in served.asked} == {
        ("1", "tlh", "Bearer token-1234")
    }
    assert {"/b", "/landed"} <= {asked.target for asked in other.asked}
    assert not [asked.target for asked in other.asked if {"x-canary", "authorization"} & set(asked.headers)]


async def test_user_and_password_answer_an_own_origin_and_nobody_else(warm: Warm):
    """A question for user and password is answered once, to own origins; a wrong password is the server's 401."""
    right = f"Basic {base64.b64encode(b'probe:open sesame').decode()}"

    async def guarded(asked: Asked) -> Answer:
        if asked.headers.get("authorization") == right:
            return page("In", "<h1>Welcome</h1>")
        return answer(401, "who are you", www_authenticate='Basic realm="x"')

    async with site(guarded) as other, warm(guarded) as (served, tools):
        defaults = '{auth: {user: probe, password: "${secrets.pw}"}}'
        good = await walk(with_defaults(defaults, journey(served.url, "goto: /", "expect: Welcome")), environ={"SOJOURN_SECRET_PW": "open sesame"}, tools=tools)
        bad = await walk(with_defaults(defaults, journey(served.url, "goto: /")), environ={"SOJOURN_SECRET_PW": "wrong"}, tools=tools)
        away = with_defaults(defaults, journey(served.url, "goto: /", f"goto: {other.url}/"))
        away_result = await walk(away, environ={"SOJOURN_SECRET_PW": "open sesame"}, tools=tools)
    assert good.failure is None
    assert only_failure(bad) == (FailureKind.STATUS, f"action 1 of 1, goto {served.url}/: answered 401: it does not take the user and password under auth")
    assert only_failure(away_result) == (FailureKind.STATUS, f"action 2 of 2, goto {other.url}/: answered 401")
    assert [asked.headers.get("authorization") for asked in other.asked] == [None]
    assert len(served.asked) == 6  # each walk asked once without and once with them


async def test_blocked_hosts_and_third_parties_are_not_asked(warm: Warm):
    """`block` and `third_parties` keep requests from being made; what is blocked is neither a failure nor a request."""

    async def stranger(asked: Asked) -> Answer:
        return answer(200, "window.seen = true", content_type="text/javascript")

    async with site(stranger, host="127.0.0.2") as other:

        async def own(asked: Asked) -> Answer:
            return page("Home", f"<script src={other.url}/tracker.js></script><h1>Home</h1>")

        counts = []
        async with warm(own) as (served, tools):
            for defaults in ("{}", "{block: [127.0.0.2]}", "{third_parties: false}", "{third_parties: [127.0.0.2]}", '{third_parties: ["*.pay.example"]}'):
                text = with_defaults(defaults, journey(served.url, "goto: /", "expect: Home", more="    expect: [requests < 3]\n"))
                result = await walk(text, tools=tools)
                assert result.failure is None
                step = result.attempts[0].steps[0]
                counts.append((len(other.asked), any(exchange.error for exchange in step.exchanges)))
    assert counts == [(1, False), (1, False), (1, False), (2, False), (2, False)]


async def test_frames_of_other_sites_are_watched_too(warm: Warm):
    """A request made by a frame of another site is seen, and blocked if it shall be, like one of the page itself."""

    async def tracker(asked: Asked) -> Answer:
        return answer(200, "1", content_type="text/javascript")

    async with site(tracker, host="127.0.0.3") as third:

        async def framed(asked: Asked) -> Answer:
            return page("Frame", f"<script src={third.url}/t.js></script><button>Inner</button>")

        async with site(framed, host="127.0.0.2") as second:

            async def own(asked: Asked) -> Answer:
                return page("Home", f"<iframe title=other src={second.url}/></iframe>")

            async with warm(own) as (served, tools):
                for block, requests in (("[127.0.0.3]", 2), ("[]", 3)):
                    actions = ("goto: /", "frame: {title: other, actions: [{click: Inner}]}")
                    text = with_defaults(f"{{block: {block}}}", journey(served.url, *actions, more=f"    expect: [requests == {requests}]\n"))
                    assert (await walk(text, tools=tools)).failure is None
    assert len(third.asked) == 1


async def test_a_token_of_the_client_is_fetched_and_sent_to_own_origins(warm: Warm):
    """`oauth2` under auth: the token is fetched once for several runs, and on every request to own origins."""

    async def own(asked: Asked) -> Answer:
        return answer(200, '{"access_token": "token-77", "token_type": "bearer", "expires_in": 600}') if asked.method == "POST" else page("Home", "Home")

    async with warm(own) as (served, tools):
        auth = f'{{oauth2: {{token_url: "{served.url}/token", client_id: me, client_secret: "${{secrets.client}}"}}}}'
        for _ in range(2):
            text = with_defaults(f"{{auth: {auth}}}", journey(served.url, "goto: /"))
            assert (await walk(text, environ={"SOJOURN_SECRET_CLIENT": "client-secret"}, tools=tools)).failure is None
        gone = with_defaults(f"{{auth: {auth.replace('/token', '/none').replace(served.url, 'http://127.0.0.1:9')}}}", journey(served.url, "goto: /"))
        failed = await walk(gone, environ={"SOJOURN_SECRET_CLIENT": "client-secret"}, tools=tools)
    assert [(asked.method, asked.headers.get("authorization")) for asked in served.asked if asked.method == "GET"] == [("GET", "Bearer token-77")] * 2
    assert sum(asked.method == "POST" for asked in served.asked) == 1
    assert only_failure(failed)[0] is FailureKind.CONNECT


async def test_requests_of_the_browser_are_signed_for_aws(warm, monkeypatch):
    """`sigv4` under auth: each request to own origins has a signature over its own method, address and body; nobody else sees one."""
    import botocore.auth

    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *more, **named: datetime.datetime(2015, 8, 30, 12, 36))
    long = "x" * 100_000
    posting = (
        "<script>const post = (path, body) => fetch(path, {method: 'POST', headers: {'content-type': 'text/plain'}, body});"
        f"post('/save?b=2', 'grüße').then(() => post('/long', '{long}')).then(() => {{ document.title = 'Saved' }})</script>"
    )

    async def foreign(asked: Asked) -> Answer:
        return page("Elsewhere", "Elsewhere")

    async with site(foreign, host="127.0.0.2") as other:

        async def own(asked: Asked) -> Answer:
            if asked.target == "/leave":
                return answer(302, location=f"{other.url}/")
            return page("Home", posting) if asked.target == "/" else answer(200, "{}")

        async with warm(own) as (served, tools):
            auth = "{sigv4: {access_key: '${secrets.ak}', secret_key: '${secrets.sk}', region: eu-central-1, service: execute-api}}"
            text = with_defaults(f"{{auth: {auth}}}", journey(served.url, "goto: /", "expect: {title: Saved}", "goto: /leave"))
            result = await walk(text, environ={"SOJOURN_SECRET_AK": "AKIDEXAMPLE", "SOJOURN_SECRET_SK": "secret-of-the-test"}, tools=tools)
    assert result.failure is None
    keys = SigV4.model_validate({"access_key": "${secrets.ak}", "secret_key": "${secrets.sk}", "region": "eu-central-1", "service": "execute-api"})
    store = SecretStore({"SOJOURN_SECRET_AK": "AKIDEXAMPLE", "SOJOURN_SECRET_SK": "secret-of-the-test"})
    sign = aws_signer(keys, Names({}, {}, store, "r"))
    seen = {asked.target: asked for asked in served.asked}
    assert {"/", "/save?b=2", "/long", "/leave"} <= set(seen)
    for target, asked in seen.items():
        assert asked.headers["authorization"] == sign(asked.method, served.url + target, asked.headers, asked.body)["Authorization"], target
    assert [name for asked in other.asked for name in asked.headers if name == "authorization" or name.startswith("x-amz")] == []


async def test_cookies_go_from_http_steps_to_the_browser_and_back(warm: Warm):
    """A login by http holds in the browser, what the browser is given holds in http, and what one forgets the other does."""

    async def own(asked: Asked) -> Answer:
        if asked.target == "/login":
            return answer(200, "in", set_cookie="sid=s1; Path=/; HttpOnly")
        if asked.target == "/page":
            return answer(200, "<title>x</title><script>document.cookie='cart=mug; path=/'</script>", content_type="text/html")
        if asked.target == "/logout":
            return answer(200, "out", set_cookie="sid=; Path=/; Max-Age=0")
        return page("Home", "<h1>Home</h1>")

    async with warm(own) as (served, tools):
        text = f"""
            id: mixed
            base_url: {served.url}
            steps:
              - {{id: login, http: {{url: /login}}}}
              - {{id: page, browser: [{{goto: /page}}]}}
              - {{id: api, http: {{url: /api}}}}
              - {{id: logout, http: {{url: /logout}}}}
              - {{id: after, browser: [{{goto: /after}}, {{evaluate: {{js: document.cookie, equals: cart=mug}}}}]}}
        """
        result = await walk(text, tools=tools)
    assert result.failure is None
    cookies = {asked.target: asked.headers.get("cookie") for asked in served.asked if asked.target != "/favicon.ico"}
    assert cookies["/login"] is None
    assert cookies["/page"] == "sid=s1"
    assert sorted((cookies["/api"] or "").split("; ")) == ["cart=mug", "sid=s1"]
    assert cookies["/after"] == "cart=mug"


async def test_a_device_nobody_knows_is_said_with_the_nearest(warm: Warm):
    """An unknown device that only a run can know of makes it inconclusive and names the ones it may have meant."""
    async with warm(plain) as (served, tools):
        result = await walk(with_defaults("{device: '${env.DEVICE}'}", journey(served.url, "goto: /")), tools=tools, environ={"DEVICE": "iPhone 15 Proo"})
    kind, message = only_failure(result)
    assert kind is FailureKind.CONFIG
    assert message.startswith("device 'iPhone 15 Proo' is not known to Playwright; did you mean iPhone 15 Pro")


async def test_the_names_of_devices_are_those_of_playwright():
    """browser_device_names.py is what the installed Playwright says; `make schema` writes it."""
    assert FILE.read_text() == await source()
