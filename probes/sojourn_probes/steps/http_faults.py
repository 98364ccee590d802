"""What an HTTP exchange failed of: decided by the type of the error and of its causes, never by its text."""

import socket
import ssl
import zlib

import httpcore2
import httpx2

from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.body import BodyTooLarge
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.resolving import ResolveError
from sojourn_probes.steps.tls_faults import tls_words
from sojourn_probes.units import show_size

CAUGHT = (
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    httpcore2.ProtocolError,
    httpcore2.UnsupportedProtocol,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.CookieConflict,
    zlib.error,
    BodyTooLarge,
    ssl.SSLError,
    OSError,
)
"""Everything an exchange may raise that is a result."""


def failure_of(error: BaseException, phases: Phases, where: str, limit: int, hop: int) -> Failure:
    """The failure that `error` is. `where` says which request, `limit` is max_body in bytes, `hop` the redirect it happened in."""
    causes = list(_causes(error))
    if any(isinstance(cause, ResolveError) for cause in causes):
        return Failure(FailureKind.DNS, next(str(cause) for cause in causes if isinstance(cause, ResolveError)))
    tls = next((cause for cause in causes if isinstance(cause, ssl.SSLError)), None)
    if tls is not None or phases.current == "tls":
        return Failure(FailureKind.TLS, f"{where}: {tls_words(tls, 'this host')}")
    if isinstance(error, BodyTooLarge):
        return Failure(FailureKind.CONTENT, f"{where}: the body is larger than {show_size(limit)} (max_body)")
    if isinstance(error, zlib.error):
        return Failure(FailureKind.CONTENT, f"{where}: the body is not what its content-encoding says: {error}")
    if isinstance(error, httpcore2.LocalProtocolError | httpx2.LocalProtocolError | httpx2.InvalidURL) or _unsupported(error, hop):
        return Failure(FailureKind.CONFIG, f"{where} cannot be sent: {error}")
    if isinstance(error, httpcore2.ConnectError | httpcore2.ConnectTimeout) or phases.current == "connect":
        return Failure(FailureKind.CONNECT, f"{where}: {_connect_words(causes)}")
    if isinstance(error, httpcore2.NetworkError | OSError):
        return Failure(FailureKind.PROTOCOL, f"{where}: the connection broke while {_doing(phases)}")
    return Failure(FailureKind.PROTOCOL, f"{where}: the answer is not good HTTP: {error}")


def tls_fault(error: BaseException) -> int | None:
    """OpenSSL's code of what is wrong with the certificate, if that is what `error` is about."""
    return next((cause.verify_code for cause in _causes(error) if isinstance(cause, ssl.SSLCertVerificationError)), None)


def _unsupported(error: BaseException, hop: int) -> bool:
    return hop == 0 and isinstance(error, httpcore2.UnsupportedProtocol | httpx2.UnsupportedProtocol)


def _causes(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _connect_words(causes: list[BaseException]) -> str:
    for cause in causes:
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
        if isinstance(cause, OSError) and not isinstance(cause, socket.gaierror) and cause.strerror:
            return f"no connection: {cause.strerror}"
    return "no connection"


def _doing(phases: Phases) -> str:
    words = {"send": "the request was sent", "wait": "waiting for the answer", "receive": "the body came in"}
    return words.get(phases.current or "", "waiting for the answer")
