"""What /api/openapi.json promises holds for whatever is asked: statuses, shapes, media types, and never a 500."""

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance, status_code_conformance

from tests.collector.process import CollectorProcess
from tests.collector.receive.conftest import traces

CHECKS = (not_a_server_error, content_type_conformance, response_schema_conformance, status_code_conformance)


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where a collector answers that has a few spans."""
    collector = CollectorProcess(tmp_path_factory.mktemp("openapi"), tables=True)

    async def begin() -> None:
        await collector.start()
        await collector.ready()
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
            headers = {"content-type": "application/x-protobuf"}
            (await http.post(f"{collector.runtime['otlp']}/v1/traces", content=traces(20).SerializeToString(), headers=headers)).raise_for_status()

    try:
        asyncio.run(begin())
        yield str(collector.runtime["web"])
    finally:
        collector.stop()


@pytest.fixture
def described(web: str) -> schemathesis.BaseSchema:
    """What the collector says of itself."""
    return schemathesis.openapi.from_url(f"{web}/api/openapi.json")


QUICK = settings(max_examples=6, deadline=None, derandomize=True, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))


def ask(described: schemathesis.BaseSchema, how: settings) -> set[str]:
    """Ask each operation good and bad questions; which operations there were."""
    asked = set()
    for found in described.get_all_operations():
        operation = found.ok()  # type: ignore[union-attr]  # an operation that cannot be read raises here
        asked.add(operation.label)
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):

            @how
            @given(case=operation.as_strategy(generation_mode=mode))
            def one(case: schemathesis.Case[Any]) -> None:
                case.call_and_validate(checks=list(CHECKS))

            # Of a path that takes any text there is no bad one.
            with contextlib.suppress(*([Unsatisfiable] if mode is GenerationMode.NEGATIVE else [])):
                one()
    return asked


@pytest.mark.timeout(300)  # a minute of work, more on a busy machine
def test_every_operation_keeps_its_promise(described: schemathesis.BaseSchema) -> None:
    """A few questions of each operation, good and bad."""
    lists = {f"GET /api/v1/{name}" for name in ("runs", "sessions", "people", "accounts", "traces", "search")}
    assert lists < ask(described, QUICK)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_every_operation_keeps_its_promise_for_long(described: schemathesis.BaseSchema) -> None:
    """Hundreds of questions of each operation."""
    assert len(ask(described, settings(QUICK, max_examples=300))) > 10
