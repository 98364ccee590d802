"""Which journal files there are to join: those of this collector, and with several those of all."""

from typing import Protocol

from sojourn_collector.store.control.nodes import Nodes


class LoadProgress(Protocol):
    """How far the accepted requests are in the tables."""

    @property
    def loaded_seq(self) -> int:
        """Highest sequence number up to which everything is loaded."""
        ...

    async def wait_beyond(self, seq: int) -> int:
        """Wait until `loaded_seq` exceeds `seq`; returns it."""
        ...


class Ranges(Protocol):
    """How far each node's journal is in the tables."""

    @property
    def own(self) -> int:
        """This collector's node."""
        ...

    async def loaded(self) -> dict[int, int]:
        """By node: the highest sequence number up to which everything is loaded. Raises ControlUnavailableError."""
        ...


class SoleRange:
    """One collector alone, node 0."""

    own = 0

    def __init__(self, loader: LoadProgress) -> None:
        self._loader = loader

    async def loaded(self) -> dict[int, int]:
        """Its own."""
        return {0: self._loader.loaded_seq}


class AllNodes:
    """Every node of the control database, those that are gone too: what they loaded is to be joined."""

    def __init__(self, nodes: Nodes, own: int, loader: LoadProgress) -> None:
        self._nodes = nodes
        self.own = own
        self._loader = loader

    async def loaded(self) -> dict[int, int]:
        """As published by each, our own as it is."""
        return {row.number: row.loaded_seq for row in await self._nodes.list()} | {self.own: self._loader.loaded_seq}


def progress_name(node: int) -> str:
    """Under which name it is kept how far a node's files are joined."""
    return f"joined_seq:{node}" if node else "joined_seq"
