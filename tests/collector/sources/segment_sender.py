"""Sends messages as Segment's SDKs do."""

import base64
import json
from typing import Any

import httpx2

from sojourn_collector.store.control import Scope
from tests.collector.sources.webhook_rig import NOW, Desk

AT = "2026-03-01T11:00:00.000Z"
BOUGHT: dict[str, Any] = {
    "order_id": "o-1",
    "revenue": 55.20,
    "total": 62.0,
    "currency": "EUR",
    "products": [{"name": "IPod Nano", "price": 27.6, "quantity": 2}],
    "session_id": "s-1",
}


def message(kind: str = "track", **more: Any) -> dict[str, Any]:
    """As SDKs make one."""
    return {"type": kind, "messageId": f"m-{kind}", "userId": "u-1", "anonymousId": "a-1", "timestamp": AT, **more}


def order(name: str = "Order Completed", **more: Any) -> dict[str, Any]:
    """A message of the e-commerce specification."""
    return message(**{"messageId": f"m-{name}", "event": name, "properties": BOUGHT, **more})


async def key_of(desk: Desk, scope: Scope = Scope.SOURCES) -> str:
    """A write key."""
    return (await desk.control.keys.create("shop", [scope])).text


async def post(desk: Desk, body: Any, *, path: str = "batch", key: str | None = None, query: str = "", **headers: str) -> httpx2.Response:
    """As server-side SDKs post."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    basic = base64.b64encode(f"{key if key is not None else await key_of(desk)}:".encode()).decode()
    sent = {"content-type": "application/json", "authorization": f"Basic {basic}"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await desk.client.post(f"/v1/{path}{query}", content=raw, headers=sent)


async def batch(desk: Desk, *messages: dict[str, Any], sent_at: str = NOW.isoformat()) -> None:
    """Post messages that are taken."""
    answer = await post(desk, {"batch": list(messages), "sentAt": sent_at})
    assert (answer.status_code, answer.json()) == (200, {"success": True})
