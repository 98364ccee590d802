"""One request to a destination and what its answer means.

2xx delivered; 400, 409, 413, 415, 422 are about this batch, which is set aside; 408, 425, 429, 5xx and network errors pass by themselves; everything else
(401, 403, 404, a redirect, a certificate that is not trusted) is about the configuration, so the batch is held and tried again, with an alarm.
"""

import asyncio
import email.utils
import gzip
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

import httpx2
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceResponse
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceResponse
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceResponse

from sojourn_collector.forward_config import Destination
from sojourn_collector.store.load_sql import Signal
from sojourn_probes.semconv import BATCH_HEADER

DEAD: Final = frozenset({400, 409, 413, 415, 422})
BUSY: Final = frozenset({408, 425, 429})
PATIENCE: Final = 30.0
"""Seconds one try may take."""
_MOST_ANSWER: Final = 64 << 10
_RESPONSES: Final[Mapping[Signal, tuple[Any, str]]] = {
    "traces": (ExportTraceServiceResponse, "rejected_spans"),
    "logs": (ExportLogsServiceResponse, "rejected_log_records"),
    "metrics": (ExportMetricsServiceResponse, "rejected_data_points"),
}
_CURES: Final = {401: "set headers: of this destination", 403: "its key may not write there", 404: "nothing takes OTLP there; see endpoint:"}


class Verdict(Enum):
    """What an answer means for the batch."""

    DELIVERED = "delivered"
    DEAD = "dead"
    BUSY = "busy"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one try. `wait` is the server's Retry-After in seconds, `refused` what it says of partial success."""

    verdict: Verdict
    text: str = ""
    wait: float | None = None
    refused: int = 0


class Outlet:
    """Posts to one destination. The host's proxy variables do not apply, redirects are not followed."""

    def __init__(self, destination: Destination) -> None:
        """Raises OSError and ssl.SSLError when `ca_file` cannot be used."""
        self._base = destination.endpoint.rstrip("/")
        secure = self._base.startswith("https:")
        verify: ssl.SSLContext | bool = ssl.create_default_context(cafile=destination.ca_file) if secure else False
        self._http = httpx2.AsyncClient(verify=verify, trust_env=False, follow_redirects=False, timeout=None, limits=httpx2.Limits(keepalive_expiry=4.0))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def post(self, signal: Signal, body: bytes, batch: str, headers: Mapping[str, str], now: float) -> Answer:
        """One try. `headers` are the destination's own, `now` is in seconds since 1970."""
        url = f"{self._base}/v1/{signal}"
        sent = {**headers, "content-type": "application/x-protobuf", "content-encoding": "gzip", BATCH_HEADER: batch}
        packed = await asyncio.to_thread(gzip.compress, body, 1)
        try:
            async with asyncio.timeout(PATIENCE), self._http.stream("POST", url, content=packed, headers=sent) as response:
                answer = b""
                async for chunk in response.aiter_bytes():
                    answer += chunk
                    if len(answer) > _MOST_ANSWER:
                        break
                return judge(response.status_code, response.headers, answer[:_MOST_ANSWER], signal, url, now)
        except TimeoutError:
            return Answer(Verdict.BUSY, f"{url} did not answer within {PATIENCE:g} s")
        except (httpx2.RequestError, httpx2.InvalidURL) as error:
            if untrusted := _untrusted(error):
                return Answer(Verdict.HELD, f"{url} shows a certificate that is not trusted here ({untrusted}; see ca_file:)")
            return Answer(Verdict.BUSY, f"{url} cannot be reached: {str(error) or type(error).__name__}")


def judge(status: int, headers: Mapping[str, str], body: bytes, signal: Signal, url: str, now: float) -> Answer:
    """What an answer means; `now` is in seconds since 1970."""
    if 200 <= status < 300:
        refused, said = _refused_in(signal, body)
        return Answer(Verdict.DELIVERED, said, refused=refused)
    said = _one_line(body)
    text = f"{url} answered {status}" + (f": {said}" if said else "")
    if status in DEAD:
        return Answer(Verdict.DEAD, text)
    wait = _retry_after(headers.get("retry-after"), now)
    if status in BUSY or status >= 500:
        return Answer(Verdict.BUSY, text, wait)
    return Answer(Verdict.HELD, f"{text} ({_CURES.get(status, 'see endpoint:')})", wait)


def _refused_in(signal: Signal, body: bytes) -> tuple[int, str]:
    """Of partial success: how many items were refused, and why. An answer that is none refuses nothing."""
    response, field = _RESPONSES[signal]
    try:
        partial = response.FromString(body).partial_success
    except DecodeError:
        return 0, ""
    return max(0, int(getattr(partial, field))), _one_line(partial.error_message.encode())


def _retry_after(value: str | None, now: float) -> float | None:
    if not value:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value[:9])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - now)
    except (ValueError, OverflowError):
        return None


def _untrusted(error: BaseException | None) -> str:
    """What is wrong with the server's certificate when that is the cause."""
    seen = 0
    while error is not None and seen < 10:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error, seen = error.__cause__ or error.__context__, seen + 1
    return ""


def _one_line(body: bytes) -> str:
    """The beginning of what a server said, fit for a log: one line, no control characters."""
    text = body[:400].decode("utf-8", "replace")
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())[:200]
