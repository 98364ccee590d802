"""Endpoints of Gatus that are not http, as the part of a step: one function for each scheme of their address."""

import ipaddress
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, get_args

from sojourn_probes.importers.addresses_of import host_port, resolver_of
from sojourn_probes.importers.request import headers_of
from sojourn_probes.importers.source import mapping_of, text_of
from sojourn_probes.steps.dns import Record

if TYPE_CHECKING:
    from sojourn_probes.importers.gatus_endpoint import Endpoint

Read = tuple[str, dict[str, Any] | None]
"""A step kind and what the step says under it, None when it cannot be carried over, which has been said."""


def dns(endpoint: "Endpoint", url: str) -> Read:
    """A question to the name server `url`."""
    said = mapping_of(endpoint.data["dns"])
    name, record = endpoint.text(text_of(said.get("query-name"))), text_of(said.get("query-type")).upper() or "A"
    resolver = resolver_of(url)
    if record not in get_args(Record) or not name or resolver is None:
        endpoint.lose("was left out; its dns: names no record that can be asked for, or its url is no name server")
        return "dns", None
    return "dns", {"name": _reversed(name) if record == "PTR" else name, "record": record, "resolver": resolver}


def _reversed(name: str) -> str:
    """The name that stands for an address, as Gatus turns it."""
    try:
        return ipaddress.ip_address(name).reverse_pointer
    except ValueError:
        return name


def _icmp(endpoint: "Endpoint", url: str) -> Read:
    where = _where(endpoint, url)
    return "icmp", None if where is None else {"host": where[0]}


def _tcp(endpoint: "Endpoint", url: str) -> Read:
    where = _where(endpoint, url, port=True)
    return "tcp", None if where is None else {"host": where[0], "port": where[1], **_dialog(endpoint)}


def _tls(endpoint: "Endpoint", url: str) -> Read:
    """One that says something is a conversation; else the handshake is all there is."""
    where, dialog = _where(endpoint, url), _dialog(endpoint)
    if where is None:
        return "tls", None
    port = {} if where[1] is None else {"port": where[1]}
    if dialog:
        return "tcp", {"host": where[0], "port": where[1] or 443, "tls": endpoint.tls() or True, **dialog}
    return "tls", {"host": where[0], **port, **endpoint.tls()}


def _starttls(endpoint: "Endpoint", url: str) -> Read:
    """Gatus speaks SMTP there."""
    where = _where(endpoint, url)
    port = {} if where is None or where[1] is None else {"port": where[1]}
    return "tls", None if where is None else {"host": where[0], **port, "starttls": "smtp", **endpoint.tls()}


def _grpc(endpoint: "Endpoint", url: str) -> Read:
    """The health of the server as a whole."""
    where = _where(endpoint, url, port=True)
    if where is None:
        return "grpc", None
    part: dict[str, Any] = {"host": where[0], "port": where[1]}
    if url.lower().startswith("grpcs:"):
        settings = endpoint.tls()
        if settings.pop("verify", True) is False:
            endpoint.lose("client: insecure was left out; a grpc step judges the certificate, name its authority as ca_file")
        part["tls"] = settings or True
    return "grpc", part


def _websocket(endpoint: "Endpoint", url: str) -> Read:
    """A connection, and the body as its one message."""
    clean, auth = endpoint.work.vault.url(url, endpoint.place)
    given = [(name, endpoint.text(text_of(value))) for name, value in mapping_of(endpoint.data.get("headers")).items()]
    headers, signing = headers_of(given, endpoint.work, endpoint.place)
    part: dict[str, Any] = {"url": clean, **_dialog(endpoint, any_message="^")}
    if headers:
        part["headers"] = headers
    if signing or auth:
        part["auth"] = signing or auth
    if url.lower().startswith("wss:") and (settings := endpoint.tls()):
        part["tls"] = settings
    return "websocket", part


def _dialog(endpoint: "Endpoint", any_message: str = ".") -> dict[str, Any]:
    """What is sent, and that something comes back where a condition looks at it."""
    body = endpoint.body()
    if not body:
        return {}
    turns = [{"send": endpoint.work.vault.said(body, endpoint.place)}]
    if any("[BODY]" in condition for condition in endpoint.asked()):
        turns.append({"matches": any_message})
    return {"dialog": turns}


def _where(endpoint: "Endpoint", url: str, *, port: bool = False) -> tuple[str, Any] | None:
    where = host_port(url)
    if where is None or (port and where[1] is None):
        endpoint.lose(f"was left out; its address has no host{' and port' if port else ''} that can be read")
        return None
    return where


PARTS: Final[dict[str, Callable[["Endpoint", str], Read]]] = {
    "tcp": _tcp,
    "tls": _tls,
    "starttls": _starttls,
    "icmp": _icmp,
    "grpc": _grpc,
    "grpcs": _grpc,
    "ws": _websocket,
    "wss": _websocket,
}
"""Scheme → who reads it."""
