"""Modules of the Prometheus blackbox exporter: a journey for each module and target."""

import re
from typing import Any, Final

from sojourn_probes.importers.addresses_of import host_port
from sojourn_probes.importers.draft import Draft, Work, seconds, shown_host
from sojourn_probes.importers.features import has_kind, takes
from sojourn_probes.importers.go_duration import seconds_of
from sojourn_probes.importers.lift import escaped
from sojourn_probes.importers.request import Request, basic, client_credentials, part_of, proxy_of
from sojourn_probes.importers.source import ImportFault, line_of, list_of, mapping_of, text_of, words, yaml_of

_HTTP_KNOWN: Final = words(
    "method headers body valid_status_codes follow_redirects no_follow_redirects fail_if_ssl fail_if_not_ssl fail_if_body_matches_regexp "
    "fail_if_body_not_matches_regexp fail_if_matches_regexp fail_if_not_matches_regexp fail_if_header_matches fail_if_header_not_matches tls_config "
    "basic_auth bearer_token authorization preferred_ip_protocol ip_protocol_fallback accept_any_response valid_http_versions compression "
    "enable_http2 body_size_limit proxy_url oauth2"
)


def read(text: str, work: Work) -> None:
    """A journey for each module, or for each module and each `--target`."""
    data = mapping_of(yaml_of(text))
    modules = mapping_of(data.get("modules"))
    if not modules:
        raise ImportFault("is no configuration of the blackbox exporter (modules: is not there)", line_of(data))
    for name, said in modules.items():
        for target in work.targets or ("",):
            title = f"{name}: {shown_host(target) or target}" if target else name
            _module(title, mapping_of(said), target, work)
    if not work.targets:
        work.lose("modules", "a module names no target; it comes from the environment (TARGET, or TARGET_HOST and TARGET_PORT), or name it with --target")
    if not any(draft.steps for draft in work.drafts):
        raise ImportFault("holds no module that a journey can probe; see docs/authoring.md for those it can")


def _module(name: str, module: dict[str, Any], target: str, work: Work) -> None:
    prober = text_of(module.get("prober"))
    limit = seconds_of(module.get("timeout"))
    draft = work.draft(name, timeout=seconds(min(limit, 600)) if limit else None)
    reader = _PROBERS.get(prober)
    if reader is None:
        known = ", ".join(_PROBERS)
        work.lose(name, f"was left out; the prober {prober[:30]!r} cannot be carried over, only {known}", line_of(module))
        return
    reader(name, mapping_of(module.get(prober)), escaped(target), draft, work)


def _http(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    url = target or "${env.TARGET}"
    if target and "://" not in target:
        url = f"http://{target}"
    for key in said:
        if key not in _HTTP_KNOWN:
            work.lose(name, f"http: {key[:50]} was left out", line_of(said))
    request = Request(url, text_of(said.get("method")) or "GET", [(key, escaped(text_of(value))) for key, value in mapping_of(said.get("headers")).items()])
    request.body = escaped(text_of(said.get("body"))) or None
    if said.get("follow_redirects") is False or said.get("no_follow_redirects") is True:
        request.follow_redirects = 0
    _signing(name, said, request, work)
    request.tls = _tls(name, mapping_of(said.get("tls_config")), "http.tls", work)
    family = _family(name, said, "http", work)
    if family is not None:
        request.more["ip_family"] = family
    part = part_of(request, work, name)
    if part is None:
        return
    expect: list[str] = []
    _http_expectations(name, said, url, expect, work)
    draft.add(name, "http", part, expect=expect)


def _signing(name: str, said: dict[str, Any], request: Request, work: Work) -> None:
    if text_of(said.get("proxy_url")):
        request.more["proxy"] = proxy_of(escaped(text_of(said["proxy_url"])), work, name)
    oauth = {key: escaped(value) if isinstance(value, str) else value for key, value in mapping_of(said.get("oauth2")).items()}
    if oauth:
        request.auth = client_credentials(oauth, work, name)
        if request.auth is None:
            work.lose(name, "http: oauth2 was left out; it names no token_url, client_id and client_secret", line_of(said))
    user = mapping_of(said.get("basic_auth"))
    if user:
        request.auth = basic(escaped(text_of(user.get("username"))), escaped(text_of(user.get("password"))), work, name)
    authorization = mapping_of(said.get("authorization"))
    token = text_of(said.get("bearer_token")) or text_of(authorization.get("credentials"))
    if token:
        request.headers.append(("Authorization", f"{text_of(authorization.get('type')) or 'Bearer'} {escaped(token)}"))
    elif authorization.get("credentials_file"):
        request.headers.append(("Authorization", f"{text_of(authorization.get('type')) or 'Bearer'} {work.vault.by_name('token', name)}"))


def _http_expectations(name: str, said: dict[str, Any], url: str, expect: list[str], work: Work) -> None:
    codes = [code for code in list_of(said.get("valid_status_codes")) if isinstance(code, int)]
    if said.get("accept_any_response") is True:
        work.expect(expect, name, "status", ">=", 100)
    elif codes:
        work.expect(expect, name, "status", "in" if len(codes) > 1 else "==", codes if len(codes) > 1 else codes[0])
    else:
        work.expect(expect, name, "status", "==", "2xx")
    if said.get("fail_if_not_ssl") is True and not url.startswith("https://"):
        work.expect(expect, name, "tls.protocol", "exists")
    if said.get("fail_if_ssl") is True:
        work.expect(expect, name, "tls.protocol", "not exists")
    for key, comparison in (("body_matches_regexp", "not matches"), ("body_not_matches_regexp", "matches")):
        for pattern in [*list_of(said.get(f"fail_if_{key}")), *list_of(said.get(f"fail_if_{key.removeprefix('body_')}"))]:
            work.expect(expect, name, "body", comparison, _regex(text_of(pattern)))
    for key, comparison in (("fail_if_header_matches", "not matches"), ("fail_if_header_not_matches", "matches")):
        for one in map(mapping_of, list_of(said.get(key))):
            if one.get("allow_missing") is True and key == "fail_if_header_not_matches":
                work.lose(name, f"{key} with allow_missing was left out; an expectation wants the header to be there", line_of(one))
            elif one.get("allow_missing") is True and text_of(one.get("regexp")) == ".*":
                work.expect(expect, name, "header", "not exists", prop=text_of(one.get("header")))
            else:
                work.expect(expect, name, "header", comparison, _regex(text_of(one.get("regexp"))), text_of(one.get("header")))


def _regex(pattern: str) -> str:
    """Go's regular expressions are nearly Python's; the rest is refused by the expectation and said."""
    return escaped(pattern.replace(r"\z", r"\Z"))


def _tls(name: str, said: dict[str, Any], where: str, work: Work) -> dict[str, Any]:
    tls: dict[str, Any] = {}
    if said.get("insecure_skip_verify") is True:
        tls["verify"] = False
    for key, value in said.items():
        if key == "min_version" and takes(where, key) and text_of(value) in ("TLS12", "TLS13"):
            tls[key] = "1.2" if text_of(value) == "TLS12" else "1.3"
        elif key in ("ca_file", "cert_file", "key_file", "server_name") and takes(where, key):
            tls[key] = escaped(text_of(value))
        elif key != "insecure_skip_verify":
            work.lose(name, f"tls_config: {key[:40]} was left out", line_of(said))
    return tls


def _family(name: str, said: dict[str, Any], kind: str, work: Work) -> int | None:
    """The family of addresses, where only one is allowed; a mere preference is the default's business."""
    family = {"ip4": 4, "ip6": 6}.get(text_of(said.get("preferred_ip_protocol")))
    if family is None or said.get("ip_protocol_fallback") is not False:
        return None
    if takes(kind, "ip_family"):
        return family
    work.lose(name, f"preferred_ip_protocol was left out; {kind} steps cannot choose between addresses yet", line_of(said))
    return None


def _place(name: str, target: str, work: Work) -> tuple[str, Any] | None:
    if not target:
        return "${env.TARGET_HOST}", "${env.TARGET_PORT}"
    where = host_port(target)
    if where is None:
        work.lose(name, f"was left out; the target {target[:60]!r} is no host:port")
    return where


def _tcp(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    where = _place(name, target, work)
    if where is None or where[1] is None:
        if where is not None:
            work.lose(name, f"was left out; the target {target[:60]!r} names no port")
        return
    part: dict[str, Any] = {"host": where[0], "port": where[1]}
    family = _family(name, said, "tcp", work)
    if family is not None:
        part["ip_family"] = family
    settings = _tls(name, mapping_of(said.get("tls_config")), "tls", work)
    dialog = _dialog(name, list_of(said.get("query_response")), work)
    if said.get("tls") is True or (settings and any("starttls" in turn for turn in dialog)):
        part["tls"] = settings or True
    if dialog:
        part["dialog"] = dialog
    draft.add(name, "tcp", part)


def _dialog(name: str, turns: list[Any], work: Work) -> list[dict[str, Any]]:
    dialog: list[dict[str, Any]] = []
    for turn in map(mapping_of, turns[:50]):
        for key, value in turn.items():
            text = text_of(value)
            if key == "starttls":
                dialog += [{"starttls": True}] if value is True else []
            elif key == "expect" and text:
                dialog.append({"matches": _regex(text)})
            elif key == "send" and re.search(r"\$\{?\d", text):
                work.lose(name, f"the turn {text[:40]!r} and what comes after it were left out; a dialog cannot send back what was matched", line_of(turn))
                return dialog
            elif key == "send":
                dialog.append({"send": escaped(text) + "\n"})
            elif key != "expect":
                work.lose(name, f"query_response: {key[:30]} was left out", line_of(turn))
    return dialog


def _icmp(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    where = host_port(target) if target else ("${env.TARGET_HOST}", None)
    if where is None:
        work.lose(name, f"was left out; the target {target[:60]!r} is no host")
        return
    part: dict[str, Any] = {"host": where[0], "count": 1}
    family = _family(name, said, "icmp", work)
    if family is not None:
        part["ip_family"] = family
    for key in said:
        if key not in ("preferred_ip_protocol", "ip_protocol_fallback"):
            work.lose(name, f"icmp: {key[:40]} was left out", line_of(said))
    draft.add(name, "icmp", part)


def _dns(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    if not has_kind("dns"):
        work.lose(name, "was left out; there is no step kind dns yet", line_of(said))
        return
    part: dict[str, Any] = {"name": escaped(text_of(said.get("query_name"))), "resolver": target or "${env.TARGET}"}
    if text_of(said.get("query_type")):
        part["record"] = text_of(said["query_type"]).upper()
    expect: list[str] = []
    codes = [text_of(code) for code in list_of(said.get("valid_rcodes"))]
    work.expect(expect, name, "rcode", "in" if len(codes) > 1 else "==", codes if len(codes) > 1 else (codes or ["NOERROR"])[0])
    for key in said:
        if key not in ("query_name", "query_type", "valid_rcodes", "preferred_ip_protocol", "ip_protocol_fallback"):
            work.lose(name, f"dns: {key[:40]} was left out", line_of(said))
    draft.add(name, "dns", part, expect=expect)


_PROBERS: Final[dict[str, Any]] = {"http": _http, "tcp": _tcp, "icmp": _icmp, "dns": _dns}
