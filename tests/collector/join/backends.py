"""Backends that answer a shopper's browser, as rows of spans. Times are seconds after the browser's start."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import count
from typing import Any

from tests.collector.join.world import Browser

INTERNAL, SERVER, CLIENT, CONSUMER = 1, 2, 3, 5
OK, ERROR = 0, 2
_ids = count(1)


def answered(
    b: Browser,
    asked: Mapping[str, Any] | None,
    code: int = 0,
    *,
    at: float = 10.0,
    took: float = 0.2,
    kind: int = SERVER,
    status: int = ERROR,
    service: str = "shop",
    parent: bytes | None = None,
    trace: bytes = b"",
    **attrs: str,
) -> dict[str, Any]:
    """A backend's span at `at` below the browser's span `asked` (or `parent`), in its trace. Attribute names are given with `__` for dots."""
    own = {"http.request.method": "POST", "url.path": "/payments"} | ({"http.response.status_code": str(code)} if code else {})
    moment = b.start + timedelta(seconds=at)
    below = parent if parent is not None else (asked["span_id"] if asked else b"")
    return {
        "ts": moment,
        "accepted": moment,
        "duration_ns": int(took * 1e9),
        "name": "POST /payments",
        "kind": kind,
        "status": status,
        "service": service,
        "trace_id": trace or (asked["trace_id"] if asked else b.trace(1)),
        "span_id": f"b{next(_ids):07}".encode(),
        "parent_id": below.decode(),
        "attrs": own | {key.replace("__", "."): value for key, value in attrs.items()},
        "res": {"service.name": service},
    }
