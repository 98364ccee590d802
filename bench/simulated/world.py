"""One simulated world: what the engine's tables would hold of it, and the truth that no table holds."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from bench.simulated import oracle
from bench.simulated.families import FAMILIES, Shape
from bench.simulated.lives import DEVICES, OUTCOME, START, Bools, Floats, Lives, draw_lives, draw_nature, size_of
from bench.simulated.weeks import make_weeks

from sojourn_collector.web.models import Money, Problem

Rows = list[dict[str, Any]]


@dataclass(frozen=True)
class World:
    """Rows by table, when it is asked, and by problem: the true loss it should have found, the oracle's width, whether its gates truly hold."""

    steps: Rows
    orders: Rows
    since: float
    now: float
    watermark: float
    truth: Callable[[Problem], float]
    oracle_width: Callable[[Problem], float]
    gates_hold: bool
    nothing: bool


def make_world(family: str, seed: int, people: tuple[int, int] | None = None) -> World:
    """Draw one world of a family; `people` bounds its size where the family's own is too slow."""
    shape = FAMILIES[family]
    rng = np.random.default_rng([seed, zlib.crc32(family.encode())])
    if not isinstance(shape, Shape):
        return World(**make_weeks(shape, rng))
    if people is not None:
        shape = replace(shape, people=people)
    parts = []
    for _ in range(shape.journeys):
        nature = draw_nature(shape, rng)
        parts.append(draw_lives(nature, size_of(shape.people, rng), rng))
    return _world(parts, shape, rng)


def _world(parts: list[Lives], shape: Shape, rng: np.random.Generator) -> World:
    length = max(lives.nature.length for lives in parts)
    if shape.look is None:
        watermark = now = START + length + OUTCOME + 3600
    else:
        now = START + length + rng.uniform(*shape.look) * OUTCOME
        watermark = now - shape.lag
    by_journey = {f"journey-{number}": lives for number, lives in enumerate(parts)}

    def truth(problem: Problem) -> float:
        lives = by_journey[problem.journey.id]
        return float(lives.owed(watermark, mature=problem.money.state == "final")[_counted(lives, problem)].sum())

    def best(problem: Problem) -> float:
        lives = by_journey[problem.journey.id]
        who = _counted(lives, problem)
        if problem.money.state == "final":
            who &= lives.failed_at + OUTCOME <= watermark
        return oracle.width(lives, who, watermark)

    return World(
        steps=[row for journey, lives in by_journey.items() for row in _steps(journey, lives)],
        orders=[row for journey, lives in by_journey.items() for row in _orders(journey, lives, watermark, rng)],
        since=START - 3600,
        now=now,
        watermark=watermark,
        truth=truth,
        oracle_width=best,
        gates_hold=any(_gates_hold(lives, watermark) for lives in parts),
        nothing=shape.harm == (0.0, 0.0),
    )


def _counted(lives: Lives, problem: Problem) -> Bools:
    """Those the problem speaks of: who failed in its window."""
    since, until = problem.clock.window_from.timestamp() - 0.002, problem.clock.window_to.timestamp() + 0.002
    with np.errstate(invalid="ignore"):
        return np.asarray((lives.failed_at >= since) & (lives.failed_at <= until), dtype=bool)


def _gates_hold(lives: Lives, until: float) -> bool:
    """Level 1's gates on what is truly so: those hit and the orders of those beside them are counted, orders expected of those hit go by the true odds."""
    hit, rest = lives.hit, ~lives.hit & lives.seen
    if hit.sum() < 30 or not rest.any():
        return False
    expected = oracle.odds(lives, hit, lives.trial[hit].astype(float), np.minimum(OUTCOME, until - lives.failed_at[hit])).sum()
    first = lives.arrivals[:, 0]
    beside = (rest & (lives.lived_at > first) & (lives.lived_at <= np.minimum(first + OUTCOME, until))).sum()
    again = (rest & (lives.unhurt_tries > 1)).sum()
    overlap = 1.0 if again >= 5 else float((lives.trial[hit] == 1).mean())
    return bool(expected >= 5 and beside >= 20 and overlap >= 0.8)


def _ms(seconds: float) -> int:
    return round(seconds * 1000)


def _steps(journey: str, lives: Lives) -> Rows:
    rows = []
    for number in np.flatnonzero(lives.seen).tolist():
        arrivals = [_ms(at) for at in lives.arrivals[number][~np.isnan(lives.arrivals[number])]]
        failed, paid = float(lives.failed_at[number]), float(lives.lived_at[number])
        hit = failed == failed
        done = paid == paid and not lives.unknown_return[number]
        rows.append(
            {
                "run_id": f"{journey}-{number}",
                "step": "pay",
                "attempt": 1,
                "version": 1,
                "traffic": "real",
                "journey": journey,
                "number": 1,
                "run_started": arrivals[0] - 30_000,
                "started": arrivals[0],
                "last_seen": arrivals[-1] + 5000,
                "settled": 1,
                "outcome": "failed" if hit and not done else "passed",
                "reached": 1,
                "hit": hit,
                "recovered": hit and done,
                "done": done,
                "stopped": hit and not done,
                "severity": 0.0 if not hit else 0.5 if done else 1.0,
                "arrivals": arrivals,
                "failures": [_ms(failed)] if hit else [],
                "done_at": _ms(paid) if done else 0,
                "failure_kind": "status" if hit else "",
                "failure_message": "502 from POST /payments" if hit else "",
                "session_id": f"s-{journey}-{number}",
                "person_id": _person(journey, lives, number),
                "person_kind": "visit" if lives.anonymous[number] else "user",
                "device": DEVICES[lives.device[number]],
                "cart_value": float(lives.cart[number]) if lives.cart_told[number] else 0.0,
                "cart_currency": "EUR" if lives.cart_told[number] else "",
                "sample_rate": 1.0 if hit or not lives.nature.shape.keep else lives.nature.keep,
            }
        )
    return rows


def _person(journey: str, lives: Lives, number: int) -> str:
    return f"visit:s-{journey}-{number}" if lives.anonymous[number] else f"user:{journey}-{number}"


def _orders(journey: str, lives: Lives, watermark: float, rng: np.random.Generator) -> Rows:
    """Everything the shop's own feed sent by the watermark: it knows every order, though not always whose it is."""
    rows: Rows = []
    for number in range(len(lives.cart)):
        known = not lives.anonymous[number]
        if known and lives.past_at[number] == lives.past_at[number]:
            rows.append(_order(f"{journey}-b{number}", float(lives.past_at[number]), float(lives.past_worth[number]), _person(journey, lives, number), ""))
        at = float(lives.lived_at[number])
        if not at <= watermark:
            continue
        lost = bool(lives.unknown_return[number])
        person = f"user:other-{journey}-{number}" if lost else _person(journey, lives, number)
        session = f"s-late-{journey}-{number}" if at - lives.arrivals[number, 0] > 3600 else f"s-{journey}-{number}"
        row = _order(f"{journey}-o{number}", at, float(lives.cart[number]), person, session)
        rows.append(row | {"refunded": round(float(lives.cart[number] - lives.worth[number]), 2), "currency": "USD" if lives.foreign[number] else "EUR"})
        if lives.nature.shape.untidy and rng.random() < 0.05:
            extra = _order(f"{journey}-x{number}", at + 30, float(rng.uniform(50, 500)), person, session)
            rows.append(extra | ({"probe": 1} if rng.random() < 0.5 else {"status": "cancelled"}))
    return rows


def _order(ident: str, at: float, amount: float, person: str, session: str) -> dict[str, Any]:
    return {
        "source": "api",
        "id": ident,
        "version": 1,
        "ts": _ms(at),
        "received": _ms(at),
        "amount": round(amount, 2),
        "refunded": 0.0,
        "currency": "EUR",
        "status": "completed",
        "probe": 0,
        "person_id": person,
        "session_id": session,
        "join": "explicit",
    }


def spoke(money: Money) -> bool:
    """Whether the answer has an amount with an interval."""
    return money.amount is not None and money.low is not None and money.high is not None


__all__ = ["Floats", "World", "make_world", "spoke"]
