"""Fix verification of a fix that does nothing, after a bad week that would have ended anyway."""

import zlib
from dataclasses import replace
from datetime import UTC, datetime
from math import sqrt
from types import SimpleNamespace
from typing import Any

import numpy as np
from bench.simulated.families import DAY
from bench.simulated.judged import Answered
from bench.simulated.lives import START
from bench.simulated.measured import Measured, answer, walk
from scipy import stats

from sojourn_collector.context import Context
from sojourn_collector.score.fix_verification import LEVEL
from sojourn_collector.store.control.marks import MarkKind, MarkRow
from sojourn_collector.web.answers.verification import verification
from sojourn_collector.web.models_fixes import FixMeasure

FIX = "a fix without effect after a bad week"
TREATED, UNTOUCHED = "journey-0", "journey-1"
AFTER = 29
"""Days after the fix at which it is asked: all three looks are over."""

REGULARS = 15
"""People of a journey for each that answers a day: some answer again, and some had met a failure lately."""


class _Both:
    """The folder of journeys: the treated one and one nobody touched."""

    def all(self) -> dict[str, Any]:
        """By id."""
        return {name: SimpleNamespace(id=name, name="", steps=()) for name in (TREATED, UNTOUCHED)}


def fix(seed: int) -> Measured:
    """Days vary more than counts alone do; in the bad week fewer are satisfied, in half of the worlds because more meet a failure.

    Who met one in the four weeks before is less satisfied for that, on either side of the fix: after a bad week more of those who answer are such people.
    """
    rng = np.random.default_rng([seed, zlib.crc32(FIX.encode())])
    before, base, noise = int(rng.integers(60, 200)), rng.uniform(0.5, 0.85), rng.uniform(0.0, 0.06)
    sizes = {TREATED: int(np.exp(rng.uniform(np.log(4), np.log(80)))), UNTOUCHED: int(np.exp(rng.uniform(np.log(10), np.log(300))))}
    depth, grudge, failing = rng.uniform(0.05, 0.3), rng.uniform(0.0, 0.2), rng.random() < 0.5
    fixed = before + 7
    midnight = START - START % DAY
    tables: dict[str, list[dict[str, Any]]] = {"runs": [], "feedback": []}
    for journey, size in sizes.items():
        hurt_on = np.full(REGULARS * size, -1000)
        for day in range(fixed + AFTER + 1):
            bad = journey == TREATED and before <= day <= fixed
            share = base + rng.normal(0, noise) - (depth if bad else 0.0)
            # Nobody answers twice a day: only the newest would count.
            who = rng.permutation(len(hurt_on))[: int(rng.poisson(size))]
            hit = rng.random(len(who)) < 0.05 + (depth if bad and failing else 0.0)
            lately = (day - hurt_on[who] <= 28) & (day > hurt_on[who])
            good = rng.random(len(who)) < np.clip(share - np.where(lately, grudge, 0.0), 0.01, 0.99)
            finished = rng.random(len(who)) < np.where(hit, 0.5, 0.8)
            mobile, seconds = rng.random(len(who)) < 0.4, rng.uniform(0, DAY - 400, len(who))
            for n, person in enumerate(who.tolist()):
                at, run, name = midnight + day * DAY + float(seconds[n]), f"{journey}-{day}-{person}", f"{journey}-{person}"
                device = "mobile" if mobile[n] else "desktop"
                tables["runs"].append(walk(run, journey, name, at, device=device, hit=bool(hit[n]), finished=bool(finished[n])))
                tables["feedback"].append(answer(f"f-{run}", journey, name, at + 180, run, good=bool(good[n])))
            hurt_on[who[hit]] = day
    held = 28 * min(sizes.values()) >= 30
    counts = sum(base * (1 - base) / (size * 28) for size in sizes.values()) * 2
    best = 2 * float(stats.norm.ppf(0.5 + LEVEL / 2)) * sqrt(counts + 4 * noise**2 / 28)
    moment, now = (datetime.fromtimestamp(midnight + (day + 0.5) * DAY, UTC) for day in (fixed, fixed + AFTER))

    async def ask(context: Context) -> Answered:
        mark = await context.control.marks.add(MarkRow(MarkKind.FIX, moment, "nothing", "bench", moment, journey=TREATED))
        told = await verification(replace(context, journeys=_Both(), clock=lambda: now), mark.id)
        await context.control.marks.remove(mark.id, "bench", now)
        assert told is not None
        return _answered(next(one for one in told.measures if one.measure == "satisfied"), held, best)

    return Measured(tables, ask)


def _answered(told: FixMeasure, held: bool, best: float) -> Answered:
    """The longest look that spoke; a claim at any look is a claim."""
    spoken = [(one.effect, one.low, one.high) for one in told.looks if one.effect is not None and one.low is not None and one.high is not None]
    if not spoken:
        return Answered(held, nothing=True, spoke=False, silence=told.reason)
    effect, low, high = spoken[-1]
    return Answered(held, True, True, effect, low, high, 0.0, best, 1.0, any(one.verdict == "improved" for one in told.looks))
