"""Answers that are not the site's own, told apart by their facts: guards, CDNs, captive portals, busy servers, wrong clocks."""

import datetime
import ssl
import time
from email.utils import formatdate
from typing import Any

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from sojourn_probes import diagnose
from sojourn_probes.clock import Clock
from sojourn_probes.semconv import FailureKind, Outcome
from sojourn_probes.signatures import SIGNATURES
from tests.probes.site import Answer, Asked, answer, site
from tests.probes.walking import walk

EXPECTED = "    expect: [body contains Welcome]\n"


async def walked(raw: Answer, expect: str = "", more: str = "") -> Any:
    """The run of one http step whose server says `raw`."""

    async def respond(asked: Asked) -> Answer:
        return raw

    async with site(respond) as shop:
        return await walk(f"id: j\nbase_url: {shop.url}\nsteps:\n  - id: s\n    http: {{url: /start{more}}}\n{expect}")


def said(run: Any) -> tuple[Any, str]:
    return run.failure.kind, run.failure.message


RAY = {"server": "cloudflare", "cf_ray": "8f2a-FRA"}
LET = "let the probe pass there by its address or User-Agent"
LOOK = "look at the site's own server, and at what is between"
ROBOT = "wants proof that the probe is no robot"
UNREACHED = "could not get an answer from the site's own server"
AKAMAI_403 = """<HTML><HEAD>\n<TITLE>Access Denied</TITLE>\n</HEAD><BODY>\n<H1>Access Denied</H1>\n \nYou don't have permission to access
"http&#58;&#47;&#47;shop&#46;example&#47;" on this server.<P>\nReference&#32;&#35;18&#46;4d645f17&#46;1700000000&#46;1a2b3c\n</BODY></HTML>"""
AKAMAI_503 = """<HTML><HEAD><TITLE>Error</TITLE></HEAD><BODY>An error occurred while processing your request.<p>
Reference&#32;&#35;97&#46;4d645f17&#46;1700000000&#46;1a2b3c</BODY></HTML>"""
IMPERVA = """<html><head><META NAME="robots" CONTENT="noindex,nofollow"></head><iframe id="main-iframe"
src="/_Incapsula_Resource?CWUDNSAI=9&xinfo=0-1&incident_id=123000-456&edet=12" frameborder=0>
Request unsuccessful. Incapsula incident ID: 123000-456</iframe></html>"""
F5 = (
    "<html><head><title>Request Rejected</title></head><body>The requested URL was rejected. Please consult with your administrator.<br>"
    "<br>Your support ID is: 713812345678</body></html>"
)
ALB_403 = "<html>\r\n<head><title>403 Forbidden</title></head>\r\n<body>\r\n<center><h1>403 Forbidden</h1></center>\r\n</body>\r\n</html>\r\n"
FASTLY = "<html><head><title>503 Backend fetch failed</title></head><body><h1>Error 503 Backend fetch failed</h1><h3>Guru Mediation:</h3></body></html>"

BLOCKS = [
    (answer(403, "<html>", cf_mitigated="challenge", **RAY), f"Cloudflare {ROBOT} (403 from GET /start, reference 8f2a-FRA); {LET}"),
    (answer(503, "<title>Just a moment...</title>", **RAY), f"Cloudflare {ROBOT} (503 from GET /start, reference 8f2a-FRA); {LET}"),
    (answer(403, "<title>Attention Required! | Cloudflare</title>", **RAY), f"Cloudflare refused the probe (403 from GET /start, reference 8f2a-FRA); {LET}"),
    (answer(403, "error code: 1020", **RAY), f"Cloudflare refused the probe (403 from GET /start, reference 8f2a-FRA); {LET}"),
    (answer(202, "", x_amzn_waf_action="challenge"), f"AWS WAF {ROBOT} (202 from GET /start); {LET}"),
    (answer(405, "", x_amzn_waf_action="captcha"), f"AWS WAF {ROBOT} (405 from GET /start); {LET}"),
    (
        answer(403, "<H1>403 ERROR</H1>Request blocked.", server="CloudFront", x_cache="Error from cloudfront", x_amz_cf_id="aGVsbG8="),
        f"AWS WAF refused the probe (403 from GET /start, reference aGVsbG8=); {LET}",
    ),
    (answer(403, ALB_403, server="awselb/2.0"), f"AWS WAF refused the probe (403 from GET /start); {LET}"),
    (answer(403, AKAMAI_403, server="AkamaiGHost"), f"Akamai refused the probe (403 from GET /start, reference 18.4d645f17.1700000000.1a2b3c); {LET}"),
    (answer(200, IMPERVA, x_iinfo="1-2-3"), f"Imperva refused the probe (200 from GET /start, reference 123000-456); {LET}"),
    (answer(403, "<script>var dd={'host':'geo.captcha-delivery.com'}</script>", x_datadome="protected"), f"DataDome {ROBOT} (403 from GET /start); {LET}"),
    (answer(403, "{}", x_dd_b="1"), f"DataDome {ROBOT} (403 from GET /start); {LET}"),
    (answer(403, '<div id="px-captcha"></div>'), f"HUMAN (PerimeterX) {ROBOT} (403 from GET /start); {LET}"),
    (answer(403, "<title>Sucuri WebSite Firewall - Access Denied</title>"), f"Sucuri refused the probe (403 from GET /start); {LET}"),
    (answer(403, "", x_sucuri_block="GEO02"), f"Sucuri refused the probe (403 from GET /start, reference GEO02); {LET}"),
    (answer(200, F5), f"F5 refused the probe (200 from GET /start, reference 713812345678); {LET}"),
    (
        answer(200, '<script src="/_fs-ch-1T1wmsGaOgGaSxcX/script.js">', x_served_by="cache-fra-1"),
        f"Fastly {ROBOT} (200 from GET /start, reference cache-fra-1); {LET}",
    ),
    (answer(403, "<h2>The request is blocked.</h2>", x_azure_ref="0abc"), f"Azure Front Door refused the probe (403 from GET /start, reference 0abc); {LET}"),
    (
        answer(403, "<center>Microsoft-Azure-Application-Gateway/v2</center>"),
        f"Azure Application Gateway refused the probe (403 from GET /start); {LET}",
    ),
    (answer(403, "<title>403</title>403 Forbidden", via="1.1 google"), f"Google Cloud Armor refused the probe (403 from GET /start); {LET}"),
    (answer(429, "", x_vercel_mitigated="challenge", x_vercel_id="fra1::a"), f"Vercel {ROBOT} (429 from GET /start, reference fra1::a); {LET}"),
    (answer(429, "<script src='/149e9513/2d206a39/ips.js'>", x_kpsdk_ct="0a"), f"Kasada {ROBOT} (429 from GET /start); {LET}"),
    (answer(503, "<p>Generated by Wordfence at Tue</p>"), f"Wordfence refused the probe (503 from GET /start); {LET}"),
    (answer(406, "This error was generated by Mod_Security."), f"ModSecurity refused the probe (406 from GET /start); {LET}"),
    (answer(200, '<script src="/.within.website/x/cmd/anubis/static/js/main.mjs">'), f"Anubis {ROBOT} (200 from GET /start); {LET}"),
]

ERRORS = [
    *(
        (answer(status, "<html>", **RAY), f"Cloudflare {why} ({status} from GET /start, reference 8f2a-FRA); {LOOK}")
        for status, why in (
            (520, "got an answer from the site's own server that it does not understand"),
            (521, "was refused the connection by the site's own server"),
            (522, "got no connection to the site's own server in time"),
            (523, "finds no way to the site's own server"),
            (524, "got a connection to the site's own server but no answer in time"),
            (525, "failed in the TLS handshake with the site's own server"),
            (526, "does not take the certificate of the site's own server"),
            (527, "lost its Railgun connection to the site's own server"),
            (530, "does not find the site's own server: its name or its tunnel is gone"),
        )
    ),
    (answer(502, '<div id="cf-error-details">', **RAY), f"Cloudflare {UNREACHED} (502 from GET /start, reference 8f2a-FRA); {LOOK}"),
    (
        answer(504, "<H1>504 ERROR</H1>Generated by cloudfront (CloudFront)", server="CloudFront", x_cache="Error from cloudfront", x_amz_cf_id="abc"),
        f"CloudFront {UNREACHED} (504 from GET /start, reference abc); {LOOK}",
    ),
    (answer(502, "error code: 502", **RAY), f"Cloudflare {UNREACHED} (502 from GET /start, reference 8f2a-FRA); {LOOK}"),
    (
        answer(503, "<center><h1>503 Service Temporarily Unavailable</h1></center>", server="awselb/2.0"),
        f"AWS load balancer {UNREACHED} (503 from GET /start); {LOOK}",
    ),
    (answer(503, FASTLY, server="Varnish", x_served_by="cache-fra-1"), f"Fastly {UNREACHED} (503 from GET /start, reference cache-fra-1); {LOOK}"),
    (answer(500, "Fastly error: unknown domain: shop.example."), f"Fastly does not serve this host name (500 from GET /start); {LOOK}"),
    (answer(503, FASTLY, via="1.1 varnish (Varnish/7.1)", x_varnish="32770"), f"Varnish {UNREACHED} (503 from GET /start, reference 32770); {LOOK}"),
    (answer(503, AKAMAI_503, server="AkamaiGHost"), f"Akamai {UNREACHED} (503 from GET /start, reference 97.4d645f17.1700000000.1a2b3c); {LOOK}"),
    (
        answer(503, "<h2>Our services aren't available right now</h2>", x_azure_ref="0abc"),
        f"Azure Front Door {UNREACHED} (503 from GET /start, reference 0abc); {LOOK}",
    ),
    (answer(502, "<center>Microsoft-Azure-Application-Gateway/v2</center>"), f"Azure Application Gateway {UNREACHED} (502 from GET /start); {LOOK}"),
    (
        answer(502, "The server encountered a temporary error and could not complete your request.", via="1.1 google"),
        f"Google Cloud Load Balancing {UNREACHED} (502 from GET /start); {LOOK}",
    ),
    (
        answer(503, "Error code 20: The proxy failed to connect to the web server, due to TCP connection timeout"),
        f"Imperva {UNREACHED} (503 from GET /start); {LOOK}",
    ),
    (answer(504, "<title>Backend or gateway connection error</title>", x_sucuri_id="15"), f"Sucuri {UNREACHED} (504 from GET /start, reference 15); {LOOK}"),
    (answer(503, '<iframe src="//www.herokucdn.com/error-pages/application-error.html">'), f"Heroku {UNREACHED} (503 from GET /start); {LOOK}"),
    (
        answer(504, "", x_vercel_error="FUNCTION_INVOCATION_TIMEOUT", x_vercel_id="fra1::a"),
        f"Vercel {UNREACHED} (504 from GET /start, reference fra1::a); {LOOK}",
    ),
]


@pytest.mark.parametrize(("raw", "message"), BLOCKS)
async def test_who_blocks_the_probe_is_named(raw, message):
    """A block or a challenge is the guard's answer, whatever its status, and says what to do."""
    assert said(await walked(raw, EXPECTED)) == (FailureKind.BLOCKED_BY_WAF, message)


@pytest.mark.parametrize(("raw", "message"), ERRORS)
async def test_who_cannot_reach_the_site_is_named(raw, message):
    """An error page of a CDN or load balancer is not the site's own error."""
    assert said(await walked(raw)) == (FailureKind.ORIGIN_UNREACHABLE, message)


def api(status: int, body: str = '{"error": "no such right"}', **headers: str) -> Answer:
    """An API's own answer."""
    return answer(status, body, content_type="application/json", **headers)


ARTICLE = (
    "<title>News</title><p>Cloudflare showed: Attention Required! | Cloudflare, error code: 1020; Incapsula, DataDome, px-captcha and Akamai too.</p>"
    + "x" * 30_000
)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (answer(403, "Forbidden", server="nginx"), "403 from GET /start, expected status < 400"),
        (answer(403, ARTICLE, server="nginx"), "403 from GET /start, expected status < 400"),
        (answer(403, "no entry for you", **RAY), "403 from GET /start, expected status < 400"),
        (answer(502, "Bad Gateway", server="nginx"), "502 from GET /start, expected status < 400"),
        (answer(503, "down", server="nginx", x_cache="Error from cloudfront"), "503 from GET /start, expected status < 400"),
        (answer(503, "down", x_served_by="cache-fra-1"), "503 from GET /start, expected status < 400"),
        (answer(522, "what?", server="nginx"), "522 from GET /start, expected status < 400"),
        (api(403, **RAY), "403 from GET /start, expected status < 400"),
        (api(403, '{"hint": "see error code: 1020 in our handbook, or ask the office"}', **RAY), "403 from GET /start, expected status < 400"),
        (api(403, '{"error": "Request blocked."}', server="CloudFront", x_cache="Error from cloudfront"), "403 from GET /start, expected status < 400"),
        (api(403, '{"error": "the request is blocked."}', x_azure_ref="0abc"), "403 from GET /start, expected status < 400"),
        (api(403, '{"error": "booking reference #18.20 is not yours"}'), "403 from GET /start, expected status < 400"),
        (api(503, server="CloudFront", x_cache="Error from cloudfront"), "503 from GET /start, expected status < 400"),
        (api(503, '{"error": "backend is down"}', x_served_by="cache-fra-1"), "503 from GET /start, expected status < 400"),
        (api(503, '{"error": "backend fetch failed"}', via="1.1 varnish"), "503 from GET /start, expected status < 400"),
        (api(502, **RAY), "502 from GET /start, expected status < 400"),
        (answer(503, "<h1>We are back at six</h1>", server="awselb/2.0"), "503 from GET /start, expected status < 400"),
        (api(504, '{"error": "backend or gateway connection error"}'), "504 from GET /start, expected status < 400"),
        (answer(404, "<script>window._pxAppId = 'PX1'</script>", x_datadome="protected"), "404 from GET /start, expected status < 400"),
    ],
)
async def test_an_ordinary_error_stays_what_it_is(raw, message):
    """A CDN's header, a guard's script or a page that speaks of them is no sign."""
    assert said(await walked(raw)) == (FailureKind.STATUS, message)


@pytest.mark.parametrize(
    "raw",
    [
        answer(200, ARTICLE, **RAY),
        answer(200, "<script src='/cdn-cgi/challenge-platform/scripts/jsd/main.js'>", **RAY),
        answer(200, '<script src="/_Incapsula_Resource?SWJIYLWA=719d34"></script>' + "shop " * 5000, x_iinfo="1-2"),
        answer(200, "<script src='https://js.datadome.co/tags.js'>", x_datadome="protected", x_kpsdk_ct="0a"),
    ],
)
async def test_a_page_that_a_guard_let_through_is_the_site(raw):
    """An expectation that does not hold on such a page is an expectation that does not hold; without one it passes."""
    run = await walked(raw, EXPECTED)
    assert run.failure.kind is FailureKind.EXPECTATION
    assert (await walked(raw)).outcome is Outcome.PASSED


@pytest.mark.parametrize(("raw", "message"), [BLOCKS[0], BLOCKS[10], BLOCKS[15], ERRORS[1]])
async def test_a_browser_step_names_them_too(raw, message):
    """By the page's own document: its status and headers, and its source once something was not as expected."""

    async def respond(asked: Asked) -> Answer:
        return raw if asked.target == "/start" else answer(404)

    async with site(respond) as shop:
        run = await walk(f"id: j\nbase_url: {shop.url}\nsteps:\n  - id: s\n    browser: [{{goto: /start}}, {{expect: {{text: Welcome, timeout: 1s}}}}]\n")
    assert run.failure.message == message


async def test_a_challenge_that_looks_like_success_is_found():
    """A guard that answers 200 or 202 with its own page fails a step that expects nothing, where the header says so for sure."""
    assert (await walked(answer(202, "", x_amzn_waf_action="challenge"))).failure.kind is FailureKind.BLOCKED_BY_WAF


async def test_a_block_that_is_expected_passes():
    """A journey may hold that the guard does its work."""
    run = await walked(answer(403, "error code: 1020", cf_mitigated="challenge", **RAY), "    expect: [status == 403]\n")
    assert run.outcome is Outcome.PASSED


@pytest.mark.parametrize(
    ("status", "after", "when"),
    [(503, "30", "in 30.00 s"), (429, "0", "in 0 ms"), (503, "Wed, 21 Oct 2026 07:28:00 GMT", "at 2026-10-21 07:28:00 UTC")],
)
async def test_a_busy_server_is_slow_and_not_broken(status, after, when):
    """429 and 503 with Retry-After degrade the step, and it says when to come back."""
    run = await walked(answer(status, "", retry_after=after))
    assert (run.outcome, run.failure) == (Outcome.DEGRADED, None)
    assert run.attempts[0].steps[0].note == f"the server is busy and asks to come back {when} ({status} from GET /start)"


@pytest.mark.parametrize(
    ("raw", "expect", "message"),
    [
        (answer(503, ""), "", "503 from GET /start, expected status < 400"),
        (answer(503, "", retry_after="soon"), "", "503 from GET /start, expected status < 400"),
        (answer(500, "", retry_after="3"), "", "500 from GET /start, expected status < 400"),
        (answer(503, "", retry_after="3"), "    expect: [status < 500]\n", "503 from GET /start, expected status < 500"),
        (
            answer(503, "Sorry", retry_after="3"),
            EXPECTED,
            "expected body contains Welcome, got 'Sorry'; the server is busy and asks to come back in 3.00 s (503 from GET /start)",
        ),
    ],
)
async def test_what_is_asserted_fails_all_the_same(raw, expect, message):
    """Without a good Retry-After, with a status expected, or with something else expected that did not come, the step fails."""
    assert said(await walked(raw, expect))[1] == message


WISPR = "<html><!-- <WISPAccessGatewayParam><Redirect><LoginURL>https://wifi/login</LoginURL></Redirect></WISPAccessGatewayParam> --></html>"
CURE = "sign this machine in to its network, or let it pass the portal"


@pytest.mark.parametrize(
    ("raw", "how"),
    [
        (answer(511, "Sign in"), "511 Network Authentication Required (511 from GET /start)"),
        (answer(200, WISPR), "its page carries the WISPr login of a public network (200 from GET /start)"),
        (
            answer(200, '<meta http-equiv="refresh" content="1; URL=http://192.0.2.1/login.html?ap_mac=00:11&client_mac=22:33&wlan=Guest&redirect=x">'),
            "it sent us to 192.0.2.1 with the parameters of a network's login page (200 from GET /start)",
        ),
    ],
)
async def test_a_captive_portal_measured_nothing(raw, how):
    """The network's login page says nothing of the site: the run is inconclusive and is not tried again."""
    run = await walked(raw)
    assert run.outcome is Outcome.INCONCLUSIVE
    assert said(run) == (FailureKind.AGENT, f"a captive portal answered, not 127.0.0.1: {how}; {CURE}")


async def test_a_redirect_to_a_portal_is_known_and_another_redirect_is_not():
    """By the parameters of access points; a sign-in elsewhere with its own parameters stays what it is."""

    async def portal(asked: Asked) -> bytes:
        return answer(200, "<form>Accept our terms")

    async with site(portal) as other:
        to = f"http://localhost:{other.port}/guest"
        caught = await walked(answer(302, "", location=f"{to}?switch_url=http://1.1.1.1&ap_mac=00:11&client_mac=22:33&wlan=Guest"))
        with_more = await walked(answer(302, "", location=f"{to}?uamip=10.1.0.1&uamport=3990"), EXPECTED)
        kept = await walked(answer(302, "", location=f"{to}?uamip=10.1.0.1&uamport=3990"), more=", follow_redirects: 0")
        sign_in = await walked(answer(302, "", location=f"{to}?client_id=a&redirect_uri=b&state=c"))
        expected = await walked(answer(302, "", location=f"{to}?uamip=10.1.0.1&uamport=3990"), "    expect: [body contains terms]\n")
    said_so = f"a captive portal answered, not 127.0.0.1: it sent us to localhost with the parameters of a network's login page (200 from GET /guest); {CURE}"
    assert said(caught) == said(with_more) == (FailureKind.AGENT, said_so)
    assert said(kept) == (FailureKind.AGENT, said_so.replace("200 from GET /guest", "302 from GET /start"))
    assert (sign_in.outcome, expected.outcome) == (Outcome.PASSED, Outcome.PASSED)


@pytest.mark.parametrize(
    "page",
    [
        "<a href='/sso?redirect_url=https://id.example/?mac=1&ssid=2'>Sign in</a>",
        "<div data-location='https://maps.example/?mac=1&ssid=2'>Map</div>",
        "<pre>location = 'http://portal.example/?uamip=10.1.0.1&uamport=3990'</pre>" + "How our access points do it. " * 1000,
    ],
)
async def test_a_page_that_speaks_of_portals_is_the_site(page):
    """Links, attributes and handbooks send nobody on."""
    assert (await walked(answer(200, page))).outcome is Outcome.PASSED


def test_over_https_nobody_else_answers():
    """511 under the site's own certificate is the site's own."""
    seen = diagnose.Answer(511, {}, "", "https://shop.example/", "https://shop.example/")
    assert diagnose.diagnosed(seen, unexpected=True) is None


def dated(begins: float, ends: float) -> ssl.SSLContext:
    """A server's TLS whose certificate holds from `begins` to `ends`, in days from now."""
    now = datetime.datetime.now(datetime.UTC)
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", not_before=now + datetime.timedelta(days=begins), not_after=now + datetime.timedelta(days=ends))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    context.authority = authority  # type: ignore[attr-defined]
    return context


async def sent_to_tls(tmp_path: Any, begins: float, ends: float, server_says: float | None, **more: Any) -> Any:
    """A run that asks over http, where the server says a time (in days from now), and is sent on to a certificate of those dates."""
    tls = dated(begins, ends)
    tls.authority.cert_pem.write_to_path(tmp_path / "ca.pem")  # type: ignore[attr-defined]

    async def never(asked: Asked) -> bytes:
        return answer()

    async with site(never, tls) as secure:
        date = {} if server_says is None else {"date": formatdate(time.time() + server_says * 86400, usegmt=True)}
        raw = answer(302, "", location=f"{secure.url}/in", **date)

        async def respond(asked: Asked) -> bytes:
            return raw

        async with site(respond) as plain:
            text = f"id: j\nbase_url: {plain.url}\nsteps:\n  - id: s\n    http: {{url: /start, tls: {{ca_file: ca.pem}}}}\n"
            return await walk(text, path=tmp_path / "j.yaml", **more)


async def test_a_clock_that_is_wrong_is_told_from_a_certificate_that_is(tmp_path):
    """The server's own time, said just before, decides whose fault an invalid date is."""
    ahead = await sent_to_tls(tmp_path, -30, -3, -10)
    behind = await sent_to_tls(tmp_path, 3, 30, 10)
    tail = "the time the server says (Date header), so its certificate looks"
    assert said(ahead) == (FailureKind.AGENT, f"this machine's clock is 10.0 d ahead of {tail} expired; set the clock")
    assert said(behind) == (FailureKind.AGENT, f"this machine's clock is 10.0 d behind {tail} not valid yet; set the clock")
    assert ahead.outcome is behind.outcome is Outcome.INCONCLUSIVE


@pytest.mark.parametrize("server_says", [0, 10, None])
async def test_a_certificate_that_is_out_of_date_stays_the_sites_failure(tmp_path, server_says):
    """When the server's time agrees with ours, differs the other way, or is not known, it is the certificate."""
    run = await sent_to_tls(tmp_path, -30, -3, server_says)
    assert (run.outcome, run.failure.kind) == (Outcome.FAILED, FailureKind.TLS)


async def test_a_clock_before_everything_here_was_made_is_wrong(tmp_path):
    """A machine that wakes up in the past finds good certificates not valid yet."""

    class Past(Clock):
        def now_ns(self) -> int:
            return super().now_ns() - 20 * 365 * 86400 * 10**9

    run = await sent_to_tls(tmp_path, 3, 30, None, clock=Past())
    assert run.failure.kind is FailureKind.AGENT
    assert run.failure.message.startswith("this machine's clock is wrong: it says 20")
    assert run.failure.message.endswith(", and files on it are newer; set it, else good certificates look bad")


TEXTS = st.text(max_size=60) | st.sampled_from(
    ["http://[::1", "<meta url=http://[::>", "location='http://[x?ap_mac&wlan'", "Reference #18.", "url=http://x/?" + "&a=1" * 200, "\0", "-1", "9" * 40, "²"]
)
NAMES = st.sampled_from(["server", "retry-after", "date", "cf-ray", "via", "x-azure-ref", "x-served-by"]) | st.text(max_size=10)


@given(st.integers(100, 999), st.dictionaries(NAMES, TEXTS), TEXTS, TEXTS, TEXTS, st.booleans(), st.sampled_from([None, 9, 10, 62]))
def test_no_answer_makes_the_looking_fail(status, headers, body, url, asked, unexpected, fault):
    """Whatever a stranger answers is diagnosed or left alone, in one sentence of bounded length."""
    seen = diagnose.Answer(status, headers, body, url, asked)
    found = diagnose.diagnosed(seen, unexpected=unexpected)
    assert found is None or len(found.message) < 1000
    diagnose.asks_for_patience(seen)
    diagnose.clock_trouble({"tls_fault": fault, "headers": headers}, 1e9, 0.0)


def test_every_signature_can_be_met():
    """All texts are in small letters, as they are compared, and each signature is known by something."""
    for one in SIGNATURES:
        texts = [*one.body, *one.headers, *one.headers.values()]
        assert texts == [text.lower() for text in texts], one
        assert one.body or one.headers, one
        assert one.kind in (FailureKind.BLOCKED_BY_WAF, FailureKind.ORIGIN_UNREACHABLE)
        assert any(message.startswith(f"{one.who} {one.did} (") for _, message in (*BLOCKS, *ERRORS)), f"no answer above is met by {one}"
