"""Waits, and nothing else."""

import asyncio

from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.wait import WaitPart


class Runner:
    """Walks a `wait` step."""

    async def run(self, part: WaitPart, context: StepContext) -> Observation:
        """Let `part` seconds pass."""
        started = context.clock.now_ns()
        await asyncio.sleep(part.root)
        return Observation(started, context.clock.now_ns())
