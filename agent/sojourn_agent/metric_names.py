"""Every metric the agent shows at `/metrics`: the one list, name to labels and meaning. These names are an API; docs/metrics.md is made from it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

from sojourn_agent.rum.counts import IntakeCounts
from sojourn_agent.spool import SpoolCounts


@dataclass(frozen=True, slots=True)
class Metric:
    """What a metric says, and by which labels. A name that ends in `_total` is a counter from the agent's start, any other a gauge."""

    help: str
    labels: tuple[str, ...] = ()


_SPOOL: Final[Mapping[str, str]] = {
    "appended": "Batches put into the spool.",
    "refused": "Batches the spool did not take, because the disk did not.",
    "dropped_for_room": "Batches dropped unsent because the spool was full; counted once for each destination.",
    "dropped_for_age": "Batches dropped unsent because they were too old; counted once for each destination.",
    "damaged": "Batches that were damaged on the disk and passed over.",
    "cut_bytes": "Bytes of unfinished batches cut off at the start.",
}
_BEACONS: Final[Mapping[str, str]] = {
    "accepted": "Beacons taken.",
    "repeated": "Beacons that came again and were taken before.",
    "bots": "Beacons of bots, left out.",
    "synthetic": "Beacons with a probe's verified mark.",
    "invalid_marks": "Beacons with a probe's mark that proves nothing.",
    "refused_malformed": "Beacons refused: malformed.",
    "refused_origin": "Beacons refused: from a page whose origin is not allowed.",
    "refused_size": "Beacons refused: too large.",
    "refused_rate": "Beacons refused: too many.",
    "refused_slow": "Beacons refused: too slow to arrive.",
    "refused_spool": "Beacons refused: the spool took nothing.",
    "items": "Parts of accepted beacons that became spans and events.",
    "items_dropped": "Parts of accepted beacons that were left out.",
    "texts_cut": "Texts that were cut because they were too long.",
    "times_clamped": "Times that were moved into the window around arrival.",
    "clocks_corrected": "Beacons whose clock was put right.",
    "ids_withheld": "Ids left out for want of consent.",
}
_BY_DESTINATION: Final = ("destination",)

ALL: Final[Mapping[str, Metric]] = {
    "sojourn_agent_runs_total": Metric("Runs walked, by journey and outcome.", ("journey", "outcome")),
    "sojourn_agent_runs_lost_total": Metric("Runs whose result was lost because the spool took nothing."),
    "sojourn_agent_runs_missed_total": Metric("Runs that were due and never begun, because their time had passed before there was room for them."),
    "sojourn_agent_runs_crashed_total": Metric("Runs that ended in a fault of the agent's own; the log has them."),
    "sojourn_agent_runs_going_on": Metric("Runs that go on now."),
    "sojourn_agent_scheduler_lag_seconds": Metric("How late the newest run began."),
    "sojourn_agent_loop_lag_seconds": Metric("How late the event loop was in the last 15 s."),
    "sojourn_agent_cpu_ratio": Metric("Share of the host's CPU in use, 0 to 1."),
    "sojourn_agent_resident_memory_bytes": Metric("Memory the agent holds."),
    "sojourn_agent_spool_bytes": Metric("Bytes in the spool."),
    "sojourn_agent_spool_oldest_seconds": Metric("Age of the oldest batch in the spool."),
    **{f"sojourn_agent_spool_{one.name}_total": Metric(_SPOOL[one.name]) for one in fields(SpoolCounts)},
    "sojourn_agent_batches_waiting": Metric("Batches that wait for a destination.", _BY_DESTINATION),
    "sojourn_agent_batches_delivered_total": Metric("Batches a destination has taken.", _BY_DESTINATION),
    "sojourn_agent_batches_dead_total": Metric("Batches a destination refused for good; see sojourn-agent dead-letters.", _BY_DESTINATION),
    "sojourn_agent_send_tries_total": Metric("Requests made to a destination.", _BY_DESTINATION),
    "sojourn_agent_items_refused_total": Metric("Items a destination refused by partial success.", _BY_DESTINATION),
    "sojourn_agent_destination_alarm": Metric("1 while a destination refuses for a reason a person must mend.", _BY_DESTINATION),
    "sojourn_agent_evidence_waiting": Metric("Pieces of evidence that wait for a destination.", _BY_DESTINATION),
    "sojourn_agent_evidence_delivered_total": Metric("Pieces of evidence a destination has taken.", _BY_DESTINATION),
    "sojourn_agent_evidence_dead_total": Metric("Pieces of evidence a destination refused for good.", _BY_DESTINATION),
    "sojourn_agent_evidence_dropped_total": Metric("Pieces of evidence that were removed from this host before a destination had them.", _BY_DESTINATION),
    "sojourn_agent_evidence_tries_total": Metric("Requests made to a destination to bring evidence.", _BY_DESTINATION),
    "sojourn_agent_evidence_alarm": Metric("1 while a destination refuses evidence for a reason a person must mend.", _BY_DESTINATION),
    **{f"sojourn_agent_beacons_{one.name}_total": Metric(_BEACONS[one.name]) for one in fields(IntakeCounts)},
    "sojourn_agent_journey_problems": Metric("Journey files that are bad now; the last good ones are walked on."),
}
