"""Checking the rows of a source: good ones become arrivals of the inbox, each bad one a sentence. Nothing is kept here, so a dry run is this alone."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from sojourn_collector.sources.aliases import renamed
from sojourn_collector.sources.answer import RowError, Taken
from sojourn_collector.sources.base import RowRefused, Secrets, Source
from sojourn_collector.sources.body import Unreadable
from sojourn_collector.store.control import Arrival


def check(source: Source[Any], rows: list[Any], tenant: str, received: datetime, secrets: Secrets) -> tuple[Taken, list[Arrival]]:
    """What the answer says of these rows, and what the inbox is to keep. `secrets` are what rows are kept under."""
    errors, arrivals = [], []
    for number, given in enumerate(rows):
        if isinstance(given, Unreadable):
            errors.append(RowError(row=number, error=given.reason))
            continue
        try:
            raw = renamed(source, given)
            row = source.read(raw, received)
        except RowRefused as error:
            errors.append(RowError(row=number, error=str(error)))
            continue
        body = json.dumps(source.stored(raw, row, secrets), ensure_ascii=False, separators=(",", ":"), default=plain)
        arrivals.append(Arrival(tenant, row.source or "api", source.name, row.id, received, body))
    return Taken(accepted=len(arrivals), rejected=len(errors), errors=errors), arrivals


def plain(value: Any) -> str:
    """A Decimal as text that reads back as itself; it is bounded by the row's checks, but for attributes."""
    return format(value, "f") if isinstance(value, Decimal) and abs(value.adjusted()) < 40 else str(value)
