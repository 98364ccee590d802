"""What an HTTP exchange failed of: decided by the type of the error and of its causes, never by its text."""

import socket
import ssl
from dataclasses import dataclass
from typing import Final

import httpx2

from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.body import Body, BodyTooLarge
from sojourn_probes.steps.http_broken import BadLocation, Ended, Gone, NoHttp2, NotHttp, Proxied
from sojourn_probes.steps.http_connect import Refused
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.proxy_way import refused_words
from sojourn_probes.steps.resolving import ResolveError
from sojourn_probes.steps.talk import Broken, causes, ssl_error_in
from sojourn_probes.steps.tls_faults import SILENT, tls_words
from sojourn_probes.steps.tls_trust import TrustError
from sojourn_probes.units import show_size
from sojourn_probes.unpacking import NotUnpacked

CAUGHT: Final = (
    ResolveError,
    Refused,
    TrustError,
    Broken,
    Ended,
    NotHttp,
    NoHttp2,
    Gone,
    Proxied,
    BadLocation,
    BodyTooLarge,
    NotUnpacked,
    httpx2.LocalProtocolError,
    httpx2.UnsupportedProtocol,
    httpx2.InvalidURL,
    ssl.SSLError,
    OSError,
)
"""Everything an exchange may raise that is a result."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """An exchange that failed: which request (`GET http://…`), how far it came, the body so far, max_body, and the hop it was."""

    where: str
    phases: Phases
    body: Body
    limit: int
    hop: int
    proxied: bool


def failure_of(error: BaseException, at: Circumstances) -> Failure:
    """The failure that `error` is."""
    if isinstance(error, ResolveError):
        return Failure(FailureKind.DNS, f"{error}{' (the proxy)' if at.proxied else ''}")
    if isinstance(error, Broken):
        return Failure(error.failure.kind, f"{at.where}: {error.failure.message}")
    if isinstance(error, TrustError):
        return Failure(error.failure.kind, f"tls.{error.failure.message}")
    if isinstance(error, Refused):
        return Failure(FailureKind.TLS, f"{at.where}: {error}")
    kind, words = _judged(error, at)
    return Failure(kind, f"{at.where}{words}")


def _judged(error: BaseException, at: Circumstances) -> tuple[FailureKind, str]:
    if isinstance(error, BodyTooLarge):
        return FailureKind.CONTENT, f": the body is larger than {show_size(at.limit)} (max_body)"
    if isinstance(error, NotUnpacked):
        return FailureKind.CONTENT, f": the body is not what its content-encoding says: {error}"
    if isinstance(error, httpx2.LocalProtocolError | httpx2.InvalidURL) or (at.hop == 0 and isinstance(error, httpx2.UnsupportedProtocol)):
        return FailureKind.CONFIG, f" cannot be sent: {error}"
    if isinstance(error, Proxied):
        return refused_words(error)
    if isinstance(error, OSError):
        return _network(error, at)
    return FailureKind.PROTOCOL, _answer_words(error, at)


def _network(error: OSError, at: Circumstances) -> tuple[FailureKind, str]:
    tls = ssl_error_in(error)
    if tls is not None and not isinstance(tls, ssl.SSLEOFError | ssl.SSLZeroReturnError):
        return FailureKind.TLS, f": {tls_words(tls, 'this host')}"
    if at.phases.current == "connect":
        return FailureKind.CONNECT, f": {connect_words(error)}{' (the proxy)' if at.proxied else ''}"
    return FailureKind.PROTOCOL, f": the connection was reset {_doing(at)}; the server or something on the way broke it off"


def _answer_words(error: BaseException, at: Circumstances) -> str:
    if isinstance(error, Ended):
        return _ended(error, at)
    if isinstance(error, Gone):
        what = "ended the whole HTTP/2 connection (GOAWAY" if error.whole else "broke the answer off (RST_STREAM"
        return f": the server {what}, {error.code}) {_doing(at)}; its log may say why"
    if isinstance(error, NoHttp2):
        return ": the server does not offer HTTP/2 in the TLS handshake (ALPN); turn it on there, or say http_version: auto"
    if isinstance(error, BadLocation):
        return ": the answer is not good HTTP: it redirects to what is no address"
    return f": the answer is not good HTTP: {error}"


def _ended(error: Ended, at: Circumstances) -> str:
    if error.stage == "answer":
        return ": the server closed the connection without an answer; it may have crashed over this request, or wants TLS or another protocol here"
    if error.stage == "header":
        return ": the server closed the connection in the middle of its header; it may have crashed over this request"
    return f": the server closed the connection before the body was whole, after {show_size(at.body.wire)}; it may have crashed, or says a wrong length"


def connect_words(fault: BaseException) -> str:
    """Why there is no connection."""
    for cause in causes(fault):
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused; nothing listens on this port there, or a firewall refuses it"
        if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and cause.strerror:
            return f"no connection: {cause.strerror}"
    return "no connection"


def _doing(at: Circumstances) -> str:
    words = {"send": "while the request was sent", "receive": f"in the body, after {show_size(at.body.wire)}"}
    return words.get(at.phases.current or "", "before an answer came")


def waiting_for(phases: Phases, body: Body) -> str:
    """What an exchange that the deadline ended was waiting for, and what may be the matter."""
    words = {
        "resolve": "no resolver answers; see the name servers of this machine",
        "connect": "nobody answers there; the host may be down, or a firewall drops what is sent to this port",
        "tls": SILENT,
        "send": "the server takes no more of the request",
        "wait": "the server took the request and its header is not whole; it may hang or be overloaded",
        "receive": f"the body is not whole after {show_size(body.wire)}; the server may hang, or send without end",
    }
    return words.get(phases.current or "", "")
