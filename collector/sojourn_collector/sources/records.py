"""What rows of the inbox say: rows of our own form as they are, events of vendors by their adapter and together with the other events of the same record."""

import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sojourn_collector.feeds_config import EVENTS, FEEDS, FeedSettings
from sojourn_collector.sources import SOURCES
from sojourn_collector.sources.answer import RowError
from sojourn_collector.sources.base import RowRefused, Secrets
from sojourn_collector.sources.configured import Configured, plain
from sojourn_collector.sources.feed import mention_of
from sojourn_collector.sources.folding import FOLDED, Fold, says_nothing
from sojourn_collector.sources.webhook import Change, Event
from sojourn_collector.sources_config import VENDORS
from sojourn_collector.store.control import Control, InboxRow
from sojourn_collector.store.control.said import OF_A_PERSON, OwnRows, Record, Said
from sojourn_collector.store.control.webhooks import digest

log = logging.getLogger("sojourn.sources")

_KEPT = "kept"
"""Under it lies what stays of an event whose person was erased."""
_MOST_NAMES = 20
"""Other names of one record that are looked at."""

_Name = tuple[str, str, str, str]
"""Tenant, source, kind and id of a record."""


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
            return [_kept_change(one) for one in kept[_KEPT]]
        if row.kind in FEEDS:
            return read_shape(row.source, lambda: mention_of(row.source, row.kind, Event.from_json(row.body), self._feeds.get(row.source)))
        return changes_of(self._of(row), Event.from_json(row.body))

    def lacks(self, row: InboxRow) -> bool:
        """Whether an answer of the vendor's is missing that the source, as it is configured now, asks for."""
        kept = json.loads(row.body)
        if row.kind not in VENDORS or _KEPT in kept:
            return False
        one, event = self._of(row), Event.from_json(row.body)
        return not one.webhook.calls(event, one.settings).keys() <= event.fetched.keys()

    def _of(self, row: InboxRow) -> Configured:
        one = self._configured.get(row.source)
        return one if one is not None and one.settings.kind == row.kind else plain(row.kind)

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
            for change in (change for change in changes_of(one, event) if not change.aside):
                raw = {**SOURCES[change.kind].fold([change.fields]), "id": change.id, "source": name}
                SOURCES[change.kind].read(raw, received)
                records.append({"kind": change.kind, "row": raw})
        except RowRefused as error:
            errors.append(RowError(row=number, error=str(error)))
    return records, errors


def concerned_by(changes: Iterable[Change]) -> list[str]:
    """What the records are found by that other events may speak of too; those an event only names are not among them."""
    return [record_name(one.kind, ident) for one in changes if not one.alone and not says_nothing(one) for ident in (one.id, one.of) if ident]


def kept_of(changes: Iterable[Change]) -> str:
    """Changes without their person, as the inbox keeps them in place of the event."""
    bare = [
        {
            "kind": one.kind,
            "id": one.id,
            "time": one.time.isoformat(),
            "sequence": one.sequence,
            "whole": one.whole,
            "aside": one.aside,
            "of": one.of,
            "fields": {key: value for key, value in one.fields.items() if key not in OF_A_PERSON},
        }
        for one in changes
    ]
    return json.dumps({_KEPT: bare}, ensure_ascii=False, separators=(",", ":"), default=str)


def _kept_change(one: Mapping[str, Any]) -> Change:
    time, more = datetime.fromisoformat(one["time"]), {"aside": one.get("aside", False), "of": one.get("of", "")}
    return Change(one["kind"], one["id"], time, one["fields"], one["sequence"], one["whole"], **more)


class Records:
    """Rows as they go to the engine: of vendors' events every record they concern once, as all its events together tell it."""

    def __init__(self, control: Control, reading: EventReading, secrets: Secrets, clock: Callable[[], datetime]) -> None:
        self._control = control
        self._reading = reading
        self._secrets = secrets
        self._clock = clock

    async def __call__(self, rows: Sequence[InboxRow]) -> list[tuple[list[Record], list[str]]]:
        """Of each row its records, and a sentence for each that cannot be made. A record of which several rows speak is the last one's.

        Raises what the control database raises.
        """
        told: list[tuple[list[Record], list[str]]] = [([], []) for _ in rows]
        spoken: dict[_Name, list[tuple[int, Change]]] = {}
        for place, row in enumerate(rows):
            if row.kind not in EVENTS:
                told[place][0].append(Record(row.kind, json.loads(row.body)))
                continue
            try:
                changes = self._reading.changes(row)
            except RowRefused as error:
                told[place][1].append(str(error))
                continue
            for one in (one for one in changes if not one.alone):
                spoken.setdefault((row.tenant, row.source, one.kind, one.id), []).append((place, one))
            for one in (one for one in changes if one.alone):
                try:
                    told[place][0].append(Record(one.kind, self._checked(row, one.kind, one.id, [one.fields])))
                except RowRefused as error:
                    told[place][1].append(f"{one.kind} {one.id}: {error}")
        await self._control.webhooks.concern([(rows[place], record) for said in spoken.values() for place, one in said for record in concerned_by([one])])
        folds = await self._folds(spoken, rows)
        for name, said in spoken.items():
            try:
                record = await self._one(rows[said[-1][0]], name, folds.get(name))
                if record is not None:
                    told[said[-1][0]][0].append(record)
            except RowRefused as error:
                for place in dict.fromkeys(place for place, _ in said):
                    told[place][1].append(f"{name[2]} {name[3]}: {error}")
        await self._control.folds.put({(name[0], name[1], record_name(*name[2:])): fold.to_json() for name, fold in folds.items() if fold.keys})
        return told

    async def _folds(self, spoken: Mapping[_Name, Sequence[tuple[int, Change]]], rows: Sequence[InboxRow]) -> dict[_Name, Fold]:
        """What is now known of accounts and people of whom something was said, or of whom nothing was known yet."""
        names = {(name[0], name[1], record_name(*name[2:])): name for name in spoken if name[2] in FOLDED}
        kept = await self._control.folds.get(list(names))
        folds: dict[_Name, Fold] = {}
        for key, name in names.items():
            if key not in kept:
                folds[name] = await self._anew(name)
            elif news := [(place, one) for place, one in spoken[name] if not says_nothing(one)]:
                folds[name] = Fold.from_json(kept[key])
                for place, one in news:
                    folds[name].add(one, rows[place].id, rows[place].received_at)
        return folds

    async def _anew(self, name: _Name) -> Fold:
        """A record of which nothing is kept, of all events there are of it."""
        fold, before = Fold(failed=True), None
        while events := await self._control.webhooks.of_record(*name[:2], record_name(*name[2:]), before):
            for event in events:
                for one in (one for one in self._changes(event) if (one.kind, one.id) == name[2:]):
                    fold.add(one, event.id, event.received_at)
            before = events[0].id
        return fold

    async def _one(self, row: InboxRow, name: _Name, fold: Fold | None) -> Record | None:
        """A record as it goes on; None where nothing new was said of it, or nobody tells of it by itself. Raises RowRefused."""
        kind, ident = name[2:]
        if kind not in FOLDED:
            whole = await self._whole(row, kind, ident)
            return None if whole is None else Record(kind, whole)
        if fold is None:
            return None
        failed, fold.failed = fold.failed, True
        checked = self._checked(row, kind, ident, [fold.fields])
        fold.failed = False
        if failed and (healed := await self._control.webhooks.refused(*name[:2], record_name(kind, ident))):
            await self._control.inbox.mark(healed, self._clock())
        return Record(kind, checked, fold.times)

    async def _whole(self, row: InboxRow, kind: str, ident: str) -> dict[str, Any] | None:
        """A record as all its events tell it, in the vendor's order; None where they only add to one that nobody tells of. Raises RowRefused."""
        told = await self._told(row, kind, ident)
        if main := next((change.of for _, change in told if change.id == ident and change.of), ""):
            of_main = await self._told(row, kind, main)
            if any(change.id == main and not change.aside for _, change in of_main):
                ident, told = main, of_main
        others = sorted({change.id for _, change in told} - {ident})[:_MOST_NAMES]
        for other in others:
            told += [one for one in await self._told(row, kind, other) if one[1].id == other and one[1].of != ident]
        told.sort(key=lambda one: (one[1].time, one[1].sequence, one[0].id))
        said = [change for _, change in told if change.id in (ident, *others)]
        if all(change.aside for change in said):
            return None
        start = max((number for number, change in enumerate(said) if change.whole), default=0)
        checked = self._checked(row, kind, ident, [change.fields for number, change in enumerate(said) if number >= start or change.aside])
        if healed := list({event.id for event, _ in told if event.error and event.normalised_at is not None}):
            await self._control.inbox.mark(healed, self._clock())
        return checked

    async def _told(self, row: InboxRow, kind: str, ident: str) -> list[tuple[InboxRow, Change]]:
        """What events say of a record, or that another is a name for it."""
        events = await self._control.webhooks.of_record(row.tenant, row.source, record_name(kind, ident))
        return [(event, one) for event in events for one in self._changes(event) if one.kind == kind and ident in (one.id, one.of)]

    def _changes(self, event: InboxRow) -> list[Change]:
        """What an event says. One that cannot be read says nothing: it is marked with its own reason."""
        try:
            return self._reading.changes(event)
        except RowRefused:
            return []

    def _checked(self, row: InboxRow, kind: str, ident: str, said: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """The row that fields make together, oldest first. Raises RowRefused."""
        source = SOURCES[kind]
        raw = {**source.fold(said), "id": ident, "source": row.source}
        return source.stored(raw, source.read(raw, row.received_at), self._secrets)
