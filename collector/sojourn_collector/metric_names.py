"""Every metric the collector shows at `/metrics`: the one list. These names are an API; docs/metrics.md, rules and dashboard are held to it by tests.

A counter's name here has no `_total`; the exposition adds it. Counters begin at 0 when the process does, as Prometheus' `rate` and `increase` expect.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["counter", "gauge", "histogram"]
Part = Literal["receive", "store", "engine", "evidence", "forward", "metrics", "journeys", "sources"]

SIGNALS: Final = ("traces", "logs", "metrics")
OUTCOMES: Final = ("passed", "degraded", "failed", "inconclusive", "skipped")
DURATIONS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 900.0, 1800.0)
"""Upper edges in seconds of every histogram of durations."""


@dataclass(frozen=True, slots=True)
class Family:
    """A metric: what it counts or shows, and by which labels. `starts` are label sets that exist from the start, so that the first count is an increase."""

    name: str
    kind: Kind
    part: Part
    help: str
    labels: tuple[str, ...] = ()
    starts: tuple[Mapping[str, str], ...] = ()

    @property
    def shown(self) -> str:
        """The name as a query writes it; of a histogram, its base."""
        return f"{self.name}_total" if self.kind == "counter" else self.name

    @property
    def series(self) -> tuple[str, ...]:
        """Every name of a series this family has."""
        return tuple(f"{self.name}_{end}" for end in ("bucket", "sum", "count")) if self.kind == "histogram" else (self.shown,)


_BY_SIGNAL: Final = tuple({"signal": signal} for signal in SIGNALS)
_WHERE: Final = ("journey", "traffic", "location")

ALL: Final = (
    # --- Receiving
    Family("sojourn_requests", "counter", "receive", "Requests answered by the OTLP listener, by path and status.", ("path", "status")),
    Family("sojourn_accepted", "counter", "receive", "Items accepted and on disk, by signal.", ("signal",), _BY_SIGNAL),
    Family("sojourn_rejected", "counter", "receive", "Items refused, by signal and reason.", ("signal", "reason")),
    Family("sojourn_moved_times", "counter", "receive", "Items whose time lay outside the window around acceptance, by signal.", ("signal",), _BY_SIGNAL),
    Family("sojourn_repeats", "counter", "receive", "Batches that came again and were stored before, by path.", ("path",)),
    Family(
        "sojourn_circles",
        "counter",
        "receive",
        "Batches that this collector had forwarded itself and that came back to it; nothing of them is stored.",
        (),
        ({},),
    ),
    # --- Journal and tables
    Family("sojourn_loaded", "counter", "store", "Rows loaded into the tables, by signal.", ("signal",), _BY_SIGNAL),
    Family("sojourn_load_retries", "counter", "store", "Loads that had to be tried again, by reason.", ("reason",)),
    Family("sojourn_load_mismatch", "counter", "store", "Journal files whose rows in the tables did not add up; look into the log.", (), ({},)),
    Family("sojourn_forgotten", "counter", "store", "Rows of erased people that came late and were taken out again, by signal.", ("signal",), _BY_SIGNAL),
    Family("sojourn_dead_letters", "counter", "store", "Batches that could not be loaded and were put aside, by signal.", ("signal",), _BY_SIGNAL),
    Family("sojourn_journal_waiting_bytes", "gauge", "store", "Accepted bytes not yet in the tables."),
    Family("sojourn_journal_limit_bytes", "gauge", "store", "Bytes that may wait; beyond it senders get 503 (limits.journal)."),
    Family("sojourn_journal_last_seq", "gauge", "store", "Newest journal file."),
    Family("sojourn_journal_loaded_seq", "gauge", "store", "Newest journal file up to which everything is in the tables."),
    Family("sojourn_join_seq", "gauge", "store", "Newest journal file up to which everything is joined to sessions and runs."),
    Family("sojourn_ingest_lag_seconds", "gauge", "store", "Age of the oldest accepted request that is not yet in the tables; 0 when none waits."),
    Family("sojourn_tables_bytes", "gauge", "store", "Bytes the tables take; absent on a cluster."),
    Family("sojourn_tables_budget_bytes", "gauge", "store", "Bytes they may take (keep.disk); 0 is no limit."),
    Family(
        "sojourn_raw_days_dropped",
        "counter",
        "store",
        "Days of raw data dropped for want of room, by table.",
        ("table",),
        tuple({"table": table} for table in ("spans", "events", "metrics")),
    ),
    Family("sojourn_data_free_bytes", "gauge", "store", "Free bytes on the disk of the data folder."),
    Family("sojourn_damaged", "gauge", "store", "Things found damaged on disk and put aside; /readyz says what, until somebody takes them from data/damaged."),
    # --- Engine and process
    Family("sojourn_ready", "gauge", "engine", "1 while engine, loading and joining work, as /readyz says."),
    Family("sojourn_engine_up", "gauge", "engine", "1 while the engine answers."),
    Family("sojourn_engine_restarts", "counter", "engine", "How often the engine was restarted, or a ClickHouse server left for another.", (), ({},)),
    Family("sojourn_start_time_seconds", "gauge", "engine", "When the collector started, in seconds since 1970."),
    Family("sojourn_build_info", "gauge", "engine", "1; the version is a label.", ("version",)),
    Family("sojourn_control_up", "gauge", "engine", "1 while the control database answers."),
    # --- Evidence
    Family("sojourn_evidence", "counter", "evidence", "Pieces of evidence that came, by what became of them.", ("became",)),
    Family("sojourn_evidence_removed", "counter", "evidence", "Pieces of evidence that were removed, by reason: age, room, erased.", ("why",)),
    Family("sojourn_evidence_pieces", "gauge", "evidence", "Pieces of evidence that are kept."),
    Family("sojourn_evidence_bytes", "gauge", "evidence", "Bytes of all contents of evidence."),
    Family("sojourn_evidence_place_up", "gauge", "evidence", "1 while the folder or bucket of evidence can be used."),
    # --- Forwarding
    Family("sojourn_forward_delivered_items", "counter", "forward", "Items a destination has taken.", ("destination", "signal")),
    Family("sojourn_forward_filtered_items", "counter", "forward", "Items that `only:` keeps from a destination.", ("destination", "signal")),
    Family("sojourn_forward_refused_items", "counter", "forward", "Items a destination refused by partial success.", ("destination", "signal")),
    Family("sojourn_forward_set_aside", "counter", "forward", "Batches a destination refused for good, put into its folder aside/.", ("destination", "signal")),
    Family(
        "sojourn_forward_dropped_items",
        "counter",
        "forward",
        "Items dropped unsent, by reason: bytes (max_bytes), age (max_age), disk (the disk was nearly full), damaged, folder (its folder does not take files).",
        ("destination", "reason"),
    ),
    Family("sojourn_forward_tries", "counter", "forward", "Requests made to a destination.", ("destination",)),
    Family("sojourn_forward_waiting_bytes", "gauge", "forward", "Bytes that wait for a destination, those set aside included.", ("destination",)),
    Family("sojourn_forward_waiting_files", "gauge", "forward", "Journal files that wait for a destination.", ("destination",)),
    Family("sojourn_forward_oldest_seconds", "gauge", "forward", "Age of the oldest file that waits for a destination; 0 when none does.", ("destination",)),
    Family(
        "sojourn_forward_held",
        "gauge",
        "forward",
        "1 while a destination refuses for a reason a person must mend: key, path, TLS, a redirect.",
        ("destination",),
    ),
    Family("sojourn_forward_trouble", "gauge", "forward", "1 while a destination is out of reach or busy; it passes by itself.", ("destination",)),
    # --- Vendors
    Family(
        "sojourn_webhook_events",
        "counter",
        "sources",
        "Events of vendors: accepted, seen before, refused. Refused deliveries count as one.",
        ("source", "outcome"),
    ),
    Family("sojourn_webhook_waiting", "gauge", "sources", "Events that wait for a further answer of the vendor's.", ("source",)),
    Family("sojourn_feed_pulls", "counter", "sources", "Times a feed was asked: answered, failed.", ("source", "outcome")),
    Family("sojourn_feed_entries", "counter", "sources", "Entries of feeds: fresh, seen before.", ("source", "outcome")),
    Family("sojourn_feed_failures", "gauge", "sources", "Times in a row that a feed gave no answer that could be taken.", ("source",)),
    Family("sojourn_feed_answered_timestamp_seconds", "gauge", "sources", "When a feed was last asked with success.", ("source",)),
    # --- These metrics themselves
    Family("sojourn_slis_refreshed_timestamp_seconds", "gauge", "metrics", "When customers, impact and sources below were last worked out."),
    Family("sojourn_slis_refresh_errors", "counter", "metrics", "Times they, or the alarms among them, could not be worked out.", (), ({},)),
    # --- Journeys
    Family(
        "sojourn_journey_runs",
        "counter",
        "journeys",
        "Runs, once each when they are over. Outcome of real ones: failed = the last try at a needed step failed, degraded = trouble on the way. "
        "Real runs have no location.",
        (*_WHERE, "outcome"),
    ),
    Family(
        "sojourn_journey_ends",
        "counter",
        "journeys",
        "Customers' runs by how they ended: finished, gave_up, stopped (by a failure).",
        ("journey", "end"),
    ),
    Family(
        "sojourn_journey_run_duration_seconds",
        "histogram",
        "journeys",
        "How long runs took that passed or were degraded. Real ones include the time customers read and type.",
        _WHERE,
    ),
    Family("sojourn_journey_steps", "counter", "journeys", "Steps walked, every attempt, by outcome.", ("journey", "traffic", "step", "outcome")),
    Family(
        "sojourn_journey_step_duration_seconds",
        "histogram",
        "journeys",
        "How long steps took that passed or were degraded; of customers the time to the largest paint, else to the load, of those that measured one.",
        ("journey", "traffic", "step"),
    ),
    Family("sojourn_journey_last_run_timestamp_seconds", "gauge", "journeys", "When the newest run that says something of the journey began.", _WHERE),
    Family("sojourn_journey_last_good_timestamp_seconds", "gauge", "journeys", "When the newest run that passed or was degraded began.", _WHERE),
    Family(
        "sojourn_journey_patience_seconds",
        "gauge",
        "journeys",
        "How long a location may be silent about a journey before it is not known how things are there.",
        ("journey", "location"),
    ),
    Family(
        "sojourn_journey_certificate_expiry_timestamp_seconds",
        "gauge",
        "journeys",
        "When the first certificate on a step's way runs out; known of steps that expect something of `tls.expires_in`.",
        ("journey", "step"),
    ),
    Family("sojourn_journey_customers_reached", "gauge", "journeys", "People who tried the journey in the last hour.", ("journey",)),
    Family("sojourn_journey_customers_hit", "gauge", "journeys", "People of them who met a technical failure.", ("journey",)),
    Family(
        "sojourn_journey_visits_reached",
        "gauge",
        "journeys",
        "Anonymous visits that tried it in the last hour; they are counted apart from people.",
        ("journey",),
    ),
    Family("sojourn_journey_visits_hit", "gauge", "journeys", "Anonymous visits of them that met a technical failure.", ("journey",)),
    Family(
        "sojourn_journey_alarm_people",
        "gauge",
        "journeys",
        "People and visits newly hit since more than usual began to be, while that is an alarm worth waking for; absent where too little of a past is known.",
        ("journey",),
    ),
    Family(
        "sojourn_journey_impact_score",
        "gauge",
        "journeys",
        "Customer impact 0 to 100 (0 = nobody hurt) of the last 24 h; absent while not measured.",
        ("journey",),
    ),
    Family("sojourn_journey_impact_low", "gauge", "journeys", "Lower end of its 95 % interval.", ("journey",)),
    Family(
        "sojourn_journey_visit_impact_score",
        "gauge",
        "journeys",
        "The same per visit: of visits without identity, which are not people, or of all visits where sessions are sampled; absent while not measured.",
        ("journey",),
    ),
    Family("sojourn_journey_visit_impact_low", "gauge", "journeys", "Lower end of its 95 % interval.", ("journey",)),
    Family("sojourn_journey_visit_impact_high", "gauge", "journeys", "Upper end of its 95 % interval.", ("journey",)),
    Family("sojourn_impact_config_info", "gauge", "journeys", "1 for the version of impact.yaml that impact is worked out by.", ("version",)),
    Family("sojourn_journey_impact_high", "gauge", "journeys", "Upper end of its 95 % interval.", ("journey",)),
    # --- Where data comes from
    Family("sojourn_source_last_seen_timestamp_seconds", "gauge", "sources", "When a source of data was last heard of.", ("source",)),
    Family("sojourn_agent_last_seen_timestamp_seconds", "gauge", "sources", "When an agent last spoke of itself, by its location.", ("location",)),
)

FAMILIES: Final[Mapping[str, Family]] = {family.name: family for family in ALL}
PARTS: Final[Mapping[Part, str]] = {
    "receive": "Receiving",
    "store": "Journal, tables, join",
    "engine": "Engine and process",
    "evidence": "Evidence",
    "forward": "Forwarding",
    "journeys": "Journeys",
    "sources": "Where data comes from",
    "metrics": "These metrics themselves",
}
"""Titles of the parts, in the order of the docs."""
