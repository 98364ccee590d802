"""Turning a client's clock into ours. Clients are off by hours more often than one would think (suspended laptops)."""

from dataclasses import dataclass
from typing import Final

SKEW_SECONDS: Final = 5.0
"""A difference between `sent` and the arrival up to this is travel time and rounding; beyond it the client's clock is off."""
PAST_SECONDS: Final = 86_400.0
FUTURE_SECONDS: Final = 300.0
_MILLI: Final = 1_000_000


@dataclass(slots=True)
class Moment:
    """Reads the client's milliseconds. `received_ns` is the arrival by our clock; `sent` the client's clock when it sent, in ms.

    Times are shifted by the skew when that is over 5 s, then held within [arrival - 24 h, arrival + 5 min]. `clamped` counts.
    """

    received_ns: int
    sent: float | None
    clamped: int = 0
    shift_ms: float = 0.0

    def __post_init__(self) -> None:
        skew = 0.0 if self.sent is None else self.received_ns / _MILLI - self.sent
        self.shift_ms = skew if abs(skew) > SKEW_SECONDS * 1000 else 0.0

    def nanoseconds(self, at: float) -> int:
        """Nanoseconds since the epoch, by our clock, of the client's `at` in milliseconds."""
        wanted = int((at + self.shift_ms) * 1000) * 1000
        held = min(max(wanted, self.received_ns - int(PAST_SECONDS * 1e9)), self.received_ns + int(FUTURE_SECONDS * 1e9))
        self.clamped += held != wanted
        return held
