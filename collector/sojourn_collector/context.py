"""What the collector's parts are given: built once in `app.py`, handed to the routers."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Protocol

from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.sources.base import Secrets
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.evidence.links import EvidenceLinks

if TYPE_CHECKING:
    from sojourn_collector.sources.configured import Configured
    from sojourn_collector.sources.signed_rows import RowSecrets
    from sojourn_collector.web.answers.remembered import ProblemMemory
    from sojourn_probes.journey import Journey


class Journeys(Protocol):
    """The journeys in force."""

    def all(self) -> "Mapping[str, Journey]":
        """By id."""
        ...


class LoadProgress(Protocol):
    """How far the accepted requests are in the tables."""

    @property
    def loaded_seq(self) -> int:
        """Highest sequence number up to which every journal file is loaded."""
        ...

    async def wait_beyond(self, seq: int) -> int:
        """Wait until `loaded_seq` exceeds `seq`; returns it."""
        ...


def now() -> datetime:
    """The wall clock, in UTC."""
    return datetime.now(UTC)


def _no_rates(_currency: str, _day: date) -> None:
    """Without a file of rates nothing is converted."""


@dataclass(frozen=True, slots=True)
class Context:
    """The parts a router or a worker may use.

    `clock` is the only wall clock they read; `secrets` is what rows of sources are kept under, `webhooks` maps names of sources to vendors.
    """

    store: Store
    control: Control
    journeys: Journeys
    impact: ImpactConfig
    config: CollectorConfig
    loader: LoadProgress
    clock: Callable[[], datetime] = now
    secrets: Secrets = field(default_factory=Secrets, repr=False)
    evidence_links: EvidenceLinks | None = None
    problems: "ProblemMemory | None" = None
    """Where it is None, every problem is worked out each time."""
    webhooks: "Mapping[str, Configured]" = field(default_factory=dict)
    signed: "RowSecrets" = field(default_factory=dict, repr=False)
    """Secrets of rows that come signed, by source."""
    exchange: Callable[[str, date], float | None] = _no_rates
    """What one unit of a currency was worth in the report's on a day; None where that is not known."""
