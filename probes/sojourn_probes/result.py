"""What one run yields. Plain frozen data: the runner makes it, the agent encodes it, the command line prints it.

Times are nanoseconds since the epoch (wall clock at the start, monotonic differences after); durations are seconds.
Every text in here is already redacted.
"""

from dataclasses import dataclass, field

from sojourn_probes.semconv import FailureKind, Outcome


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed: the kind, one sentence, and the step it happened in."""

    kind: FailureKind
    message: str
    step: str | None = None


@dataclass(frozen=True, slots=True)
class ExpectationResult:
    """One `expect` or `degraded_if` and what was seen. `met` is True when there is nothing to complain about."""

    text: str
    kind: str  # "expect" | "degraded_if"
    met: bool
    expected: str
    actual: str


@dataclass(frozen=True, slots=True)
class Exchange:
    """One exchange with a server: a request of an `http` step (each redirect hop apart), one a browser made, or what another
    kind of step did on the wire.

    `protocol` is `http`, else what was spoken, in small letters (`tcp`, `smtp`, `tls`, `icmp` …); then `method` is the word for
    people (`SMTP`), `url` is `host:port`, and neither is sent on as an attribute of HTTP.

    `attributes` are what else is known of it, by the names of `semconv.py`, without secrets.

    `phases` holds seconds by the names of `semconv.HTTP_PHASES`, those finished before a failure included.
    """

    span_id: str
    method: str
    url: str
    started_ns: int
    ended_ns: int
    status: int | None = None
    error: FailureKind | None = None
    hop: int = 0
    phases: dict[str, float] = field(default_factory=dict)
    server_address: str = ""
    server_port: int = 0
    peer_address: str = ""
    peer_port: int = 0
    protocol_version: str = ""
    body_size: int | None = None
    protocol: str = "http"
    attributes: dict[str, str | tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """How one step of one attempt went. A step that never ran has outcome `skipped` and started_ns == ended_ns."""

    id: str
    name: str
    kind: str
    attempt: int
    outcome: Outcome
    span_id: str
    started_ns: int
    ended_ns: int
    failure: Failure | None = None
    expectations: tuple[ExpectationResult, ...] = ()
    exchanges: tuple[Exchange, ...] = ()
    vitals: dict[str, float] = field(default_factory=dict)
    console: tuple[str, ...] = ()
    evidence: dict[str, str] = field(default_factory=dict)
    note: str = ""
    """One sentence worth knowing that is no failure, such as why the step was skipped."""


@dataclass(frozen=True, slots=True)
class AttemptResult:
    """One try inside a run; every try is kept."""

    number: int
    outcome: Outcome
    started_ns: int
    ended_ns: int
    steps: tuple[StepResult, ...]
    failure: Failure | None = None


@dataclass(frozen=True, slots=True)
class RunResult:
    """One walk through a journey. `flaky` means it passed, but not on the first attempt."""

    run_id: str
    journey_id: str
    journey_name: str
    journey_version: str
    location: str
    trace_id: str
    root_span_id: str
    outcome: Outcome
    flaky: bool
    started_ns: int
    ended_ns: int
    attempts: tuple[AttemptResult, ...]
    failure: Failure | None = None
    note: str = ""
    """Why the run was skipped."""
    labels: dict[str, str] = field(default_factory=dict)
    """The journey's labels."""
