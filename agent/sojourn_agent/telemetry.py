"""A run as one trace: OTLP protobuf built directly from the messages, whole, so that nothing in the host's environment (`OTEL_*`) can cut or sample it.

The layout is the telemetry contract: root `journey {id}`, child `step {id}`, a CLIENT span per exchange with a server, one span event per expectation.
"""

import logging
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

from sojourn_agent.spool import MAX_BODY
from sojourn_probes import semconv
from sojourn_probes.result import Exchange, Failure, RunResult, StepResult
from sojourn_probes.semconv import Outcome, SpanType, Traffic

Value = str | bool | int | float | tuple[str, ...]
SERVICE: Final = "sojourn-agent"
SCOPE: Final = "sojourn.probes"
_SAMPLED: Final = 1
_MAX_TEXT: Final = 4096
_EXCHANGES_TRIED: Final = (500, 100, 20, 5, 0)

log = logging.getLogger(__name__)


def resource(location: str, version: str) -> Resource:
    """What this agent is."""
    return Resource(
        attributes=attributes(
            {semconv.SERVICE_NAME: SERVICE, semconv.SERVICE_VERSION: version, semconv.LOCATION: location, "host.name": socket.gethostname()},
        )
    )


def attributes(values: Mapping[str, Value | None]) -> list[KeyValue]:
    """OTLP attributes; None is left out, texts are cut at 4096 characters."""
    return [KeyValue(key=key, value=_any(value)) for key, value in values.items() if value is not None]


def encode_run(result: RunResult, described: Resource, version: str) -> bytes:
    """`result` as the body of one OTLP traces request of at most `MAX_BODY` bytes.

    Of a run with very many exchanges those beyond the first of each step are left out; the root then says how many.
    """
    for most in _EXCHANGES_TRIED:
        spans = _spans(result, most)
        scope = ScopeSpans(scope=InstrumentationScope(name=SCOPE, version=version), spans=spans)
        body: bytes = ExportTraceServiceRequest(resource_spans=[ResourceSpans(resource=described, scope_spans=[scope])]).SerializeToString()
        if len(body) <= MAX_BODY:
            return body
    raise ValueError(f"run {result.run_id} of journey {result.journey_id} takes {len(body)} bytes without its exchanges; a batch may have {MAX_BODY}")


def _spans(result: RunResult, most_exchanges: int) -> list[Span]:
    spans = [_root(result, most_exchanges)]
    for attempt in result.attempts:
        for step in attempt.steps:
            spans.append(_step(result, step))
            spans.extend(_exchange(result, step, exchange) for exchange in step.exchanges[:most_exchanges])
    return spans


def _common(result: RunResult, attempt: int, span_type: SpanType) -> dict[str, Value | None]:
    """What every span of a run carries."""
    return {
        semconv.SPAN_TYPE: str(span_type),
        semconv.JOURNEY_ID: result.journey_id,
        semconv.JOURNEY_VERSION: result.journey_version,
        semconv.RUN_ID: result.run_id,
        semconv.TRAFFIC: str(Traffic.SYNTHETIC),
        semconv.LOCATION: result.location,
        semconv.ATTEMPT: attempt,
    }


def _root(result: RunResult, most_exchanges: int) -> Span:
    left_out = sum(max(0, len(step.exchanges) - most_exchanges) for attempt in result.attempts for step in attempt.steps)
    values = _common(result, result.attempts[-1].number if result.attempts else 1, SpanType.RUN) | {
        semconv.RUN_OUTCOME: str(result.outcome),
        semconv.RUN_FLAKY: result.flaky,
        semconv.RUN_ATTEMPTS: len(result.attempts),
        semconv.SYNTHETIC_TYPE: "test",
        semconv.RUN_EXCHANGES_LEFT_OUT: left_out or None,
        semconv.RUN_NOTE: result.note or None,
        **{f"{semconv.JOURNEY_LABEL_PREFIX}{name}": value for name, value in result.labels.items()},
        **_failure(result.failure),
    }
    return Span(
        trace_id=bytes.fromhex(result.trace_id),
        span_id=bytes.fromhex(result.root_span_id),
        name=f"journey {result.journey_id}",
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=result.started_ns,
        end_time_unix_nano=result.ended_ns,
        attributes=attributes(values),
        status=_status(result.outcome, result.failure),
        flags=_SAMPLED,
    )


def _step(result: RunResult, step: StepResult) -> Span:
    values = _common(result, step.attempt, SpanType.STEP) | {
        semconv.STEP_ID: step.id,
        semconv.STEP_NAME: step.name,
        semconv.STEP_OUTCOME: str(step.outcome),
        semconv.STEP_NOTE: step.note or None,
        semconv.SYNTHETIC_TYPE: "test",
        **_failure(step.failure),
        **{f"{semconv.EVIDENCE_PREFIX}{kind}": evidence for kind, evidence in step.evidence.items()},
    }
    return Span(
        trace_id=bytes.fromhex(result.trace_id),
        span_id=bytes.fromhex(step.span_id),
        parent_span_id=bytes.fromhex(result.root_span_id),
        name=f"step {step.id}",
        kind=Span.SPAN_KIND_INTERNAL,
        start_time_unix_nano=step.started_ns,
        end_time_unix_nano=step.ended_ns,
        attributes=attributes(values),
        events=[*_expectations(step), *_vitals(step)],
        status=_status(step.outcome, step.failure),
        flags=_SAMPLED,
    )


def _exchange(result: RunResult, step: StepResult, exchange: Exchange) -> Span:
    wrong = exchange.error is not None or (exchange.status or 0) >= 400
    error = str(exchange.error) if exchange.error is not None else str(exchange.status) if wrong else None
    values = _common(result, step.attempt, SpanType.EXCHANGE) | {
        semconv.STEP_ID: step.id,
        semconv.SYNTHETIC_TYPE: "test",
        **(_http(exchange) if exchange.protocol == "http" else _websocket(exchange) if exchange.protocol == "websocket" else {}),
        semconv.SERVER_ADDRESS: exchange.server_address or None,
        semconv.SERVER_PORT: exchange.server_port or None,
        semconv.NETWORK_PEER_ADDRESS: exchange.peer_address or None,
        semconv.NETWORK_PEER_PORT: exchange.peer_port or None,
        semconv.NETWORK_PROTOCOL_NAME: exchange.protocol,
        semconv.NETWORK_PROTOCOL_VERSION: exchange.protocol_version or None,
        semconv.ERROR_TYPE: error,
        **exchange.attributes,
        **{f"{semconv.HTTP_PHASE_PREFIX}{phase}": exchange.phases[phase] for phase in semconv.HTTP_PHASES if phase in exchange.phases},
    }
    return Span(
        trace_id=bytes.fromhex(result.trace_id),
        span_id=bytes.fromhex(exchange.span_id),
        parent_span_id=bytes.fromhex(step.span_id),
        name=exchange.method,
        kind=Span.SPAN_KIND_CLIENT,
        start_time_unix_nano=exchange.started_ns,
        end_time_unix_nano=exchange.ended_ns,
        attributes=attributes(values),
        status=Status(code=Status.STATUS_CODE_ERROR) if wrong else Status(),
        flags=_SAMPLED,
    )


def _http(exchange: Exchange) -> dict[str, Value | None]:
    """What only an HTTP exchange has."""
    return {
        semconv.HTTP_REQUEST_METHOD: exchange.method,
        semconv.HTTP_RESPONSE_STATUS_CODE: exchange.status,
        semconv.HTTP_RESPONSE_BODY_SIZE: exchange.body_size,
        semconv.HTTP_REQUEST_RESEND_COUNT: exchange.hop or None,
        semconv.URL_FULL: exchange.url,
        semconv.URL_PATH: _path(exchange.url),
    }


def _websocket(exchange: Exchange) -> dict[str, Value | None]:
    """What the opening of a WebSocket has of HTTP."""
    return {
        semconv.HTTP_RESPONSE_STATUS_CODE: exchange.status,
        semconv.URL_FULL: exchange.url,
        semconv.URL_PATH: _path(exchange.url),
    }


def _expectations(step: StepResult) -> list[Span.Event]:
    return [
        Span.Event(
            time_unix_nano=step.ended_ns,
            name=semconv.EVENT_EXPECTATION,
            attributes=attributes(
                {
                    semconv.EXPECTATION_TEXT: expectation.text,
                    semconv.EXPECTATION_KIND: expectation.kind,
                    semconv.EXPECTATION_MET: expectation.met,
                    semconv.EXPECTATION_EXPECTED: expectation.expected,
                    semconv.EXPECTATION_ACTUAL: expectation.actual,
                }
            ),
        )
        for expectation in step.expectations
    ]


def _vitals(step: StepResult) -> list[Span.Event]:
    return [
        Span.Event(
            time_unix_nano=step.ended_ns,
            name=semconv.EVENT_WEB_VITAL,
            attributes=attributes({semconv.WEB_VITAL_NAME: name, semconv.WEB_VITAL_VALUE: float(value)}),
        )
        for name, value in step.vitals.items()
    ]


def _failure(failure: Failure | None) -> dict[str, Value | None]:
    if failure is None:
        return {}
    return {
        semconv.FAILURE_KIND: str(failure.kind),
        semconv.FAILURE_STEP: failure.step,
        semconv.FAILURE_MESSAGE: failure.message,
        semconv.ERROR_TYPE: str(failure.kind),
    }


def _status(outcome: Outcome, failure: Failure | None) -> Status:
    if outcome is not Outcome.FAILED:
        return Status()
    return Status(code=Status.STATUS_CODE_ERROR, message="" if failure is None else failure.message[:_MAX_TEXT])


def _path(url: str) -> str | None:
    try:
        return urlsplit(url).path or "/"
    except ValueError:
        return None


def _any(value: Value) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        return AnyValue(int_value=value)
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, tuple):
        return AnyValue(array_value=ArrayValue(values=[_any(one) for one in value]))
    # A lone surrogate, as a server may send in JSON, has no UTF-8 form and would refuse the whole run.
    return AnyValue(string_value=value[:_MAX_TEXT].encode("utf-8", "replace").decode())
