"""A run as OTLP: the telemetry contract, attribute by attribute, and nothing on the host can switch it off."""

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from sojourn_agent.spool import MAX_BODY
from sojourn_agent.telemetry import encode_run, resource
from sojourn_probes.result import ExpectationResult, RunResult
from sojourn_probes.semconv import FailureKind, Outcome
from tests.agent.runs import exchange, run_result, step
from tests.probes.steps.tls_servers import listening
from tests.probes.walking import walk

COMMON = {
    "sojourn.journey.id": "checkout",
    "sojourn.journey.version": "abc123",
    "sojourn.run.id": "018c0000-0000-7000-8000-000000000001",
    "sojourn.traffic": "synthetic",
    "sojourn.location": "eu",
    "sojourn.attempt": 1,
}


def plain(attributes: Any) -> dict[str, Any]:
    """Attributes as a dict."""
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in attributes}


def encoded(result: RunResult) -> Any:
    """The request as a receiver reads it."""
    return ExportTraceServiceRequest.FromString(encode_run(result, resource("eu", "1.0"), "1.0"))


def spans(result: RunResult) -> list[Any]:
    """Its spans."""
    return list(encoded(result).resource_spans[0].scope_spans[0].spans)


def test_a_run_is_one_trace_of_root_step_and_exchange():
    """Names, kinds, parents, ids and times are as the contract says."""
    root, at_step, asked = spans(run_result())
    assert (root.name, at_step.name, asked.name) == ("journey checkout", "step pay", "POST")
    assert (root.kind, at_step.kind, asked.kind) == (Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_INTERNAL, Span.SPAN_KIND_CLIENT)
    assert {span.trace_id.hex() for span in (root, at_step, asked)} == {"a" * 32}
    assert (root.parent_span_id, at_step.parent_span_id, asked.parent_span_id) == (b"", root.span_id, at_step.span_id)
    assert asked.end_time_unix_nano - asked.start_time_unix_nano == 490


def test_every_span_carries_what_finds_it():
    """Journey, version, run, traffic, location, attempt on each; the step on what belongs to one."""
    root, at_step, asked = (plain(span.attributes) for span in spans(run_result()))
    for attributes in (root, at_step, asked):
        assert attributes.items() >= COMMON.items()
    assert "sojourn.step.id" not in root
    assert at_step["sojourn.step.id"] == asked["sojourn.step.id"] == "pay"
    assert [attributes["sojourn.span.type"] for attributes in (root, at_step, asked)] == ["run", "step", "exchange"]


def test_the_root_says_how_the_run_ended():
    """Outcome, flaky, attempts, failure and the synthetic mark of OpenTelemetry; status ERROR."""
    root = spans(run_result())[0]
    assert (
        plain(root.attributes).items()
        >= {
            "sojourn.run.outcome": "failed",
            "sojourn.run.flaky": False,
            "sojourn.run.attempts": 1,
            "sojourn.failure.kind": "expectation",
            "sojourn.failure.step": "pay",
            "sojourn.failure.message": "expected status == 200, got 502",
            "user_agent.synthetic.type": "test",
            "error.type": "expectation",
        }.items()
    )
    assert root.status.code == Status.STATUS_CODE_ERROR


@pytest.mark.parametrize("outcome", [Outcome.PASSED, Outcome.DEGRADED, Outcome.INCONCLUSIVE, Outcome.SKIPPED])
def test_only_a_failed_run_has_status_error(outcome):
    """Inconclusive and skipped runs accuse nobody."""
    assert spans(run_result(outcome=outcome, failure=None))[0].status.code == Status.STATUS_CODE_UNSET


def test_an_exchange_is_a_client_span_with_its_phases():
    """Upstream names for HTTP, ours for the phases, in seconds; a phase that did not happen has no attribute."""
    asked = plain(spans(run_result())[2].attributes)
    assert (
        asked.items()
        >= {
            "http.request.method": "POST",
            "http.response.status_code": 502,
            "http.response.body.size": 12,
            "url.full": "http://shop.example:8080/payments?x=1",
            "url.path": "/payments",
            "server.address": "shop.example",
            "server.port": 8080,
            "network.peer.address": "192.0.2.1",
            "network.peer.port": 8080,
            "network.protocol.name": "http",
            "network.protocol.version": "1.1",
            "error.type": "502",
            "sojourn.http.phase.resolve": 0.001,
            "sojourn.http.phase.connect": 0.002,
            "sojourn.http.phase.wait": 0.3,
        }.items()
    )
    assert not {"sojourn.http.phase.tls", "sojourn.http.phase.receive", "http.request.resend_count"} & asked.keys()


def test_an_exchange_that_got_no_answer_keeps_its_finished_phases():
    """The kind is the error, there is no status, the phases finished are there; a hop says which one it was."""
    cut = exchange(status=None, error=FailureKind.TIMEOUT, hop=2, phases={"resolve": 0.001}, body_size=None, peer_address="", peer_port=0)
    asked = spans(run_result(step(exchanges=(cut,))))[2]
    attributes = plain(asked.attributes)
    assert (attributes["error.type"], attributes["http.request.resend_count"], attributes["sojourn.http.phase.resolve"]) == ("timeout", 2, 0.001)
    assert not {"http.response.status_code", "network.peer.address", "http.response.body.size"} & attributes.keys()
    assert asked.status.code == Status.STATUS_CODE_ERROR


def test_an_exchange_carries_what_else_is_known_of_it_by_standard_names():
    """A list of addresses stays a list, a word a word."""
    question = exchange(protocol="dns", attributes={"dns.question.name": "shop.test", "dns.answers": ("192.0.2.1", "2001:db8::1")})
    values = {one.key: one.value for one in spans(run_result(step(exchanges=(question,))))[2].attributes}
    assert values["dns.question.name"].string_value == "shop.test"
    assert [one.string_value for one in values["dns.answers"].array_value.values] == ["192.0.2.1", "2001:db8::1"]


def test_an_exchange_that_is_no_http_has_nothing_of_http():
    """Mail, ping and the like are CLIENT spans named for their protocol, with server, peer, phases and error, and no http.* or url.*."""
    other = exchange(protocol="smtp", method="SMTP", url="mail.example:587", server_address="mail.example", server_port=587, status=None, error=FailureKind.TLS)
    asked = spans(run_result(step(exchanges=(other,))))[2]
    attributes = plain(asked.attributes)
    assert (asked.name, asked.kind, asked.status.code) == ("SMTP", Span.SPAN_KIND_CLIENT, Status.STATUS_CODE_ERROR)
    assert (
        attributes.items()
        >= {
            "network.protocol.name": "smtp",
            "server.address": "mail.example",
            "server.port": 587,
            "network.peer.address": "192.0.2.1",
            "error.type": "tls",
            "sojourn.http.phase.connect": 0.002,
        }.items()
    )
    assert [name for name in attributes if name.startswith(("http.", "url."))] == []


def test_a_websocket_has_its_address_and_the_status_of_its_opening():
    """Of HTTP it has no more than these."""
    opened = exchange(protocol="websocket", method="WEBSOCKET", url="wss://shop.example/live?a=b", status=101)
    asked = spans(run_result(step(exchanges=(opened,))))[2]
    attributes = plain(asked.attributes)
    assert {name: value for name, value in attributes.items() if name.startswith(("http.", "url."))} == {
        "http.response.status_code": 101,
        "url.full": "wss://shop.example/live?a=b",
        "url.path": "/live",
    }
    assert asked.name == "WEBSOCKET"


async def test_a_walked_tcp_step_is_a_client_span_without_its_secrets():
    """What a tcp step did arrives as one CLIENT span under its step; what was sent and said stays here."""

    async def echoes(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(await reader.readline())
        writer.close()

    async with listening(echoes) as port:
        text = (
            f'id: j\nsteps:\n  - id: s\n    tcp: {{host: localhost, port: {port}, dialog: [{{send: "${{secrets.pw}}\\n"}}, {{expect: "${{secrets.pw}}"}}]}}\n'
        )
        result = await walk(text + "    expect: [body contains x]\n", environ={"SOJOURN_SECRET_PW": "canary-4711"})
    _, at_step, asked = spans(result)
    attributes = plain(asked.attributes)
    assert (asked.name, asked.kind, asked.parent_span_id) == ("TCP", Span.SPAN_KIND_CLIENT, at_step.span_id)
    assert attributes.items() >= {"network.protocol.name": "tcp", "server.address": "localhost", "server.port": port, "sojourn.step.id": "s"}.items()
    assert {f"sojourn.http.phase.{phase}" for phase in ("resolve", "connect", "send", "wait")} <= attributes.keys()
    assert result.outcome is Outcome.FAILED
    assert b"canary" not in encode_run(result, resource("eu", "1.0"), "1.0")


def test_a_step_tells_its_expectations_vitals_and_evidence():
    """One event per expectation with expected and actual, one per vital; evidence by id."""
    at_step = spans(run_result())[1]
    expectation, vital = at_step.events
    assert (expectation.name, plain(expectation.attributes)) == (
        "sojourn.expectation",
        {
            "sojourn.expectation.text": "status == 200",
            "sojourn.expectation.kind": "expect",
            "sojourn.expectation.met": False,
            "sojourn.expectation.expected": "200",
            "sojourn.expectation.actual": "502",
        },
    )
    assert (vital.name, plain(vital.attributes)) == ("browser.web_vital", {"browser.web_vital.name": "lcp", "browser.web_vital.value": 1234.5})
    assert plain(at_step.attributes)["sojourn.evidence.screenshot"] == "ev-1"


def test_every_expectation_is_kept():
    """Of 200 expectations 200 events arrive."""
    many = tuple(ExpectationResult(f"status == {n}", "expect", False, str(n), "502") for n in range(200))
    assert len([event for event in spans(run_result(step(expectations=many)))[1].events if event.name == "sojourn.expectation"]) == 200


def test_the_resource_is_the_agent():
    """service.name, version, location, host."""
    described = plain(encoded(run_result()).resource_spans[0].resource.attributes)
    assert described.items() >= {"service.name": "sojourn-agent", "service.version": "1.0", "sojourn.location": "eu"}.items()
    assert described["host.name"]


def test_a_very_large_run_stays_one_batch_and_says_what_is_left_out():
    """Exchanges beyond the first of a step go before anything else does, and the root counts them."""
    crowd = tuple(exchange(span_id=f"{n:016x}", url=f"http://shop.example/{'x' * 3000}/{n}") for n in range(1, 1001))
    result = run_result(step(exchanges=crowd))
    body = encode_run(result, resource("eu", "1.0"), "1.0")
    assert len(body) <= MAX_BODY
    root, *rest = spans(result)
    kept = sum(span.kind == Span.SPAN_KIND_CLIENT for span in rest)
    assert kept > 0
    assert plain(root.attributes)["sojourn.run.exchanges_left_out"] == 1000 - kept


def test_a_text_that_is_no_utf8_does_not_lose_the_run():
    """A lone surrogate out of a server's JSON is replaced; a very long text is cut."""
    odd = ExpectationResult("json $.a == 'x'", "expect", False, "x", "\ud800" + "y" * 9000)
    actual = plain(spans(run_result(step(expectations=(odd,))))[1].events[0].attributes)["sojourn.expectation.actual"]
    assert actual == "?" + "y" * 4095


def test_the_hosts_environment_cannot_switch_it_off():
    """With every OTEL_* switch on off, the same bytes come out."""
    code = (
        "from tests.agent.runs import run_result; from sojourn_agent.telemetry import encode_run, resource; import sys;"
        "sys.stdout.buffer.write(encode_run(run_result(), resource('eu', '1.0'), '1.0'))"
    )
    hostile = {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_SAMPLER": "always_off", "OTEL_SPAN_EVENT_COUNT_LIMIT": "1", "OTEL_ATTRIBUTE_COUNT_LIMIT": "1"}
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, env={**os.environ, **hostile}).stdout
    assert out == encode_run(run_result(), resource("eu", "1.0"), "1.0")
