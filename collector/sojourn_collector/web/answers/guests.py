"""Who came to the failing step: one record per person (or anonymous visit) from the rows of their runs."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sojourn_collector.score.customer_impact import Body, Moments, Trying, Unit, moments
from sojourn_collector.score.severities import BLOCKED, RECOVERED, SLOW, Severities
from sojourn_collector.web.answers.usual import Usual
from sojourn_collector.web.models import People


@dataclass(frozen=True, slots=True)
class Guest:
    """One person or anonymous visit at the step within the incident. Times are milliseconds since the epoch.

    `settled` = nothing more is to be expected of any of their runs; `severity` = the mark of the worst they met; `row` = the run's row in which they were
    first hit, else their first.
    """

    id: str
    kind: str
    arrivals: tuple[int, ...]
    failures: tuple[int, ...]
    recovered: bool
    stopped: bool
    slow: bool
    done: bool
    settled: bool
    severity: float
    sample_rate: float
    sessions: tuple[str, ...]
    row: dict[str, Any]

    @property
    def hit(self) -> bool:
        """Whether a technical failure met them here."""
        return bool(self.failures)

    @property
    def possibly(self) -> bool:
        """Whether nothing shows that it failed for them, nor that it worked: reached is not hit. It says something only while our probes failed."""
        return not self.hit and not self.done

    @property
    def anonymous(self) -> bool:
        """Whether only the visit is known."""
        return self.kind == "visit"

    @property
    def cart(self) -> float | None:
        """Worth of the cart, None when unknown."""
        return float(self.row["cart_value"]) or None


def guests_of(rows: Iterable[dict[str, Any]], since: int, until: int) -> list[Guest]:
    """Group the rows of `problem_people` by person, counting what happened within [since, until] (milliseconds)."""
    by_person: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        by_person[row["person_id"]].append(row)
    return [_guest(person, mine, since, until) for person, mine in sorted(by_person.items())]


def by_visit(rows: Iterable[dict[str, Any]], since: int, until: int) -> list[Guest]:
    """The same with every visit by itself, whosever it is: what later visits of a person tell of an earlier one is left out."""
    return guests_of(({**row, "person_id": f"visit:{row['session_id']}", "person_kind": "visit", "whose": row["person_id"]} for row in rows), since, until)


def _guest(person: str, rows: Sequence[dict[str, Any]], since: int, until: int) -> Guest:
    failures = {row["run_id"]: [ms for ms in row["failed"] if since <= ms <= until] for row in rows}
    all_failures = sorted(ms for times in failures.values() for ms in times)
    hit_rows = [row for row in rows if failures[row["run_id"]]]
    first = min(hit_rows, key=lambda row: failures[row["run_id"]][0]) if hit_rows else rows[0]
    recovered = (bool(hit_rows) and any(row["recovered"] for row in hit_rows)) or any(all_failures and row["done_ms"] >= all_failures[0] for row in rows)
    rates = [rate for row in rows if 0 < (rate := float(row["sample_rate"])) <= 1]
    return Guest(
        id=person,
        kind=first["person_kind"],
        arrivals=_arrivals({ms for row in rows for ms in row["came"] if ms <= until}, since, all_failures),
        failures=tuple(all_failures),
        recovered=bool(recovered),
        stopped=any(row["stopped"] for row in hit_rows) and not recovered,
        slow=any(row["slow"] for row in rows),
        done=any(row["done"] for row in rows),
        settled=all(row["settled"] for row in rows),
        severity=max(_severity(row, bool(failures[row["run_id"]]), bool(recovered)) for row in rows),
        sample_rate=min(rates, default=1.0),
        sessions=tuple(dict.fromkeys(row["session_id"] for row in rows)),
        row=first,
    )


def _arrivals(came: set[int], since: int, failures: Sequence[int]) -> tuple[int, ...]:
    """Arrivals since then. Who was hit before any of them had come earlier: the failure belongs to the last one before it."""
    within = sorted(ms for ms in came if ms >= since)
    if failures and (not within or within[0] > failures[0]):
        within = [*sorted(ms for ms in came if ms <= failures[0])[-1:], *within]
    return tuple(within)


def _severity(row: dict[str, Any], hit_here: bool, recovered: bool) -> float:
    """The row's severity, less what belongs to another incident; who was stopped and later passed in another run has recovered."""
    if not hit_here:
        return SLOW if row["slow"] else 0.0
    return RECOVERED if row["stopped"] and recovered else float(row["severity"])


def units_of(guests: Iterable[Guest], severities: Severities, *, anonymous: bool = False) -> list[Unit]:
    """Units of the score: identified persons, or apart from them visits without identity, with nothing open."""
    return [Unit(guest.id, severities.of(guest.severity), guest.sample_rate) for guest in guests if guest.settled and guest.anonymous is anonymous]


def body_of(guests: Iterable[Guest], usual: Moments, severities: Severities, *, anonymous: bool = False) -> Body:
    """What a score is made of: who has nothing open, what is usual, and who still tries with what they met so far."""
    own = [guest for guest in guests if guest.anonymous is anonymous]
    open_ = [(1 / guest.sample_rate, severities.of(min(guest.severity, RECOVERED))) for guest in own if not guest.settled]
    weights = sum(w for w, _ in open_)
    trying = Trying(len(open_), weights, sum(w * best for w, best in open_), weights * severities.of(BLOCKED))
    return Body(moments(units_of(own, severities, anonymous=anonymous)), usual, trying)


def people_of(guests: Sequence[Guest], *, probes_failed: bool, usual: Usual) -> People:
    """Count persons and, apart, visits, beside what is usual for as many persons."""
    persons = [guest for guest in guests if not guest.anonymous]
    visits = [guest for guest in guests if guest.anonymous]
    return People(
        reached=len(persons),
        hit=sum(guest.hit for guest in persons),
        stopped=sum(guest.stopped for guest in persons),
        recovered=sum(guest.hit and guest.recovered for guest in persons),
        slow=sum(guest.slow and not guest.hit for guest in persons),
        trying=sum(guest.hit and not guest.settled and not guest.recovered for guest in persons),
        possibly=sum(guest.possibly for guest in persons) if probes_failed else 0,
        usual_hit=None if usual.share is None else usual.share * len(persons),
        usual_hours=None if usual.share is None else usual.hours,
        visits_reached=len(visits),
        visits_hit=sum(guest.hit for guest in visits),
        visits_stopped=sum(guest.stopped for guest in visits),
        visits_possibly=sum(guest.possibly for guest in visits) if probes_failed else 0,
    )
