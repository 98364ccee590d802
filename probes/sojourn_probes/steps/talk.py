"""Speaking with a server over a stream: sending, and reading lines, bytes or whatever comes, with bounds and with phases measured."""

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from typing import Final

import httpcore2

from sojourn_probes.expect import shortened
from sojourn_probes.redact import Redactor
from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.tls_faults import tls_words
from sojourn_probes.units import show_size

MAX_LINE: Final = 8192
"""Bytes a line of a server may have."""

LOST: Final = (httpcore2.NetworkError, httpcore2.TimeoutException, ssl.SSLError, OSError)
"""What a stream may raise that is a result."""

_CHUNK: Final = 16384
_LAST: Final = 600
_DRIP_READS: Final = 256
_DRIP_SECONDS: Final = 0.01


class Broken(Exception):  # noqa: N818 - says what is the matter
    """The conversation cannot go on; `failure` says why."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        self.failure = Failure(kind, message)
        super().__init__(message)


class Talk:
    """A conversation over one stream. What cannot go on is raised as `Broken`, with `where` at the beginning of its sentence."""

    def __init__(self, stream: httpcore2.AsyncNetworkStream, where: str, phases: Phases, redact: Redactor, limit: int) -> None:
        self.stream, self.where, self.phases = stream, where, phases
        self.unread = bytearray()
        self.received = bytearray()
        self._redact, self._limit = redact, limit
        self._reads = 0

    async def write(self, data: bytes) -> None:
        """Send `data`."""
        with self._phase("send"), self._speaking("sending"):
            await self.stream.write(data)

    async def more(self) -> bool:
        """Wait for something from the server, into `unread` and `received`; False when it has closed the connection."""
        self._reads += 1
        if self._reads > _DRIP_READS:
            await asyncio.sleep(_DRIP_SECONDS)  # one that drips single bytes must not keep us busy with each
        with self._phase("wait"), self._speaking("listening"):
            data = await self.stream.read(_CHUNK)
        self.received += data
        self.unread += data
        if len(self.received) > self._limit:
            raise self.broken(FailureKind.CONTENT, f"the server said more than {show_size(self._limit)} (max_body)")
        return bool(data)

    async def line(self) -> str:
        """The next line, without its end."""
        while b"\n" not in self.unread:
            if len(self.unread) > MAX_LINE:
                raise self.broken(FailureKind.PROTOCOL, f"the server's line is longer than {show_size(MAX_LINE)}; it may speak another protocol")
            await self._some()
        line, _, rest = bytes(self.unread).partition(b"\n")
        self.unread[:] = rest
        return line.decode("utf-8", "replace").rstrip("\r")

    async def exactly(self, size: int) -> bytes:
        """The next `size` bytes."""
        while len(self.unread) < size:
            await self._some()
        data = bytes(self.unread[:size])
        del self.unread[:size]
        return data

    def said(self) -> str:
        """What the server said last, as the end of a sentence."""
        text = shortened(self._redact.end(self.received, _LAST))
        return f"; it said '{text}'" if text else "; it said nothing"

    def broken(self, kind: FailureKind, message: str) -> Broken:
        """What to raise when the conversation cannot go on."""
        return Broken(kind, f"{self.where}: {message}")

    async def _some(self) -> None:
        if not await self.more():
            raise self.broken(FailureKind.PROTOCOL, f"the server closed the connection{self.said()}")

    @contextlib.contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        """Time spent in a phase that may come several times."""
        before = self.phases.seconds.get(name, 0.0)
        self.phases.begin(name)
        yield
        self.phases.end(name)
        self.phases.seconds[name] += before

    @contextlib.contextmanager
    def _speaking(self, doing: str) -> Iterator[None]:
        try:
            yield
        except LOST as fault:
            refused = ssl_error_in(fault)
            if refused is not None and not isinstance(refused, ssl.SSLEOFError | ssl.SSLZeroReturnError):
                raise self.broken(FailureKind.TLS, tls_words(refused, self.where)) from None
            raise self.broken(FailureKind.PROTOCOL, f"the connection broke while {doing}{self.said()}") from None


def causes(error: BaseException | None) -> list[BaseException]:
    """`error` and what it came from."""
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def ssl_error_in(error: BaseException) -> ssl.SSLError | None:
    """The TLS error among the causes of `error`."""
    return next((cause for cause in causes(error) if isinstance(cause, ssl.SSLError)), None)
