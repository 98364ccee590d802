"""Real runs as rows of the tables `runs` and `steps`, and the rows that withdraw those a late signal has moved."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sojourn_collector.join.read_session import Session, milliseconds
from sojourn_collector.join.real_run import RealRun, RealStep
from sojourn_collector.join.signals import Signal
from sojourn_probes.semconv import Traffic


def run_row(run: RealRun, session: Session, version: int) -> dict[str, Any]:
    """The run's row in `runs`."""
    return {
        "run_id": run.run_id,
        "version": version,
        "traffic": Traffic.REAL,
        "journey": run.journey,
        "journey_version": run.journey_version,
        "started": run.started,
        "ended": run.ended,
        "settled": run.settled,
        "outcome": run.outcome,
        "end": run.end,
        "severity": run.severity,
        "attempts": 1,
        "failure_step": run.failure_step,
        "trace_ids": list(run.trace_ids),
        "app": session.app,
        "browser": session.browser,
        "release": session.release,
        "facts": dict(session.facts),
        **_failure(run.failure),
        **_whose(session),
    }


def step_rows(run: RealRun, session: Session, version: int) -> list[dict[str, Any]]:
    """The rows of the run's steps in `steps`; only steps that were reached have one."""
    return [_step_row(step, run, session, version) for step in run.steps]


def _step_row(step: RealStep, run: RealRun, session: Session, version: int) -> dict[str, Any]:
    ended = step.done_at if step.done_at is not None else step.last_seen
    hit: dict[str, Any] = {}
    if step.failure is not None:
        where = step.failure
        # Where a backend failed without a 5xx, the answer's status and method would say that there was no answer; the message tells what was asked.
        answered = not where.backend_span or where.status >= 500
        hit = {
            "hit_trace_id": where.trace_id,
            "hit_span_id": where.backend_span or where.span_id,
            "hit_status": where.status if answered else 0,
            "hit_method": where.method if answered else "",
            "hit_path": where.path or where.page,
        }
    return {
        "run_id": run.run_id,
        "step": step.id,
        "attempt": 1,
        "version": version,
        "traffic": Traffic.REAL,
        "journey": run.journey,
        "number": step.number,
        "name": step.name,
        "run_started": run.started,
        "started": step.arrivals[0],
        "duration_ms": float(max(0, ended - step.arrivals[0])),
        "settled": run.settled,
        "outcome": step.outcome,
        "reached": True,
        "hit": step.hit,
        "slow": step.slow,
        "recovered": step.recovered,
        "done": step.done_at is not None,
        "stopped": step.stopped,
        "severity": step.severity,
        "arrivals": list(step.arrivals),
        "failures": list(step.failures),
        "done_at": step.done_at or 0,
        "last_seen": step.last_seen,
        "lcp_ms": step.lcp_ms,
        "load_ms": step.load_ms,
        "cart_value": step.cart_value,
        "cart_currency": step.cart_currency,
        **hit,
        **_failure(step.failure),
        **_whose(session),
    }


def withdrawn_runs(known: Iterable[Mapping[str, Any]], runs: Sequence[RealRun], version: int) -> list[dict[str, Any]]:
    """Rows that take back every known run that is no longer recognised under its key."""
    now = {(run.run_id, run.journey, run.started) for run in runs}
    keys = ("run_id", "traffic", "journey", "started")
    return [
        {**{key: row[key] for key in keys}, "version": version, "deleted": True}
        for row in known
        if (row["run_id"], row["journey"], milliseconds(row["started"])) not in now
    ]


def withdrawn_steps(known: Iterable[Mapping[str, Any]], version: int) -> list[dict[str, Any]]:
    """Rows that take back these steps."""
    keys = ("run_id", "step", "attempt", "traffic", "journey", "run_started")
    return [{**{key: row[key] for key in keys}, "version": version, "deleted": True} for row in known]


def _failure(signal: Signal | None) -> dict[str, Any]:
    return {} if signal is None else {"failure_kind": signal.failure_kind, "failure_message": signal.failure_message}


def _whose(session: Session) -> dict[str, Any]:
    return {
        "session_id": session.id,
        "person_id": session.person.id,
        "person_kind": session.person.kind,
        "account_id": session.person.account_id,
        "device": session.device,
        "sample_rate": session.sample_rate,
    }
