"""What the pages of a step asked for, as a HAR 1.2: without bodies, cookies and whatever signs in, for a HAR is passed around."""

import datetime
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

from sojourn_probes.redact import REDACTED, Redactor
from sojourn_probes.semconv import PROBE_HEADER
from sojourn_probes.steps.browser_network import Record, phases
from sojourn_probes.steps.http import SECRET_HEADERS

MASKED: Final = SECRET_HEADERS | {"set-cookie", "set-cookie2", "www-authenticate", "proxy-authenticate", PROBE_HEADER, "x-csrf-token", "x-xsrf-token"}
"""Headers whose values are not written down."""
MAX_VALUE: Final = 4000
_UNKNOWN: Final = -1


def har(records: list[Record], title: str, redact: Redactor, version: str) -> dict[str, Any]:
    """The HAR of `records`."""
    entries = [_entry(record, redact) for record in sorted(records, key=lambda record: float(record.request["wallTime"]))]
    began = entries[0]["startedDateTime"] if entries else _when(0)
    page: dict[str, Any] = {"startedDateTime": began, "id": "step", "title": redact.text(title), "pageTimings": {}}
    return {"log": {"version": "1.2", "creator": {"name": "sojourn", "version": version}, "pages": [page], "entries": entries}}


def _entry(record: Record, redact: Redactor) -> dict[str, Any]:
    asked, response = record.request["request"], record.response or {}
    took = {name: seconds * 1000 for name, seconds in phases(record.response, record.ended).items()}
    timings = {"blocked": _UNKNOWN, "dns": took.get("resolve", _UNKNOWN), "connect": took.get("connect", _UNKNOWN), "ssl": took.get("tls", _UNKNOWN)}
    timings |= {name: took.get(name, 0) for name in ("send", "wait", "receive")}
    if timings["ssl"] >= 0 and timings["connect"] >= 0:
        timings["connect"] += timings["ssl"]  # HAR counts TLS as a part of connecting
    return {
        "pageref": "step",
        "startedDateTime": _when(float(record.request["wallTime"])),
        "time": record.seconds * 1000,
        "request": {
            "method": asked["method"],
            "url": redact.url(asked["url"])[:MAX_VALUE],
            "httpVersion": response.get("protocol", ""),
            "cookies": [],
            "headers": _headers(asked.get("headers", {}), redact),
            "queryString": [{"name": redact.text(name), "value": redact.text(value)[:MAX_VALUE]} for name, value in parse_qsl(urlsplit(asked["url"]).query)],
            "headersSize": _UNKNOWN,
            "bodySize": len(asked.get("postData", "")),
        },
        "response": {
            "status": response.get("status", 0),
            "statusText": redact.text(response.get("statusText", ""))[:200],
            "httpVersion": response.get("protocol", ""),
            "cookies": [],
            "headers": _headers(response.get("headers", {}), redact),
            "content": {"size": record.size if record.size is not None else _UNKNOWN, "mimeType": response.get("mimeType", "")},
            "redirectURL": redact.url(next((value for name, value in response.get("headers", {}).items() if name.lower() == "location"), ""))[:MAX_VALUE],
            "headersSize": _UNKNOWN,
            "bodySize": record.size if record.size is not None else _UNKNOWN,
            **({"_error": record.code} if record.code else {}),
        },
        "cache": {},
        "timings": timings,
        "serverIPAddress": str(response.get("remoteIPAddress", "")).strip("[]"),
    }


def _headers(headers: dict[str, str], redact: Redactor) -> list[dict[str, str]]:
    return [{"name": name, "value": REDACTED if name.lower() in MASKED else redact.text(value)[:MAX_VALUE]} for name, value in headers.items()]


def _when(seconds: float) -> str:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
