"""Results of runs for tests of what is made from them."""

from typing import Any

from sojourn_probes.result import AttemptResult, Exchange, ExpectationResult, Failure, RunResult, StepResult
from sojourn_probes.semconv import FailureKind, Outcome

START = 1_700_000_000_000_000_000


def exchange(**changes: Any) -> Exchange:
    """A POST answered with 502."""
    values: dict[str, Any] = {
        "span_id": "c" * 16,
        "method": "POST",
        "url": "http://shop.example:8080/payments?x=1",
        "started_ns": START + 10,
        "ended_ns": START + 500,
        "status": 502,
        "phases": {"resolve": 0.001, "connect": 0.002, "wait": 0.3},
        "server_address": "shop.example",
        "server_port": 8080,
        "peer_address": "192.0.2.1",
        "peer_port": 8080,
        "protocol_version": "1.1",
        "body_size": 12,
    }
    return Exchange(**(values | changes))


def step(**changes: Any) -> StepResult:
    """A failed step `pay`."""
    values: dict[str, Any] = {
        "id": "pay",
        "name": "Pay",
        "kind": "http",
        "attempt": 1,
        "outcome": Outcome.FAILED,
        "span_id": "b" * 16,
        "started_ns": START + 5,
        "ended_ns": START + 600,
        "failure": Failure(FailureKind.EXPECTATION, "expected status == 200, got 502", "pay"),
        "expectations": (ExpectationResult("status == 200", "expect", False, "200", "502"),),
        "exchanges": (exchange(),),
        "vitals": {"lcp": 1234.5},
        "evidence": {"screenshot": "ev-1"},
    }
    return StepResult(**(values | changes))


def run_result(*steps: StepResult, **changes: Any) -> RunResult:
    """A failed run of `checkout` with one attempt."""
    walked = steps or (step(),)
    failure = Failure(FailureKind.EXPECTATION, "expected status == 200, got 502", "pay")
    values: dict[str, Any] = {
        "run_id": "018c0000-0000-7000-8000-000000000001",
        "journey_id": "checkout",
        "journey_name": "Buy one item",
        "journey_version": "abc123",
        "location": "eu",
        "trace_id": "a" * 32,
        "root_span_id": "d" * 16,
        "outcome": Outcome.FAILED,
        "flaky": False,
        "started_ns": START,
        "ended_ns": START + 1000,
        "attempts": (AttemptResult(1, Outcome.FAILED, START, START + 1000, walked, failure),),
        "failure": failure,
    }
    return RunResult(**(values | changes))
