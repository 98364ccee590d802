"""The payments service: the shop's second service, on its own port and in its own traces.

`POST /authorise` opens a payment, `POST /capture` takes the money. The header `x-demo-fault` is how the shop passes on a
verdict of the switchboard: `error` makes the bank refuse to talk, `slow` makes it take its time.
"""

import asyncio
import uuid
from dataclasses import dataclass, field
from typing import Any, Final

from opentelemetry.trace import Status, StatusCode, Tracer
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp

from sojourn_demo.shop.tracing import TracedApp

FAULT_HEADER: Final = "x-demo-fault"
SLOW_SECONDS: Final = 3.0


class BankError(Exception):
    """The bank did not answer as a bank should."""


@dataclass(slots=True)
class Payments:
    """The service's handlers. `pause` is how long a slow bank takes, in seconds."""

    tracer: Tracer
    pause: float = SLOW_SECONDS
    opened: int = field(default=0)

    async def authorise(self, request: Request) -> JSONResponse:
        """Open a payment: 201 with its id, 500 when the bank is down."""
        body: Any = await request.json()
        try:
            await self._ask_bank(request.headers.get(FAULT_HEADER, ""))
        except BankError as error:
            return JSONResponse({"error": str(error)}, status_code=500)
        self.opened += 1
        return JSONResponse({"payment": f"pay_{uuid.uuid4().hex[:16]}", "amount": body.get("amount")}, status_code=201)

    async def capture(self, request: Request) -> JSONResponse:
        """Take the money of an opened payment."""
        body: Any = await request.json()
        return JSONResponse({"payment": body.get("payment"), "captured": True})

    async def _ask_bank(self, fault: str) -> None:
        with self.tracer.start_as_current_span("bank authorise", set_status_on_exception=False) as span:
            if fault == "slow":
                await asyncio.sleep(self.pause)
            if fault == "error":
                span.set_status(Status(StatusCode.ERROR, "the bank closed the connection"))
                raise BankError("the bank closed the connection")


def build_payments(tracer: Tracer, *, pause: float = SLOW_SECONDS) -> ASGIApp:
    """The traced payments app."""
    service = Payments(tracer, pause)
    routes = [Route("/authorise", service.authorise, methods=["POST"]), Route("/capture", service.capture, methods=["POST"])]
    return TracedApp(Starlette(routes=routes), tracer)
