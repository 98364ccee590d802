"""A running collector: its parts, and what they say of themselves to /readyz and /metrics."""

import itertools
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import Any

from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.counters import Counters
from sojourn_collector.exposition import Sample, render
from sojourn_collector.forward.forwarding import Forwarding
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.join.worker import JoinWorker
from sojourn_collector.receive.batches import Batches
from sojourn_collector.several import Several
from sojourn_collector.sources.further import Further
from sojourn_collector.sources.fx import Fx
from sojourn_collector.sources.pulling import Pulling
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.damaged import Damaged
from sojourn_collector.store.damaged_parts import DamagedParts
from sojourn_collector.store.disk_budget import DiskBudget
from sojourn_collector.store.endpoint import Engine
from sojourn_collector.store.erasure.eraser import Eraser
from sojourn_collector.store.erasure.others import Others
from sojourn_collector.store.erasure.tombstones import Tombstones
from sojourn_collector.store.evidence.evidence import Evidence
from sojourn_collector.store.journal import Journal
from sojourn_collector.store.load import Loader
from sojourn_collector.store.turns import Turns
from sojourn_collector.web.slis import Slis


@dataclass(slots=True)
class Collector:
    """The running parts."""

    config: CollectorConfig
    impact: ImpactConfig
    control: Control
    supervisor: Engine
    store: Store
    journal: Journal
    loader: Loader
    batches: Batches
    counters: Counters
    journeys: JourneyFolder
    join: JoinWorker
    rollups: Rollups
    disk: DiskBudget
    forwarding: Forwarding
    slis: Slis
    evidence: Evidence
    context: Context
    further: Further
    fx: Fx
    pulling: Pulling
    eraser: Eraser
    tombstones: Tombstones
    turns: Turns
    token: str
    damaged: Damaged
    parts: DamagedParts
    several: Several | None = None
    """Its part among several collectors on one control database; None when it is alone."""
    others: Others | None = None
    """Its part in their erasures."""
    started: float = field(default_factory=time.time)
    prepared: bool = False
    failing: dict[str, str] = field(default_factory=dict)
    """Background work that failed and is being tried again, with its error."""

    @property
    def node(self) -> int:
        """Its number; 0 when it is alone."""
        return 0 if self.several is None else self.several.node.number

    def report(self) -> dict[str, Any]:
        """What works and what does not."""
        engine = {"state": self.supervisor.state, "reason": self.supervisor.reason, "restarts": self.supervisor.restarts}
        loading = {
            "loaded_seq": self.journal.loaded_seq,
            "last_seq": self.journal.last_seq,
            "waiting_bytes": self.journal.waiting_bytes,
            "trouble": self.loader.trouble,
        }
        joining = {"joined_seq": self.join.joined_seq, "trouble": self.join.problem}
        database = self.control.database
        control = {"kind": "postgresql" if database.shared else "sqlite", "state": "down" if database.trouble else "ready", "trouble": database.trouble}
        ready = self.prepared and self.supervisor.state == "ready" and not (self.loader.trouble or self.failing or database.trouble)
        return {
            "ready": ready,
            "engine": engine,
            "control": control,
            "node": None if self.several is None else self.several.report(),
            "loading": loading,
            "joining": joining,
            "rollups": {"trouble": self.rollups.problem},
            "disk": self.disk.state.report(),
            "journeys": {"problem": self.journeys.problem},
            "evidence": {"pieces": self.evidence.pieces, "bytes": self.evidence.bytes, "trouble": self.evidence.trouble},
            "forward": self.forwarding.report(),
            "feeds": {name: state.error for name, state in self.pulling.states.items() if state.error},
            "failing": dict(self.failing),
            "damaged": self.damaged.sentences(),
        }

    def metrics(self, open_metrics: bool) -> str:
        """Prometheus' page, or OpenMetrics'."""
        return render(itertools.chain(self._samples(), self.counters.samples(), self.forwarding.samples(), self.slis.samples()), open_metrics=open_metrics)

    def _samples(self) -> Iterator[Sample]:
        oldest = self.journal.oldest_received
        for name, value in {
            "sojourn_ready": self.report()["ready"],
            "sojourn_engine_up": self.supervisor.state == "ready",
            "sojourn_control_up": not self.control.database.trouble,
            "sojourn_engine_restarts": self.supervisor.restarts,
            "sojourn_journal_waiting_bytes": self.journal.waiting_bytes,
            "sojourn_journal_limit_bytes": self.config.limits.journal,
            "sojourn_journal_last_seq": self.journal.last_seq,
            "sojourn_journal_loaded_seq": self.journal.loaded_seq,
            "sojourn_join_seq": max(0, self.join.joined_seq),
            "sojourn_ingest_lag_seconds": 0.0 if oldest is None else max(0.0, time.time() - oldest / 1e9),
            "sojourn_evidence_pieces": self.evidence.pieces,
            "sojourn_evidence_bytes": self.evidence.bytes,
            "sojourn_evidence_place_up": not self.evidence.trouble,
            "sojourn_tables_budget_bytes": self.config.keep.disk or 0,
            "sojourn_damaged": len(self.damaged.sentences()),
            "sojourn_data_free_bytes": shutil.disk_usage(self.config.data).free,
            "sojourn_start_time_seconds": self.started,
        }.items():
            yield Sample(name, {}, float(value))
        for source in self.config.sources:
            yield Sample("sojourn_webhook_waiting", {"source": source}, self.further.waiting.get(source, 0))
        for name, state in self.pulling.states.items():
            yield Sample("sojourn_feed_failures", {"source": name}, state.failures)
            if state.answered_at is not None:
                yield Sample("sojourn_feed_answered_timestamp_seconds", {"source": name}, state.answered_at.timestamp())
        if (used := self.disk.state.used) is not None:
            yield Sample("sojourn_tables_bytes", {}, used)
        yield Sample("sojourn_build_info", {"version": version("sojourn")}, 1)
