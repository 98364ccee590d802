"""What events say of an account or a person, folded: of each key the newest value with its place among the events. Nothing an event said is forgotten, and
no event has to be read twice.
"""

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Self

from sojourn_collector.sources.base import latest
from sojourn_collector.sources.checking import plain
from sojourn_collector.sources.webhook import Change

FOLDED = frozenset(("accounts", "people"))
"""Kinds of rows of which each key stands for itself. Of the others all events are read together; one of them has few."""

Place = tuple[int, int, int]
"""Microseconds of the vendor's time, the sequence within it, the event's number in the inbox: what comes later here is newer."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICK = timedelta(microseconds=1)


@dataclass(slots=True)
class Fold:
    """One record. Adding events in any order, and one again, comes to the same."""

    keys: dict[str, tuple[Any, Place, int]] = field(default_factory=dict)
    """Of each key the value, its place, and when its event came."""
    whole: Place | None = None
    """Of the newest event that told everything: what was said before it counts no more."""
    failed: bool = False
    """Whether no row could be made of it when it was last tried."""

    def add(self, change: Change, event: int, received: datetime) -> None:
        """Take in what an event says."""
        place = ((change.time - _EPOCH) // _TICK, change.sequence, event)
        if self.whole is not None and place < self.whole:
            return
        if change.whole:
            self.whole = place
            self.keys = {key: kept for key, kept in self.keys.items() if kept[1] >= place}
        for key, value in latest([change.fields]).items():
            if key not in self.keys or place >= self.keys[key][1]:
                self.keys[key] = (value, place, (received - _EPOCH) // _TICK)

    @property
    def fields(self) -> dict[str, Any]:
        """What all events together say."""
        return {key: value for key, (value, _, _) in self.keys.items()}

    @property
    def times(self) -> dict[str, datetime]:
        """When each key was said. Nothing was said later than it came: a clock ahead must not outlast what others say."""
        return {key: _EPOCH + min(place[0], received) * _TICK for key, (_, place, received) in self.keys.items()}

    def to_json(self) -> str:
        """As the control database keeps it."""
        kept = {"keys": self.keys, "whole": self.whole, "failed": self.failed}
        return json.dumps(kept, ensure_ascii=False, separators=(",", ":"), default=plain)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """What `to_json` wrote."""
        kept = json.loads(text)
        keys = {key: (value, _place(place), received) for key, (value, place, received) in kept["keys"].items()}
        return cls(keys, None if kept["whole"] is None else _place(kept["whole"]), kept["failed"])


def says_nothing(change: Change) -> bool:
    """Whether an event names a record and says nothing of it, as most `group` calls do."""
    return change.kind in FOLDED and not change.whole and not latest([change.fields])


def _place(kept: list[int]) -> Place:
    time, sequence, event = kept
    return time, sequence, event
