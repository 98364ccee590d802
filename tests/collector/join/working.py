"""What the tests of the join worker send, keep and read back."""

import json
from datetime import datetime, timedelta
from typing import Any

from sojourn_collector.store.control import Arrival
from tests.collector.join.world import Browser, World


async def table(world: World, name: str) -> list[dict[str, Any]]:
    """All rows a table has for this world's tenant, without those withdrawn."""
    order = {"runs": "started", "steps": "run_started, number, attempt", "sessions": "started", "feedback": "ts, id", "orders": "ts, id"}.get(name, "id")
    return await world.store._rows(f"SELECT * FROM {name} FINAL WHERE tenant = {{tenant:String}} ORDER BY {order}", {"tenant": world.store.tenant}, 10)


def shopper(world: World, session: str = "s-1", ago: float = 60, **identity: str) -> Browser:
    """A browser whose session began `ago` seconds before now."""
    return Browser(session, world.clock() - timedelta(seconds=ago), **identity)


def buys(b: Browser, order_id: str = "") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """A walk through the whole journey without trouble."""
    spans = [b.page(0, "/"), b.page(5, "/cart"), b.page(9, "/checkout/pay"), b.fetch(10, "/checkout/pay", "/payments", 201), b.page(11, "/checkout/thanks")]
    return spans, [b.order(12, order_id)]


async def keep(world: World, source: str, /, **row: Any) -> None:
    """Put a row into the inbox as the intake does."""
    arrival = Arrival("default" if world.store.tenant == "default" else world.store.tenant, "api", source, row["id"], world.clock(), json.dumps(row))
    await world.control.inbox.add_many([arrival])


def at(moment: datetime) -> str:
    """RFC 3339."""
    return moment.isoformat()


def probe_run(world: World, run_id: str, outcome: str) -> list[dict[str, Any]]:
    """The spans of a synthetic run that tried step `pay` twice."""
    began = world.clock() - timedelta(seconds=30)
    own = {"traffic": "synthetic", "journey": "checkout", "run_id": run_id, "trace_id": b"0123456789abcdef", "res": {"service.name": "sojourn-agent"}}
    shared = {"sojourn.location": "eu", "sojourn.journey.version": "v1"}

    def span(kind: str, step: str, at: float, duration: float, **attrs: str) -> dict[str, Any]:
        attributes = shared | {key.replace("__", "."): value for key, value in attrs.items()}
        moment = began + timedelta(seconds=at)
        key = (kind + step + str(at)).encode()[:8].ljust(8, b".")
        return {"ts": moment, "duration_ns": int(duration * 1e9), "span_type": kind, "step": step, "span_id": key, "attrs": attributes, **own}

    failed = {"sojourn__step__outcome": "failed", "sojourn__failure__kind": "status", "sojourn__failure__message": "got 502"}
    return [
        span(
            "run",
            "",
            0,
            4,
            sojourn__run__outcome=outcome,
            sojourn__run__attempts="2",
            sojourn__run__flaky="false",
            sojourn__failure__step="pay",
            sojourn__failure__kind="status",
        ),
        span("step", "home", 0, 0.5, sojourn__attempt="1", sojourn__step__outcome="passed", sojourn__step__name="Home page"),
        span("step", "pay", 1, 0.5, sojourn__attempt="1", sojourn__step__name="Pay", **failed),
        span("step", "home", 2, 0.5, sojourn__attempt="2", sojourn__step__outcome="passed", sojourn__step__name="Home page"),
        span("step", "pay", 3, 0.5, sojourn__attempt="2", sojourn__step__name="Pay", **failed),
    ]
