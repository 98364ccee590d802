"""Checkly: constructs in TypeScript (their object literals are read, nothing is run), or checks as the API gives them as JSON."""

import re
from typing import Any, Final

from sojourn_probes.importers.checkly_assertion import assertion, assertion_of_chain
from sojourn_probes.importers.checkly_monitors import MONITORS, family
from sojourn_probes.importers.draft import Draft, Work, seconds, tags_of
from sojourn_probes.importers.lift import escaped, unquoted
from sojourn_probes.importers.literal import Call, Chain, Reader, Unknown
from sojourn_probes.importers.request import Request, as_json, basic, part_of
from sojourn_probes.importers.source import ImportFault, json_of, list_of, mapping_of, text_of, words

_CONSTRUCT = re.compile(
    r"""(?P<skip>//[^\n]*+|/\*[\s\S]*?(?:\*/|\Z)|'(?:[^'\\\n]++|\\.)*+'|"(?:[^"\\\n]++|\\.)*+"|`(?:[^`\\]++|\\[\s\S])*+`)|\bnew\s+(?:\w+\s*\.\s*)*(?P<name>[A-Z]\w{2,40}(?:Check|Monitor))\s*\("""
)
_VARIABLE = re.compile(r"\{\{\{?\s*([\w.$-]{1,80})\s*\}?\}\}")
_UNITS: Final = {"S": 1, "M": 60, "H": 3600}
_QUIET: Final = words(
    "name activated muted frequency frequencyOffset request degradedResponseTime maxResponseTime checkType id createdAt updatedAt created_at updated_at "
    "logicalId alertChannels alertEscalationPolicy alertSettings useGlobalAlertSettings group groupId groupOrder runtimeId description tags retryStrategy "
    "doubleCheck alertChannelSubscriptions locations privateLocations runParallel testOnly"
)
_TYPES: Final = {
    "API": "ApiCheck", "URL": "UrlMonitor", "TCP": "TcpMonitor", "DNS": "DnsMonitor", "ICMP": "IcmpMonitor", "GRPC": "GrpcMonitor", "SSL": "SslMonitor",
}  # fmt: skip
"""Kinds of checks in the JSON of the API → their constructs."""
MAX_CHECKS: Final = 2000


def read(text: str, work: Work) -> None:
    """A journey for each check or monitor."""
    work.vault.translate = _ours
    stripped = text.lstrip("\ufeff \t\r\n")
    checks = list(_of_json(_escaped_in(json_of(text)))) if stripped[:1] in "[{" and stripped else list(_of_source(text, work))
    if not checks:
        raise ImportFault("holds no check of Checkly (such as new ApiCheck(…), or the JSON of its API)")
    for kind, name, data, line in checks[:MAX_CHECKS]:
        _Check(kind, name, data, line, work).add()
    if not any(draft.steps for draft in work.drafts):
        raise ImportFault("holds no check that a journey can walk; see docs/authoring.md for those it can")


def _ours(text: str) -> str:
    """`{{NAME}}` is a variable of the account; names read from the source are ours already."""
    pieces = re.split(r"(\$\{env\.\w+\}|\$\$\{)", text)
    return "".join(piece if index % 2 else _variables(piece) for index, piece in enumerate(pieces))


def _variables(text: str) -> str:
    pieces = _VARIABLE.split(text)
    return "".join(f"${{env.{re.sub(r'[^A-Za-z0-9]+', '_', piece).strip('_')}}}" if index % 2 else escaped(piece) for index, piece in enumerate(pieces))


def _escaped_in(data: Any) -> Any:
    """JSON whose texts are escaped, as those of the source are when they are read."""
    if isinstance(data, dict):
        return {key: _escaped_in(item) for key, item in data.items()}
    return [_escaped_in(item) for item in data] if isinstance(data, list) else escaped(data) if isinstance(data, str) else data


def _of_json(data: Any) -> Any:
    found = data if isinstance(data, list) else list_of(mapping_of(data).get("checks")) or [data]
    for check in map(mapping_of, found):
        if isinstance(check.get("checkType"), str):
            yield _TYPES.get(check["checkType"]) or f"{check['checkType'].title()}Check", text_of(check.get("name")), check, 0


def _of_source(text: str, work: Work) -> Any:
    reader = Reader(text)
    end = 0
    for found in _CONSTRUCT.finditer(text):
        if found.group("skip") or found.start() < end:
            continue
        reader.at = found.start()
        chain = reader.value()
        end, line = reader.at, reader.line(found.start())
        last = chain.links[-1] if isinstance(chain, Chain) else Call("")
        args = last.args or []
        if len(args) > 1 and isinstance(args[1], dict):
            yield found.group("name"), text_of(args[1].get("name")) or text_of(args[0]), args[1], line
        else:
            work.lose(f"line {line}", f"{found.group('name')} was left out; its settings are no object that can be read", line)


class _Check:
    """One check on its way into a journey."""

    def __init__(self, kind: str, name: str, data: dict[str, Any], line: int, work: Work) -> None:
        self.kind, self.name, self.data, self.line, self.work = kind, name or kind, data, line, work
        self.request = mapping_of(data.get("request"))
        self.expect: list[str] = []

    def lose(self, message: str) -> None:
        """Say that something of this check was left out."""
        self.work.lose(self.name, message, self.line)

    def add(self) -> None:
        """Draft the journey."""
        builder = _BUILDERS.get(self.kind)
        if builder is None:
            known = ", ".join(_BUILDERS)
            self.lose(f"was left out; a {self.kind[:40]} cannot be carried over, only {known}")
            return
        kind, part = builder(self)
        if part is None:
            return
        draft = self.work.draft(self.name, interval=self._interval())
        self._settings(draft)
        for one in list_of(self.request.get("assertions")):
            self._assertion(one, kind)
        slow, most = self.data.get("degradedResponseTime"), self.data.get("maxResponseTime")
        degraded: list[str] = []
        if isinstance(most, int) and most > 0:
            self.work.expect(self.expect, self.name, "total", "<", seconds(most / 1000))
        if isinstance(slow, int) and slow > 0:
            self.work.expect(degraded, self.name, "total", ">", seconds(slow / 1000))
        draft.add(self.name, kind, part, expect=self.expect, degraded_if=degraded)

    def _assertion(self, one: Any, kind: str) -> None:
        parts = assertion_of_chain(one) if isinstance(one, Chain) else assertion(mapping_of(one))
        if parts is None or not parts.into(self.expect, self.work, self.name, kind, _ours):
            shown = one.path if isinstance(one, Chain) else text_of(mapping_of(one).get("source")) or "an assertion"
            self.lose(f"the assertion {shown[:80]} was left out")

    def _settings(self, draft: Draft) -> None:
        for key, value in self.data.items():
            if key not in _QUIET and value not in (None, False, "", [], {}):
                self.lose(f"{key[:40] if key != '...' else 'what is spread in by ...'} was left out")
        if self.data.get("activated") is False:
            draft.keys["enabled"] = False
        tags = tags_of(self.data.get("tags"))
        if tags:
            draft.keys["tags"] = tags
        if list_of(self.data.get("locations")):
            self.lose("locations were left out; name your own agents under locations:")
        self._retries(draft)

    def _retries(self, draft: Draft) -> None:
        strategy = self.data.get("retryStrategy")
        if isinstance(strategy, Chain):
            options = mapping_of((strategy.links[-1].args or [{}])[0] if strategy.links[-1].args else {})
            kind = strategy.links[-1].name
        else:
            options, kind = mapping_of(strategy), text_of(mapping_of(strategy).get("type"))
        if not kind or "no" in kind.lower()[:2]:
            return
        most, wait = options.get("maxRetries", 1 if "single" in kind.lower() else 2), options.get("baseBackoffSeconds", 60)
        if isinstance(most, int) and most > 0:
            draft.keys["retries"] = {"max": min(most, 5)}
            if isinstance(wait, int) and wait > 0:
                growth = next((word for word in ("linear", "exponential") if kind.lower().startswith(word)), None)
                first = seconds(min(wait, 60))
                draft.keys["retries"]["backoff"] = {"first": first, "growth": growth} if growth else first

    def _interval(self) -> str | None:
        said = self.data.get("frequency")
        if isinstance(said, Chain):
            every = re.fullmatch(r"EVERY_(\d{1,4})([SMH])", said.links[-1].name)
            return seconds(int(every.group(1)) * _UNITS[every.group(2)]) if every else None
        if isinstance(said, int) and not isinstance(said, bool) and 0 < said <= 7 * 1440:
            return seconds(said * 60)
        offset = self.data.get("frequencyOffset")
        return seconds(offset) if said == 0 and isinstance(offset, int) and 1 <= offset <= 60 else None

    def text(self, value: Any) -> str:
        """A text of the check as ours; what is no literal comes from the environment."""
        if isinstance(value, Unknown | Chain):
            self.lose(f"{unquoted(value.text if isinstance(value, Unknown) else value.path)} is computed by the script; set VALUE instead")
            return "${env.VALUE}"
        return _ours(text_of(value))

    def http(self) -> tuple[str, dict[str, Any] | None]:
        """The step of an ApiCheck or UrlMonitor."""
        said = self.request
        request = Request(self.text(said.get("url")), text_of(said.get("method")) or "GET")
        if not re.match(r"https?://|\$\{", request.url):
            request.url = f"https://{request.url}"
        request.headers, request.query = self._pairs("headers"), self._pairs("queryParameters")
        user = mapping_of(said.get("basicAuth"))
        if text_of(user.get("username")):
            request.auth = basic(self.text(user["username"]), self.text(user.get("password")), self.work, self.name)
        self._body(request)
        if said.get("followRedirects") is False:
            request.follow_redirects = 0
        if said.get("skipSSL") is True or said.get("skipSsl") is True:
            request.tls["verify"] = False
        if self.data.get("shouldFail") is True:
            self.work.expect(self.expect, self.name, "status", ">=", 400)
        request.more |= family(self)
        return "http", part_of(request, self.work, self.name)

    def _pairs(self, key: str) -> list[tuple[str, str]]:
        said = self.request.get(key)
        if isinstance(said, dict):
            return [(name, self.text(value)) for name, value in said.items()]
        return [(text_of(one.get("key")), self.text(one.get("value"))) for one in map(mapping_of, list_of(said)) if text_of(one.get("key"))]

    def _body(self, request: Request) -> None:
        body, kind = self.request.get("body"), text_of(self.request.get("bodyType")).upper()
        if isinstance(body, Chain) and body.path == "JSON.stringify" and body.links[-1].args and isinstance(body.links[-1].args[0], dict | list):
            request.has_json, request.json_data = True, body.links[-1].args[0]
            if _has_unknown(request.json_data):
                self.lose("the body was left out; parts of it are computed by the script")
                request.has_json = False
            return
        if body in (None, "") or kind == "NONE":
            return
        request.body = self.text(body)
        if kind == "JSON":
            request.headers.append(("Content-Type", "application/json"))
        elif kind == "FORM":
            request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        elif kind == "GRAPHQL":
            request.body = as_json({"query": request.body})
            request.headers.append(("Content-Type", "application/json"))


def _has_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_has_unknown(item) for item in value.values())
    return any(_has_unknown(item) for item in value) if isinstance(value, list) else isinstance(value, Unknown | Chain)


_BUILDERS: Final[dict[str, Any]] = {"ApiCheck": _Check.http, "UrlMonitor": _Check.http, **MONITORS}
"""Construct → who makes the step of it."""
