"""What rows of the inbox say: rows of our own form as they are, events of vendors by their adapter and together with the other events of the same record."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sojourn_collector.feeds_config import EVENTS, FEEDS, FeedSettings
from sojourn_collector.sources import SOURCES
from sojourn_collector.sources.answer import RowError
from sojourn_collector.sources.base import RowRefused, Secrets, latest
from sojourn_collector.sources.configured import Configured, plain
from sojourn_collector.sources.feed import mention_of
from sojourn_collector.sources.webhook import Change, Event
from sojourn_collector.store.control import Control, InboxRow
from sojourn_collector.store.control.said import OF_A_PERSON, OwnRows, Record, Said
from sojourn_collector.store.control.webhooks import digest

log = logging.getLogger("sojourn.sources")

_KEPT = "kept"
"""Under it lies what stays of an event whose person was erased."""


def record_name(kind: str, ident: str) -> str:
    """What a record is found by among events."""
    return digest(kind, ident)


class EventReading:
    """Reads the inbox, vendors' events and entries of feeds included; of those that are no longer configured as well."""

    def __init__(self, configured: Mapping[str, Configured], feeds: Mapping[str, FeedSettings] | None = None) -> None:
        self._configured = configured
        self._feeds = feeds or {}
        self._own = OwnRows()

    def changes(self, row: InboxRow) -> list[Change]:
        """What an event says. Raises RowRefused."""
        kept = json.loads(row.body)
        if _KEPT in kept:
            return [Change(one["kind"], one["id"], datetime.fromisoformat(one["time"]), one["fields"], one["sequence"], one["whole"]) for one in kept[_KEPT]]
        if row.kind in FEEDS:
            return read_shape(row.source, lambda: mention_of(row.source, row.kind, Event.from_json(row.body), self._feeds.get(row.source)))
        one = self._configured.get(row.source)
        return changes_of(one if one is not None and one.settings.kind == row.kind else plain(row.kind), Event.from_json(row.body))

    def said(self, row: InboxRow) -> list[Said]:
        """What it says; an event that cannot be read says nothing."""
        if row.kind not in EVENTS:
            return self._own.said(row)
        try:
            return [Said(one.kind, one.row(), one.time) for one in self.changes(row)]
        except RowRefused:
            return []

    def stripped(self, row: InboxRow) -> str | None:
        """What stays without its person: what it says of orders."""
        if row.kind not in EVENTS:
            return self._own.stripped(row)
        try:
            orders = [one for one in self.changes(row) if one.kind == "orders"]
        except RowRefused:
            return None
        return kept_of(orders) if orders else None


def changes_of(one: Configured, event: Event) -> list[Change]:
    """What the adapter reads of an event. Raises RowRefused, also for a shape that the adapter did not think of."""
    return read_shape(one.name, lambda: list(one.webhook.changes(event, one.settings)))


def read_shape(name: str, read: Callable[[], list[Change]]) -> list[Change]:
    """What an adapter reads. Raises RowRefused, also for a shape that the adapter did not think of."""
    try:
        return read()
    except (TypeError, KeyError, IndexError, AttributeError, ArithmeticError, OverflowError) as error:
        log.exception("an event of %s has a shape that is not known", name)
        raise RowRefused(f"the event has a shape that is not known ({type(error).__name__})") from error


def dry_records(one: Configured, name: str, events: Sequence[Event], received: datetime) -> tuple[list[dict[str, Any]], list[RowError]]:
    """The rows that can be read of events alone, as rows of the source `name`, and a sentence for each event that cannot; what waits for a call is left out."""
    records: list[dict[str, Any]] = []
    errors = []
    for number, event in enumerate(events):
        if one.webhook.calls(event, one.settings):
            continue
        try:
            for change in changes_of(one, event):
                raw = {**SOURCES[change.kind].fold([change.fields]), "id": change.id, "source": name}
                SOURCES[change.kind].read(raw, received)
                records.append({"kind": change.kind, "row": raw})
        except RowRefused as error:
            errors.append(RowError(row=number, error=str(error)))
    return records, errors


def concerned_by(changes: Iterable[Change]) -> list[str]:
    """What the records are found by that other events may speak of too."""
    return [record_name(one.kind, one.id) for one in changes if not one.alone]


def kept_of(changes: Iterable[Change]) -> str:
    """Changes without their person, as the inbox keeps them in place of the event."""
    bare = [
        {
            "kind": one.kind,
            "id": one.id,
            "time": one.time.isoformat(),
            "sequence": one.sequence,
            "whole": one.whole,
            "fields": {key: value for key, value in one.fields.items() if key not in OF_A_PERSON},
        }
        for one in changes
    ]
    return json.dumps({_KEPT: bare}, ensure_ascii=False, separators=(",", ":"), default=str)


class Records:
    """Rows as they go to the engine: of a vendor's event every record it concerns, as all its events together tell it."""

    def __init__(self, control: Control, reading: EventReading, secrets: Secrets, clock: Callable[[], datetime]) -> None:
        self._control = control
        self._reading = reading
        self._secrets = secrets
        self._clock = clock

    async def __call__(self, row: InboxRow) -> tuple[list[Record], list[str]]:
        """Rows, and a sentence for each that cannot be made. Raises what the control database raises."""
        if row.kind not in EVENTS:
            return [Record(row.kind, json.loads(row.body))], []
        try:
            changes = self._reading.changes(row)
        except RowRefused as error:
            return [], [str(error)]
        named = list(dict.fromkeys((one.kind, one.id) for one in changes if not one.alone))
        await self._control.webhooks.concern(row, [record_name(*name) for name in named])
        rows, wrong = [], []
        for one in (one for one in changes if one.alone):
            try:
                rows.append(Record(one.kind, self._checked(row, one.kind, one.id, [one])))
            except RowRefused as error:
                wrong.append(f"{one.kind} {one.id}: {error}")
        for kind, ident in named:
            try:
                rows.append(await self._whole(row, kind, ident))
            except RowRefused as error:
                wrong.append(f"{kind} {ident}: {error}")
        return rows, wrong

    async def _whole(self, row: InboxRow, kind: str, ident: str) -> Record:
        """A record as all its events tell it, in the vendor's order. Raises RowRefused."""
        events = await self._control.webhooks.of_record(row.tenant, row.source, record_name(kind, ident))
        said: list[tuple[datetime, int, int, Change]] = []
        arrived = {event.id: event.received_at for event in events}
        for event in events:
            try:
                said += [(one.time, one.sequence, event.id, one) for one in self._reading.changes(event) if (one.kind, one.id) == (kind, ident)]
            except RowRefused:
                continue  # it is marked with its own reason
        said.sort(key=lambda one: one[:3])
        said = said[max((number for number, (*_, one) in enumerate(said) if one.whole), default=0) :]
        checked = self._checked(row, kind, ident, [one for *_, one in said])
        if healed := [event.id for event in events if event.error and event.normalised_at is not None]:
            await self._control.inbox.mark(healed, self._clock())
        # Nothing was said later than it came: a clock ahead must not outlast what others say.
        times = {key: min(one.time, arrived[event]) for *_, event, one in said for key in latest([one.fields])}
        return Record(kind, checked, times)

    def _checked(self, row: InboxRow, kind: str, ident: str, said: Sequence[Change]) -> dict[str, Any]:
        """The row that changes make together, oldest first. Raises RowRefused."""
        source = SOURCES[kind]
        raw = {**source.fold([one.fields for one in said]), "id": ident, "source": row.source}
        return source.stored(raw, source.read(raw, row.received_at), self._secrets)
