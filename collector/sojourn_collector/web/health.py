"""`/healthz` (the process answers), `/readyz` (what works and what does not) and `/metrics`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter
from fastapi.responses import JSONResponse, PlainTextResponse


@dataclass(frozen=True, slots=True)
class Health:
    """Functions that look at the running parts."""

    report: Callable[[], dict[str, Any]]
    """The parts' states; `ready` says whether all of them work."""
    metrics: Callable[[], str]


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
    def metrics() -> PlainTextResponse:
        return PlainTextResponse(health.metrics(), media_type="text/plain; version=0.0.4")

    return router
