"""The OTLP listener: `POST /v1/{traces,logs,metrics}`, protobuf or JSON, gzip or not. 200 means: fsynced in the journal.

Every refusal is one sentence in the request's encoding, is counted, and disturbs nobody else.
"""

import asyncio
import hashlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from sojourn_collector.config import Limits
from sojourn_collector.counters import Counters
from sojourn_collector.receive import otlp, otlp_json
from sojourn_collector.receive.answers import CONTENT_TYPES, Encoding, RefusalError, Taken, refusal_body, taken_body
from sojourn_collector.receive.batches import Batches, Key
from sojourn_collector.receive.body import ClientGoneError, Receive, read_body
from sojourn_collector.store.client import TENANT
from sojourn_collector.store.control import keys
from sojourn_collector.store.journal import Journal, JournalUnavailableError
from sojourn_collector.store.load_sql import Signal
from sojourn_collector.store.record import Record
from sojourn_probes.semconv import BATCH_HEADER

log = logging.getLogger("sojourn.receive")

Send = Callable[[dict[str, Any]], Awaitable[None]]
PATHS: dict[str, Signal] = {"/v1/traces": "traces", "/v1/logs": "logs", "/v1/metrics": "metrics"}
ENCODINGS: dict[bytes, Encoding] = {b"application/x-protobuf": "protobuf", b"application/protobuf": "protobuf", b"application/json": "json"}
JSON_AT_ONCE = 2
LOCAL = "local"
"""Credential of a sender on this machine that gave no key."""


class KeyCheck(Protocol):
    """Where keys are checked."""

    async def verify(self, presented: str) -> keys.Key | None:
        """The key, or None."""
        ...


class OtlpApp:
    """The listener as an ASGI application."""

    def __init__(
        self,
        journal: Journal,
        batches: Batches,
        key_check: KeyCheck,
        limits: Limits,
        counters: Counters,
        *,
        needs_key: bool = False,
        clock: Callable[[], int] = time.time_ns,
    ) -> None:
        self._journal = journal
        self._batches = batches
        self._key_check = key_check
        self._limits = limits
        self._counters = counters
        self._needs_key = needs_key
        self._clock = clock
        self._active = 0
        self._json = asyncio.Semaphore(JSON_AT_ONCE)

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        headers: dict[bytes, bytes] = dict(scope["headers"])
        path = str(scope["path"])
        encoding = ENCODINGS.get(_content_type(headers), "json")
        self._active += 1
        try:
            signal = PATHS.get(path)
            taken = await self._answer(signal, str(scope["method"]), path, headers, encoding, receive)
            assert signal is not None
            status, body, extra = 200, taken_body(taken, signal, encoding), {}
        except RefusalError as error:
            status, body, extra = error.status, refusal_body(error, encoding), error.headers
            self._counters.add("sojourn_rejected", signal=PATHS.get(path, "none"), reason=error.reason)
        except ClientGoneError:
            return
        except Exception:
            log.exception("a request to %s failed", path)
            broken = RefusalError(503, "The collector could not handle this request; send it again.", "internal", {"retry-after": "5"})
            status, body, extra = 503, refusal_body(broken, encoding), broken.headers
        finally:
            self._active -= 1
        self._counters.add("sojourn_requests", path=path if path in PATHS else "other", status=str(status))
        fields = [(b"content-type", CONTENT_TYPES[encoding]), (b"content-length", str(len(body)).encode())]
        fields += [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, signal: Signal | None, method: str, path: str, headers: Mapping[bytes, bytes], encoding: Encoding, receive: Receive) -> Taken:
        if signal is None:
            raise RefusalError(404, f"There is nothing at {path[:80]}; OTLP is taken at {', '.join(PATHS)}.", "path")
        if method != "POST":
            raise RefusalError(405, f"{path} takes POST only.", "method", {"allow": "POST"})
        credential, tenant = await self._credential(headers)
        if _content_type(headers) not in ENCODINGS:
            raise RefusalError(415, "The Content-Type must be application/x-protobuf or application/json.", "content-type")
        if self._active > self._limits.concurrent:
            raise RefusalError(503, "Too many requests are in work; come back in a second.", "busy", {"retry-after": "1"})
        batch = _batch_id(headers)
        body = await read_body(receive, headers, self._limits)
        digest = hashlib.sha256(body).digest()
        if not batch:
            return await self._store(signal, body, encoding, Record(tenant, "", 0, credential, digest, 0, b""))
        key = Key(credential, path, batch)
        record = Record(tenant, batch, 0, credential, digest, 0, b"")
        taken, repeat = await self._batches.once(key, digest, lambda: self._store(signal, body, encoding, record))
        if repeat:
            self._counters.add("sojourn_repeats", path=path)
        return taken

    async def _credential(self, headers: Mapping[bytes, bytes]) -> tuple[str, str]:
        """Who sends, and for which tenant. Raises RefusalError 401, 403."""
        given = headers.get(b"authorization", b"").decode("latin-1")
        scheme, _, presented = given.partition(" ")
        challenge = {"www-authenticate": "Bearer"}
        if not given:
            if self._needs_key:
                raise RefusalError(401, "A key is needed: send Authorization: Bearer <key>.", "key", challenge)
            return LOCAL, TENANT
        key = await self._key_check.verify(presented.strip()) if scheme.lower() == "bearer" else None
        if key is None:
            raise RefusalError(401, "The key is not known or was revoked.", "key", challenge)
        if not key.allows(keys.Scope.OTLP):
            raise RefusalError(403, f"The key {key.name!r} may not send OTLP; it needs the scope {keys.Scope.OTLP}.", "scope")
        return key.id, key.tenant

    async def _store(self, signal: Signal, body: bytes, encoding: Encoding, record: Record) -> Taken:
        if encoding == "json":
            body = await self._from_json(signal, body)
        now = self._clock()
        checked = otlp.check(signal, body, otlp.parse(signal, body), now)
        if checked.items:
            whole = Record(record.tenant, record.batch, now, record.credential, record.digest, checked.items, checked.body)
            try:
                with self._batches.stored(Key(record.credential, f"/v1/{signal}", record.batch), record.digest):
                    await self._journal.append(signal, whole)
            except JournalUnavailableError as error:
                raise RefusalError(503, f"The request cannot be kept just now: {error}.", "journal", {"retry-after": "5"}) from error
        self._counters.add("sojourn_accepted", checked.items, signal=signal)
        if checked.taken.rejected:
            self._counters.add("sojourn_rejected", checked.taken.rejected, signal=signal, reason="not kept" if signal == "metrics" else "ids")
        if checked.moved:
            self._counters.add("sojourn_moved_times", checked.moved, signal=signal)
        return checked.taken

    async def _from_json(self, signal: Signal, body: bytes) -> bytes:
        if len(body) > otlp_json.LARGEST:
            raise RefusalError(413, f"A JSON body may have {otlp_json.LARGEST} bytes; send smaller batches or protobuf.", "size")
        if self._json.locked():
            raise RefusalError(429, "Too many JSON requests at once; come back in a second or send protobuf.", "json", {"retry-after": "1"})
        async with self._json:
            return await asyncio.to_thread(otlp_json.to_protobuf, signal, body)


def _content_type(headers: Mapping[bytes, bytes]) -> bytes:
    return headers.get(b"content-type", b"").partition(b";")[0].strip().lower()


def _batch_id(headers: Mapping[bytes, bytes]) -> str:
    batch = headers.get(BATCH_HEADER.encode(), b"").decode("latin-1").strip().strip('"')
    if len(batch) > 200 or not (batch.isascii() and batch.isprintable()):
        raise RefusalError(400, f"The {BATCH_HEADER} header must be at most 200 printable ASCII characters.", "batch")
    return batch
