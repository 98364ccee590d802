"""How long each table keeps its rows: the periods of collector.yaml become the tables' TTL, at every start and only where they differ."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sojourn_collector.keep_config import Keep
from sojourn_collector.store.client import Store
from sojourn_collector.store.layout import LOCAL

log = logging.getLogger("sojourn.keep")

GRACE = 1
"""Days a row of the raw tables outlives `keep.raw`: what arrives late is moved to the edge of 30 days, and must not be gone at once."""


@dataclass(frozen=True, slots=True)
class Rule:
    """From which moment on a table counts, and how many days; None = for ever."""

    since: str
    days: Callable[[Keep], int | None]


_RAW = Rule("toDateTime(ts)", lambda keep: keep.raw + GRACE)

RULES: Mapping[str, Rule] = {
    "spans": _RAW,
    "events": _RAW,
    "metrics": _RAW,
    "trace_times": Rule("toDateTime(day)", lambda keep: keep.raw + GRACE + 1),
    "failed_traces": Rule("toDateTime(day)", lambda keep: keep.raw + GRACE + 1),
    "sessions": Rule("toDateTime(started)", lambda keep: keep.runs),
    "runs": Rule("toDateTime(started)", lambda keep: keep.runs),
    "steps": Rule("toDateTime(run_started)", lambda keep: keep.runs),
    "spans_1m": Rule("t", lambda keep: keep.rollups),
    "feedback": Rule("toDateTime(ts)", lambda keep: keep.feedback),
    "invitations": Rule("toDateTime(ts)", lambda keep: keep.feedback),
    "tickets": Rule("toDateTime(ts)", lambda keep: keep.feedback),
    "usage": Rule("toDateTime(ts)", lambda keep: keep.runs),
}
"""Every table with one period. Orders, subscriptions, deals, accounts, owners and people are kept until they are taken back."""

BY_GRAIN = ("run_sums", "step_sums")
"""Tables that keep their hours as long as runs and their days as long as rollups."""

TTL = re.compile(r" TTL (.*?)(?: SETTINGS |$)", re.DOTALL)


def wanted(keep: Keep) -> dict[str, str]:
    """The TTL of each table as the engine writes it; empty for none."""
    found = {}
    for table, rule in RULES.items():
        days = rule.days(keep)
        found[table] = "" if days is None else f"{rule.since} + toIntervalDay({days})"
    return found | dict.fromkeys(BY_GRAIN, f"t + toIntervalDay(if(every = 'hour', {keep.runs}, {keep.rollups}))")


async def apply_keep(store: Store, keep: Keep) -> list[str]:
    """Give every table its TTL, on a cluster the one on every shard; returns a sentence for each that had another. Raises EngineUnavailable, StatementFailed.

    Cheap also on large tables: of parts that are there only their times of expiry are written anew, in the background.
    """
    there = {row["name"].removesuffix(LOCAL): ttl_of(row["engine_full"]) for row in await store.query("table_engines")}
    changed = []
    for table, ttl in wanted(keep).items():
        if table not in there or there[table] == ttl:
            continue
        if ttl:
            await store.statement(f"ALTER TABLE {table} MODIFY SETTING materialize_ttl_recalculate_only = 1")
            await store.statement(f"ALTER TABLE {table} MODIFY TTL {ttl} SETTINGS materialize_ttl_after_modify = 0")
            # A part carries the times of the TTL it was written under: without this, data kept longer from now on would still go at the old time.
            await store.statement(f"ALTER TABLE {table} MATERIALIZE TTL SETTINGS mutations_sync = 0")
        else:
            await store.statement(f"ALTER TABLE {table} REMOVE TTL SETTINGS materialize_ttl_after_modify = 0")
        changed.append(f"{table} keeps its rows by {ttl or 'no limit'}, before by {there[table] or 'no limit'}")
        log.info("%s", changed[-1])
    return changed


def ttl_of(engine_full: str) -> str:
    """The TTL in a table's engine clause, in one spelling; empty when it has none."""
    found = TTL.search(engine_full)
    if found is None:
        return ""
    return re.sub(r"toIntervalYear\((\d+)\)", lambda year: f"toIntervalDay({int(year[1]) * 365})", found[1].strip().replace("\\'", "'"))
