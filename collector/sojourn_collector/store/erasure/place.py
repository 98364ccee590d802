"""What a place is where something about a person may be kept. The one list is made in `places.py`."""

from collections.abc import AsyncIterator
from typing import Any, Protocol

from sojourn_collector.store.erasure.subject import Names, Orders


class Place(Protocol):
    """One place: tables, inbox, dead letters, evidence. Everything it does may be done twice; what is gone is not counted again."""

    @property
    def name(self) -> str:
        """As the state of an erasure calls it."""
        ...

    async def count(self, names: Names) -> dict[str, int]:
        """How much of the subject lies here, by kind of thing; changes nothing."""
        ...

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        """Take it out, for good and from the disk; how much it was. `orders` says what becomes of orders."""
        ...

    def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """All of it, as rows a person can read, each with the name of its kind; for a copy to that person."""
        ...
