"""`/healthz` (the process answers), `/readyz` (what works and what does not) and `/metrics`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from sojourn_collector.exposition import OPEN_METRICS, TEXT, wants_open_metrics


@dataclass(frozen=True, slots=True)
class Health:
    """Functions that look at the running parts."""

    report: Callable[[], dict[str, Any]]
    """The parts' states; `ready` says whether all of them work."""
    metrics: Callable[[bool], str]
    """The page of metrics; True = in OpenMetrics."""


def build_health(health: Health) -> APIRouter:
    """The three routes."""
    router = APIRouter(include_in_schema=False)

    @router.get("/healthz")
    def healthz() -> JSONResponse:
        return JSONResponse({"alive": True})

    @router.get("/readyz")
    def readyz() -> JSONResponse:
        report = health.report()
        return JSONResponse(report, 200 if report["ready"] else 503)

    @router.get("/metrics")
    async def metrics(request: Request) -> Response:
        wanted = wants_open_metrics(request.headers.get("accept", ""))
        return Response(health.metrics(wanted), headers={"content-type": OPEN_METRICS if wanted else TEXT, "vary": "accept"})

    return router
