"""Milliseconds of the engine as aware times and back."""

from datetime import UTC, datetime, timedelta

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def from_ms(ms: int) -> datetime:
    """The time of milliseconds since the epoch, exactly."""
    return EPOCH + timedelta(milliseconds=ms)


def to_ms(at: datetime) -> int:
    """Milliseconds since the epoch, rounded down."""
    return (at - EPOCH) // timedelta(milliseconds=1)


def known(at: datetime | None) -> datetime | None:
    """The engine's time of nothing (the epoch) as None."""
    return at if at is not None and at > EPOCH else None
