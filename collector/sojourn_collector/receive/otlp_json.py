"""OTLP in JSON: ids come as hex where protobuf's own JSON wants base64, so they are converted first; then the request goes on as protobuf.

protobuf's `json_format` would take a hex id for base64 and make 24 bytes of 16 without an error.
"""

import base64
import binascii
import json
from typing import Any

from google.protobuf.json_format import ParseDict, ParseError  # type: ignore[import-untyped]

from sojourn_collector.receive.answers import RefusalError
from sojourn_collector.receive.otlp import PARTS, REQUESTS, too_many
from sojourn_collector.receive.shape import MOST_ITEMS
from sojourn_collector.store.load_sql import Signal

IDS = frozenset({"traceId", "spanId", "parentSpanId", "trace_id", "span_id", "parent_span_id"})
LARGEST = 4 << 20
"""Bytes of a JSON request: turning them takes a hundred times the work of protobuf."""
DEEPEST = 64


def to_protobuf(signal: Signal, body: bytes) -> bytes:
    """The request as protobuf; slow, meant for a thread. Raises RefusalError 400, 413."""
    try:
        data = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RefusalError(400, "The body is not valid JSON.", "malformed") from error
    if not isinstance(data, dict):
        raise RefusalError(400, "The body is not a JSON object.", "malformed")
    try:
        if _parts(signal, data) > MOST_ITEMS:
            raise too_many(signal)
        _hex_to_base64(data, 0)
        message = ParseDict(data, REQUESTS[signal](), ignore_unknown_fields=True)
        return bytes(message.SerializeToString())
    except (ParseError, RecursionError, ValueError, TypeError, OverflowError) as error:
        raise RefusalError(400, f"The body is not a valid {REQUESTS[signal].DESCRIPTOR.name} in JSON.", "malformed") from error


def _parts(signal: Signal, data: dict[str, Any]) -> int:
    """How many resources, scopes and items there are; whatever else is where they should be counts as none."""
    total, level = 0, [data]
    for name in PARTS[signal]:
        first, *words = name.split("_")
        keys = (name, first + "".join(word.title() for word in words))
        lists = [one.get(key) for one in level if isinstance(one, dict) for key in keys]
        level = [inner for found in lists if isinstance(found, list) for inner in found]
        total += len(level)
    return total


def _hex_to_base64(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise RefusalError(400, f"The body is nested deeper than {DEEPEST} levels.", "malformed")
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in IDS and isinstance(inner, str):
                value[key] = _id(inner)
            elif key not in ("attributes", "body"):  # values may have keys of any name
                _hex_to_base64(inner, depth + 1)
    elif isinstance(value, list):
        for inner in value:
            _hex_to_base64(inner, depth + 1)


def _id(text: str) -> str:
    try:
        return base64.b64encode(bytes.fromhex(text)).decode()
    except (ValueError, binascii.Error):
        # One byte: no length that is allowed, so that the check refuses this item and no other.
        return "AA=="
