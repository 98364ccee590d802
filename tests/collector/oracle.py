"""The oracle of the fault tests: what was sent, what was acknowledged, and whether the tables hold exactly that.

Passed: each acknowledged item is stored exactly once with what it was sent with, nothing is stored that was never sent, and what was not acknowledged
is there whole or not at all.
"""

import asyncio
import gzip
import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import grpc
import httpx2
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from sojourn_collector.receive.otlp_grpc import METHODS
from sojourn_collector.store.client import Store
from tests.collector.receive.conftest import traces

EXPORT = next(method for method, signal in METHODS.items() if signal == "traces")
ROWS = "SELECT attrs['batch'] AS batch, lower(hex(trace_id)) AS trace_id, lower(hex(span_id)) AS span_id, name, attrs['check'] AS check FROM spans"
SPANS = 20

Item = tuple[str, str, str, str]
"""Trace id, span id, name and an attribute with a digest of them: what is compared of a span."""


@dataclass(frozen=True)
class Batch:
    """One request, the same bytes at every try."""

    id: str
    body: bytes
    items: frozenset[Item]


@dataclass
class Verdict:
    """What is wrong, by batch; all empty when nothing is."""

    lost: dict[str, int] = field(default_factory=dict)
    """Acknowledged and not there: how many items are missing."""
    doubled: dict[str, int] = field(default_factory=dict)
    """There more than once: by how many items too many."""
    never_sent: list[Any] = field(default_factory=list)
    """There and never sent, or sent otherwise."""
    in_part: list[str] = field(default_factory=list)
    """Not acknowledged, and neither whole nor absent."""


class Oracle:
    """Keeps every batch sent and acknowledged."""

    def __init__(self) -> None:
        self.sent: dict[str, Batch] = {}
        self.acknowledged: set[str] = set()
        self.tries = 0
        """Requests sent, repeats included."""

    def new(self, spans: int = SPANS) -> Batch:
        """A batch nobody sent before."""
        batch_id = str(uuid.uuid4())
        request = traces(spans, batch=batch_id)
        one = Batch(batch_id, _checked(request), frozenset(_items(request)))
        self.sent[batch_id] = one
        return one

    def judge(self, rows: Iterable[Mapping[str, str]]) -> Verdict:
        """Compare what is stored with what was acknowledged."""
        found: dict[str, Counter[Item]] = {}
        for row in rows:
            found.setdefault(row["batch"], Counter())[row["trace_id"], row["span_id"], row["name"], row["check"]] += 1
        verdict = Verdict()
        for batch_id, items in found.items():
            batch = self.sent.get(batch_id)
            verdict.never_sent += sorted(items) if batch is None else sorted(items.keys() - batch.items)
            if over := sum(count - 1 for count in items.values()):
                verdict.doubled[batch_id] = over
            if batch is not None and batch_id not in self.acknowledged and items.keys() != batch.items:
                verdict.in_part.append(batch_id)
        for batch_id in self.acknowledged:
            if missing := len(self.sent[batch_id].items - found.get(batch_id, Counter()).keys()):
                verdict.lost[batch_id] = missing
        return verdict

    async def judge_store(self, store: Store) -> Verdict:
        """Read the table and judge."""
        return self.judge(await store._rows(ROWS, {}, 120))


def _items(request: ExportTraceServiceRequest) -> list[Item]:
    return [
        (span.trace_id.hex(), span.span_id.hex(), span.name, _check(span))
        for source in request.resource_spans
        for scope in source.scope_spans
        for span in scope.spans
    ]


def _check(span: Any) -> str:
    return sha256(span.trace_id + span.span_id + span.name.encode()).hexdigest()[:16]


def _checked(request: ExportTraceServiceRequest) -> bytes:
    for source in request.resource_spans:
        for scope in source.scope_spans:
            for span in scope.spans:
                span.attributes.add(key="check").value.string_value = _check(span)
    return bytes(request.SerializeToString())


class Sender:
    """Sends one batch after the other, each until it is acknowledged, with the same id and bytes, as an agent does."""

    def __init__(self, oracle: Oracle, seed: int, *, spans: int = SPANS) -> None:
        self.oracle = oracle
        self.stopping = False
        self._random = random.Random(seed)
        self._spans = spans

    async def run(self) -> None:
        """Until told to stop; the batch in hand is brought to its end."""
        async with self.connected() as post:
            while not self.stopping:
                batch = self.oracle.new(self._spans)
                while True:
                    self.oracle.tries += 1
                    if await post(batch):
                        break
                    await asyncio.sleep(self._random.uniform(0.005, 0.05))
                self.oracle.acknowledged.add(batch.id)

    def connected(self) -> Any:
        """A context manager that gives a function which sends a batch and says whether it was acknowledged."""
        raise NotImplementedError


class HttpSender(Sender):
    """OTLP over HTTP, packed or not, over one connection as long as it holds."""

    def __init__(self, oracle: Oracle, seed: int, url: Callable[[], str], *, packed: bool, spans: int = SPANS) -> None:
        super().__init__(oracle, seed, spans=spans)
        self._url, self._packed = url, packed

    def connected(self) -> Any:
        return _Http(self._url, packed=self._packed)


class _Http:
    def __init__(self, url: Callable[[], str], *, packed: bool) -> None:
        self._url, self._packed = url, packed
        self._http = httpx2.AsyncClient(trust_env=False, verify=False, timeout=5)

    async def __aenter__(self) -> Any:
        await self._http.__aenter__()
        return self._post

    async def __aexit__(self, *ended: Any) -> None:
        await self._http.aclose()

    async def _post(self, batch: Batch) -> bool:
        headers = {"content-type": "application/x-protobuf", "idempotency-key": batch.id}
        body = batch.body
        if self._packed:
            headers["content-encoding"], body = "gzip", gzip.compress(body, 1)
        try:
            answer = await self._http.post(self._url() + "/v1/traces", content=body, headers=headers)
        except (OSError, ValueError, KeyError, httpx2.HTTPError):
            return False
        assert answer.status_code == 200 or (answer.status_code == 503 and answer.headers["retry-after"]), answer.content
        return bool(answer.status_code == 200)


class GrpcSender(Sender):
    """OTLP over gRPC."""

    def __init__(self, oracle: Oracle, seed: int, address: str, *, packed: bool, spans: int = SPANS) -> None:
        super().__init__(oracle, seed, spans=spans)
        self._address, self._packed = address, packed

    def connected(self) -> Any:
        return _Grpc(self._address, packed=self._packed)


class _Grpc:
    def __init__(self, address: str, *, packed: bool) -> None:
        quick = (("grpc.initial_reconnect_backoff_ms", 100), ("grpc.min_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 300))
        packing = grpc.Compression.Gzip if packed else grpc.Compression.NoCompression
        self._channel = grpc.aio.insecure_channel(address, options=quick, compression=packing)
        self._call = self._channel.unary_unary(EXPORT)

    async def __aenter__(self) -> Any:
        return self._post

    async def __aexit__(self, *ended: Any) -> None:
        await self._channel.close()

    async def _post(self, batch: Batch) -> bool:
        try:
            await self._call(batch.body, metadata=(("idempotency-key", batch.id),), timeout=5)
        except grpc.aio.AioRpcError as error:
            if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED):
                raise
            return False
        return True
