"""What a step kind is made of: a model (what the YAML may say) and a runner (how it is walked).

The model lives in `steps/<kind>.py`, the runner in `steps/<kind>_run.py`; only `run.py` imports runners.
A runner observes; it does not judge. It returns an `Observation` with facts, and `run.py` holds the expectations against them.
"""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from sojourn_probes.clock import Clock
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.result import Exchange, Failure


@dataclass(slots=True)
class StepContext:
    """Everything a runner may need of the run around it.

    `names.fill(value)` resolves `${…}` in any nesting of dicts, lists and strings. `stack` closes at the end of the attempt:
    what a runner keeps for later steps of the same attempt (cookies, a browser page) goes into `kept` under its kind, its
    closing onto `stack`. `tools` outlive runs: the agent's one warm browser is there under "browser".
    The deadline is not a runner's business: `run.py` cancels it.
    """

    run_id: str
    journey_id: str
    step_id: str
    attempt: int
    trace_id: str
    span_id: str
    base_url: str
    own_origins: tuple[str, ...]
    names: Names
    redact: Redactor
    mark: str | None
    timeout: float
    folder: Path
    evidence_folder: Path | None
    stack: AsyncExitStack
    kept: dict[str, Any] = field(default_factory=dict)
    tools: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    extract: Mapping[str, Any] = field(default_factory=dict)
    """What the step extracts, for runners that must be asked while the page is there; the rest is taken from facts."""


@dataclass(slots=True)
class Observation:
    """What a runner saw. `facts` feeds expectations and extraction, by the sources of `expect.py`
    (`status`, `headers`, `body`, `total`, a phase, a vital, `tls`, `url`, `title`, `redirects`, `size` …)."""

    started_ns: int
    ended_ns: int
    facts: dict[str, Any] = field(default_factory=dict)
    failure: Failure | None = None
    exchanges: list[Exchange] = field(default_factory=list)
    vitals: dict[str, float] = field(default_factory=dict)
    console: list[str] = field(default_factory=list)
    evidence: dict[str, str] = field(default_factory=dict)
    note: str = ""
    """One sentence worth knowing that is no failure."""
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    """When several servers were asked the same: the address of each and its facts. An expectation must hold for every one."""
    waiting: str = ""
    """What the runner waits for and what may be the matter, said when the deadline ends it there."""
    gather: Callable[[], Awaitable[dict[str, str]]] | None = None
    """Gathers evidence, kind → id, when what was seen turns out to be a failure."""


class StepRunner(Protocol):
    """Walks one step. Cancellation must leave nothing behind; on cancel the runner may leave what it saw so far in
    `context.kept["partial"]` as an `Observation`, so that finished phases survive a time-out."""

    async def run(self, part: Any, context: StepContext) -> Observation:
        """Walk `part` (the kind's model, not yet filled) and say what was seen."""
        ...
