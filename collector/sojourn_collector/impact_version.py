"""The version of impact.yaml: a digest of what of it decides scores, what a change of it is, and where figures of before stay by the former.

Order and comments of the file do not matter, nor does what only says how things are shown: two files that score alike have the same version.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sojourn_collector.config import ImpactConfig
from sojourn_collector.quantities import SECONDS

Content = Mapping[str, Any]
"""Dotted keys with their values: seconds for durations, texts for amounts of money."""

NOT_SCORES: Final = ("simulated", "segments", "surveys.", "windows.stale", "alarms.")
"""What says how things are shown, greyed or alarmed; a change of it leaves every score as it is."""

STORED: Final[Mapping[str, str]] = {
    "windows.abandon": "a visit is told apart into runs as it comes in",
    "windows.identity": "feedback and orders are linked as they come in",
    "currency": "an order is converted as it comes in",
    "fx": "an order is converted as it comes in",
}
"""What is applied as data come in and written down: what came in before a change stays by the former value. Everything else is applied when a figure is
worked out, so that it holds for the whole span at once."""

IN_SUMS: Final = ("timezone",)
"""Applied when a figure is worked out, but not in sums by day whose runs are no longer kept."""

_DIGITS: Final = 12
_DURATIONS: Final = ("windows.", "weights.paid", "silent.wait")


@dataclass(frozen=True, slots=True)
class Change:
    """One key of impact.yaml with what held before and since; None = not there."""

    key: str
    old: Any
    new: Any

    def said(self) -> str:
        """Such as `severities.left 0.8 → 0.6`."""
        return f"{self.key} {spoken(self.key, self.old)} → {spoken(self.key, self.new)}"


def content_of(impact: ImpactConfig) -> dict[str, Any]:
    """What of it decides scores, by dotted key; an amount of money as text and a rates file by its name."""
    whole = _flat(impact.model_dump(mode="python", exclude={"fx"}))
    if impact.fx is not None:
        whole["fx"] = impact.fx.name
    return {key: value for key, value in sorted(whole.items()) if not key.startswith(NOT_SCORES)}


def version_of(content: Content) -> str:
    """12 hexadecimal digits of the content's SHA-256."""
    return hashlib.sha256(json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True).encode()).hexdigest()[:_DIGITS]


def config_version(impact: ImpactConfig) -> str:
    """Its version: scores of different ones are not comparable."""
    return version_of(content_of(impact))


def changes(old: Content, new: Content) -> tuple[Change, ...]:
    """What differs, by key. A key that an older Sojourn did not have counted as its default, and is no change while it has that."""
    usual = content_of(ImpactConfig())
    before = {**{key: value for key, value in usual.items() if key not in old}, **old}
    return tuple(Change(key, before.get(key), new.get(key)) for key in sorted({*before, *new}) if before.get(key) != new.get(key))


def spoken(key: str, value: Any) -> str:
    """A value as it stands in impact.yaml; `none` where it was not there."""
    if value is None:
        return "none"
    if isinstance(value, (int, float)) and not isinstance(value, bool) and (key.startswith(_DURATIONS) or key.endswith(".apdex")):
        return _duration(float(value))
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(spoken('', one) for one in value)}]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def _duration(seconds: float) -> str:
    unit = next((unit for unit in ("d", "h", "m") if seconds >= SECONDS[unit] and seconds % SECONDS[unit] == 0), "s")
    return f"{seconds / SECONDS[unit]:g}{unit}"


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    out: dict[str, Any] = {}
    for key, one in value.items():
        if isinstance(one, Mapping) and one.keys() == {"amount", "currency"}:
            out[f"{prefix}{key}"] = f"{_plain(one['amount'])} {one['currency']}"
        elif isinstance(one, Mapping):
            out |= _flat(one, f"{prefix}{key}.")
        elif one is not None:
            out[f"{prefix}{key}"] = [item.isoformat() if isinstance(item, date) else item for item in one] if isinstance(one, tuple) else one
    return out


def _plain(amount: Decimal) -> str:
    """62, 62.0 and 62.00 are one amount."""
    text = f"{amount:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
