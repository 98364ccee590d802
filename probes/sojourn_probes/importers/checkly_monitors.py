"""Checkly's monitors that are not http, as the part of a step."""

from collections.abc import Callable
from typing import Any, Final, Protocol, get_args

from sojourn_probes.importers.addresses_of import host_port, resolver_of
from sojourn_probes.importers.draft import Work
from sojourn_probes.importers.request import headers_of, json_or_none
from sojourn_probes.importers.source import list_of, mapping_of, text_of
from sojourn_probes.steps.dns import Record


class Check(Protocol):
    """What is known of the check that a step is made of."""

    name: str
    request: dict[str, Any]
    work: Work
    expect: list[str]

    def lose(self, message: str) -> None:
        """Say that something of it was left out."""

    def text(self, value: Any) -> str:
        """A text of it as ours."""


Read = tuple[str, dict[str, Any] | None]
"""A step kind and what the step says under it, None when it cannot be carried over, which has been said."""


def family(check: Check) -> dict[str, Any]:
    """Which addresses are tried; IPv4 is only what Checkly does when nobody says otherwise."""
    return {"ip_family": 6} if text_of(check.request.get("ipFamily")) == "IPv6" else {}


def _tcp(check: Check) -> Read:
    where = _where(check, check.request.get("hostname") or check.request.get("url"))
    if where is None:
        return "tcp", None
    part = where | family(check)
    if data := check.request.get("data"):
        part["dialog"] = [{"send": check.work.vault.said(check.text(data), check.name)}]
        if _looks_at(check, "data"):
            part["dialog"].append({"matches": "."})
    return "tcp", part


def _icmp(check: Check) -> Read:
    count, host = check.request.get("pingCount"), _host(check, check.request.get("hostname"))
    if host is None:
        return "icmp", None
    part: dict[str, Any] = {"host": host, **family(check)}
    if isinstance(count, int) and 1 <= count <= 100:
        part["count"] = count
    return "icmp", part


def _dns(check: Check) -> Read:
    said = check.request
    record, server = text_of(said.get("recordType")).upper() or "A", said.get("nameServer")
    part: dict[str, Any] = {"name": check.text(said.get("query")), "record": record}
    host, port = (server.get("host"), server.get("port")) if isinstance(server, dict) else (server, said.get("port"))
    if host:
        text = check.text(host)
        where = f"[{text}]" if ":" in text and "${" not in text else text
        part["resolver"] = resolver_of(f"{where}:{port}" if isinstance(port, int) else where)
        if part["resolver"] is None:
            check.lose("was left out; its nameServer is no host")
            return "dns", None
    if text_of(said.get("protocol")).upper() == "TCP":
        part["transport"] = "tcp"
    if record not in get_args(Record):
        check.lose(f"was left out; a record of the type {record[:20]} cannot be asked for, only {', '.join(get_args(Record))}")
        return "dns", None
    return "dns", part


def _grpc(check: Check) -> Read:
    said = check.request
    config, where = mapping_of(said.get("grpcConfig")), _where(check, said.get("url"))
    if where is None:
        return "grpc", None
    part = where | family(check)
    if config.get("tls") is not False:
        part["tls"] = True
        if said.get("skipSSL") is True:
            check.lose("skipSSL was left out; a grpc step judges the certificate, name its authority as ca_file")
    pairs = [(text_of(one.get("key")), check.text(one.get("value"))) for one in map(mapping_of, list_of(config.get("metadata")))]
    metadata, auth = headers_of(pairs, check.work, check.name)
    if auth is not None and "bearer" in auth:
        metadata["authorization"] = f"Bearer {auth['bearer']}"
    elif auth is not None:
        check.lose("signing in by user and password was left out; grpc steps take it as metadata")
    if metadata:
        part["metadata"] = metadata
    if text_of(config.get("mode")).upper() == "HEALTH":
        return "grpc", part | ({"service": text_of(config["service"])} if text_of(config.get("service")) else {})
    return "grpc", _called(check, config, part)


def _called(check: Check, config: dict[str, Any], part: dict[str, Any]) -> dict[str, Any] | None:
    """The call of a method, found by reflection."""
    if text_of(config.get("serviceDefinition")).upper() == "PROTO_FILE" or text_of(config.get("encoding")).upper() == "FLATBUFFERS":
        check.lose("was left out; a grpc step finds methods by the server's reflection only")
        return None
    part["method"] = text_of(config.get("method")).lstrip("/")
    if config.get("message"):
        message = json_or_none(check.text(config["message"]), check.work, check.name)
        if not isinstance(message, dict):
            check.lose("was left out; its message is no JSON object")
            return None
        part["message"] = message
    return part


def _ssl(check: Check) -> Read:
    said, config = check.request, mapping_of(check.request.get("sslConfig"))
    port, host = said.get("port"), _host(check, said.get("hostname"))
    if host is None:
        return "tls", None
    part: dict[str, Any] = {"host": host, **({"port": port} if type(port) is int else {}), **family(check)}
    if text_of(config.get("serverName")):
        part["server_name"] = check.text(config["serverName"])
    if config.get("skipChainValidation") is True:
        part["verify"] = False
    days = config.get("alertDaysBeforeExpiry", 20)
    if isinstance(days, int) and not isinstance(days, bool) and 1 <= days <= 365:
        check.work.expect(check.expect, check.name, "tls", ">", f"{days}d", "expires_in")
    for key in config:
        if key not in ("serverName", "skipChainValidation", "alertDaysBeforeExpiry"):
            check.lose(f"sslConfig: {key[:40]} was left out")
    return "tls", part


def _where(check: Check, host: Any) -> dict[str, Any] | None:
    port = check.request.get("port")
    if type(port) is not int or not 1 <= port <= 65535:
        check.lose("was left out; its port is no number")
        return None
    return None if (where := _host(check, host)) is None else {"host": where, "port": port}


def _host(check: Check, said: Any) -> str | None:
    where = host_port(check.text(said))
    if where is None or where[1] is not None:
        check.lose("was left out; its host is no name or address alone")
        return None
    return where[0]


def _looks_at(check: Check, word: str) -> bool:
    return any(word in str(getattr(one, "path", None) or mapping_of(one).get("source", "")).lower() for one in list_of(check.request.get("assertions")))


MONITORS: Final[dict[str, Callable[[Any], Read]]] = {
    "TcpMonitor": _tcp,
    "TcpCheck": _tcp,
    "IcmpMonitor": _icmp,
    "DnsMonitor": _dns,
    "GrpcMonitor": _grpc,
    "SslMonitor": _ssl,
}
"""Construct → who reads it."""
