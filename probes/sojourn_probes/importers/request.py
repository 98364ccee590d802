"""A request of any format as the `http:` part of a step, its secrets lifted."""

import base64
import binascii
import json
import re
from dataclasses import dataclass, field
from typing import Any, Final, get_args
from urllib.parse import unquote_plus, urlencode

from sojourn_probes.importers.draft import Work
from sojourn_probes.importers.lift import escaped, is_secret_header, without_userinfo
from sojourn_probes.importers.source import ImportFault, json_of, words
from sojourn_probes.steps.http import RESERVED_HEADERS, HttpPart

AUTOMATIC: Final = words(
    "accept-encoding user-agent keep-alive te upgrade-insecure-requests dnt priority pragma cache-control if-none-match if-modified-since "
    "proxy-connection x-requested-by-recorder postman-token expect"
)
"""Headers that tools and browsers add by themselves; left out without a word."""

METHODS: Final = frozenset(method for option in get_args(HttpPart.model_fields["method"].annotation) for method in get_args(option))
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+\Z")
_FORM = re.compile(r"""[^\s{}"'<>=]{1,200}=[\s\S]*""")
_OURS = re.compile(r"(\$\$\{|\$\{[^}]*\})")
MAX_BODY: Final = 200_000
"""Characters of a body that a journey file has room for."""
MAX_JSON_DEPTH: Final = 20


@dataclass(slots=True)
class Request:
    """What a format says of one request, its texts already ours (names in place, everything else escaped)."""

    url: str
    method: str = "GET"
    headers: list[tuple[str, str]] = field(default_factory=list)
    query: list[tuple[str, str]] = field(default_factory=list)
    body: str | None = None
    form: list[tuple[str, str]] | None = None
    json_data: Any = None
    has_json: bool = False
    auth: dict[str, Any] | None = None
    follow_redirects: int | None = None
    tls: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


def part_of(request: Request, work: Work, place: str) -> dict[str, Any] | None:
    """The `http:` part; None when a journey cannot make such a request, which is then said."""
    method = request.method.upper() or "GET"
    if method not in METHODS:
        work.lose(place, f"a request by {method[:40]!r} was left out; http steps know {', '.join(sorted(METHODS))}")
        return None
    url, auth = work.vault.url(request.url, place)
    part: dict[str, Any] = {"url": url or "/"}
    headers, header_auth = headers_of(request.headers, work, place)
    body = _body(request, headers, method, work, place)
    sends = bool(body) or "file" in request.more or "multipart" in request.more
    if method != ("POST" if sends else "GET"):
        part["method"] = method
    if headers:
        part["headers"] = headers
    _query(request, part, work, place)
    part.update(body)
    signing = request.auth or header_auth or auth
    if signing:
        part["auth"] = signing
    if request.follow_redirects is not None:
        part["follow_redirects"] = request.follow_redirects
    if request.tls:
        part["tls"] = request.tls
    return part | request.more


def basic(user: str, password: str, work: Work, place: str) -> dict[str, str]:
    """Signing in by user and password, the password lifted."""
    hint = f"{_word(user)}_password" if "${" not in user and password else "password"
    return {"user": work.vault.user(user, password, place), "password": work.vault.field(password or "-", hint, place)}


def bearer(token: str, work: Work, place: str) -> dict[str, str]:
    """Signing in by a token, lifted."""
    return {"bearer": work.vault.field(token, "token", place)}


def proxy_of(url: str, work: Work, place: str) -> dict[str, Any]:
    """The proxy to go through, its password lifted, as the key `proxy`; nothing for one that http steps cannot use, which is said."""
    clean, auth = work.vault.url(url if "://" in url else f"http://{url}", place)
    if not clean.lower().startswith("http://") and not clean.startswith("${"):
        work.lose(place, f"the proxy {clean.partition('://')[0][:20]}:// was left out; http steps go through one that is spoken to by http:// only")
        return {}
    return {"proxy": clean if auth is None else {"url": clean, **auth}}


def client_credentials(said: dict[str, Any], work: Work, place: str) -> dict[str, Any] | None:
    """OAuth 2 client credentials, under the names that the formats give them; None when something is missing."""
    given = {re.sub(r"[^a-z]", "", key.lower()): value for key, value in said.items()}
    url, client, secret = (given.get(key) for key in ("tokenurl", "clientid", "clientsecret"))
    if not (isinstance(url, str) and isinstance(client, str) and isinstance(secret, str)):
        return None
    scopes = given.get("scopes") or given.get("scope")
    found: dict[str, Any] = {"token_url": url, "client_id": client, "client_secret": work.vault.field(secret, "client_secret", place)}
    if scopes:
        found["scope"] = scopes if isinstance(scopes, str) else [str(scope) for scope in scopes]
    return {"oauth2": found}


def _word(user: str) -> str:
    return re.sub(r"[^A-Za-z0-9]+", "_", user.partition("@")[0])[:30].strip("_") or "user"


def headers_of(given: list[tuple[str, str]], work: Work, place: str) -> tuple[dict[str, str], dict[str, str] | None]:
    """Headers as a step says them, their secrets lifted, and the sign-in that stood in one of them."""
    headers: dict[str, str] = {}
    auth: dict[str, str] | None = None
    for name, value in given:
        low = name.lower()
        if not name or low in AUTOMATIC or low in RESERVED_HEADERS or low.startswith((":", "sec-")):
            continue
        value = re.sub(r"[\r\n\x00]+", " ", value).strip()
        if not _HEADER_NAME.match(name):
            work.lose(place, "a header whose name holds other signs than letters, digits and hyphens was left out")
        elif low == "authorization":
            auth = _authorization(value, headers, work, place)
        elif low in {known.lower() for known in headers}:
            work.lose(place, f"header {name} is there more than once; only the first was carried over")
        elif is_secret_header(name):
            if value:
                headers[name] = work.vault.field(value, low, place)
        else:
            headers[name] = work.vault.raw(value, place, low)
    return headers, auth


def _authorization(value: str, headers: dict[str, str], work: Work, place: str) -> dict[str, str] | None:
    scheme, _, rest = value.partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer" and rest:
        return bearer(rest, work, place)
    if scheme.lower() == "basic" and rest:
        try:
            user, sign, password = base64.b64decode(rest, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            sign = ""
        if sign:
            return basic(work.vault.translate(user), work.vault.translate(password), work, place)
    if value:
        headers["Authorization"] = work.vault.field(value, "authorization", place)
    return None


def _query(request: Request, part: dict[str, Any], work: Work, place: str) -> None:
    query: dict[str, str] = {}
    for name, value in request.query:
        if name in query:
            work.lose(place, f"parameter {name[:80]} is there more than once; only the first was carried over")
        else:
            query[name] = work.vault.named(name, value, place)
    if query:
        part["query"] = query


def _body(request: Request, headers: dict[str, str], method: str, work: Work, place: str) -> dict[str, Any]:
    body = _any_body(request, headers, work, place)
    if body and method in ("GET", "HEAD"):
        work.lose(place, f"the body of a {method} was left out; http steps send one with other methods only")
        return {}
    return body


def _any_body(request: Request, headers: dict[str, str], work: Work, place: str) -> dict[str, Any]:
    kind = next((value for name, value in headers.items() if name.lower() == "content-type"), "").lower()
    if request.has_json:
        _without_type(headers, "application/json")
        return {"json": work.vault.data(request.json_data, place)}
    if request.form is not None:
        return _form(request.form, headers, work, place)
    if request.body is None or request.body == "":
        return {}
    if len(request.body) > MAX_BODY:
        work.lose(place, f"the body of {len(request.body)} characters was left out; put it into a file beside the journey and name it under file:")
        return {}
    if "json" in kind or (not kind and request.body.lstrip()[:1] in ("{", "[")):
        data = _json(request.body)
        if data is not None:
            _without_type(headers, "application/json")
            return {"json": _ours(data, work, place)}
    if "x-www-form-urlencoded" in kind and _FORM.fullmatch(request.body):
        return _form(_pairs(request.body), headers, work, place)
    return {"body": work.vault.raw(request.body, place)}


def _pairs(body: str) -> list[tuple[str, str]]:
    """The fields of a form."""
    return [(_decoded(name), _decoded(value)) for name, _, value in (one.partition("=") for one in body.split("&") if one)]


def _decoded(text: str) -> str:
    """A text of a form without the form's escapes; what these hide is no name of ours, as names that stand there openly are."""
    return "".join(piece if index % 2 else escaped(unquote_plus(piece)) for index, piece in enumerate(_OURS.split(text)))


def _json(body: str) -> Any:
    """The body as JSON data, None when it is none: names outside of texts, or nested deeper than a journey takes."""
    try:
        data = json_of(body)
    except ImportFault:
        return None
    return data if _is_shallow(data, MAX_JSON_DEPTH) else None


def json_or_none(body: str, work: Work, place: str) -> Any:
    """A body (already ours) as JSON data with its secrets lifted; None when it is none."""
    data = _json(body)
    return None if data is None else _ours(data, work, place)


def _is_shallow(value: Any, left: int) -> bool:
    if isinstance(value, dict | list):
        return left > 0 and all(_is_shallow(item, left - 1) for item in (value.values() if isinstance(value, dict) else value))
    return not isinstance(value, float) or (value == value and abs(value) != float("inf"))


def _ours(data: Any, work: Work, place: str) -> Any:
    """Data whose texts are ours already, so that they are not translated twice."""
    translate, work.vault.translate = work.vault.translate, str
    try:
        return work.vault.data(data, place)
    finally:
        work.vault.translate = translate


def _form(pairs: list[tuple[str, str]], headers: dict[str, str], work: Work, place: str) -> dict[str, Any]:
    if len({name for name, _ in pairs}) < len(pairs):
        lifted = [(name, work.vault.named(name, value, place)) for name, value in pairs]
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        return {"body": urlencode(lifted, safe="${}.")}
    _without_type(headers, "application/x-www-form-urlencoded")
    return {"form": {name: work.vault.named(name, value, place) for name, value in pairs}}


def _without_type(headers: dict[str, str], kind: str) -> None:
    """The runner says the type of a body itself."""
    for name, value in list(headers.items()):
        if name.lower() == "content-type" and value.lower().partition(";")[0].strip() == kind:
            del headers[name]


def name_of(method: str, url: str) -> str:
    """What a request without a name is called: method and path."""
    path = without_userinfo(url).partition("://")[2]
    return f"{method.upper()} /{path.partition('/')[2]}" if path else f"{method.upper()} {without_userinfo(url)}"


def as_json(data: Any) -> str:
    """Data as text, for a name or a body."""
    return json.dumps(data, ensure_ascii=False)
