"""The one list of places where something about a person may be kept. A new place adds itself here; its protocol is in `place.py`."""

from collections.abc import Sequence
from pathlib import Path

from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.control.said import Reading
from sojourn_collector.store.erasure.damaged import DamagedPlace
from sojourn_collector.store.erasure.evidence import EvidencePlace
from sojourn_collector.store.erasure.inbox import InboxPlace
from sojourn_collector.store.erasure.letters import LettersPlace
from sojourn_collector.store.erasure.place import Place
from sojourn_collector.store.erasure.tables import Tables
from sojourn_collector.store.evidence.evidence import Evidence


def places(data: Path, store: Store, control: Control, evidence: Evidence, more: Sequence[Place] = (), reading: Reading | None = None) -> tuple[Place, ...]:
    """Every place of one data folder, in the order in which an erasure goes through them.

    `more` are those that the store does not know of; `reading` reads events of vendors in the inbox.
    """
    return (
        Tables(store),
        InboxPlace(control.inbox, store.tenant, reading),
        EvidencePlace(evidence, store.tenant),
        LettersPlace(control.dead_letters, data / "dead-letters", store.tenant),
        DamagedPlace(data),
        *more,
    )
