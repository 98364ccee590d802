"""The agent about itself: /healthz /readyz /metrics /runs. It reads `Status`; nothing can be changed through it."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sojourn_agent.config import is_loopback
from sojourn_agent.metric_names import ALL

Sample = tuple[str, Mapping[str, str], float]
"""Name, labels, value."""


@dataclass(frozen=True, slots=True)
class Status:
    """What the listener shows, asked anew for each request."""

    health: Callable[[], dict[str, Any]]
    ready: Callable[[], bool]
    metrics: Callable[[], Iterable[Sample]]
    runs: Callable[[], list[dict[str, Any]]]


def build_admin(status: Status, hosts: Iterable[str] = ()) -> ASGIApp:
    """The admin app. A request whose Host header is neither a loopback name nor one of `hosts` is refused: a page elsewhere may have
    pointed its own name at this machine (DNS rebinding)."""

    async def healthz(_: Request) -> Response:
        return JSONResponse(status.health())

    async def readyz(_: Request) -> Response:
        ready = status.ready()
        return JSONResponse({"ready": ready}, 200 if ready else 503)

    async def metrics(_: Request) -> Response:
        return PlainTextResponse(exposition(status.metrics()), media_type="text/plain; version=0.0.4")

    async def runs(request: Request) -> Response:
        journey = request.query_params.get("journey")
        return JSONResponse({"runs": [run for run in status.runs() if journey in (None, run["journey"])]})

    async def nothing(_: Request, error: Exception) -> Response:
        return JSONResponse({"error": "nothing here; there are /healthz, /readyz, /metrics and /runs"}, 404)

    routes = [Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics), Route("/runs", runs)]
    return _HostCheck(Starlette(routes=routes, exception_handlers={404: nothing}), frozenset(hosts))


def exposition(samples: Iterable[Sample]) -> str:
    """`samples` in the Prometheus text format 0.0.4, grouped by name; names ending in `_total` are counters."""
    lines: list[str] = []
    by_name: dict[str, list[Sample]] = {}
    for sample in samples:
        by_name.setdefault(sample[0], []).append(sample)
    for name, group in by_name.items():
        if name in ALL:
            lines.append(f"# HELP {name} {ALL[name].help}")
        lines.append(f"# TYPE {name} {'counter' if name.endswith('_total') else 'gauge'}")
        for _, labels, value in group:
            inner = ",".join(f'{label}="{_escaped(text)}"' for label, text in labels.items())
            lines.append(f"{name}{{{inner}}} {value:g}" if inner else f"{name} {value:g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


class _HostCheck:
    def __init__(self, app: ASGIApp, hosts: frozenset[str]) -> None:
        self._app = app
        self._hosts = hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self._expected(scope):
            refusal = JSONResponse({"error": "this name is not expected here; ask 127.0.0.1, or add it to admin: hosts: in agent.yaml"}, 421)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _expected(self, scope: Scope) -> bool:
        named = [value.decode("latin-1") for key, value in scope["headers"] if key == b"host"]
        if len(named) != 1:
            return False
        host = re.sub(r":\d+\Z", "", named[0]).strip("[]").lower()
        return is_loopback(host) or host in self._hosts
