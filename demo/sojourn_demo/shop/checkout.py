"""What the pay page and the survey widget post to: opening a payment, placing the order, an answer."""

import json
import uuid
from dataclasses import dataclass
from typing import Any

import httpx2
from opentelemetry import trace
from opentelemetry.trace import Tracer
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sojourn_demo.shop.catalogue import CURRENCY
from sojourn_demo.shop.feeds import Feeds
from sojourn_demo.shop.payments import FAULT_HEADER
from sojourn_demo.shop.settings import ShopSettings
from sojourn_demo.shop.switchboard import Switchboard
from sojourn_demo.shop.tracing import answered, outgoing
from sojourn_demo.shop.visitors import Visitor, Visitors, remember
from sojourn_probes import semconv

MOST_BYTES = 32 * 1024


async def read_object(request: Request) -> dict[str, Any]:
    """The JSON object in a request's body. Raises HTTPException 400 or 413 with one sentence."""
    raw = await request.body()
    if len(raw) > MOST_BYTES:
        raise HTTPException(413, f"The body must not be longer than {MOST_BYTES} bytes.")
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise HTTPException(400, "The body must be JSON.") from None
    if not isinstance(body, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    return body


@dataclass(slots=True)
class Checkout:
    """Handlers of the posts. `client` calls the payments service."""

    settings: ShopSettings
    visitors: Visitors
    switchboard: Switchboard
    feeds: Feeds
    tracer: Tracer
    client: httpx2.AsyncClient

    def routes(self) -> list[BaseRoute]:
        """The routes of the posts."""
        return [
            Route("/payments", self.open_payment, methods=["POST"]),
            Route("/orders", self.place_order, methods=["POST"]),
            Route("/survey", self.answer_survey, methods=["POST"]),
        ]

    async def open_payment(self, request: Request) -> Response:
        """Open a payment for what is in the cart: 201, or 502 when the payments service fails."""
        visitor = self.visitors.find(request)
        if not visitor.cart:
            raise HTTPException(409, "There is nothing in the cart.")
        fault = self.switchboard.at_payment(visitor)
        answer = await self._call("/authorise", {"amount": str(visitor.total), "currency": CURRENCY}, fault)
        if answer is None or answer.status_code >= 500:
            return remember(JSONResponse({"error": "The payment could not be opened."}, status_code=502), visitor)
        return remember(JSONResponse(answer.json(), status_code=201), visitor)

    async def place_order(self, request: Request) -> Response:
        """Capture the payment, write the order into the feed, empty the cart."""
        visitor = self.visitors.find(request)
        body = await read_object(request)
        if not visitor.cart or not body.get("payment"):
            raise HTTPException(409, "An order needs something in the cart and an opened payment.")
        answer = await self._call("/capture", {"payment": body["payment"]}, "")
        if answer is None or answer.status_code >= 500:
            return JSONResponse({"error": "The order could not be placed."}, status_code=502)
        order, amount = f"o_{uuid.uuid4().hex[:12]}", visitor.total
        self.feeds.orders.add_now({"id": order, "amount": str(amount), "currency": CURRENCY, "status": "completed", **_who(visitor, body)})
        visitor.cart.clear()
        return remember(
            JSONResponse({"order": order, "amount": str(amount), "currency": CURRENCY, "next": f"/checkout/thanks?order={order}"}, status_code=201), visitor
        )

    async def answer_survey(self, request: Request) -> Response:
        """Take an answer of the survey: `{value 1–5, comment, survey, session, order}`."""
        visitor = self.visitors.find(request)
        body = await read_object(request)
        value = body.get("value")
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 5:
            raise HTTPException(400, "value must be a whole number from 1 to 5.")
        row: dict[str, Any] = {"id": f"s_{uuid.uuid4().hex[:12]}", "kind": "csat", "value": value, "scale_min": 1, "scale_max": 5}
        row |= {"comment": str(body.get("comment", ""))[:2000], "survey_id": str(body.get("survey", "shop"))[:64], **_who(visitor, body)}
        if order := str(body.get("order", ""))[:40]:
            row["order_id"] = order
        if not visitor.probe:
            row.pop("probe", None)
            self.feeds.feedback.add_now(row)
        return remember(Response(status_code=204), visitor)

    async def _call(self, path: str, body: dict[str, Any], fault: str) -> httpx2.Response | None:
        """Call the payments service within a CLIENT span; None when it could not be reached."""
        url = f"http://127.0.0.1:{self.settings.payments_port}{path}"
        headers = {FAULT_HEADER: fault} if fault else {}
        with outgoing(self.tracer, "POST", url, headers) as span:
            try:
                answer = await self.client.post(url, json=body, headers=headers)
            except httpx2.HTTPError as error:
                span.set_attribute(semconv.ERROR_TYPE, type(error).__name__)
                return None
            answered(span, answer.status_code)
            return answer


def _who(visitor: Visitor, body: dict[str, Any]) -> dict[str, Any]:
    """The keys that join a row to a visit and a person. A person who refused to be recognised is named by the visit only."""
    keys: dict[str, Any] = {"trace_id": f"{trace.get_current_span().get_span_context().trace_id:032x}"}
    if session := str(body.get("session") or "")[:64]:
        keys["session_id"] = session
    if visitor.customer and visitor.consent == "granted":
        keys["user_id"] = visitor.customer.id
        if visitor.customer.account:
            keys["account_id"] = visitor.customer.account
    if visitor.probe:
        keys["probe"] = True
    return keys
