"""A run together with the journey it walked, as the output forms take it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sojourn_probes.journey import Journey
from sojourn_probes.result import RunResult, StepResult
from sojourn_probes.rules import PARTS
from sojourn_probes.semconv import Outcome

FAILED: Final = 1
"""Exit code when a customer would not have got through."""

NOT_MEASURED: Final = 3
"""Exit code when nothing failed, but a run says nothing about the customers: a browser is missing, the runner itself failed."""


@dataclass(frozen=True, slots=True)
class Walked:
    """One run and its journey."""

    journey: Journey
    result: RunResult

    @property
    def file(self) -> str:
        """The journey's file."""
        return str(self.journey.source or self.journey.id)

    @property
    def steps(self) -> tuple[StepResult, ...]:
        """The steps of the attempt that decided."""
        return self.result.attempts[-1].steps

    @property
    def passed(self) -> bool:
        """Whether the journey can be walked to its end, slowly or not."""
        return self.result.outcome in (Outcome.PASSED, Outcome.DEGRADED)

    def line_of(self, step_id: str | None) -> int:
        """The line of a step in the journey's file; of the journey when there is no such step."""
        for part in PARTS:
            for index, step in enumerate(getattr(self.journey, part)):
                if step.id == step_id:
                    return self.journey.place_of((part, index))[0]
        return 1


def seconds(started_ns: int, ended_ns: int) -> float:
    """The time between two times in nanoseconds, in seconds."""
    return (ended_ns - started_ns) / 1e9


def exit_code(walked: Sequence[Walked]) -> int:
    """0 when all passed, slowly or not, or there was nothing to do; 1 when one failed; 3 when one is inconclusive and none failed."""
    outcomes = {one.result.outcome for one in walked}
    return FAILED if Outcome.FAILED in outcomes else NOT_MEASURED if Outcome.INCONCLUSIVE in outcomes else 0
