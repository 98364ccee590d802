"""One run of either traffic: its steps, and for a probe's run the exchanges with their phases and what was expected."""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers.comments import comment_of
from sojourn_collector.web.answers.evidence import came_of, pieces
from sojourn_collector.web.answers.status import status_of
from sojourn_collector.web.answers.titles import journey_title
from sojourn_collector.web.models_details import EvidencePiece, RunAnswer, RunStep
from sojourn_probes import semconv

MARGIN = timedelta(minutes=5)
"""How far outside a run's own times its spans are looked for."""

LAST_GOOD = timedelta(days=31)
"""How far back the last good run is looked for."""

FEEDBACK_BEFORE = timedelta(days=1)
VITALS = ("lcp", "fcp", "cls", "inp", "ttfb")
PASSED = "passed"


async def run(context: Context, ident: str) -> RunAnswer | None:
    """The body of `GET /api/v1/runs/{id}`; None for an id nothing is kept under. A probe's run that did not pass brings the last good one."""
    rows = await context.store.query("run_by_id", run=ident)
    if not rows:
        return None
    row = rows[0]
    synthetic = row["traffic"] == "synthetic"
    steps, feedback, good = await asyncio.gather(
        steps_of(context, row),
        context.store.query("run_feedback", run=ident, since=row["started"] - FEEDBACK_BEFORE),
        _last_good(context, row) if synthetic and row["outcome"] != PASSED else _none(),
    )
    return run_answer(context, row, steps, last_good=good, feedback=feedback)


def run_answer(
    context: Context, row: Mapping[str, Any], steps: Sequence[RunStep], *, last_good: RunAnswer | None = None, feedback: Sequence[Mapping[str, Any]] = ()
) -> RunAnswer:
    """A row of `runs` as an answer."""
    return RunAnswer(
        run_id=row["run_id"],
        traffic="synthetic" if row["traffic"] == "synthetic" else "real",
        journey=journey_title(context, row["journey"]),
        journey_version=row["journey_version"],
        outcome=row["outcome"],
        end=row["end"],
        flaky=bool(row["flaky"]),
        attempts=max(1, row["attempts"]),
        started=row["started"],
        ended=row["ended"],
        location=row["location"],
        failure_kind=row["failure_kind"],
        failure_step=row["failure_step"],
        failure=row["failure_message"],
        severity=round(float(row["severity"]), 3),
        session_id=row["session_id"],
        person_id=row["person_id"],
        trace_ids=list(row["trace_ids"]),
        steps=list(steps),
        last_good=last_good,
        feedback=[comment_of(one) for one in feedback],
    )


async def steps_of(context: Context, row: Mapping[str, Any]) -> list[RunStep]:
    """The steps of a run, attempts apart; for a probe's run with what its spans know."""
    rows = context.store.query("run_steps", traffic=row["traffic"], journey=row["journey"], started=row["started"], run=row["run_id"])
    if row["traffic"] != "synthetic":
        return [_step(one, [], [], []) for one in await rows]
    spans = context.store.query("run_spans", run=row["run_id"], since=row["started"] - MARGIN, until=row["ended"] + MARGIN)
    known, seen, came = await asyncio.gather(rows, spans, came_of(context, row["run_id"]))
    by_step: dict[tuple[str, int], list[dict[str, Any]]] = defaultdict(list)
    for span in seen:
        by_step[span["at_step"], _attempt(span)].append(span)
    out = []
    for one in known:
        mine = by_step[one["step"], one["attempt"]]
        own = [span for span in mine if span["type"] == "step"]
        out.append(_step(one, own, [span for span in mine if span["type"] == "exchange"], pieces(context, own, came)))
    return out


async def _none() -> None:
    return None


async def _last_good(context: Context, row: Mapping[str, Any]) -> RunAnswer | None:
    good = await context.store.query("run_last_good", journey=row["journey"], location=row["location"], before=row["started"], since=row["started"] - LAST_GOOD)
    return run_answer(context, good[0], await steps_of(context, good[0])) if good else None


def _attempt(span: Mapping[str, Any]) -> int:
    text = span["attrs"].get(semconv.ATTEMPT, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1


def _step(row: Mapping[str, Any], spans: Sequence[Mapping[str, Any]], exchanges: Sequence[Mapping[str, Any]], evidence: Sequence[EvidencePiece]) -> RunStep:
    vitals = {"lcp": row["lcp_ms"] / 1000} if row["lcp_ms"] else {}
    return RunStep(
        id=row["step"],
        name=row["name"] or row["step"],
        attempt=row["attempt"],
        outcome=row["outcome"],
        started=row["started"],
        duration=row["duration_ms"] / 1000,
        failure_kind=row["failure_kind"],
        failure=row["failure_message"],
        reached=bool(row["reached"]),
        hit=bool(row["hit"]),
        done=bool(row["done"]),
        severity=round(float(row["severity"]), 3),
        expectations=[expectation for span in spans for expectation in _expectations(span)],
        exchanges=[_exchange(span) for span in exchanges],
        vitals={**vitals, **{name: value for span in spans for name, value in _vitals(span).items()}},
        evidence=list(evidence),
        trace_id=row["hit_trace_id"] or next((span["trace"] for span in [*spans, *exchanges]), ""),
    )


def _expectations(span: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "text": attrs.get(semconv.EXPECTATION_TEXT, ""),
            "kind": attrs.get(semconv.EXPECTATION_KIND, "expect"),
            "met": attrs.get(semconv.EXPECTATION_MET, "") in ("true", "1"),
            "expected": attrs.get(semconv.EXPECTATION_EXPECTED, ""),
            "actual": attrs.get(semconv.EXPECTATION_ACTUAL, ""),
        }
        for name, attrs in zip(span["events_name"], span["events_attrs"], strict=False)
        if name == semconv.EVENT_EXPECTATION
    ]


def _exchange(span: Mapping[str, Any]) -> dict[str, Any]:
    attrs = span["attrs"]
    phases = {name: seconds for name in semconv.HTTP_PHASES if (seconds := _number(attrs.get(semconv.HTTP_PHASE_PREFIX + name))) is not None}
    return {
        # What is no HTTP has neither: then the span's name says the protocol, and where it went is host and port.
        "method": attrs.get(semconv.HTTP_REQUEST_METHOD, "") or span["name"],
        "url": attrs.get(semconv.URL_FULL, "") or attrs.get(semconv.URL_PATH, "") or _server(attrs),
        "status": status_of(attrs.get(semconv.HTTP_RESPONSE_STATUS_CODE, "")),
        "error": attrs.get(semconv.ERROR_TYPE, "") if span["status"] == 2 else "",
        "started": span["ts"],
        "duration": span["duration_ns"] / 1e9,
        "phases": phases,
        "peer": attrs.get(semconv.NETWORK_PEER_ADDRESS, ""),
        "protocol": attrs.get(semconv.NETWORK_PROTOCOL_VERSION, ""),
        "size": _number(attrs.get(semconv.HTTP_RESPONSE_BODY_SIZE)),
        "trace_id": span["trace"],
        "span_id": span["span"],
    }


def _server(attrs: Mapping[str, str]) -> str:
    host, port = attrs.get(semconv.SERVER_ADDRESS, ""), attrs.get(semconv.SERVER_PORT, "")
    bracketed = f"[{host}]" if ":" in host else host
    return f"{bracketed}:{port}" if port else host


def _vitals(span: Mapping[str, Any]) -> dict[str, float]:
    """Vitals of a browser step, events of its span in milliseconds: seconds here, cls a bare number."""
    found = {}
    for event, attrs in zip(span["events_name"], span["events_attrs"], strict=False):
        name, value = attrs.get(semconv.WEB_VITAL_NAME, ""), _number(attrs.get(semconv.WEB_VITAL_VALUE))
        if event == semconv.EVENT_WEB_VITAL and name in VITALS and value is not None:
            found[name] = value if name == "cls" else value / 1000
    return found


def _number(text: str | None) -> float | None:
    """A finite number of an attribute's text, else None."""
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if abs(value) < 1e15 else None
