"""The whole way over real HTTP: a probe and a real browser meet a traced backend, agent and collector carry it, the API shows it joined."""

import asyncio
import os
import threading
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse
from starlette.routing import Route

from sojourn_agent.check import Line, check
from sojourn_probes import chromium
from tests.processes import free_port, get_json, program, until

PAGE = """<!doctype html><html lang="en"><title>Ticket desk</title><script src="{agent}/rum.js" data-app="desk" data-consent="granted"></script>
<h1>Tickets</h1><button onclick="fetch('/api/tickets', {{method: 'POST'}}).then(r => document.title = 'done ' + r.status)">Buy</button></html>"""

JOURNEY = """
id: buy-ticket
name: Buy a ticket
base_url: "{shop}"
interval: 1s
timeout: 5s
steps:
  - id: desk
    name: Ticket desk
    http: {{url: /}}
    expect: ["status == 200", "body contains 'Tickets'"]
    customers: {{reached: {{page: /}}}}
  - id: buy
    name: Buy
    http: {{method: POST, url: /api/tickets}}
    expect: ["status == 201"]
"""


CANARY = "canary-3f9a-of-the-desk"
CAMPAIGN = "canary-77c1-of-a-campaign"
BROKEN = """
id: break-desk
name: A desk that fails
base_url: "{shop}"
interval: 30s
timeout: 5s
steps:
  - id: sign-in
    name: Sign in
    http: {{method: POST, url: /api/broken, json: {{password: "${{secrets.desk_password}}"}}}}
    expect: ["status == 200"]
"""


@dataclass
class World:
    """Addresses of everything that runs."""

    shop: str
    agent: str
    collector: str
    folder: Path


def backend(agent: str, otlp: str) -> tuple[Starlette, TracerProvider]:
    """A small traced shop: its server spans go straight to the collector with the released exporter."""
    provider = TracerProvider(resource=Resource({"service.name": "desk-backend"}), sampler=ALWAYS_ON)
    provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter(endpoint=f"{otlp}/v1/traces")))
    tracer = provider.get_tracer("desk")

    async def home(_: Request) -> HTMLResponse:
        return HTMLResponse(PAGE.format(agent=agent))

    async def buy(request: Request) -> JSONResponse:
        context = propagate.extract(dict(request.headers))

        def traced() -> None:
            with tracer.start_as_current_span("POST /api/tickets", context=context, kind=trace.SpanKind.SERVER):
                pass

        await asyncio.to_thread(traced)
        return JSONResponse({"ticket": 1}, 201)

    async def broken(request: Request) -> JSONResponse:
        said = (await request.body()).decode()
        return JSONResponse({"error": "no", "you_sent": said}, 502, {"set-cookie": f"session={CANARY}", "x-echo": said})

    routes = [Route("/", home), Route("/api/tickets", buy, methods=["POST"]), Route("/api/broken", broken, methods=["POST"])]
    return Starlette(routes=routes), provider


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Shop in a thread, collector and agent as processes, all on free loopback ports."""
    folder: Path = tmp_path_factory.mktemp("contract")
    otlp, web, rum, admin, shop = (free_port() for _ in range(5))
    (folder / "journeys").mkdir()
    (folder / "journeys/buy-ticket.yaml").write_text(JOURNEY.format(shop=f"http://127.0.0.1:{shop}"))
    (folder / "journeys/break-desk.yaml").write_text(BROKEN.format(shop=f"http://127.0.0.1:{shop}"))
    (folder / "impact.yaml").write_text("currency: EUR\nwindows: {abandon: 3s}\n")
    (folder / "collector.yaml").write_text(
        f'data: collector\njourneys: journeys\nimpact: impact.yaml\notlp: {{listen: "127.0.0.1:{otlp}"}}\nweb: {{listen: "127.0.0.1:{web}"}}\n'
    )
    (folder / "agent.yaml").write_text(
        f'location: here\njourneys: journeys\ndata: agent\nsend: [{{name: collector, url: "http://127.0.0.1:{otlp}", evidence: true}}]\n'
        f'rum: {{listen: "127.0.0.1:{rum}", apps: {{desk: {{origins: ["http://127.0.0.1:{shop}"], bots: keep}}}}}}\nadmin: {{listen: "127.0.0.1:{admin}"}}\n'
    )
    app, provider = backend(f"http://127.0.0.1:{rum}", f"http://127.0.0.1:{otlp}")
    server = uvicorn.Server(uvicorn.Config(app, port=shop, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    with (
        program("sojourn_collector.cli", "run", "--config", str(folder / "collector.yaml"), log=folder / "collector.log"),
        program(
            "sojourn_agent.cli",
            "run",
            "--config",
            str(folder / "agent.yaml"),
            log=folder / "agent.log",
            env={"SOJOURN_SECRET_DESK_PASSWORD": CANARY},
        ),
    ):
        thread.start()
        until(lambda: get_json(f"http://127.0.0.1:{web}/readyz"), what="the collector")
        yield World(f"http://127.0.0.1:{shop}", f"http://127.0.0.1:{rum}", f"http://127.0.0.1:{web}", folder)
    server.should_exit = True
    thread.join(10)
    provider.shutdown()


def services(collector: str, trace_id: str) -> set[str]:
    """Which services a trace has spans of."""
    return {span["service"] for span in get_json(f"{collector}/api/v1/traces/{trace_id}")["spans"]}


def newest_run(collector: str) -> dict[str, Any] | None:
    """The newest passed run of the probe, as the API tells it."""
    runs = get_json(f"{collector}/api/v1/journeys/buy-ticket")["probes"]["runs"]
    passed = [run for run in runs if run["outcome"] == "passed"]
    return get_json(f"{collector}/api/v1/runs/{passed[0]['run_id']}") if passed else None


def test_a_backend_span_is_joined_to_the_probes_run(world):
    """The probe's run names a trace that holds the agent's own spans and the backend's server span."""
    run = until(lambda: newest_run(world.collector), what="a passed run")
    assert [step["id"] for step in run["steps"]] == ["desk", "buy"]
    assert run["steps"][1]["exchanges"][0]["phases"].keys() >= {"connect", "wait"}
    until(lambda: services(world.collector, run["trace_ids"][0]) >= {"sojourn-agent", "desk-backend"}, what="the backend's span in the run's trace")


def holds(path: Path, needle: bytes) -> bool:
    """Whether a file has these bytes; one that was removed meanwhile has none."""
    try:
        return needle in path.read_bytes()
    except FileNotFoundError:
        return False


def files_below(*folders: Path) -> list[Path]:
    """Files that are there; the engine makes and removes folders meanwhile."""
    return [Path(here, name) for folder in folders for here, _, names in os.walk(folder) for name in names]


def evidence_of_the_broken(collector: str) -> dict[str, Any] | None:
    """The answer that the failed step of `break-desk` left, once it is at the collector."""
    runs = get_json(f"{collector}/api/v1/journeys/break-desk")["probes"]["runs"]
    for run in runs:
        for step in get_json(f"{collector}/api/v1/runs/{run['run_id']}")["steps"]:
            for piece in step["evidence"]:
                if piece["state"] == "kept":
                    return dict(piece)
    return None


def test_evidence_of_a_failed_step_is_at_the_collector_without_secrets(world):
    """The server's answer is readable by the run's signed link, with what failed in it; the journey's secret, which the server echoed in
    its body, a header and a cookie, is in no byte that agent and collector wrote."""
    piece = until(lambda: evidence_of_the_broken(world.collector), what="the evidence at the collector")
    assert piece["kind"] == "answer"
    with urllib.request.urlopen(world.collector + piece["link"], timeout=10) as reply:
        content = reply.read().decode()
        assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    assert "status 502" in content
    assert "you_sent" in content
    written = files_below(world.folder / "collector", world.folder / "agent")
    assert len([path for path in written if path.parent.parent.name == "evidence"]) >= 1
    assert [str(path) for path in written if holds(path, CANARY.encode())] == []
    assert CANARY not in content


def test_check_says_that_the_collector_takes_evidence(world):
    """The last line of `sojourn-agent check`, beside a running agent: nothing waits and nothing was refused."""
    environ = {"SOJOURN_SECRET_DESK_PASSWORD": CANARY}
    wanted = Line("evidence", True, "collector takes it; 0 wait, 0 were refused for good")
    assert until(lambda: list(check(world.folder / "agent.yaml", environ))[-1] == wanted, what=str(wanted))


@pytest.mark.browser
def test_a_backend_span_is_joined_to_a_browsers_fetch(world):
    """What the snippet in a real Chromium reports shares its trace with the backend span it caused, and the visit shows both."""
    from playwright.sync_api import sync_playwright

    choice = chromium.find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=choice.path, args=list(choice.args))
        page = browser.new_page()
        page.goto(f"{world.shop}/")
        page.get_by_role("button", name="Buy").click()
        page.wait_for_function("document.title === 'done 201'")
        session = page.evaluate("sojourn('session')")
        page.close()
        browser.close()

    def fetch_and_backend() -> Any:
        items = get_json(f"{world.collector}/api/v1/visits/{session}")["timeline"]
        traces = {item["trace_id"] for item in items if item["kind"] == "fetch"} & {item["trace_id"] for item in items if item["kind"] == "backend"}
        return traces and items

    items = until(fetch_and_backend, what="fetch and backend span on the visit's axis")
    shared = next(item["trace_id"] for item in items if item["kind"] == "backend")
    assert services(world.collector, shared) >= {"desk", "desk-backend"}


@pytest.mark.browser
def test_customers_are_told_apart_by_channel_and_country(world):
    """Six consenting visitors who came by a mail to a page whose request failed: the breakdown of the journey finds them by how they came and from where,
    of nobody is either unknown, and no byte of the campaign is in what agent and collector wrote."""
    from playwright.sync_api import sync_playwright

    choice = chromium.find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=choice.path, args=list(choice.args))
        for _ in range(6):
            page = browser.new_context(timezone_id="Europe/Copenhagen").new_page()
            page.goto(f"{world.shop}/?utm_medium=email&utm_source={CAMPAIGN}")
            page.evaluate("fetch('/api/broken', {method: 'POST', body: '{}'}).then(() => sojourn('flush'))")
            page.goto("about:blank")
        browser.close()

    def found(by: str, value: str) -> bool:
        told = get_json(f"{world.collector}/api/v1/journeys/buy-ticket/breakdown?by={by}")
        return [(one["value"], one["people"]) for one in told["groups"]] == [(value, 6)]

    for by, value in (("channel", "email"), ("country", "DK")):
        until(partial(found, by, value), what=f"six people of {value} by {by}")
    written = files_below(world.folder / "collector", world.folder / "agent")
    assert [str(path) for path in written if holds(path, CAMPAIGN.encode()) or holds(path, b"Europe/Copenhagen")] == []
