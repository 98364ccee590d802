"""The OTLP listener: `POST /v1/{traces,logs,metrics}`, protobuf or JSON, packed or not. 200 means: fsynced in the journal.

Every refusal is one sentence in the request's encoding, is counted, and disturbs nobody else.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sojourn_collector.listeners import PEER
from sojourn_collector.receive import otlp_json
from sojourn_collector.receive.answers import CONTENT_TYPES, Encoding, RefusalError, Taken, refusal_body, taken_body
from sojourn_collector.receive.body import ClientGoneError, Receive, read_body
from sojourn_collector.receive.intake import PATHS, Intake, batch_id
from sojourn_collector.store.load_sql import Signal
from sojourn_probes.semconv import BATCH_HEADER

log = logging.getLogger("sojourn.receive")

Send = Callable[[dict[str, Any]], Awaitable[None]]
ENCODINGS: dict[bytes, Encoding] = {b"application/x-protobuf": "protobuf", b"application/protobuf": "protobuf", b"application/json": "json"}
JSON_AT_ONCE = 2


class OtlpApp:
    """The listener as an ASGI application."""

    def __init__(self, intake: Intake, *, needs_key: bool = False) -> None:
        self._intake = intake
        self._needs_key = needs_key
        self._json = asyncio.Semaphore(JSON_AT_ONCE)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        path = str(scope["path"])
        encoding = ENCODINGS.get(_content_type(headers), "json")
        counters = self._intake.counters
        try:
            signal = PATHS.get(path)
            taken = await self._answer(signal, str(scope["method"]), path, headers, encoding, receive, scope.get(PEER))
            assert signal is not None
            status, body, extra = 200, taken_body(taken, signal, encoding), {}
        except RefusalError as error:
            status, body, extra = error.status, refusal_body(error, encoding), error.headers
            counters.add("sojourn_rejected", signal=PATHS.get(path, "none"), reason=error.reason)
        except ClientGoneError:
            return
        except Exception:
            log.exception("a request to %s failed", path)
            broken = RefusalError(503, "The collector could not handle this request; send it again.", "internal", {"retry-after": "5"})
            status, body, extra = 503, refusal_body(broken, encoding), broken.headers
        counters.add("sojourn_requests", path=path if path in PATHS else "other", status=str(status))
        fields = [(b"content-type", CONTENT_TYPES[encoding]), (b"content-length", str(len(body)).encode())]
        fields += [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    async def _answer(
        self, signal: Signal | None, method: str, path: str, headers: Mapping[bytes, bytes], encoding: Encoding, receive: Receive, peer: str | None
    ) -> Taken:
        if signal is None:
            raise RefusalError(404, f"There is nothing at {path[:80]}; OTLP is taken at {', '.join(PATHS)}.", "path")
        if method != "POST":
            raise RefusalError(405, f"{path} takes POST only.", "method", {"allow": "POST"})
        sender = await self._intake.credential(headers.get(b"authorization", b"").decode("latin-1"), needs_key=self._needs_key, peer=peer)
        if _content_type(headers) not in ENCODINGS:
            raise RefusalError(415, "The Content-Type must be application/x-protobuf or application/json.", "content-type")
        self._intake.make_room()
        batch = batch_id(headers.get(BATCH_HEADER.encode(), b"").decode("latin-1"))
        with self._intake.budget.hold() as held:
            body = await read_body(receive, headers, self._intake.limits, held)
            return await self._intake.take(signal, body, batch, sender, self._from_json if encoding == "json" else None, held)

    async def _from_json(self, signal: Signal, body: bytes) -> bytes:
        if len(body) > otlp_json.LARGEST:
            raise RefusalError(413, f"A JSON body may have {otlp_json.LARGEST} bytes; send smaller batches or protobuf.", "size")
        if self._json.locked():
            raise RefusalError(429, "Too many JSON requests at once; come back in a second or send protobuf.", "json", {"retry-after": "1"})
        async with self._json:
            return await asyncio.to_thread(otlp_json.to_protobuf, signal, body)


def _content_type(headers: Mapping[bytes, bytes]) -> bytes:
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
