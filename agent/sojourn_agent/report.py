"""What the agent says about itself: health, metrics and its newest runs, put together from its parts when asked."""

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from sojourn_agent.admin import Sample, Status
from sojourn_agent.config import AgentConfig
from sojourn_agent.evidence_sender import EvidenceSender
from sojourn_agent.host import HostWatch
from sojourn_agent.journeys import JourneyFolder
from sojourn_agent.scheduler import Scheduler
from sojourn_agent.sender import Sender
from sojourn_agent.spool import Spool
from sojourn_agent.walker import Walker


@dataclass(slots=True)
class Report:
    """Reads the parts; changes none. `intake` gives the counters of the beacon intake, None when there is none."""

    config: AgentConfig
    version: str
    folder: JourneyFolder
    spool: Spool
    senders: list[Sender]
    evidence: list[EvidenceSender]
    walker: Walker
    scheduler: Scheduler
    host: HostWatch
    intake: Callable[[], dict[str, int]] | None
    started: float = field(default_factory=time.time)

    def status(self) -> Status:
        """For the admin listener."""
        return Status(self.health, lambda: True, self.metrics, lambda: list(reversed(self.walker.newest)))

    def health(self) -> dict[str, Any]:
        """The body of /healthz. `alarms` need a person; without any the status is `ok`."""
        alarms = list(self._alarms())
        return {
            "status": "alarm" if alarms else "ok",
            "alarms": alarms,
            "version": self.version,
            "location": self.config.location,
            "up_seconds": round(time.time() - self.started, 1),
            "journeys": {"walked": [journey.id for journey in self.scheduler.journeys], "problems": list(self.folder.problems.values())},
            "destinations": {sender.name: self._destination(sender) for sender in self.senders},
            "evidence": {sender.name: self._evidence(sender) for sender in self.evidence},
            "spool": {"bytes": self.spool.size, "oldest_seconds": round(self.spool.oldest_age, 1), **asdict(self.spool.counts)},
        }

    def metrics(self) -> Iterator[Sample]:
        """The samples of /metrics."""
        for (journey, outcome), count in sorted(self.walker.outcomes.items()):
            yield "sojourn_agent_runs_total", {"journey": journey, "outcome": outcome}, count
        yield "sojourn_agent_runs_lost_total", {}, self.walker.lost
        yield "sojourn_agent_runs_missed_total", {}, self.scheduler.missed
        yield "sojourn_agent_runs_crashed_total", {}, self.scheduler.crashed
        yield "sojourn_agent_runs_going_on", {}, self.scheduler.running
        yield "sojourn_agent_scheduler_lag_seconds", {}, self.scheduler.lag
        yield "sojourn_agent_loop_lag_seconds", {}, self.host.strain(time.monotonic() - 15).loop_lag
        yield "sojourn_agent_cpu_ratio", {}, self.host.cpu
        yield "sojourn_agent_resident_memory_bytes", {}, self.host.rss
        yield "sojourn_agent_spool_bytes", {}, self.spool.size
        yield "sojourn_agent_spool_oldest_seconds", {}, self.spool.oldest_age
        for name, count in asdict(self.spool.counts).items():
            yield f"sojourn_agent_spool_{name}_total", {}, count
        for sender in self.senders:
            yield from self._sender_samples(sender)
        for taker in self.evidence:
            yield from self._evidence_samples(taker)
        for name, count in self.intake().items() if self.intake else ():
            yield f"sojourn_agent_beacons_{name}_total", {}, count
        yield "sojourn_agent_journey_problems", {}, len(self.folder.problems)

    def _sender_samples(self, sender: Sender) -> Iterator[Sample]:
        labels = {"destination": sender.name}
        yield "sojourn_agent_batches_waiting", labels, self.spool.waiting(sender.name)
        yield "sojourn_agent_batches_delivered_total", labels, sender.state.delivered
        yield "sojourn_agent_batches_dead_total", labels, sender.state.dead
        yield "sojourn_agent_send_tries_total", labels, sender.state.tries
        yield "sojourn_agent_items_refused_total", labels, sender.state.refused_items
        yield "sojourn_agent_destination_alarm", labels, bool(sender.state.alarm)

    def _evidence_samples(self, sender: EvidenceSender) -> Iterator[Sample]:
        labels = {"destination": sender.name}
        yield "sojourn_agent_evidence_waiting", labels, sender.outbox.waiting(sender.name)
        yield "sojourn_agent_evidence_delivered_total", labels, sender.state.delivered
        yield "sojourn_agent_evidence_dead_total", labels, sender.state.dead
        yield "sojourn_agent_evidence_dropped_total", labels, sender.outbox.dropped[sender.name]
        yield "sojourn_agent_evidence_tries_total", labels, sender.state.tries
        yield "sojourn_agent_evidence_alarm", labels, bool(sender.state.alarm)

    def _evidence(self, sender: EvidenceSender) -> dict[str, Any]:
        return {
            "waiting": sender.outbox.waiting(sender.name),
            "delivered": sender.state.delivered,
            "refused": sender.state.dead,
            "dropped": sender.outbox.dropped[sender.name],
            "trouble": sender.state.trouble or None,
            "alarm": sender.state.alarm or None,
        }

    def _destination(self, sender: Sender) -> dict[str, Any]:
        state = sender.state
        return {
            "url": sender.url,
            "waiting": self.spool.waiting(sender.name),
            "delivered": state.delivered,
            "dead_letters": state.dead,
            "trouble": state.trouble or None,
            "alarm": state.alarm or None,
            "seconds_since_delivery": None if state.delivered_at is None else round(time.time() - state.delivered_at, 1),
        }

    def _alarms(self) -> Iterator[str]:
        for sender in self.senders:
            if sender.state.alarm:
                yield f"{sender.name}: {sender.state.alarm}"
            if sender.state.dead:
                yield f"{sender.name} refused {sender.state.dead} batches for good; see sojourn-agent dead-letters"
        for taker in self.evidence:
            if taker.state.alarm:
                yield f"{taker.name}: {taker.state.alarm}"
            if taker.state.dead:
                yield f"{taker.name} refused {taker.state.dead} pieces of evidence for good; they stay on this host, the log says why"
            if taker.outbox.dropped[taker.name]:
                yield f"{taker.outbox.dropped[taker.name]} pieces of evidence were removed here before {taker.name} had them; raise evidence: max_bytes"
        yield from self.folder.problems.values()
        counts = self.spool.counts
        if counts.dropped_for_room or counts.dropped_for_age:
            yield f"the spool dropped {counts.dropped_for_room} batches for room and {counts.dropped_for_age} for age; a destination was out of reach too long"
        if counts.damaged:
            yield f"{counts.damaged} batches in the spool were damaged and passed over; look at the disk"
        if self.walker.lost:
            yield f"{self.walker.lost} results of runs were lost because the spool took nothing; look at the disk under {self.config.data}"
        if self.scheduler.crashed:
            yield f"{self.scheduler.crashed} runs ended in a fault of the agent's own; the log has them"
