"""The one list of places where something about a person may be kept. A new place adds itself here; its protocol is in `place.py`."""

from pathlib import Path

from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.erasure.inbox import InboxPlace
from sojourn_collector.store.erasure.letters import LettersPlace
from sojourn_collector.store.erasure.place import Place
from sojourn_collector.store.erasure.tables import Tables


def places(data: Path, store: Store, control: Control) -> tuple[Place, ...]:
    """Every place of one data folder, in the order in which an erasure goes through them: what others are made from comes last."""
    return (
        Tables(store),
        InboxPlace(control.inbox, store.tenant),
        LettersPlace(control.dead_letters, data / "dead-letters", store.tenant),
    )
