"""The control database: keys, the ledger of accepted batches, the inbox of sources, watermarks and progress."""

from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.inbox import Arrival, InboxRow
from sojourn_collector.store.control.keys import Key, NewKey, Scope
from sojourn_collector.store.control.ledger import LedgerRow

__all__ = ["Arrival", "Control", "InboxRow", "Key", "LedgerRow", "NewKey", "Scope"]
