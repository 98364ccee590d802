"""A drafted journey as YAML that people like to read: our key order, block style, short maps on one line, quotes only where YAML 1.2 wants them."""

import json
import re
from typing import Any, Final

from sojourn_probes.journey import Journey
from sojourn_probes.step import Step
from sojourn_probes.steps import KINDS

WIDTH: Final = 120
"""A map or list on one line is no longer than this."""

_PLAIN = re.compile(r"(?:[A-Za-z/]|\$[.\[]|[0-9]+(?:ms|[smhd])\Z)[^\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff]*\Z")
_FLOW_MARKS = re.compile(r"[,?\[\]{}]")
_NOT_TEXT: Final = re.compile(r"(?:null|true|false|y|n|yes|no|on|off)\Z", re.IGNORECASE)
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
_SHORT_MAPS: Final = frozenset({"http", "tcp", "tls", "icmp", "dns", "auth", "retries", "goal", "customers", "reached", "done"})
"""Keys whose map goes on one line when it is short; so do the maps inside lists and extracts."""
_SHORT_LISTS: Final = frozenset({"expect", "degraded_if", "locations", "tags"})
"""Keys whose list goes on one line when it is short and needs no quotes."""


def yaml_text(journey: dict[str, Any], comments: list[str]) -> str:
    """The file: comments, then the journey."""
    lines = [f"# {_one_line(comment)}" for comment in comments]
    for key in _ordered(journey, Journey):
        if key == "steps":
            lines.append("steps:")
            for step in journey["steps"]:
                lines += _step(step)
        else:
            lines += _entry(key, journey[key], 0)
    return "\n".join(lines) + "\n"


def _step(step: dict[str, Any]) -> list[str]:
    lines: list[str] = []
    for key in _ordered(step, Step):
        value = step[key]
        model = KINDS.get(key)
        if model is not None and isinstance(value, dict):
            value = {name: value[name] for name in _ordered(value, model)}
        lines += _entry(key, value, 4)
    return ["  - " + lines[0][4:], *lines[1:]]


def _ordered(data: dict[str, Any], model: Any) -> list[str]:
    """The keys of `data` in the order the model names them; kinds stand where people look first, before what is expected of them."""
    names = [info.alias or name for name, info in model.model_fields.items()]
    kinds = [name for name in names if name in KINDS] if model is Step else []
    order = [*(name for name in names if name in ("id", "name")), *kinds, *names]
    return sorted(data, key=lambda key: order.index(key) if key in order else len(order))


def _entry(key: str, value: Any, indent: int) -> list[str]:
    head = " " * indent + f"{scalar(key)}:"
    if isinstance(value, dict) and value:
        flow = _flow(value)
        if key in _SHORT_MAPS and flow is not None and len(head) + len(flow) < WIDTH:
            return [f"{head} {flow}"]
        if key == "extract":
            return [head, *(f"{' ' * (indent + 2)}{scalar(name)}: {_flow(item)}" for name, item in value.items())]
        return [head, *(line for name, item in value.items() for line in _entry(name, item, indent + 2))]
    if isinstance(value, list) and value:
        if key in _SHORT_LISTS and '"' not in (flow := _flow(value) or '"') and len(head) + len(flow) < WIDTH - 20:
            return [f"{head} {flow}"]
        if all(isinstance(item, int | float) for item in value) and len(flow := _flow(value) or "") < WIDTH and flow:
            return [f"{head} {flow}"]
        return [head, *(line for item in value for line in _item(item, indent + 2))]
    return [f"{head} {_flow(value) if isinstance(value, dict | list) else scalar(value)}"]


def _item(value: Any, indent: int) -> list[str]:
    lead = " " * indent + "- "
    if isinstance(value, dict) and value:
        if len(value) == 1:
            name, inner = next(iter(value.items()))
            flow = _flow(inner)
            if flow is not None and len(flow) < WIDTH:
                return [f"{lead}{scalar(name)}: {flow}"]
        lines = [line for name, item in value.items() for line in _entry(name, item, indent + 2)]
        return [lead + lines[0][indent + 2 :], *lines[1:]]
    if isinstance(value, list) and value:
        lines = [line for item in value for line in _item(item, indent + 2)]
        return [lead + lines[0][indent + 2 :], *lines[1:]]
    return [f"{lead}{_flow(value) if isinstance(value, dict | list) else scalar(value)}"]


def _flow(value: Any) -> str | None:
    """`value` on one line; None when it is too deep for that to be read."""
    if isinstance(value, dict):
        parts = [(scalar(key, flow=True), _flow(item)) for key, item in value.items()]
        if any(item is None or (isinstance(given, dict | list) and given) for (_, item), given in zip(parts, value.values(), strict=True)):
            return None
        return "{" + ", ".join(f"{key}: {item}" for key, item in parts) + "}"
    if isinstance(value, list):
        items = [_flow(item) for item in value]
        return None if any(item is None for item in items) else "[" + ", ".join(str(item) for item in items) + "]"
    return scalar(value, flow=True)


def scalar(value: Any, *, flow: bool = False) -> str:
    """One value; a text is quoted when YAML would read something else, or nothing, without quotes."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return json.dumps(value)
    text = str(value)
    plain = (
        _PLAIN.match(text) is not None
        and not _NOT_TEXT.match(text)
        and ": " not in text
        and " #" not in text
        and text[-1] not in ": "
        and len(text) <= 1000
        and not (flow and (_FLOW_MARKS.search(text) or ":" in text or '"' in text))
    )
    return text if plain else quoted(text)


def quoted(text: str) -> str:
    """`text` in double quotes, which in YAML are almost those of JSON."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found.group()):04x}", json.dumps(whole, ensure_ascii=False))


def _one_line(text: str) -> str:
    return re.sub(r"[^\x20-\x7e\xa1-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd]", " ", text)[:400]
