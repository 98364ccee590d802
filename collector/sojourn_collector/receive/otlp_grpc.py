"""OTLP over gRPC: the three `Export` calls on one listener. OK means: fsynced in the journal, as 200 does over HTTP.

Messages come from gRPC as they were sent and are unpacked here, within the same bounds as over HTTP: gRPC's own unpacking knows no limit until
it is done. The key is checked before the message is read. Source: OTLP specification 1.x, "OTLP/gRPC".
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Any, Final

import grpc

from sojourn_collector.config import Limits
from sojourn_collector.listener_tls import Pem, ServerTls, sender_named
from sojourn_collector.listeners import CONNECTIONS, HEADER_BYTES, ListenError, taken_sentence
from sojourn_collector.receive.answers import RPC_CODES, RefusalError, status_details, taken_body
from sojourn_collector.receive.body import Inflater
from sojourn_collector.receive.budget import Held
from sojourn_collector.receive.intake import Intake, batch_id, too_busy
from sojourn_collector.store.load_sql import Signal
from sojourn_probes.semconv import BATCH_HEADER

log = logging.getLogger("sojourn.receive")

METHODS: Final[dict[str, Signal]] = {
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export": "traces",
    "/opentelemetry.proto.collector.logs.v1.LogsService/Export": "logs",
    "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export": "metrics",
}
PACKED: Final = ((b"\x1f\x8b", "gzip"), (b"\x78", "deflate"))
"""How a packed message begins. No request of OTLP begins so: its first byte is that of field 1."""

LARGEST_MESSAGE: Final = 4 << 20
"""Bytes of a message as sent, gRPC's own usual limit: as many as `limits.concurrent` may be on their way at once, and gRPC holds them."""
UNPACKED_AT_ONCE: Final = 4
IDLE_MS: Final = 300_000
HANDSHAKE_MS: Final = 10_000
LOOK_EVERY: Final = 0.25
"""Seconds between looks at whether the port is still listened on."""
GRACE: Final = 3.0
"""Seconds that calls in work have when the listener is stopped."""
CODES: Final = {code.value[0]: code for code in grpc.StatusCode}


class OtlpGrpc(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpc has no types
    """The listener: `start`, then `stop`."""

    def __init__(self, intake: Intake, *, needs_key: bool = False, tls: ServerTls | None = None, connections: int = CONNECTIONS) -> None:
        """`connections` may be open at once; further ones are closed."""
        self._connections = connections
        self._intake = intake
        self._needs_key = needs_key
        self._tls = tls
        self._shown: Pem | None = None
        self._server: Any = None
        self._guard: asyncio.Task[None] | None = None
        self._ended: dict[asyncio.Task[None], Any] = {}
        self._reading = 0
        self._unpacking = asyncio.Semaphore(UNPACKED_AT_ONCE)
        self.address = ("", 0)
        """Host and port, once started."""

    async def start(self, host: str, port: int) -> None:
        """Listen on `host` and `port`; 0 takes a free one. Raises ListenError."""
        self.address = host, await self._listen(host, port)
        self._guard = asyncio.create_task(self._listen_on(), name="grpc-listener")

    async def _listen_on(self) -> None:
        """Listen again when gRPC has stopped doing so: the name of a method that is no UTF-8 ends its server's loop, whoever sent it
        (grpcio 1.85, `_server_main_loop`: `rpc_state.method().decode()`). Calls in work go on to their end."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            if listened_on(*self.address):
                continue
            log.error("the gRPC listener was ended by a request that makes no sense; it is started again")
            self._intake.counters.add("sojourn_rejected", signal="none", reason="grpc")
            ended = asyncio.create_task(self._server.stop(self._intake.limits.body_deadline + GRACE), name="grpc-ended")
            self._ended[ended] = self._server
            ended.add_done_callback(self._ended.pop)
            try:
                await self._listen(*self.address)
            except ListenError as error:
                log.error("%s", error)

    async def _listen(self, host: str, port: int) -> int:
        limits = self._intake.limits
        self._server = grpc.aio.server(
            handlers=(self,),
            options=(
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", min(limits.body, LARGEST_MESSAGE)),
                ("grpc.max_metadata_size", HEADER_BYTES),
                ("grpc.absolute_max_metadata_size", HEADER_BYTES),
                ("grpc.http2.max_ping_strikes", 3),
                ("grpc.max_concurrent_streams", limits.concurrent),
                ("grpc.max_connection_idle_ms", IDLE_MS),
                ("grpc.server_handshake_timeout_ms", HANDSHAKE_MS),
                ("grpc.max_allowed_incoming_connections", self._connections),
                ("grpc.per_message_decompression", 0),
            ),
        )
        address = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        try:
            credentials = self._credentials()
            bound = self._server.add_insecure_port(address) if credentials is None else self._server.add_secure_port(address, credentials)
        except RuntimeError as error:
            raise ListenError(taken_sentence(address, "otlp.grpc")) from error
        await self._server.start()
        return int(bound)

    async def stop(self) -> None:
        """Take no more; let what is in work finish."""
        if self._guard is not None:
            self._guard.cancel()
            await asyncio.gather(self._guard, return_exceptions=True)
        # A server that ended before has its calls end as soon: of two graces gRPC keeps the shorter.
        servers = [*self._ended.values(), *([self._server] if self._server is not None else [])]
        await asyncio.gather(*self._ended, *(server.stop(GRACE) for server in servers), return_exceptions=True)

    @property
    def in_work(self) -> int:
        """Calls whose handler has begun and that are not answered."""
        return self._reading

    def _credentials(self) -> Any:
        """None without TLS. At each handshake `_renewed` is asked."""
        if self._tls is None:
            return None
        self._shown = self._tls.pem
        return grpc.dynamic_ssl_server_credentials(_configured(self._shown), self._renewed, self._shown.authorities is not None)

    def _renewed(self) -> Any:
        """The certificate that was taken up since, None when there is none."""
        assert self._tls is not None
        now = self._tls.pem
        if now is self._shown:
            return None
        self._shown = now
        return _configured(now)

    def service(self, handler_call_details: Any) -> Any:
        """The handler of a call. One message is read by us, in its own time, and not before its sender is known."""
        signal = METHODS.get(handler_call_details.method)
        return None if signal is None else grpc.stream_unary_rpc_method_handler(self._handler(signal))

    def _handler(self, signal: Signal) -> Callable[[Any, Any], Awaitable[bytes]]:
        async def export(_messages: Any, context: Any) -> bytes:
            counters = self._intake.counters
            self._reading += 1
            try:
                answer = await self._answer(signal, context)
            except RefusalError as error:
                refused = error
            except asyncio.CancelledError:
                raise
            except Exception:
                log.exception("a gRPC request of %s failed", signal)
                refused = RefusalError(503, "The collector could not handle this request; send it again.", "internal", {"retry-after": "5"})
            else:
                counters.add("sojourn_requests", path=f"/v1/{signal}", status="OK")
                return answer
            finally:
                self._reading -= 1
            code = CODES[RPC_CODES[refused.status]]
            counters.add("sojourn_rejected", signal=signal, reason=refused.reason)
            counters.add("sojourn_requests", path=f"/v1/{signal}", status=code.name)
            await context.abort(code, str(refused), (("grpc-status-details-bin", status_details(refused)),))
            raise AssertionError("abort raises")

        return export

    async def _answer(self, signal: Signal, context: Any) -> bytes:
        metadata = {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}
        sender = await self._intake.credential(metadata.get("authorization", ""), needs_key=self._needs_key, peer=_peer(context))
        if self._reading > self._intake.limits.concurrent:
            raise too_busy()
        self._intake.make_room()
        batch = batch_id(metadata.get(BATCH_HEADER, ""))
        limits = self._intake.limits
        try:
            async with asyncio.timeout(limits.body_deadline):
                message = await context.read()
        except TimeoutError as error:
            raise RefusalError(408, f"The message did not arrive within {limits.body_deadline:g} s.", "slow") from error
        if message is grpc.aio.EOF:
            # Broken off, or stopped by us: taken for an empty one it would hold the batch's id, and what is sent again would be refused for ever.
            raise RefusalError(503, "The call ended before its message came; send it again.", "slow", {"retry-after": "1"})
        with self._intake.budget.hold() as held:
            body = await self._unpacked(message, held)
            del message
            return taken_body(await self._intake.take(signal, body, batch, sender, held=held), signal, "protobuf")

    async def _unpacked(self, message: bytes, held: Held) -> bytes:
        held.grow(len(message))
        # In a thread: unpacking 20 MiB takes a while in which others are answered. A few at a time: how large it becomes is known only then.
        async with self._unpacking:
            body = await asyncio.to_thread(unpacked, message, self._intake.limits)
        held.grow(max(len(body) - len(message), 0))
        return body


def listened_on(host: str, port: int) -> bool:
    """Whether anybody listens there: then the address cannot be had, else it can, though connections of old may still be open."""
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(address)
        except OSError:
            return True
        return False


def _configured(pem: Pem) -> Any:
    return grpc.ssl_server_certificate_configuration([(pem.key, pem.chain)], pem.authorities)


def _peer(context: Any) -> str | None:
    """Whom the sender's certificate names; gRPC gives its names in their order, URIs and DNS names alike."""
    names = [name.decode("utf-8", "replace") for name in context.auth_context().get("x509_subject_alternative_name", ())]
    return sender_named(next((name for name in names if "://" in name), names[0] if names else None))


def unpacked(message: bytes, limits: Limits) -> bytes:
    """The message as protobuf. Raises RefusalError for what is not what it begins as, and for bombs."""
    coding = next((coding for begin, coding in PACKED if message.startswith(begin)), None)
    if coding is None:
        return message
    inflater = Inflater(coding, limits)
    body = inflater.feed(message)
    inflater.end()
    return body
