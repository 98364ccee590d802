"""Values made on the spot: `${random.uuid} ${random.email} ${now.iso} ${date:+1d}` and their like."""

import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sojourn_probes.ids import RandomBytes

RANDOM: Final[dict[str, Callable[[RandomBytes], str]]] = {
    "uuid": lambda random: str(uuid.UUID(bytes=random(16), version=4)),
    "email": lambda random: f"probe-{random(6).hex()}@example.com",
    "hex": lambda random: random(8).hex(),
    "int": lambda random: str(int.from_bytes(random(4)) % 1_000_000),
}
"""`${random.<name>}`: another value at each use. Under `vars:` it stays the same for an attempt. example.com takes no mail (RFC 2606)."""

NOW: Final[dict[str, Callable[[datetime], str]]] = {
    "iso": lambda now: now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "unix": lambda now: str(int(now.timestamp())),
    "ms": lambda now: str(int(now.timestamp() * 1000)),
    "time": lambda now: now.strftime("%H:%M"),
}
"""`${now.<name>}`; `time` is that of the journey's time zone, `iso` UTC."""

_DATE = re.compile(r"date(?::(?P<shift>[+-]\d{1,5}[hdw])?(?::(?P<form>[^:{}]{1,40}(?::[^{}]{1,20})?))?)?")
_HOURS: Final = {"h": 1, "d": 24, "w": 168}


def fault(inner: str) -> str | None:
    """What is wrong with the form of `${inner}`, which begins with random, now or date; None when nothing is."""
    if inner.startswith("date"):
        if _DATE.fullmatch(inner):
            return None
        return f"${{{inner}}} is no date; write ${{date}}, ${{date:+1d}} (h, d or w) or with a form ${{date:+1d:%d.%m.%Y}}"
    space, _, name = inner.partition(".")
    known = RANDOM if space == "random" else NOW
    return None if name in known else f"${{{inner}}} is not known; there are {', '.join(f'${{{space}.{one}}}' for one in known)}"


def value(inner: str, now_ns: int, timezone: str, random: RandomBytes) -> str:
    """What `${inner}` stands for; `inner` has no `fault`. `timezone` is that of the journey."""
    if inner.startswith("random."):
        return RANDOM[inner.removeprefix("random.")](random)
    now = datetime.fromtimestamp(now_ns / 1e9, ZoneInfo(timezone))
    if inner.startswith("now."):
        return NOW[inner.removeprefix("now.")](now)
    found = _DATE.fullmatch(inner)
    assert found is not None
    shift = found["shift"]
    if shift:
        step = timedelta(hours=int(shift[:-1]) * _HOURS[shift[-1]])
        # Days are days of the calendar, also where a clock change makes one 23 hours long.
        now = now + step if shift[-1] != "h" else (now.astimezone(UTC) + step).astimezone(now.tzinfo)
    return now.strftime(found["form"] or "%Y-%m-%d")
