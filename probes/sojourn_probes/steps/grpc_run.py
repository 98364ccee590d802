"""Walks a `grpc` step: connect, find the method where one is called, and one unary call."""

import asyncio
import contextlib
import json
import os
import ssl
from pathlib import Path
from typing import Any, Final

from sojourn_probes import semconv
from sojourn_probes.addresses import origin_of
from sojourn_probes.ids import new_span_id
from sojourn_probes.in_time import in_time
from sojourn_probes.result import Exchange
from sojourn_probes.semconv import HTTP_PHASES, PROBE_HEADER, FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.dns_ways import failed
from sojourn_probes.steps.grpc import GrpcPart
from sojourn_probes.steps.grpc_fault import explain
from sojourn_probes.steps.grpc_health import health_question, health_word
from sojourn_probes.steps.http_request import user_agent
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.resolving import ResolveError, addresses_of, first_of, lookup_for
from sojourn_probes.steps.talk import Broken
from sojourn_probes.steps.tls import TlsSettings
from sojourn_probes.steps.tls_trust import TrustError, context_for
from sojourn_probes.steps.wire import UNREACHED, fits_family, port_of
from sojourn_probes.units import show_size

DEFAULT_LIMIT: Final = 4 * 1024 * 1024
READING_SECONDS: Final = 5.0
GONE_SECONDS: Final = 0.1
"""How long a call that ended as UNAVAILABLE waits to hear whether its connection is still there."""


class Runner:
    """Walks one `grpc` step."""

    async def run(self, part: GrpcPart, context: StepContext) -> Observation:
        """Make the call of `part` and say what was answered."""
        # The library writes its own log to stderr unless it is told not to before it is loaded.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        now = context.clock.now_ns()
        seen = Observation(now, now)
        context.kept["partial"] = seen
        call = _Call(part, context, seen)
        error: FailureKind | None = FailureKind.TIMEOUT
        try:
            await call.make()
            error = None
        except Broken as fault:
            error = fault.failure.kind
            seen.failure = failed(error, fault.failure.message, context)
        finally:
            seen.ended_ns = context.clock.now_ns()
            call.record(error)
        context.kept.pop("partial", None)
        return seen


class _Connected:
    """A channel that is ready, and the address it leads to."""

    def __init__(self, channel: Any, address: str) -> None:
        self.channel, self.address = channel, address

    async def aclose(self) -> None:
        await self.channel.close()


class _Call:
    """One call under way."""

    def __init__(self, part: GrpcPart, context: StepContext, seen: Observation) -> None:
        self.part, self.context, self.seen = part, context, seen
        self.phases = Phases(context.clock)
        self.span_id = new_span_id()
        self.host = context.names.fill_text(part.host).strip()
        self.port = 0
        self.status = ""

    @property
    def where(self) -> str:
        return _place(self.host, self.port)

    async def make(self) -> None:
        part, context = self.part, self.context
        self.port = port_of(context.names.fill_text(part.port) if isinstance(part.port, str) else str(part.port))
        fits_family(self.host, part.ip_family)
        metadata = self._metadata()
        message = context.names.fill(part.message or {})
        self.seen.waiting = UNREACHED
        try:
            addresses = await addresses_of(self.host, self.port, self.phases, lookup_for(part.ip_family))
        except ResolveError as fault:
            raise Broken(FailureKind.DNS, str(fault)) from None
        credentials = None if part.tls is None else self._credentials(part.tls)
        self.phases.begin("connect")
        try:
            connected = await first_of(addresses, lambda address: self._dial(address, credentials))
        except _Unready:
            await explain(self.part, self.context, self.seen)
            raise Broken(FailureKind.PROTOCOL, f"{self.where}: takes connections but no gRPC came about {self._how()}; look at the port") from None
        self.phases.end("connect")
        try:
            self.phases.peer = (connected.address, self.port)
            self.seen.waiting = "the server took the connection and does not answer the call"
            await self._call(connected.channel, metadata, message)
            self.seen.waiting = ""
        finally:
            await connected.aclose()

    def _how(self) -> str:
        if self.part.tls is None:
            return "in plain text (it may want tls: true)"
        return "over TLS" if self.part.tls.cert_file is not None else "over TLS (it may want a client certificate, cert_file)"

    async def _dial(self, address: str, credentials: Any) -> _Connected:
        import grpc

        target = f"ipv6:[{address}]:{self.port}" if ":" in address else f"ipv4:{address}:{self.port}"
        tls = self.part.tls
        name = self.context.names.fill_text(tls.server_name) if tls is not None and tls.server_name else self.host
        name = name.partition("%")[0].rstrip(".")
        from sojourn_probes.steps import grpc_reflect

        limit = DEFAULT_LIMIT if self.part.max_body is None else self.part.max_body
        options: list[tuple[str, Any]] = [
            ("grpc.default_authority", _place(name, self.port)),
            ("grpc.primary_user_agent", user_agent()),
            # Reflection has a limit of its own; what the call answers is held against max_body when it is here.
            ("grpc.max_receive_message_length", max(limit, grpc_reflect.MOST_BYTES)),
            ("grpc.enable_retries", 0),
            ("grpc.enable_http_proxy", 0),
            ("grpc.use_local_subchannel_pool", 1),
            ("grpc.service_config_disable_resolution", 1),
        ]
        if tls is None:
            channel = grpc.aio.insecure_channel(target, options)
        else:
            channel = grpc.aio.secure_channel(target, credentials, [*options, ("grpc.ssl_target_name_override", name)])
        try:
            state = channel.get_state(try_to_connect=True)
            while state is not grpc.ChannelConnectivity.READY:
                if state in (grpc.ChannelConnectivity.TRANSIENT_FAILURE, grpc.ChannelConnectivity.SHUTDOWN):
                    raise _Unready
                await channel.wait_for_state_change(state)
                state = channel.get_state(try_to_connect=True)
        except BaseException:
            await channel.close()
            raise
        return _Connected(channel, address)

    def _credentials(self, settings: TlsSettings) -> Any:
        import grpc

        try:
            context_for(settings, self.context)  # says which file cannot be used, and why
        except TrustError as fault:
            raise Broken(fault.failure.kind, fault.failure.message) from None
        authorities = self._file(settings.ca_file) or _of_system()
        chain = self._file(settings.cert_file)
        key = self._file(settings.key_file) or chain
        if key is not None and settings.key_password is not None:
            key = _opened(key, self.context.names.fill_text(settings.key_password))
        return grpc.ssl_channel_credentials(authorities, key, chain)

    def _file(self, name: str | None) -> bytes | None:
        return None if name is None else (self.context.folder / self.context.names.fill_text(name)).read_bytes()

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        context = self.context
        sent = {name.lower(): context.names.fill_text(value) for name, value in self.part.metadata.items()}
        for name, value in sent.items():
            if not value.isascii() or not value.isprintable():
                raise Broken(FailureKind.CONFIG, f"metadata {name} has letters gRPC cannot send; only printable ASCII can be")
        sent["traceparent"] = f"00-{context.trace_id}-{self.span_id}-01"
        scheme = "http" if self.part.tls is None else "https"
        if context.mark is not None and origin_of(f"{scheme}://{self.where}") in context.own_origins:
            sent[PROBE_HEADER] = context.mark
        return tuple(sent.items())

    async def _call(self, channel: Any, metadata: Any, message: dict[str, Any]) -> None:
        import grpc

        # Reflection too may want to know who asks, so it gets the same metadata.
        method = None if self.part.method is None else await self._method(channel, self.part.method, metadata)
        raw = method.request(message) if method is not None else health_question(self.part.service or "")
        self.phases.begin("wait")
        try:
            answer = await channel.unary_unary(self.part.path)(raw, metadata=metadata)
        except grpc.aio.AioRpcError as fault:
            self.phases.end("wait")
            if fault.code() is grpc.StatusCode.UNAVAILABLE and await _is_gone(channel):
                broke = "the connection broke in the call; the server may have ended, or something on the way cut it"
                raise Broken(FailureKind.PROTOCOL, f"{self.where}: {broke}") from None
            self._refused(fault)
            return
        self.phases.end("wait")
        self.seen.facts |= {"grpc_status": "OK", "size": len(answer)}
        limit = DEFAULT_LIMIT if self.part.max_body is None else self.part.max_body
        if len(answer) > limit:
            raise Broken(FailureKind.CONTENT, f"{self.part.shown()} at {self.where} answered {show_size(len(answer))}, more than {show_size(limit)} (max_body)")
        if method is None:
            self.seen.facts["health"] = health = health_word(answer)
            self.seen.facts["body"] = json.dumps({"status": health})
            return
        try:
            self.seen.facts["body"] = await in_time(READING_SECONDS, lambda: method.answer(answer)) if len(answer) > 65536 else method.answer(answer)
        except TimeoutError:
            raise Broken(FailureKind.CONTENT, f"the answer could not be read within {READING_SECONDS:g} s; it is too much, see max_body") from None

    async def _method(self, channel: Any, name: str, metadata: Any) -> Any:
        """The method, asked of the server itself. What reflection refuses is not what the method refuses."""
        import grpc

        from sojourn_probes.steps import grpc_reflect

        try:
            return await grpc_reflect.method_of(channel, name, metadata)
        except grpc.aio.AioRpcError as fault:
            code, details = fault.code().name, " ".join(str(fault.details() or "").split())[:300]
            said = f"{code} from the server's reflection at {self.where}, by which {name} is found{details and ': '}{details}"
            kind = FailureKind.TIMEOUT if code == "DEADLINE_EXCEEDED" else FailureKind.STATUS
            raise Broken(kind, f"{said}; the method itself was not called") from None

    def _refused(self, fault: Any) -> None:
        code, details = fault.code().name, " ".join(str(fault.details() or "").split())[:300]
        if code == "UNIMPLEMENTED" and self.part.method is None:
            raise Broken(
                FailureKind.PROTOCOL, f"{self.where}: the server does not offer grpc.health.v1; add it there, or call a method of its own with method:"
            )
        self.seen.facts |= {"grpc_status": code, "grpc_said": self.context.redact.text(f"{self.part.shown()} at {self.where}{details and ': '}{details}")}

    def record(self, error: FailureKind | None) -> None:
        """Keep what was measured, whatever became of it."""
        self.seen.facts |= self.phases.seconds
        peer = self.phases.peer or ("", 0)
        self.seen.exchanges.append(
            Exchange(
                span_id=self.span_id,
                method="GRPC",
                url=self.context.redact.text(self.where),
                started_ns=self.seen.started_ns,
                ended_ns=self.seen.ended_ns,
                error=error or (FailureKind.STATUS if self.seen.facts.get("grpc_status", "OK") != "OK" else None),
                phases={phase: self.phases.seconds[phase] for phase in HTTP_PHASES if phase in self.phases.seconds},
                server_address=self.host,
                server_port=self.port,
                peer_address=peer[0],
                peer_port=peer[1],
                body_size=self.seen.facts.get("size"),
                protocol="grpc",
                attributes=self._attributes(),
            )
        )

    def _attributes(self) -> dict[str, str | tuple[str, ...]]:
        named: dict[str, str | tuple[str, ...]] = {semconv.RPC_SYSTEM_NAME: "grpc", semconv.RPC_METHOD: self.part.path.lstrip("/")}
        if "grpc_status" in self.seen.facts:
            named[semconv.RPC_RESPONSE_STATUS_CODE] = self.seen.facts["grpc_status"]
        return named


async def _is_gone(channel: Any) -> bool:
    """Whether the connection is no more: gRPC gives a broken one the same status that a server may answer, and hears of it a moment later."""
    import grpc

    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(GONE_SECONDS):
            await channel.wait_for_state_change(grpc.ChannelConnectivity.READY)
    return channel.get_state() is not grpc.ChannelConnectivity.READY


class _Unready(Exception):  # noqa: N818 - says what is the matter
    """No channel came about."""


def _place(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _of_system() -> bytes | None:
    """The authorities this machine trusts; None leaves it to gRPC's own."""
    file = ssl.get_default_verify_paths().cafile
    return None if file is None else Path(file).read_bytes()


def _opened(key: bytes, password: str) -> bytes:
    """The private key without its password, which gRPC cannot be told."""
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

    try:
        return load_pem_private_key(key, password.encode()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    except (ValueError, TypeError):
        raise Broken(FailureKind.CONFIG, "key_password does not open the key; look at key_file and the secret") from None
