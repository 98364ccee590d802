"""Data from outside: the list of sources, and how a kept row becomes a row of the engine."""

from datetime import datetime
from typing import Any, Final

from sojourn_collector.sources.accounts import ACCOUNTS
from sojourn_collector.sources.base import RowRefused, Source
from sojourn_collector.sources.deals import DEALS
from sojourn_collector.sources.feedback import FEEDBACK
from sojourn_collector.sources.invitations import INVITATIONS
from sojourn_collector.sources.mentions import MENTIONS
from sojourn_collector.sources.orders import ORDERS
from sojourn_collector.sources.owners import OWNERS
from sojourn_collector.sources.people import PEOPLE
from sojourn_collector.sources.subscriptions import SUBSCRIPTIONS
from sojourn_collector.sources.tickets import TICKETS
from sojourn_collector.sources.usage import USAGE

SOURCES: Final[dict[str, Source[Any]]] = {
    source.name: source for source in (FEEDBACK, MENTIONS, ORDERS, ACCOUNTS, PEOPLE, TICKETS, SUBSCRIPTIONS, INVITATIONS, USAGE, DEALS, OWNERS)
}
"""The one list of sources, by the name in `/api/v1/in/{source}`."""

__all__ = ["SOURCES", "RowRefused", "Source", "normalise"]


def normalise(kind: str, raw: dict[str, Any], received: datetime) -> tuple[str, dict[str, Any]]:
    """The engine's table and row for one kept row of the source `kind`. Raises RowRefused with one sentence."""
    source = SOURCES.get(kind)
    if source is None:
        raise RowRefused(f"there is no source {kind}")
    return source.table, source.engine_row(source.read(raw, received), received)
