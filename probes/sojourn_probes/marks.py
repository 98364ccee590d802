"""Probe marks: how a page, a beacon or an order can say "one of our probes did this", and prove it.

A mark is `<run id>.<key id>.<hmac>`: HMAC-SHA256 in hex over `<run id>.<key id>`. The run id is a UUIDv7; its time makes the
mark valid for an hour. Both ends import this; it imports nothing of ours.
"""

import hashlib
import hmac
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

VALID_SECONDS: Final = 3600.0
"""How long after its run id's time a mark is good."""

EARLY_SECONDS: Final = 300.0
"""How far in the future that time may be, for clocks that differ."""

_FORM = re.compile(r"([0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})\.([A-Za-z0-9_-]{1,64})\.([0-9a-f]{64})")
_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Mark:
    """A verified mark. `made_at` is the run id's time, in seconds since the epoch."""

    run_id: str
    key_id: str
    made_at: float


def make_mark(run_id: str, key_id: str, secret: bytes, now: float) -> str:
    """The mark of run `run_id`, signed with the key `key_id`.

    `now` is in seconds since the epoch. Raises ValueError when the mark would not verify: a run id that is no UUIDv7 of the
    last hour, a key id with other than letters, digits, - and _, an empty secret.
    """
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError(f"key id {key_id!r} may have only letters, digits, - and _, up to 64")
    if not secret:
        raise ValueError(f"probe key {key_id!r} is empty")
    mark = f"{run_id}.{key_id}.{_sign(run_id, key_id, secret)}"
    if not _FORM.fullmatch(mark):
        raise ValueError(f"run id {run_id!r} is not a UUIDv7 in small letters")
    if not _in_time(_time_of(run_id), now):
        raise ValueError(f"run id {run_id!r} is not from the last hour")
    return mark


def verify_mark(mark: str, keys: Mapping[str, bytes], now: float) -> Mark | None:
    """What `mark` proves, or None when it proves nothing: malformed, unknown key, wrong signature, too old or from the future.

    `keys` maps key ids to secrets (two during a rotation); `now` is in seconds since the epoch. Compares in constant time.
    """
    found = _FORM.fullmatch(mark) if len(mark) <= 256 else None
    if found is None:
        return None
    run_id, key_id, signature = found.groups()
    secret = keys.get(key_id)
    if not secret or not hmac.compare_digest(_sign(run_id, key_id, secret), signature):
        return None
    made_at = _time_of(run_id)
    return Mark(run_id, key_id, made_at) if _in_time(made_at, now) else None


def _sign(run_id: str, key_id: str, secret: bytes) -> str:
    return hmac.new(secret, f"{run_id}.{key_id}".encode(), hashlib.sha256).hexdigest()


def _time_of(run_id: str) -> float:
    return (uuid.UUID(run_id).int >> 80) / 1000


def _in_time(made_at: float, now: float) -> bool:
    return -EARLY_SECONDS <= now - made_at <= VALID_SECONDS
