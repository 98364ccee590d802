"""Walks a `tls` step: connect, STARTTLS if asked for, handshake, and what the certificate says."""

from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.starttls import upgrade_of
from sojourn_probes.steps.tls import DEFAULT_PORTS, TlsPart
from sojourn_probes.steps.wire import Wire


class Runner:
    """Walks one `tls` step."""

    async def run(self, part: TlsPart, context: StepContext) -> Observation:
        """Shake hands with the server of `part` and say what was seen."""
        now = context.clock.now_ns()
        seen = Observation(now, now)
        context.kept["partial"] = seen
        try:
            upgrade = None if part.starttls is None else upgrade_of(part.starttls)
            async with Wire(part, context, seen, part.starttls or "tls", part.port or DEFAULT_PORTS[part.starttls]) as wire:
                await wire.open()
                if upgrade is not None:
                    seen.waiting = f"the server is silent, or speaks no {part.starttls}"
                    await upgrade(wire.talk)
                await wire.start_tls(part, upgrade)
                await wire.goodbye()
        finally:
            seen.ended_ns = context.clock.now_ns()
        context.kept.pop("partial", None)
        return seen
