"""A small shop's data put straight into the engine: probes, customers at the step `pay`, orders, feedback, traces."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn_collector.config import CollectorConfig, ImpactConfig, Windows
from sojourn_collector.context import Context
from sojourn_collector.store.client import Store
from sojourn_probes.journey import Journey
from tests.collector.control_file import open_control

NOW = datetime(2026, 11, 20, 14, 10, tzinfo=UTC)
BROKE = NOW - timedelta(minutes=8)
"""When the payment step broke."""


def minute(count: float) -> timedelta:
    """Minutes as a span of time."""
    return timedelta(minutes=count)


CHECKOUT = Journey.model_validate(
    {
        "id": "checkout",
        "name": "checkout",
        "base_url": "http://shop.example",
        "interval": "60s",
        "goal": {"event": "order_completed", "worth": "62 EUR"},
        "steps": [
            {"id": "cart", "name": "Cart", "http": {"url": "/cart"}, "customers": {"reached": {"page": "/cart"}}},
            {
                "id": "pay",
                "name": "Pay",
                "http": {"method": "POST", "url": "/payments"},
                "customers": {"reached": {"page": "/checkout/pay"}, "done": {"event": "order_completed"}},
            },
        ],
    }
)
NEWSLETTER = Journey.model_validate(
    {"id": "newsletter", "name": "Newsletter", "interval": "60s", "steps": [{"id": "sign", "http": {"url": "http://shop.example/news"}}]}
)


class Folder:
    """Journeys in force."""

    def __init__(self, *journeys: Journey) -> None:
        self._all = {journey.id: journey for journey in journeys}

    def all(self) -> Mapping[str, Journey]:
        """By id."""
        return self._all


class Loaded:
    """Everything is loaded."""

    @property
    def loaded_seq(self) -> int:
        """Far."""
        return 0

    async def wait_beyond(self, seq: int) -> int:
        """At once."""
        return seq + 1


IMPACT = ImpactConfig(windows=Windows(outcome=900.0, abandon=120.0, incident_gap=600.0))


def context_of(store: Store, folder: Path, *, impact: ImpactConfig = IMPACT, now: datetime = NOW, journeys: Folder | None = None) -> Context:
    """A context on a real store and control database, at a fixed time. Close `context.control` afterwards."""
    return Context(
        store=store,
        control=open_control(folder / "control.db"),
        journeys=journeys or Folder(CHECKOUT, NEWSLETTER),
        impact=impact,
        config=CollectorConfig(),
        loader=Loaded(),
        clock=lambda: now,
    )


@dataclass
class Rows:
    """Rows by table, filled by the methods below and inserted at once."""

    runs: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    orders: list[dict[str, Any]] = field(default_factory=list)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    accounts: list[dict[str, Any]] = field(default_factory=list)
    people: list[dict[str, Any]] = field(default_factory=list)
    tickets: list[dict[str, Any]] = field(default_factory=list)
    subscriptions: list[dict[str, Any]] = field(default_factory=list)
    invitations: list[dict[str, Any]] = field(default_factory=list)
    usage: list[dict[str, Any]] = field(default_factory=list)
    deals: list[dict[str, Any]] = field(default_factory=list)
    owners: list[dict[str, Any]] = field(default_factory=list)

    async def store(self, store: Store) -> None:
        """Insert everything."""
        for table, rows in vars(self).items():
            if rows:
                columns = sorted({column for row in rows for column in row})
                by_shape: dict[tuple[str, ...], list[dict[str, Any]]] = {}
                for row in rows:
                    by_shape.setdefault(tuple(column for column in columns if column in row), []).append(row)
                for same in by_shape.values():
                    await store.insert(table, same)

    def probe(self, at: datetime, outcome: str = "passed", *, step_outcome: str = "", location: str = "local", message: str = "", trace: str = "") -> str:
        """One run of our probe through `checkout`; a failure is at `pay`."""
        run_id = str(uuid.uuid4())
        trace = trace or uuid.uuid4().hex
        failed = outcome == "failed"
        common = {"run_id": run_id, "version": 1, "traffic": "synthetic", "journey": "checkout", "location": location, "sample_rate": 1.0}
        self.runs.append(
            {
                **common,
                "started": at,
                "ended": at + timedelta(seconds=2),
                "settled": 1,
                "outcome": outcome,
                "attempts": 1,
                "failure_kind": "status" if failed else "",
                "failure_step": "pay" if failed else "",
                "failure_message": message,
                "trace_ids": [trace],
            }
        )
        for number, step in enumerate(("cart", "pay"), 1):
            own = step_outcome or (outcome if step == "pay" else "passed")
            started = at + timedelta(seconds=number - 1)
            self.steps.append(
                {
                    **common,
                    "step": step,
                    "name": step.title(),
                    "attempt": 1,
                    "number": number,
                    "run_started": at,
                    "started": started,
                    "last_seen": started + timedelta(seconds=1),
                    "outcome": own,
                    "reached": 1,
                    "done": own == "passed",
                    "failure_message": message if own == "failed" else "",
                    "hit_trace_id": trace if own == "failed" else "",
                    "duration_ms": 1000.0,
                }
            )
        return run_id

    def customer(
        self,
        name: str,
        at: datetime,
        *,
        fails: bool = False,
        stopped: bool = False,
        done: bool = False,
        pays: float | None = None,
        cart: float = 60.0,
        settled: bool = True,
        anonymous: bool = False,
        account: str = "",
        trace: str = "",
        device: str = "desktop",
        message: str = "502 from POST /payments",
    ) -> str:
        """One customer's run through `checkout` with an arrival at `pay` at this time; returns the session."""
        session = f"s-{name}-{int(at.timestamp())}"
        person = f"visit:{session}" if anonymous else f"user:{name}"
        run_id = str(uuid.uuid5(uuid.NAMESPACE_URL, session))
        who = {"session_id": session, "person_id": person, "person_kind": "visit" if anonymous else "user", "account_id": account, "device": device}
        severity = (1.0 if stopped else 0.5) if fails else 0.0
        end = "finished" if done else "stopped" if stopped else "gave_up"
        common = {"run_id": run_id, "version": 1, "traffic": "real", "journey": "checkout", "sample_rate": 1.0, "settled": settled, **who}
        begun = at - minute(1)
        self.runs.append(
            {**common, "started": begun, "ended": at + minute(1), "outcome": "passed", "end": end if settled else "trying", "severity": severity, "attempts": 1}
        )
        self.sessions.append(
            {
                "version": 1,
                **who,
                "user_id": "" if anonymous else name,
                "app": "shop",
                "traffic": "real",
                "consent": "granted",
                "browser": "Chrome 156",
                "started": begun,
                "ended": at + minute(2),
                "pages": 3,
                "errors": int(fails),
                "trace_ids": [trace] if trace else [],
                "sample_rate": 1.0,
            }
        )
        hit: dict[str, Any] = {}
        if fails:
            requested = message.startswith("502")
            hit = {
                "failures": [at + timedelta(seconds=2)],
                "failure_kind": "status" if requested else "script",
                "failure_message": message,
                "hit_trace_id": trace,
                "hit_status": 502 if requested else 0,
                "hit_method": "POST" if requested else "",
                "hit_path": "/payments" if requested else "/checkout/pay",
            }
        self.steps.append(
            {
                **common,
                "step": "pay",
                "name": "Pay",
                "attempt": 1,
                "number": 2,
                "run_started": begun,
                "started": at,
                "reached": 1,
                "arrivals": [at],
                "last_seen": at + timedelta(seconds=30),
                "hit": fails,
                "stopped": stopped,
                "recovered": fails and done,
                "done": done,
                "done_at": at + timedelta(seconds=30) if done else 0,
                "severity": severity,
                "outcome": "failed" if stopped else "passed",
                "lcp_ms": 1200.0,
                "cart_value": cart,
                "cart_currency": "EUR",
                **hit,
            }
        )
        if pays is not None:
            self.order(f"o-{session}", at + timedelta(seconds=30), pays, person=person, session=session)
        return session

    def order(self, ident: str, at: datetime, amount: float, *, person: str = "", session: str = "", **more: Any) -> None:
        """One completed order in euros."""
        self.orders.append(
            {
                "source": "api",
                "id": ident,
                "version": 1,
                "ts": at,
                "received": at,
                "amount": amount,
                "currency": "EUR",
                "status": "completed",
                "person_id": person,
                "session_id": session,
                "join": "explicit",
                **more,
            }
        )

    def answer(self, ident: str, at: datetime, value: float, *, person: str = "", session: str = "", comment: str = "", join: str = "explicit") -> None:
        """One CSAT answer on 1–5."""
        self.feedback.append(
            {
                "source": "api",
                "id": ident,
                "version": 1,
                "ts": at,
                "received": at,
                "kind": "csat",
                "value": value,
                "scale_min": 1.0,
                "scale_max": 5.0,
                "higher_is_better": 1,
                "satisfied": value >= 4,
                "comment": comment,
                "person_id": person,
                "session_id": session,
                "join": join,
            }
        )

    def ticket(self, ident: str, at: datetime, *, person: str = "", session: str = "", **more: Any) -> None:
        """One ticket, open unless more is said."""
        self.tickets.append(
            {
                "source": "desk",
                "id": ident,
                "version": 1,
                "ts": at,
                "received": at,
                "updated": at,
                "status": "solved" if "solved_at" in more else "open",
                "person_id": person,
                "session_id": session,
                "run_ids": [str(uuid.uuid5(uuid.NAMESPACE_URL, session))] if session else [],
                "join": "explicit" if session else "unlinked",
                **more,
            }
        )

    def invitation(self, ident: str, at: datetime, *, person: str, session: str = "", **more: Any) -> None:
        """A survey that reached somebody."""
        self.invitations.append(
            {
                "source": "api",
                "id": ident,
                "version": 1,
                "ts": at,
                "received": at,
                "status": "sent",
                "journey": "checkout",
                "person_id": person,
                "session_id": session,
                "join": "explicit",
                **more,
            }
        )

    def span(self, at: datetime, name: str, trace: str, span: str, *, parent: str = "", **more: Any) -> None:
        """One span; ids as hexadecimal digits."""
        self.spans.append(
            {
                "ts": at,
                "accepted": at,
                "duration_ns": 20_000_000,
                "trace_id": bytes.fromhex(trace),
                "span_id": bytes.fromhex(span),
                "parent_id": bytes.fromhex(parent),
                "name": name,
                **more,
            }
        )


def broken_shop(*, usual: bool = True) -> Rows:
    """The step `pay` fails for 41 of 180 people and one anonymous visit of eight; 29 people never got through. Before, one in 100 was hit."""
    rows = Rows()
    for step in range(20):
        rows.probe(BROKE - minute(20 - step))
    for step in range(8):
        rows.probe(BROKE + minute(0.5 + step), "failed", message="502 from POST /payments")
    for number in range(180):
        at = BROKE + timedelta(seconds=2 * number)
        if number < 41:
            stopped = number < 29
            trace = f"{number + 1:032x}"
            account = f"a{number}" if number < 5 else ""
            rows.customer(
                f"u{number}",
                at,
                fails=True,
                stopped=stopped,
                done=not stopped,
                pays=None if stopped else 60.0,
                account=account,
                cart=60.0 + number,
                trace=trace,
            )
        else:
            done = number % 2 == 0
            rows.customer(f"u{number}", at, done=done, pays=60.0 if done else None)
    for number in range(8):
        rows.customer(f"v{number}", BROKE + timedelta(seconds=10 * number), anonymous=True, fails=number == 0, stopped=number == 0)
    if usual:
        for number in range(100):
            at = NOW - timedelta(days=2, seconds=30 * number)
            rows.customer(f"old{number}", at, fails=number == 0, done=number % 2 == 0, pays=60.0 if number % 2 == 0 else None)
    return rows
