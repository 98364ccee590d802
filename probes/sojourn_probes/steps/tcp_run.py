"""Walks a `tcp` step: connect, TLS if asked for, and the dialog."""

from collections.abc import Callable
from typing import Final

from sojourn_probes.patterns import SearchTooLong, require_pattern, search
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.starttls import upgrade_of
from sojourn_probes.steps.talk import Broken, Talk
from sojourn_probes.steps.tcp import TcpPart, Turn
from sojourn_probes.steps.wire import DEFAULT_LIMIT, Upgrade, Wire

_SHOWN: Final = 80


class Runner:
    """Walks one `tcp` step."""

    async def run(self, part: TcpPart, context: StepContext) -> Observation:
        """Connect to the server of `part`, have the dialog and say what was seen."""
        now = context.clock.now_ns()
        seen = Observation(now, now)
        context.kept["partial"] = seen
        try:
            limit = DEFAULT_LIMIT if part.max_body is None else part.max_body
            async with Wire(part, context, seen, part.starttls or "tcp", part.port, limit) as wire:
                await _Dialog(part, context, seen, wire).hold()
        finally:
            seen.ended_ns = context.clock.now_ns()
        context.kept.pop("partial", None)
        return seen


class _Dialog:
    """One dialog under way."""

    def __init__(self, part: TcpPart, context: StepContext, seen: Observation, wire: Wire) -> None:
        self.part, self.context, self.seen, self.wire = part, context, seen, wire

    async def hold(self) -> None:
        await self.wire.open()
        try:
            await self._enter()
            for number, turn in enumerate(self.part.dialog):
                await self._take(self.wire.talk, turn, number)
        finally:
            self._keep()

    async def _enter(self) -> None:
        """TLS before the dialog, where that is asked for."""
        part, wire = self.part, self.wire
        if part.starttls is not None:
            upgrade = upgrade_of(part.starttls)
            self.seen.waiting = f"the server is silent, or speaks no {part.starttls}"
            await upgrade(wire.talk)
            await wire.start_tls(part.settings, upgrade)  # type: ignore[arg-type]  # starttls has settings
        elif part.tls is not None and not part.upgrades:
            await wire.start_tls(part.tls)

    async def _take(self, talk: Talk, turn: Turn, number: int) -> None:
        names = self.context.names
        if turn.starttls:
            # The rest of the line that said yes is not looked at: nothing unread may be taken for encrypted.
            talk.unread.clear()
            await self.wire.start_tls(self.part.settings, self._again(number))  # type: ignore[arg-type]  # starttls has settings
        elif turn.send is not None:
            self._greeted()
            await talk.write(names.fill_text(turn.send).encode())
        elif turn.send_hex is not None:
            self._greeted()
            await talk.write(bytes.fromhex(turn.send_hex))
        else:
            await self._hear(talk, turn)

    async def _hear(self, talk: Talk, turn: Turn) -> None:
        """Read until what is expected has been said; what comes after it is for the next turn."""
        wanted = self._wanted(turn)
        ends = self._matcher(wanted) if turn.matches is not None else _finder(wanted)
        while (end := ends(talk.unread)) is None:
            self.seen.waiting = f"{self._shown(turn, wanted)} was awaited, and the server{talk.said().removeprefix('; it')}"
            if not await talk.more():
                raise talk.broken(FailureKind.PROTOCOL, f"the server closed the connection while {self._shown(turn, wanted)} was awaited{talk.said()}")
        self.seen.waiting = ""
        del talk.unread[:end]

    def _matcher(self, wanted: bytes) -> Callable[[bytearray], int | None]:
        """As `_finder`, for a regular expression. Line ends are those of `$`, whether the server writes them with a return or not."""
        try:
            pattern = require_pattern(wanted.decode())
        except ValueError as fault:
            raise Broken(FailureKind.CONFIG, str(fault)) from None

        def ends(unread: bytearray) -> int | None:
            text = unread.decode("utf-8", "surrogateescape")
            try:
                found = search(pattern, text.replace("\r\n", "\n\n"), multiline=True)
            except SearchTooLong as fault:
                raise Broken(FailureKind.CONTENT, str(fault)) from None
            return None if found is None else len(text[: found.end()].encode("utf-8", "surrogateescape"))

        return ends

    def _wanted(self, turn: Turn) -> bytes:
        if turn.expect_hex is not None:
            return bytes.fromhex(turn.expect_hex)
        return self.context.names.fill_text(turn.matches if turn.matches is not None else turn.expect or "").encode()

    def _shown(self, turn: Turn, wanted: bytes) -> str:
        if turn.expect_hex is not None:
            return f"{turn.expect_hex[:_SHOWN]} (hex)"
        text = self.context.redact.text(wanted.decode().rstrip("\r\n"))
        return f"'{text[:_SHOWN]}'" if turn.matches is None else f"a match of '{text[:_SHOWN]}'"

    def _again(self, number: int) -> Upgrade:
        """The dialog up to its STARTTLS once more, for a second look at a certificate."""

        async def upgrade(talk: Talk) -> None:
            for turn in self.part.dialog[:number]:
                await self._take(talk, turn, 0)
            talk.unread.clear()

        return upgrade

    def _greeted(self) -> None:
        """What the server said before it was asked anything is its banner."""
        self.seen.facts.setdefault("banner", bytes(self.wire.talk.received).decode("utf-8", "replace"))

    def _keep(self) -> None:
        self._greeted()
        received = bytes(self.wire.talk.received)
        self.seen.facts |= {"body": received.decode("utf-8", "replace"), "size": len(received)}


def _finder(wanted: bytes) -> Callable[[bytearray], int | None]:
    """Says where in what was not read yet `wanted` ends; None while it is not there."""

    def ends(unread: bytearray) -> int | None:
        at = unread.find(wanted)
        return None if at < 0 else at + len(wanted)

    return ends
