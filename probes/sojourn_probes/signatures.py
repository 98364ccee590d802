"""The one list of answers that are not the site's own: blocks and challenges of those who guard it, error pages of those who stand before it.

Each says who, by what only that answer has. A sign that pages let through have too (a guard's script, a CDN's header) is none.
All texts are in small letters; headers and bodies are compared so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sojourn_probes.semconv import FailureKind

BLOCKED: Final = FailureKind.BLOCKED_BY_WAF
ORIGIN: Final = FailureKind.ORIGIN_UNREACHABLE


@dataclass(frozen=True, slots=True)
class Signature:
    """One kind of answer. Everything given must be there: one of the statuses, every header (its value holding the text), one of `body`, and `also` in it.

    `sure` ones are known by a header that no other answer has, so they are looked for in every answer, and the others only when
    something was not as expected. `reference` is the header, or the pattern in the body (its first group), by which the provider's
    support finds this very answer.
    """

    who: str
    kind: FailureKind
    did: str
    status: frozenset[int] = frozenset()
    headers: Mapping[str, str] = field(default_factory=dict)
    body: tuple[str, ...] = ()
    also: str = ""
    longest: int = 1_000_000
    sure: bool = False
    reference: str = ""


_CHALLENGED: Final = "wants proof that the probe is no robot"
_REFUSED: Final = "refused the probe"
_UNREACHED: Final = "could not get an answer from the site's own server"
_REFUSALS: Final = ("1006", "1007", "1008", "1009", "1010", "1012", "1020")
"""Cloudflare's codes for those it does not let through; to others than browsers it says the code and nothing else."""
_GURU: Final = ("guru mediation", "guru meditation")
"""On the error pages of Varnish and Fastly, and nowhere else."""
_DENIED: Final = frozenset({401, 403, 405, 406, 418, 429, 503})
_GATEWAY: Final = frozenset({500, 502, 503, 504})
_AKAMAI_REFERENCE: Final = r"reference(?:&#32;| )(?:&#35;|#)([0-9a-f.&#;]{5,120})"


def _cloudflare(status: int, why: str) -> Signature:
    return Signature("Cloudflare", ORIGIN, why, frozenset({status}), {"server": "cloudflare"}, reference="cf-ray")


SIGNATURES: Final = (
    # --- blocks and challenges ---
    Signature("Cloudflare", BLOCKED, _CHALLENGED, headers={"cf-mitigated": "challenge"}, sure=True, reference="cf-ray"),
    Signature(
        "Cloudflare",
        BLOCKED,
        _CHALLENGED,
        _DENIED,
        {"server": "cloudflare"},
        ("window._cf_chl_opt", "<title>just a moment...</title>", "cf-challenge-running"),
        reference="cf-ray",
    ),
    Signature(
        "Cloudflare",
        BLOCKED,
        _REFUSED,
        frozenset({403, 429}),
        {"server": "cloudflare"},
        ("<title>attention required! | cloudflare</title>", *(f'class="cf-error-code">{code}<' for code in _REFUSALS)),
        reference="cf-ray",
    ),
    Signature(
        "Cloudflare",
        BLOCKED,
        _REFUSED,
        frozenset({403, 429}),
        {"server": "cloudflare"},
        tuple(f"error code: {code}" for code in _REFUSALS),
        longest=40,
        reference="cf-ray",
    ),
    Signature("AWS WAF", BLOCKED, _CHALLENGED, headers={"x-amzn-waf-action": ""}, sure=True, reference="x-amz-cf-id"),
    Signature(
        "AWS WAF", BLOCKED, _REFUSED, frozenset({403}), {"server": "cloudfront"}, ("request blocked.",), "<h1>403 error</h1>", 5000, reference="x-amz-cf-id"
    ),
    Signature("AWS WAF", BLOCKED, _REFUSED, frozenset({403}), {"server": "awselb/"}, ("<h1>403 forbidden</h1>",), longest=2000),
    Signature(
        "Akamai",
        BLOCKED,
        _REFUSED,
        frozenset({403}),
        body=("reference&#32;&#35;18", "reference #18.", "errors&#46;edgesuite&#46;net&#47;18", "errors.edgesuite.net/18."),
        also="access denied",
        longest=5000,
        reference=_AKAMAI_REFERENCE,
    ),
    Signature(
        "Imperva",
        BLOCKED,
        _REFUSED,
        body=("incapsula incident id", "/_incapsula_resource?cwudnsai="),
        longest=20_000,
        reference=r"incident[ _]id(?:: ?|=)([0-9-]{5,60})",
    ),
    Signature("DataDome", BLOCKED, _CHALLENGED, _DENIED, {"x-dd-b": ""}, sure=True),
    Signature("DataDome", BLOCKED, _CHALLENGED, _DENIED, body=("geo.captcha-delivery.com", "ct.captcha-delivery.com"), longest=20_000),
    Signature(
        "HUMAN (PerimeterX)",
        BLOCKED,
        _CHALLENGED,
        _DENIED,
        body=('id="px-captcha"', "captcha.px-cdn.net", "captcha.px-cloud.net", '"blockscript"'),
        reference=r"(?:window\._pxuuid ?= ?'|\"uuid\": ?\")([0-9a-f-]{36})",
    ),
    Signature("Sucuri", BLOCKED, _REFUSED, headers={"x-sucuri-block": ""}, sure=True, reference="x-sucuri-block"),
    Signature(
        "Sucuri",
        BLOCKED,
        _REFUSED,
        frozenset({403}),
        body=("<title>sucuri website firewall - access denied</title>", "access denied - sucuri website firewall"),
    ),
    Signature(
        "F5",
        BLOCKED,
        _REFUSED,
        body=("the requested url was rejected. please consult with your administrator.",),
        longest=5000,
        reference=r"support id is: ?<?(?:/?[a-z]+>)?\s*([0-9]{5,40})",
    ),
    Signature("Fastly", BLOCKED, _CHALLENGED, body=("/_fs-ch-",), longest=20_000, reference="x-served-by"),
    Signature("Azure Front Door", BLOCKED, _REFUSED, frozenset({403}), {"x-azure-ref": ""}, ("the request is blocked.",), "<h", 5000, reference="x-azure-ref"),
    Signature("Azure Application Gateway", BLOCKED, _REFUSED, frozenset({403}), body=("<center>microsoft-azure-application-gateway/",), longest=2000),
    Signature("Google Cloud Armor", BLOCKED, _REFUSED, frozenset({403}), {"via": "google"}, ("<title>403</title>403 forbidden",), longest=2000),
    Signature("Vercel", BLOCKED, _CHALLENGED, headers={"x-vercel-mitigated": ""}, sure=True, reference="x-vercel-id"),
    Signature("Kasada", BLOCKED, _CHALLENGED, frozenset({403, 429}), {"x-kpsdk-ct": ""}, ("/ips.js",), longest=10_000),
    Signature("Wordfence", BLOCKED, _REFUSED, frozenset({403, 503}), body=("generated by wordfence",)),
    Signature("ModSecurity", BLOCKED, _REFUSED, frozenset({403, 406, 501}), body=("this error was generated by mod_security",), longest=5000),
    Signature("Anubis", BLOCKED, _CHALLENGED, body=("/.within.website/x/cmd/anubis/",), longest=20_000),
    # --- error pages of those who stand before the site ---
    _cloudflare(520, "got an answer from the site's own server that it does not understand"),
    _cloudflare(521, "was refused the connection by the site's own server"),
    _cloudflare(522, "got no connection to the site's own server in time"),
    _cloudflare(523, "finds no way to the site's own server"),
    _cloudflare(524, "got a connection to the site's own server but no answer in time"),
    _cloudflare(525, "failed in the TLS handshake with the site's own server"),
    _cloudflare(526, "does not take the certificate of the site's own server"),
    _cloudflare(527, "lost its Railgun connection to the site's own server"),
    _cloudflare(530, "does not find the site's own server: its name or its tunnel is gone"),
    Signature("Cloudflare", ORIGIN, _UNREACHED, _GATEWAY, {"server": "cloudflare"}, ('id="cf-error-details"',), reference="cf-ray"),
    Signature("Cloudflare", ORIGIN, _UNREACHED, _GATEWAY, {"server": "cloudflare"}, ("error code: 502", "error code: 504"), longest=40, reference="cf-ray"),
    # X-Cache says "Error from cloudfront" of the origin's own errors too, so that only the page tells.
    Signature("CloudFront", ORIGIN, _UNREACHED, _GATEWAY, {"server": "cloudfront"}, ("generated by cloudfront (cloudfront)",), reference="x-amz-cf-id"),
    Signature(
        "AWS load balancer",
        ORIGIN,
        _UNREACHED,
        frozenset({502, 503, 504}),
        {"server": "awselb/"},
        ("<h1>502 bad gateway</h1>", "<h1>503 service temporarily unavailable</h1>", "<h1>504 gateway time-out</h1>"),
        longest=2000,
    ),
    Signature("Fastly", ORIGIN, "does not serve this host name", frozenset({500, 503}), body=("fastly error: unknown domain",), longest=2000),
    Signature(
        "Fastly",
        ORIGIN,
        _UNREACHED,
        _GATEWAY,
        {"x-served-by": "cache-"},
        _GURU,
        longest=2000,
        reference="x-served-by",
    ),
    Signature("Varnish", ORIGIN, _UNREACHED, frozenset({503}), {"via": "varnish"}, _GURU, longest=2000, reference="x-varnish"),
    Signature(
        "Akamai",
        ORIGIN,
        _UNREACHED,
        _GATEWAY,
        {"server": "akamaighost"},
        ("reference&#32;&#35;", "reference #"),
        longest=5000,
        reference=_AKAMAI_REFERENCE,
    ),
    Signature("Azure Front Door", ORIGIN, _UNREACHED, _GATEWAY, {"x-azure-ref": ""}, ("our services aren't available right now",), reference="x-azure-ref"),
    Signature("Azure Application Gateway", ORIGIN, _UNREACHED, frozenset({502, 504}), body=("<center>microsoft-azure-application-gateway/",), longest=2000),
    Signature(
        "Google Cloud Load Balancing",
        ORIGIN,
        _UNREACHED,
        frozenset({502, 503}),
        {"via": "google"},
        ("the server encountered a temporary error and could not complete your request",),
        longest=2000,
    ),
    Signature("Imperva", ORIGIN, _UNREACHED, _GATEWAY, body=("the proxy failed to connect to the web server",), longest=20_000),
    Signature("Sucuri", ORIGIN, _UNREACHED, _GATEWAY, {"x-sucuri-id": ""}, ("backend or gateway connection error",), longest=20_000, reference="x-sucuri-id"),
    Signature("Heroku", ORIGIN, _UNREACHED, frozenset({503}), body=("herokucdn.com/error-pages/",), longest=5000),
    Signature("Vercel", ORIGIN, _UNREACHED, frozenset({500, 502, 504, 508}), {"x-vercel-error": ""}, reference="x-vercel-id"),
)
"""The first that fits counts."""
