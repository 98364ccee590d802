"""Walks an `icmp` step: echo requests, their answers, and what was lost."""

import asyncio
import ipaddress
import os
import socket
import struct
import time
from collections.abc import Callable
from typing import Any, Final

from sojourn_probes.ids import new_span_id
from sojourn_probes.result import Exchange, Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.echo import reply_in, request
from sojourn_probes.steps.icmp import IcmpPart
from sojourn_probes.steps.phases import Phases
from sojourn_probes.steps.ping_socket import SO_TIMESTAMPNS, ping_socket
from sojourn_probes.steps.resolving import ResolveError, lookup_for, resolve
from sojourn_probes.steps.talk import Broken
from sojourn_probes.steps.wire import fits_family
from sojourn_probes.units import show_duration

_TOKEN_BYTES: Final = 16
_PACKET: Final = 65535
_TIMESPEC: Final = struct.Struct("@ll")


class Runner:
    """Walks one `icmp` step. `make` opens sockets; tests have their own."""

    def __init__(self, make: Callable[..., Any] = socket.socket) -> None:
        self._make = make

    async def run(self, part: IcmpPart, context: StepContext) -> Observation:
        """Ping the host of `part` and say what came back."""
        now = context.clock.now_ns()
        seen = Observation(now, now)
        context.kept["partial"] = seen
        ping = _Ping(part, context, seen, self._make)
        error: FailureKind | None = None
        try:
            await ping.run()
        except Broken as fault:
            error = fault.failure.kind
            seen.failure = Failure(error, context.redact.text(fault.failure.message))
        except asyncio.CancelledError:
            error = FailureKind.TIMEOUT
            raise
        finally:
            seen.ended_ns = context.clock.now_ns()
            ping.record(error)
        context.kept.pop("partial", None)
        return seen


class _Ping:
    """One series of echo requests under way."""

    def __init__(self, part: IcmpPart, context: StepContext, seen: Observation, make: Callable[..., Any]) -> None:
        self.part, self.context, self.seen = part, context, seen
        self.host = context.names.fill_text(part.host).strip()
        self.phases = Phases(context.clock)
        self.address = ""
        self._make = make
        self._identifier = int.from_bytes(os.urandom(2), "big")
        self._token = os.urandom(_TOKEN_BYTES)
        self._sent: dict[int, int] = {}
        self._took: dict[int, float] = {}
        self._all_back = asyncio.Event()
        self._unreachable: OSError | None = None
        self._span_id = new_span_id()

    async def run(self) -> None:
        """Look up, send, and wait for the answers."""
        fits_family(self.host, self.part.ip_family)
        connected, raw = self._connected(await self._addresses())
        loop = asyncio.get_running_loop()
        try:
            loop.add_reader(connected.fileno(), self._hear, connected, raw)
            try:
                await self._send_all(connected)
            finally:
                loop.remove_reader(connected.fileno())
        finally:
            connected.close()
        if not self._took:
            raise self._nothing()

    async def _addresses(self) -> list[str]:
        try:
            ipaddress.ip_address(self.host.partition("%")[0])
        except ValueError:
            pass
        else:
            return [self.host]
        self.phases.begin("resolve")
        try:
            found = await resolve(self.host, 0, lookup_for(self.part.ip_family))
        except ResolveError as fault:
            raise Broken(FailureKind.DNS, str(fault)) from None
        self.phases.end("resolve")
        return found

    def _connected(self, addresses: list[str]) -> tuple[socket.socket, bool]:
        """A socket to the first address there is a way to."""
        fault: OSError | None = None
        for address in addresses:
            try:
                found = ping_socket(address, self._make)
            except OSError as error:
                fault = fault or error
                continue
            self.address = address
            return found
        assert fault is not None
        raise Broken(FailureKind.CONNECT, f"{self.host}: no way there: {fault.strerror or fault}")

    async def _send_all(self, connected: socket.socket) -> None:
        for sequence in range(1, self.part.count + 1):
            if sequence > 1:
                await asyncio.sleep(self.part.gap)
            self._send(connected, sequence)
        try:
            async with asyncio.timeout(self.part.wait):
                await self._all_back.wait()
        except TimeoutError:
            return

    def _send(self, connected: socket.socket, sequence: int) -> None:
        payload = (self._token + bytes(self.part.size))[: self.part.size]
        packet = request(6 if ":" in self.address else 4, self._identifier, sequence, payload)
        self._sent[sequence] = self.context.clock.now_ns()
        try:
            connected.send(packet)
        except OSError as fault:  # no buffer, or an earlier one was answered with "unreachable": this one is lost
            self._unreachable = fault

    def _hear(self, connected: socket.socket, raw: bool) -> None:
        """Take one packet; it may be anybody's."""
        try:
            packet, extra, _, _ = connected.recvmsg(_PACKET, socket.CMSG_SPACE(_TIMESPEC.size))
        except BlockingIOError:
            return
        except OSError as fault:
            self._unreachable = fault
            return
        lag = _lag(extra)
        # Read after the lag was: a pause between the two then makes a round trip longer, and never shorter than it was.
        now = self.context.clock.now_ns() - lag
        found = reply_in(packet, 6 if ":" in self.address else 4, raw)
        # The kernel gives unprivileged pings an identifier of its own, and only their own answers.
        if found is None or (raw and found[0] != self._identifier) or not found[2].startswith(self._token):
            return
        took = (now - self._sent.get(found[1], now)) / 1e9
        if found[1] in self._sent and found[1] not in self._took and took <= self.part.wait:
            self._took[found[1]] = max(took, 0.0)
        if len(self._took) == self.part.count:
            self._all_back.set()

    def _nothing(self) -> Broken:
        if self._unreachable is not None and self._unreachable.strerror:
            return Broken(FailureKind.CONNECT, f"{self.host}: no way there: {self._unreachable.strerror}")
        times = f"{self.part.count} echo request{'' if self.part.count == 1 else 's'}"
        said = f"no answer to {times} within {show_duration(self.part.wait)}; the host may be down, or a firewall drops pings"
        return Broken(FailureKind.TIMEOUT, f"{self.host}: {said}")

    def record(self, error: FailureKind | None) -> None:
        """Facts and the exchange, whatever became of it."""
        took = list(self._took.values())
        facts = self.seen.facts
        facts |= self.phases.seconds
        if self._sent:
            facts["loss"] = round(100 * (1 - len(took) / len(self._sent)), 3)
        if took:
            facts["rtt_facts"] = {"min": min(took), "avg": sum(took) / len(took), "max": max(took)}
            facts["rtt"] = self.phases.seconds["wait"] = facts["rtt_facts"]["avg"]
        exchange = Exchange(
            span_id=self._span_id,
            method="ICMP",
            url=self.context.redact.text(self.host),
            started_ns=self.seen.started_ns,
            ended_ns=self.seen.ended_ns,
            error=error,
            phases=dict(self.phases.seconds),
            server_address=self.host,
            peer_address=self.address,
            protocol="icmp",
        )
        self.seen.exchanges.append(exchange)


def _lag(extra: list[tuple[int, int, bytes]]) -> int:
    """Nanoseconds between the kernel's taking a packet and ours; 0 when it does not say."""
    for level, kind, data in extra:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) >= _TIMESPEC.size:
            seconds, nanoseconds = _TIMESPEC.unpack_from(data)
            lag = time.time_ns() - (seconds * 1_000_000_000 + nanoseconds)
            return lag if 0 < lag < 1_000_000_000 else 0
    return 0
