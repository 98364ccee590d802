"""Why no gRPC channel came about. gRPC tells only in words, so the way is gone once more by hand and judged by the types of what happens."""

import asyncio
import contextlib
import ssl
from typing import Any

import httpcore2

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.grpc import GrpcPart
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.resolving import ResolvingBackend
from sojourn_probes.steps.talk import LOST, Broken, ssl_error_in
from sojourn_probes.steps.tls_faults import tls_words
from sojourn_probes.steps.tls_look import LOOK_SECONDS, spare
from sojourn_probes.steps.tls_trust import trusting_all
from sojourn_probes.steps.wire import Wire


async def explain(part: GrpcPart, context: StepContext, seen: Observation) -> None:
    """Raises `Broken` when the way by hand fails too, and returns when it does not: then the server takes connections and speaks no gRPC."""
    looked = Observation(context.clock.now_ns(), 0)
    async with Wire(part, context, looked, "grpc", part.port) as wire:
        await wire.open()
        if part.tls is not None:
            await wire.start_tls(part.tls)
            await wire.goodbye()
    seen.facts |= {name: looked.facts[name] for name in ("tls_fault", "tls_facts") if name in looked.facts}
    if looked.failure is not None:
        raise Broken(looked.failure.kind, looked.failure.message)
    if part.tls is not None and part.tls.cert_file is None and wire.phases.peer is not None:
        name = wire.host if part.tls.server_name is None else context.names.fill_text(part.tls.server_name)
        await _without_certificate(wire.phases.peer, name, wire.where, context, seen)


async def _without_certificate(peer: tuple[str, int], name: str, where: str, context: StepContext, seen: Observation) -> None:
    """Raises `Broken` when the server asks for a client certificate and hangs up, or says so, because it gets none.

    In TLS 1.3 it judges that after the handshake, and many servers then hang up without an alert. One that is content has to speak
    first: HTTP/2 begins with its settings.
    """
    trust, wanted = trusting_all(), False
    trust.set_alpn_protocols(["h2"])

    def listen(connection: Any, direction: str, version: Any, content: Any, kind: Any, data: bytes) -> None:
        nonlocal wanted
        wanted |= direction == "read" and getattr(kind, "name", "") == "CERTIFICATE_REQUEST"

    # There is no public way to see it; on a Python without this one the failure stays `protocol` and names the possibility.
    trust._msg_callback = listen  # type: ignore[attr-defined]
    phases = Phases(context.clock)
    stream: httpcore2.AsyncNetworkStream | None = None
    said, refused = b"", False
    try:
        async with asyncio.timeout(spare(LOOK_SECONDS, context, seen)):
            stream = await ResolvingBackend(lambda: phases).connect_tcp(*peer)
            stream = await stream.start_tls(trust, name.partition("%")[0].rstrip("."))
            said = await stream.read(1)
            refused = not said
    except TimeoutError:
        return
    except LOST as fault:
        alert = ssl_error_in(fault)
        if alert is not None and not isinstance(alert, ssl.SSLEOFError | ssl.SSLZeroReturnError):
            raise Broken(FailureKind.TLS, f"{where}: {tls_words(alert, name)}") from None
        refused = stream is not None
    finally:
        if stream is not None:
            with contextlib.suppress(*LOST):
                await stream.aclose()
    if refused and wanted:
        raise Broken(FailureKind.TLS, f"{where}: the server wants a client certificate; give one with cert_file and key_file")
