"""Gatus: each endpoint becomes a journey, each suite a journey with its endpoints as steps; conditions become expectations."""

import re
from typing import Any, Final

from sojourn_probes.importers.addresses_of import host_port
from sojourn_probes.importers.draft import Draft, Work, seconds
from sojourn_probes.importers.features import has_kind, takes
from sojourn_probes.importers.gatus_condition import Conditions
from sojourn_probes.importers.go_duration import seconds_of
from sojourn_probes.importers.lift import escaped
from sojourn_probes.importers.request import Request, as_json, client_credentials, part_of, proxy_of
from sojourn_probes.importers.source import ImportFault, line_of, list_of, mapping_of, text_of, words, yaml_of
from sojourn_probes.secret_names import is_secret_name

_ENV = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)")
_CONTEXT = re.compile(r"\[CONTEXT\]\.([A-Za-z_][A-Za-z0-9_]{0,60})(?:\.[A-Za-z0-9_.]+)?")
_KNOWN: Final = words("name group url method body headers conditions interval client dns enabled alerts ui graphql store always-run")
_QUIET_PARTS: Final = words(
    "endpoints suites metrics storage alerting ui web announcements debug disable-monitoring-lock skip-invalid-config-update concurrency"
)


def read(text: str, work: Work) -> None:
    """A journey for each endpoint and each suite."""
    data = mapping_of(yaml_of(text))
    work.vault.translate = _ours
    endpoints, suites = list_of(data.get("endpoints") or data.get("services")), list_of(data.get("suites"))
    if not endpoints and not suites:
        raise ImportFault("is no Gatus configuration (endpoints: and suites: are not there)", line_of(data))
    for key in data:
        if key in ("alerting", "maintenance", "security", "connectivity", "remote", "external-endpoints"):
            work.lose(key, "was left out; it belongs to the tool, not to a journey", line_of(data[key]))
    for endpoint in map(mapping_of, endpoints):
        name = _name(endpoint)
        draft = work.draft(name, interval=_interval(endpoint, work, name, "60s"))
        if endpoint.get("enabled") is False:
            _disabled(draft, work, name, endpoint)
        _Endpoint(endpoint, draft, work, name, {}).step()
    for suite in map(mapping_of, suites):
        _suite(suite, work)
    if not any(draft.steps for draft in work.drafts):
        raise ImportFault("holds no endpoint that a journey can probe; see docs/authoring.md for those it can")


def _ours(text: str) -> str:
    """Gatus fills `${NAME}` and `$NAME` from the environment, `$$` is a dollar."""
    pieces: list[str] = []
    at = 0
    for found in _ENV.finditer(text):
        pieces.append(escaped(text[at : found.start()]))
        pieces.append("$" if found.group() == "$$" else f"${{env.{found.group(1) or found.group(2)}}}")
        at = found.end()
    return "".join(pieces) + escaped(text[at:])


def _name(endpoint: dict[str, Any]) -> str:
    group, name = text_of(endpoint.get("group")), text_of(endpoint.get("name")) or text_of(endpoint.get("url"))[:60] or "endpoint"
    return f"{group}: {name}" if group else name


def _interval(data: dict[str, Any], work: Work, place: str, otherwise: str) -> str:
    said = data.get("interval")
    length = seconds_of(said)
    if said is not None and (length is None or not 1 <= length <= 7 * 86400):
        work.lose(place, f"the interval {text_of(said)[:30]!r} was left out; 1s to 7d is taken", line_of(data))
    return seconds(length) if length is not None and 1 <= length <= 7 * 86400 else otherwise


def _disabled(draft: Draft, work: Work, place: str, data: dict[str, Any]) -> None:
    if takes("journey", "enabled"):
        draft.keys["enabled"] = False
    else:
        work.lose(place, "is switched off (enabled: false), which was left out; put the file aside if it is to rest", line_of(data))


def _suite(suite: dict[str, Any], work: Work) -> None:
    name = _name(suite)
    draft = work.draft(name, interval=_interval(suite, work, name, "10m"))
    length = seconds_of(suite.get("timeout"))
    draft.keys["timeout"] = seconds(min(max(length or 300, 1), 600))
    if suite.get("enabled") is False:
        _disabled(draft, work, name, suite)
    context: dict[str, str] = {}
    values: dict[str, Any] = {}
    for key, value in mapping_of(suite.get("context")).items():
        word = re.sub(r"\W", "_", key)[:60]
        if is_secret_name(key):
            context[key] = work.vault.field(_ours(text_of(value)), key, name)
        else:
            values[word] = _ours(value) if isinstance(value, str) else value
            context[key] = f"${{vars.{word}}}"
    if values:
        draft.keys["vars"] = values
    for endpoint in map(mapping_of, list_of(suite.get("endpoints"))):
        _Endpoint(endpoint, draft, work, f"{name} / {text_of(endpoint.get('name'))}", context).step()


class _Endpoint:
    """One endpoint on its way into a step."""

    def __init__(self, data: dict[str, Any], draft: Draft, work: Work, place: str, context: dict[str, str]) -> None:
        self.data, self.draft, self.work, self.place, self.context = data, draft, work, place, context
        self.client = mapping_of(data.get("client"))
        self.conditions = Conditions(work, place, self.text)

    def text(self, text: str) -> str:
        """Text with names of the environment and of the suite's context turned into ours."""
        pieces: list[str] = []
        at = 0
        for found in _CONTEXT.finditer(text):
            pieces.append(_ours(text[at : found.start()]))
            known = self.context.get(found.group(1))
            if known is None:
                self.work.lose(self.place, f"{found.group()[:60]} is nothing that an earlier endpoint stored", line_of(self.data))
            pieces.append(known or escaped(found.group()))
            at = found.end()
        return "".join(pieces) + _ours(text[at:])

    def step(self) -> None:
        """Add the step; what cannot be carried over is said."""
        for key in self.data:
            if key not in _KNOWN:
                self.work.lose(self.place, f"{key[:40]} was left out", line_of(self.data))
        url = text_of(self.data.get("url"))
        scheme = url.partition("://")[0].lower() if "://" in url else ""
        kind, part = self._dns(url) if "dns" in self.data else self._by_scheme(scheme, url)
        if part is None:
            return
        self.conditions.kind = kind
        for condition in list_of(self.data.get("conditions")):
            self.conditions.read(text_of(condition))
        more: dict[str, Any] = {"expect": self.conditions.expect, "always_run": self.data.get("always-run") is True}
        limit = seconds_of(self.client.get("timeout"))
        if limit and 0 < limit <= 600 and (limit <= 30 or "timeout" in self.draft.keys):
            more["timeout"] = seconds(limit)
        stored = self._stored() if kind == "http" else {}
        step_id = self.draft.add(text_of(self.data.get("name")) or "endpoint", kind, part, extract=dict(stored.values()), **more)
        for key, (name, _) in stored.items():
            self.context[key] = f"${{steps.{step_id}.{name}}}"

    def _by_scheme(self, scheme: str, url: str) -> tuple[str, Any]:
        if scheme in ("http", "https") or not scheme:
            return "http", self._http(url)
        where = host_port(self.text(url))
        if scheme in ("tcp", "tls", "starttls", "icmp") and where is None:
            self.work.lose(self.place, "was left out; its address has no host that can be read", line_of(self.data))
            return scheme, None
        if where is not None and scheme == "icmp":
            return "icmp", {"host": where[0]}
        if where is not None and scheme == "tcp" and where[1] is not None:
            return "tcp", self._tcp(where)
        if where is not None and scheme in ("tls", "starttls"):
            part: dict[str, Any] = {"host": where[0], **({"port": where[1]} if where[1] is not None else {})}
            if scheme == "starttls":
                part["starttls"] = "smtp"
            return "tls", part | ({"verify": False} if self.client.get("insecure") is True else {})
        known = ", ".join(["http", "tcp", "tls", "starttls", "icmp", *(["dns"] if has_kind("dns") else [])])
        self.work.lose(self.place, f"was left out; an address of the kind {scheme[:20] or 'unknown'} cannot be probed, only {known}", line_of(self.data))
        return scheme, None

    def _tcp(self, where: tuple[str, Any]) -> dict[str, Any]:
        part: dict[str, Any] = {"host": where[0], "port": where[1]}
        if text_of(self.data.get("body")):
            part["dialog"] = [{"send": self.text(text_of(self.data["body"]))}]
        return part

    def _dns(self, url: str) -> tuple[str, Any]:
        said = mapping_of(self.data["dns"])
        if not has_kind("dns"):
            self.work.lose(self.place, "was left out; there is no step kind dns yet", line_of(self.data))
            return "dns", None
        where = host_port(self.text(url))
        part: dict[str, Any] = {"name": self.text(text_of(said.get("query-name")))}
        if text_of(said.get("query-type")):
            part["record"] = text_of(said["query-type"]).upper()
        if where is not None:
            host = f"[{where[0]}]" if ":" in where[0] and where[1] is not None else where[0]
            part["resolver"] = host if where[1] is None else f"{host}:{where[1]}"
        return "dns", part

    def _http(self, url: str) -> dict[str, Any] | None:
        headers = mapping_of(self.data.get("headers"))
        request = Request(self.text(url), text_of(self.data.get("method")) or "GET", [(name, self.text(text_of(value))) for name, value in headers.items()])
        body = text_of(self.data.get("body"))
        if self.data.get("graphql") is True and body:
            body = as_json({"query": body})
            request.headers.append(("Content-Type", "application/json"))
        request.body = self.text(body) or None
        if self.client.get("ignore-redirect") is True:
            request.follow_redirects = 0
        if self.client.get("insecure") is True:
            request.tls["verify"] = False
        if text_of(self.client.get("proxy-url")):
            request.more["proxy"] = proxy_of(self.text(text_of(self.client["proxy-url"])), self.work, self.place)
        oauth = {key: self.text(value) if isinstance(value, str) else value for key, value in mapping_of(self.client.get("oauth2")).items()}
        request.auth = client_credentials(oauth, self.work, self.place)
        for key in self.client:
            if key not in ("ignore-redirect", "insecure", "timeout", "proxy-url") and (key != "oauth2" or request.auth is None):
                self.work.lose(self.place, f"client: {key[:40]} was left out", line_of(self.client))
        return part_of(request, self.work, self.place)

    def _stored(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """What the endpoint puts into the suite's context, as extractions."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for key, said in mapping_of(self.data.get("store")).items():
            path = re.fullmatch(r"\[BODY\]((?:\.[A-Za-z_][\w-]*|\[\d+\])+)", text_of(said))
            if path is None:
                self.work.lose(self.place, f"store: {key[:40]} was left out; only values of the JSON body are taken", line_of(self.data))
                continue
            extract: dict[str, Any] = {"json": f"${path.group(1)}"}
            if is_secret_name(key):
                extract["secret"] = True
            found[key] = (re.sub(r"\W", "_", key)[:60], extract)
        return found
