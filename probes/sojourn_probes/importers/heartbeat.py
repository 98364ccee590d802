"""Monitors of Elastic Heartbeat: a journey for each monitor, a step for each of its hosts (and ports)."""

import re
from typing import Any, Final

from sojourn_probes.importers.addresses_of import host_port
from sojourn_probes.importers.draft import Draft, Work, seconds, tags_of
from sojourn_probes.importers.go_duration import seconds_of
from sojourn_probes.importers.lift import escaped, shown_address
from sojourn_probes.importers.request import Request, basic, part_of, proxy_of
from sojourn_probes.importers.source import ImportFault, data_of, line_of, list_of, mapping_of, text_of, words
from sojourn_probes.secret_names import is_secret_name

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_.]*)(?::([^}]*))?\}")
_SSL_FILES: Final = {"certificate_authorities": "ca_file", "certificate": "cert_file", "key": "key_file"}
_DEFAULTED = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_.]*:[^}]")
_COMMON: Final = words(
    "type id name schedule hosts urls enabled timeout mode tags ssl check ports username password max_redirects ipv4 ipv6 wait response proxy_url"
)


def read(text: str, work: Work) -> None:
    """A journey for each monitor of heartbeat.yml, or of a file under monitors.d."""
    data = data_of(text)
    monitors = data if isinstance(data, list) else None
    if monitors is None:
        top = mapping_of(data)
        monitors = list_of(top.get("heartbeat.monitors", mapping_of(top.get("heartbeat")).get("monitors")))
    if not monitors or not any("type" in mapping_of(monitor) for monitor in monitors):
        raise ImportFault("is no configuration of Heartbeat (heartbeat.monitors: is not there)", line_of(data))
    work.vault.translate = _ours
    for monitor in map(_flat, monitors):
        _monitor(monitor, work)
    if not any(draft.steps for draft in work.drafts):
        raise ImportFault("holds no monitor that a journey can probe; http, tcp and icmp are taken")


def _ours(text: str) -> str:
    """Heartbeat fills `${NAME}` and `${NAME:default}` from its keystore and the environment."""
    pieces: list[str] = []
    at = 0
    for found in _NAME.finditer(text):
        pieces += [escaped(text[at : found.start()]), f"${{env.{found.group(1).replace('.', '_')}}}"]
        at = found.end()
    return "".join(pieces) + escaped(text[at:])


def _flat(monitor: Any) -> dict[str, Any]:
    """Keys such as `check.response.status: 200` as the nesting they stand for."""
    found: dict[str, Any] = {}
    for key, value in mapping_of(monitor).items():
        into = found
        *above, last = key.split(".")[:8]
        for name in above:
            inner = into.get(name)
            into[name] = into = dict(inner) if isinstance(inner, dict) else {}
        into[last] = {**into[last], **value} if isinstance(into.get(last), dict) and isinstance(value, dict) else value
    found["_line"] = line_of(monitor)
    return found


def _monitor(monitor: dict[str, Any], work: Work) -> None:
    kind, line = text_of(monitor.get("type")), monitor["_line"]
    name = text_of(monitor.get("name")) or text_of(monitor.get("id")) or kind or "monitor"
    reader = _KINDS.get(kind)
    if reader is None:
        work.lose(name, f"was left out; a monitor of the type {kind[:30]!r} cannot be carried over, only http, tcp and icmp", line)
        return
    draft = work.draft(text_of(monitor.get("id")) or name)
    if text_of(monitor.get("name")).strip():
        draft.keys["name"] = " ".join(name.split())[:200]
    if _DEFAULTED.search(str(monitor)):
        work.lose(name, "the default of a ${variable:default} was left out; set the variable", line)
    _schedule(name, monitor, draft, work)
    limit = seconds_of(monitor.get("timeout"))
    draft.keys["timeout"] = seconds(min(max(limit or 16, 1), 600))
    if monitor.get("enabled") is False:
        draft.keys["enabled"] = False
    tags = tags_of(monitor.get("tags"))
    if tags:
        draft.keys["tags"] = tags
    if monitor.get("mode") == "all" and kind != "http":
        work.lose(name, "mode: all was left out; one address of each name is asked", line)
    for key in monitor:
        if key not in _COMMON and key != "_line":
            work.lose(name, f"{key[:40]} was left out", line)
    hosts = monitor.get("hosts") or monitor.get("urls")
    for host in hosts if isinstance(hosts, list) else [hosts]:
        reader(name, monitor, text_of(host), draft, work)


def _schedule(name: str, monitor: dict[str, Any], draft: Draft, work: Work) -> None:
    said = text_of(monitor.get("schedule"))
    every = re.fullmatch(r"@every\s+(\S+)", said)
    length = seconds_of(every.group(1)) if every else None
    fields = said.split()
    if length is not None and 1 <= length <= 7 * 86400:
        draft.keys["interval"] = seconds(length)
    elif len(fields) in (6, 7) and (step := re.fullmatch(r"\*/(\d{1,2})", fields[0])) is not None and set(fields[1:]) == {"*"} and int(step.group(1)):
        draft.keys["interval"] = seconds(int(step.group(1)))
    elif len(fields) in (6, 7):
        draft.keys["schedule"] = " ".join(fields[1:6])
        if fields[0] not in ("0", "*"):
            work.lose(name, f"the seconds of the schedule {said[:40]!r} were left out; it runs once in the minutes it names", monitor["_line"])
    elif said:
        work.lose(name, f"the schedule {said[:40]!r} was left out; the journey is walked every 60s", monitor["_line"])


def _http(name: str, monitor: dict[str, Any], host: str, draft: Draft, work: Work) -> None:
    check = mapping_of(monitor.get("check"))
    asked, wanted = mapping_of(check.get("request")), mapping_of(check.get("response"))
    request = Request(_ours(host if "://" in host else f"http://{host}"), text_of(asked.get("method")) or "GET")
    request.headers = [(key, _ours(text_of(value))) for key, value in mapping_of(asked.get("headers")).items()]
    request.body = _ours(text_of(asked.get("body"))) or None
    redirects = monitor.get("max_redirects")
    request.follow_redirects = min(redirects, 20) if type(redirects) is int and redirects >= 0 else 0
    if text_of(monitor.get("username")):
        request.auth = basic(_ours(text_of(monitor["username"])), _ours(text_of(monitor.get("password"))), work, name)
    request.tls = _tls(name, monitor, work)
    request.more |= _family(monitor) | ({"all_addresses": True} if monitor.get("mode") == "all" and not monitor.get("proxy_url") else {})
    if text_of(monitor.get("proxy_url")):
        request.more |= proxy_of(_ours(text_of(monitor["proxy_url"])), work, name)
    part = part_of(request, work, name)
    if part is None:
        return
    expect: list[str] = []
    _response(name, wanted, expect, work)
    draft.add(host.partition("://")[2].partition("?")[0].rpartition("@")[2] or name, "http", part, expect=expect)


def _response(name: str, wanted: dict[str, Any], expect: list[str], work: Work) -> None:
    status = wanted.get("status")
    codes = [code for code in (status if isinstance(status, list) else [status]) if isinstance(code, int) and code]
    if codes:
        work.expect(expect, name, "status", "in" if len(codes) > 1 else "==", codes if len(codes) > 1 else codes[0])
    for key, value in mapping_of(wanted.get("headers")).items():
        if is_secret_name(key):
            work.expect(expect, name, "header", "exists", prop=key)
        else:
            work.expect(expect, name, "header", "==", _ours(text_of(value)), key)
    body = wanted.get("body")
    positive = mapping_of(body).get("positive") if isinstance(body, dict) else body
    negative = mapping_of(body).get("negative")
    for given, comparison in ((positive, "matches"), (negative, "not matches")):
        for pattern in given if isinstance(given, list) else [given] if given else []:
            work.expect(expect, name, "body", comparison, escaped(text_of(pattern)))
    for one in map(mapping_of, list_of(wanted.get("json"))):
        equals = mapping_of(mapping_of(one.get("condition")).get("equals"))
        for key, value in equals.items():
            work.expect(expect, name, "json", "==", _ours(value) if isinstance(value, str) else value, f"$.{key}")
        if not equals:
            work.lose(
                name, f"the check of the JSON answer {text_of(one.get('description'))[:60]!r} was left out; only condition: equals is taken", line_of(one)
            )


def _tls(name: str, monitor: dict[str, Any], work: Work) -> dict[str, Any]:
    """How TLS is spoken. Certificates and keys may stand in the file itself there; those are never written."""
    tls: dict[str, Any] = {}
    for key, value in mapping_of(monitor.get("ssl")).items():
        text = text_of(next(iter(value), "") if isinstance(value, list) else value)
        if key == "verification_mode":
            if text == "none":
                tls["verify"] = False
            elif text not in ("full", "strict"):
                work.lose(name, f"ssl: {key}: {text[:20]} was left out; certificates are verified in full", monitor["_line"])
        elif key in _SSL_FILES and ("-----BEGIN" in text or "\n" in text):
            work.lose(name, f"ssl: {key} was left out; put what stands there into a file and name it as {_SSL_FILES[key]}", monitor["_line"])
        elif key in _SSL_FILES and text:
            tls[_SSL_FILES[key]] = _ours(text)
        elif key == "key_passphrase" and text:
            tls["key_password"] = work.vault.field(_ours(text), "key_passphrase", name)
        elif key != "enabled":
            work.lose(name, f"ssl: {key[:40]} was left out", monitor["_line"])
    if "cert_file" not in tls:
        tls = {key: value for key, value in tls.items() if key not in ("key_file", "key_password")}
    return tls


def _family(monitor: dict[str, Any]) -> dict[str, Any]:
    """Which addresses are tried, where one family is switched off."""
    return {"ip_family": 6 if monitor.get("ipv4") is False else 4} if False in (monitor.get("ipv4"), monitor.get("ipv6")) else {}


def _tcp(name: str, monitor: dict[str, Any], host: str, draft: Draft, work: Work) -> None:
    where = host_port(_ours(host))
    if where is None:
        work.lose(name, f"the host {shown_address(host)!r} was left out; it is no host:port", monitor["_line"])
        return
    ports = [where[1]] if where[1] is not None else [port for port in list_of(monitor.get("ports")) if isinstance(port, int) and 1 <= port <= 65535]
    if not ports:
        work.lose(name, f"the host {shown_address(host)!r} was left out; no port is given", monitor["_line"])
    if monitor.get("proxy_url"):
        work.lose(name, "proxy_url was left out; tcp steps go through none", monitor["_line"])
    check = mapping_of(monitor.get("check"))
    sent, received = check.get("send"), check.get("receive")
    for port in ports[:50]:
        part: dict[str, Any] = {"host": where[0], "port": port, **_family(monitor)}
        if host.partition("://")[0] in ("tls", "ssl", "tcp+tls") or monitor.get("ssl"):
            part["tls"] = _tls(name, monitor, work) or True
        dialog = [{"send": work.vault.said(_ours(text_of(sent)), name)}] if text_of(sent) else []
        dialog += [{"expect": _ours(text_of(received))}] if text_of(received) else []
        if dialog:
            part["dialog"] = dialog
        draft.add(f"{where[0]} {port}", "tcp", part)


def _icmp(name: str, monitor: dict[str, Any], host: str, draft: Draft, work: Work) -> None:
    where = host_port(_ours(host))
    if where is None:
        work.lose(name, f"the host {shown_address(host)!r} was left out; it cannot be read", monitor["_line"])
        return
    part: dict[str, Any] = {"host": where[0], **_family(monitor)}
    wait = seconds_of(monitor.get("wait"))
    if wait and 0 < wait <= 60:
        part["wait"] = seconds(wait)
    draft.add(where[0], "icmp", part)


_KINDS: Final[dict[str, Any]] = {"http": _http, "tcp": _tcp, "icmp": _icmp}
