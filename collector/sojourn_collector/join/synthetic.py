"""Synthetic runs: the rows of `runs` and `steps` from the spans an agent sent. Nothing is recognised here, only read. Pure."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sojourn_probes import semconv
from sojourn_probes.semconv import Outcome, SpanType, Traffic

_PASSED = (Outcome.PASSED, Outcome.DEGRADED)
_OUTCOMES = frozenset(Outcome)
_KINDS = frozenset(semconv.FailureKind)


def rows_of_run(spans: Sequence[Mapping[str, Any]], numbers: Mapping[str, int], version: int) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The row of a run and the rows of its steps, an attempt at a step each. No row while the root span is missing.

    `numbers` are the steps' places in the journey from 1; a step it does not know gets the place of its first span.
    """
    roots = [span for span in spans if span["span_type"] == SpanType.RUN]
    if not roots:
        return None, []
    root = min(roots, key=lambda span: span["ts"])
    steps = {(span["step"], _attempt(span)): span for span in sorted(spans, key=lambda span: span["ts"]) if span["span_type"] == SpanType.STEP and span["step"]}
    places = dict(numbers)
    for step, _ in steps:
        places.setdefault(step, min(len(places) + 1, 255))
    return _run_row(root, spans, version), [_step_row(span, root, places[step], version) for (step, _), span in steps.items()]


def _run_row(root: Mapping[str, Any], spans: Sequence[Mapping[str, Any]], version: int) -> dict[str, Any]:
    attrs = root["attrs"]
    return {
        "run_id": root["run_id"],
        "version": version,
        "traffic": Traffic.SYNTHETIC,
        "journey": root["journey"],
        "journey_version": _attribute(root, semconv.JOURNEY_VERSION),
        "started": root["ts"],
        "ended": _ended(root),
        "settled": True,
        "outcome": _outcome(attrs.get(semconv.RUN_OUTCOME, "")),
        "flaky": attrs.get(semconv.RUN_FLAKY, "") in ("true", "1"),
        "attempts": _small(attrs.get(semconv.RUN_ATTEMPTS, "")),
        "failure_kind": _kind(attrs),
        "failure_step": attrs.get(semconv.FAILURE_STEP, ""),
        "failure_message": attrs.get(semconv.FAILURE_MESSAGE, "") or attrs.get(semconv.RUN_NOTE, ""),
        "location": _attribute(root, semconv.LOCATION),
        "sample_rate": 1.0,
        "trace_ids": list(dict.fromkeys(span["trace_id"] for span in spans)),
    }


def _step_row(span: Mapping[str, Any], root: Mapping[str, Any], number: int, version: int) -> dict[str, Any]:
    attrs = span["attrs"]
    outcome = _outcome(attrs.get(semconv.STEP_OUTCOME, ""))
    ended = _ended(span)
    failed = outcome == Outcome.FAILED
    duration = span["duration_ns"] / 1e6
    return {
        "run_id": root["run_id"],
        "step": span["step"],
        "attempt": _attempt(span),
        "version": version,
        "traffic": Traffic.SYNTHETIC,
        "journey": root["journey"],
        "number": number,
        "name": attrs.get(semconv.STEP_NAME, "") or span["step"],
        "run_started": root["ts"],
        "started": span["ts"],
        "duration_ms": duration,
        "settled": True,
        "outcome": outcome,
        "reached": outcome != Outcome.SKIPPED,
        "done": outcome in _PASSED,
        "arrivals": [] if outcome == Outcome.SKIPPED else [span["ts"]],
        "failures": [ended] if failed else [],
        "done_at": ended if outcome in _PASSED else 0,
        "last_seen": ended,
        "failure_kind": _kind(attrs),
        "failure_message": attrs.get(semconv.FAILURE_MESSAGE, ""),
        "hit_trace_id": span["trace_id"] if failed else "",
        "lcp_ms": _lcp(span),
        "load_ms": duration,
        "location": _attribute(span, semconv.LOCATION),
        "sample_rate": 1.0,
    }


def _lcp(span: Mapping[str, Any]) -> float:
    """The largest contentful paint a browser step measured, in milliseconds; 0 when it measured none."""
    for name, attrs in zip(span["events_name"], span["events_attrs"], strict=True):
        if name == semconv.EVENT_WEB_VITAL and attrs.get(semconv.WEB_VITAL_NAME) == "lcp":
            try:
                value = float(attrs.get(semconv.WEB_VITAL_VALUE, ""))
            except ValueError:
                return 0.0
            return value if 0 <= value < 1e9 else 0.0
    return 0.0


def _outcome(text: str) -> str:
    """A word that is no outcome cannot be trusted, so the measurement is not."""
    return text if text in _OUTCOMES else Outcome.INCONCLUSIVE


def _kind(attrs: Mapping[str, str]) -> str:
    kind = attrs.get(semconv.FAILURE_KIND, "")
    return kind if kind in _KINDS else ""


def _attempt(span: Mapping[str, Any]) -> int:
    return _small(span["attrs"].get(semconv.ATTEMPT, ""))


def _small(text: str) -> int:
    """A count from 1 that fits the engine's byte."""
    return min(max(int(text), 1), 255) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def _ended(span: Mapping[str, Any]) -> Any:
    return span["ts"] + timedelta(microseconds=span["duration_ns"] // 1000)


def _attribute(span: Mapping[str, Any], name: str) -> str:
    return str(span["attrs"].get(name, "") or span["res"].get(name, ""))
