"""Modules of the Prometheus blackbox exporter: a journey for each module and target."""

import re
from typing import Any, Final, get_args

from sojourn_probes.importers.addresses_of import host_port, resolver_of
from sojourn_probes.importers.blackbox_http import http
from sojourn_probes.importers.blackbox_parts import family_of, place_of, regex, tls_of
from sojourn_probes.importers.draft import Draft, Work, seconds, shown_host
from sojourn_probes.importers.go_duration import seconds_of
from sojourn_probes.importers.lift import escaped, shown_address
from sojourn_probes.importers.source import ImportFault, line_of, list_of, mapping_of, text_of, words, yaml_of
from sojourn_probes.steps.dns import Record


def read(text: str, work: Work) -> None:
    """A journey for each module, or for each module and each `--target`."""
    data = mapping_of(yaml_of(text))
    modules = mapping_of(data.get("modules"))
    if not modules:
        raise ImportFault("is no configuration of the blackbox exporter (modules: is not there)", line_of(data))
    for name, said in modules.items():
        for target in work.targets or ("",):
            title = f"{name}: {shown_host(target) or shown_address(target)}" if target else name
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


def _tcp(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    where = place_of(name, target, work)
    if where is None:
        return
    _rest(name, "tcp", said, "query_response tls tls_config", work)
    part: dict[str, Any] = {"host": where[0], "port": where[1], **family_of(said)}
    settings = tls_of(name, mapping_of(said.get("tls_config")), work)
    dialog = _dialog(name, list_of(said.get("query_response")), work)
    if said.get("tls") is True or (settings and any("starttls" in turn for turn in dialog)):
        part["tls"] = settings or True
    if dialog:
        part["dialog"] = dialog
    draft.add(name, "tcp", part)


def _rest(name: str, prober: str, said: dict[str, Any], known: str, work: Work) -> None:
    """Say what of a prober's settings was left out."""
    for key in said:
        if key not in words(f"{known} preferred_ip_protocol ip_protocol_fallback"):
            work.lose(name, f"{prober}: {key[:40]} was left out", line_of(said))


def _dialog(name: str, turns: list[Any], work: Work, *, lines: bool = True) -> list[dict[str, Any]]:
    """The turns; of each the expected comes first, as the exporter takes it. `lines` go over a socket, what does not is a message."""
    dialog: list[dict[str, Any]] = []
    for turn in map(mapping_of, turns[:50]):
        for key in turn:
            if key not in ("expect", "send", "starttls"):
                work.lose(name, f"query_response: {key[:30]} was left out", line_of(turn))
        expected, sent = text_of(turn.get("expect")), text_of(turn.get("send"))
        if expected:
            dialog.append({"matches": regex(expected)})
        if re.search(r"\$\{?\d", sent):
            work.lose(name, "the turn that sends back what was matched, and what comes after it, were left out; a dialog cannot do that", line_of(turn))
            return dialog
        if sent:
            dialog.append({"send": work.vault.said(escaped(sent), name) + ("\n" if lines else "")})
        if turn.get("starttls") is True and lines:
            dialog.append({"starttls": True})
    if len(turns) > 50:
        work.lose(name, f"has {len(turns)} turns; the first 50 were carried over", line_of(turns[50]))
    return dialog[:50]


def _icmp(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    where = host_port(target) if target else ("${env.TARGET_HOST}", None)
    if where is None:
        work.lose(name, f"was left out; the target {shown_address(target)!r} is no host")
        return
    part: dict[str, Any] = {"host": where[0], "count": 1, **family_of(said)}
    size = said.get("payload_size")
    if isinstance(size, int) and 16 <= size <= 1400:
        part["size"] = size
    _rest(name, "icmp", said, "payload_size" if "size" in part else "", work)
    draft.add(name, "icmp", part)


def _dns(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    resolver = resolver_of(target) if target else "${env.TARGET}"
    if resolver is None:
        work.lose(name, f"was left out; the target {shown_address(target)!r} is no name server")
        return
    record = text_of(said.get("query_type")).upper() or "ANY"
    if record not in get_args(Record):
        work.lose(name, f"query_type {record[:20]} was left out; A is asked for, a dns step knows {', '.join(get_args(Record))}", line_of(said))
        record = "A"
    part: dict[str, Any] = {"name": escaped(text_of(said.get("query_name"))), "record": record, "resolver": resolver, **family_of(said)}
    if said.get("dns_over_tls") is True:
        part["transport"] = "tls"
        part |= {"tls": settings} if (settings := tls_of(name, mapping_of(said.get("tls_config")), work)) else {}
    elif text_of(said.get("transport_protocol")) == "tcp":
        part["transport"] = "tcp"
    if said.get("recursion_desired") is False:
        part["recursion"] = False
    expect: list[str] = []
    codes = [text_of(code) for code in list_of(said.get("valid_rcodes"))]
    work.expect(expect, name, "rcode", "in" if len(codes) > 1 else "==", codes if len(codes) > 1 else (codes or ["NOERROR"])[0])
    _rest(name, "dns", said, "query_name query_type valid_rcodes transport_protocol dns_over_tls tls_config recursion_desired", work)
    draft.add(name, "dns", part, expect=expect)


def _grpc(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    """The health of a service."""
    where = place_of(name, target, work)
    if where is None:
        return
    part: dict[str, Any] = {"host": where[0], "port": where[1], **family_of(said)}
    if text_of(said.get("service")):
        part["service"] = text_of(said["service"])
    if said.get("tls") is True:
        settings = tls_of(name, mapping_of(said.get("tls_config")), work)
        for key in ("verify", "min_version"):
            if settings.pop(key, None) is not None:
                work.lose(name, f"tls_config: {'insecure_skip_verify' if key == 'verify' else key} was left out; a grpc step cannot say it", line_of(said))
        part["tls"] = settings or True
    _rest(name, "grpc", said, "service tls tls_config", work)
    draft.add(name, "grpc", part)


def _websocket(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    url, auth = work.vault.url(target if "://" in target else f"ws://{target}", name) if target else ("${env.TARGET}", None)
    part: dict[str, Any] = {"url": url}
    if dialog := _dialog(name, list_of(said.get("query_response")), work, lines=False):
        part["dialog"] = dialog
    if auth is not None:
        part["auth"] = auth
    if part["url"].startswith("wss://") and (settings := tls_of(name, mapping_of(said.get("tls_config")), work)):
        part["tls"] = settings
    _rest(name, "websocket", said, "query_response tls_config", work)
    draft.add(name, "websocket", part)


_PROBERS: Final[dict[str, Any]] = {"http": http, "tcp": _tcp, "icmp": _icmp, "dns": _dns, "grpc": _grpc, "websocket": _websocket}
