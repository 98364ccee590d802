"""Draws a shop over some weeks with one broken window on its last day: everyone at the step is hit, or everyone of one segment.

Every visitor of the last day carries both outcomes. The days before have the same hours, and the hours before those.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from bench.simulated.families import DAY, HOUR, Weeks
from bench.simulated.lives import OUTCOME, QUICK, QUICK_SIGMA, SLOW_MEAN, SLOW_SHARE, START, Floats

from sojourn_collector.web.models import Problem

BEFORE = 3 * HOUR
ONE_IN = 0.003
"""Share of visits something fails for on an ordinary day."""

GAP = 1800.0
"""Failures closer than this are one incident: one that failed by chance shortly before makes it begin earlier, and who came since is beside those hit."""


def make_weeks(shape: Weeks, rng: np.random.Generator) -> Mapping[str, Any]:
    """The fields of a `World`."""
    days = int(rng.integers(shape.days[0], shape.days[1] + 1))
    length = rng.uniform(0.7, 2.5) * HOUR
    visits, base = float(np.exp(rng.uniform(*np.log(shape.visits_an_hour)))), rng.uniform(*shape.conversion)
    noise, trend, sigma = rng.uniform(*shape.noise), rng.uniform(*shape.trend), rng.uniform(*shape.sigma)
    harm, deferral, share = rng.uniform(*shape.harm), rng.uniform(*shape.deferral), rng.uniform(*shape.share)
    steps: list[dict[str, Any]] = []
    orders: list[dict[str, Any]] = []
    now = START + length + OUTCOME + 3600
    spread, expected, hit, beside = 0.0, 0.0, 0, 0
    lost: list[tuple[float, float]] = []
    before = BEFORE if shape.kind == "everyone" else 0.0
    for day in range(days, -1, -1):
        campaign = rng.random() < shape.campaigns
        today = START - day * DAY
        level = np.exp(-trend * day + rng.normal(0, noise)) * (1.5 if campaign else 1.0)
        # A growing shop also sells a little better, a campaign brings people who buy rather less or more.
        pay = np.clip(base * np.exp(-trend * day / 5 + rng.normal(0, noise)) * (rng.uniform(0.8, 1.3) if campaign else 1.0), 0.005, 0.9)
        count = int(rng.poisson(visits * (before + length) / HOUR * level))
        came = today - before + rng.uniform(0, before + length, count)
        mobile = rng.random(count) < (share if shape.kind == "segment" else 0.4)
        chance = pay * np.where(mobile, 0.7, 1.0)
        cart = np.round(rng.lognormal(np.log(50), sigma, count), 2) + 0.01
        pays = rng.random(count) < chance
        slow = rng.random(count) < SLOW_SHARE
        delay = np.where(slow, rng.exponential(SLOW_MEAN, count), rng.lognormal(np.log(QUICK), QUICK_SIGMA, count))
        unhurt = np.where(pays, came + 2 + delay, np.nan)
        broken = (day == 0) & (came >= today) & (mobile if shape.kind == "segment" else np.ones(count, dtype=bool))
        fails = np.where(broken, rng.random(count) < 0.98, rng.random(count) < ONE_IN)
        lived, failed_at = _lived(unhurt, fails & broken, came, harm, deferral, rng), np.where(fails, came + 1.0, np.nan)
        if day == 0:
            who = fails & (came >= today)
            hit = int(who.sum())
            end = failed_at + OUTCOME
            lost = [
                (float(at), float((cart[n] if unhurt[n] <= end[n] else 0.0) - (cart[n] if lived[n] <= end[n] else 0.0)))
                for n, at in enumerate(failed_at.tolist())
                if who[n]
            ]
            odds = chance[who] * (1 - SLOW_SHARE * np.exp(-OUTCOME / SLOW_MEAN))
            mean = float((odds * cart[who]).sum())
            spread = float((odds * (1 - odds) * cart[who] ** 2).sum()) + (noise * mean) ** 2
            expected = float(odds.sum())
            beside = _ordered_beside(came, failed_at, lived, now) if shape.kind == "everyone" else 0
        for number in range(count):
            ident = f"d{day}-{number}"
            steps.append(_step(ident, float(came[number]), float(failed_at[number]), float(lived[number]), float(cart[number]), mobile=bool(mobile[number])))
            if lived[number] <= now:
                orders.append(_order(ident, float(lived[number]), float(cart[number])))

    def true_loss(problem: Problem) -> float:
        first, last = problem.clock.window_from.timestamp() - 0.002, problem.clock.window_to.timestamp() + 0.002
        return sum(loss for at, loss in lost if first <= at <= last)

    return {
        "steps": steps,
        "orders": orders,
        "since": START - 2 * HOUR,
        "now": now,
        "watermark": now,
        "truth": true_loss,
        "oracle_width": lambda _: float(2 * 1.96 * np.sqrt(spread)),
        # Those of level 2 and 1b, or of level 1: the fewest hit and days, orders expected by the true odds, orders of those beside them.
        "gates_hold": hit >= 30 and ((days >= 19 and expected >= 20) or (beside >= 20 and expected >= 5)),
        "nothing": shape.harm == (0.0, 0.0),
    }


def _ordered_beside(came: Floats, failed_at: Floats, lived: Floats, now: float) -> int:
    """Orders of those who came in the incident and met no failure."""
    failures = np.sort(failed_at[~np.isnan(failed_at)])
    if not len(failures):
        return 0
    apart = np.flatnonzero(np.diff(failures) >= GAP)
    first = failures[apart[-1] + 1] if len(apart) else failures[0]
    with np.errstate(invalid="ignore"):
        return int((np.isnan(failed_at) & (came >= first) & (came <= failures[-1]) & (lived <= np.minimum(came + OUTCOME, now))).sum())


def _lived(unhurt: Floats, fails: Any, came: Floats, harm: float, deferral: float, rng: np.random.Generator) -> Floats:
    harmed = fails & (rng.random(len(unhurt)) < harm)
    back = rng.random(len(unhurt)) < deferral
    later = np.fmax(unhurt, came + rng.exponential(OUTCOME / 5, len(unhurt)))
    return np.where(np.isnan(unhurt) | ~harmed, unhurt, np.where(back, later, np.nan))


def _step(ident: str, came: float, failed: float, paid: float, cart: float, *, mobile: bool) -> dict[str, Any]:
    at, hit, done = round(came * 1000), failed == failed, paid == paid
    return {
        "run_id": ident,
        "step": "pay",
        "attempt": 1,
        "version": 1,
        "traffic": "real",
        "journey": "journey-0",
        "number": 1,
        "run_started": at - 30_000,
        "started": at,
        "last_seen": at + 5000,
        "settled": 1,
        "outcome": "failed" if hit and not done else "passed",
        "reached": 1,
        "hit": hit,
        "recovered": hit and done,
        "done": done,
        "stopped": hit and not done,
        "severity": 0.0 if not hit else 0.5 if done else 1.0,
        "arrivals": [at],
        "failures": [round(failed * 1000)] if hit else [],
        "done_at": round(paid * 1000) if done else 0,
        "session_id": f"s-{ident}",
        "person_id": f"user:{ident}",
        "person_kind": "user",
        "device": "mobile" if mobile else "desktop",
        "cart_value": cart,
        "cart_currency": "EUR",
        "sample_rate": 1.0,
    }


def _order(ident: str, at: float, amount: float) -> dict[str, Any]:
    moment = round(at * 1000)
    return {
        "source": "api",
        "id": ident,
        "version": 1,
        "ts": moment,
        "received": moment,
        "amount": round(amount, 2),
        "currency": "EUR",
        "status": "completed",
        "person_id": f"user:{ident}",
        "session_id": f"s-{ident}",
        "join": "explicit",
    }
