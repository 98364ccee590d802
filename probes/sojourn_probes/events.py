"""What `run` tells while it walks, for a live view."""

from dataclasses import dataclass

from sojourn_probes.result import AttemptResult, RunResult, StepResult


@dataclass(frozen=True, slots=True)
class AttemptStarted:
    """An attempt begins; `number` counts from 1."""

    number: int


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step begins."""

    attempt: int
    step_id: str
    name: str


@dataclass(frozen=True, slots=True)
class StepEnded:
    """A step is over, or was skipped."""

    result: StepResult


@dataclass(frozen=True, slots=True)
class AttemptEnded:
    """An attempt is over; another follows when `again`."""

    result: AttemptResult
    again: bool


@dataclass(frozen=True, slots=True)
class RunEnded:
    """The run is over."""

    result: RunResult


Event = AttemptStarted | StepStarted | StepEnded | AttemptEnded | RunEnded
