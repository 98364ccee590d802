"""Families of scores that no question asks the engine for yet: their worlds are given to the pure functions, in the shape their rows will have."""

import zlib
from collections.abc import Callable, Mapping
from math import sqrt

import numpy as np
from bench.simulated.judged import Answered
from scipy import stats

from sojourn_collector.score.corrected_csat import Invited, corrected_csat
from sojourn_collector.score.fix_verification import LEVEL, DayCount, verify_fix

THANKS, FIX = "survey only on the thank-you page", "a fix without effect after a bad week"


def survey(seed: int) -> Answered:
    """Only who finished is asked. Of them, those who met an error on the way answer less and are less satisfied; the truth is the share of all asked."""
    rng = np.random.default_rng([seed, zlib.crc32(THANKS.encode())])
    people = int(np.exp(rng.uniform(np.log(300), np.log(5000))))
    hit = rng.random(people) < rng.uniform(0.05, 0.6)
    mobile = rng.random(people) < 0.4
    asked = rng.random(people) < np.where(hit, rng.uniform(0.1, 0.6), 0.8)
    good = rng.random(people) < np.where(hit, rng.uniform(0.2, 0.6), rng.uniform(0.6, 0.9))
    odds = np.where(hit, rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.7)) * np.where(mobile, 0.7, 1.0)
    answers = rng.random(people) < odds
    invited = [
        Invited({"exposure": "hit" if h else "none", "device": "mobile" if m else "desktop"}, bool(g) if a else None, bool(h))
        for h, m, g, a in zip(hit[asked], mobile[asked], good[asked], answers[asked], strict=True)
    ]
    told = corrected_csat(invited, hit=int(hit.sum()), seed=seed)
    count = int((answers & asked).sum())
    held = count >= 30 and asked.sum() - count >= 10
    if told.share is None or told.low is None or told.high is None:
        return Answered(held, nothing=False, spoke=False, silence=told.reason)
    truth, weight = float(good[asked].mean()), 1 / odds[asked & answers]
    best = 2 * 1.96 * sqrt(truth * (1 - truth) * float((weight**2).sum())) / float(weight.sum())
    return Answered(held, nothing=False, spoke=True, amount=told.share, low=told.low, high=told.high, truth=truth, oracle=best, bound=1.0)


def fix(seed: int) -> Answered:
    """A bad week, then a fix that does nothing, looked at three times. Days vary more than counts alone do; the bad week was chance or is over anyway."""
    rng = np.random.default_rng([seed, zlib.crc32(FIX.encode())])
    before, base, noise = int(rng.integers(60, 200)), rng.uniform(0.5, 0.85), rng.uniform(0.0, 0.06)
    answers = {True: int(np.exp(rng.uniform(np.log(4), np.log(80)))), False: int(np.exp(rng.uniform(np.log(10), np.log(300))))}
    depth, rows = rng.uniform(0.05, 0.3), []
    for day in range(before + 8 + 30):
        for treated, of in answers.items():
            share = base + rng.normal(0, noise) - (depth if treated and before <= day <= before + 7 else 0.0)
            count = int(rng.poisson(of))
            rows.append(DayCount(day, treated, int(rng.binomial(count, min(0.99, max(0.01, share)))), count))
    fixed = before + 7
    looks = [verify_fix(rows, fixed, before, fixed + 1 + look) for look in (7, 14, 28)]
    held = 28 * min(answers.values()) >= 30
    spoken = [one for one in looks if one.effect is not None and one.low is not None and one.high is not None]
    if not spoken:
        return Answered(held, nothing=True, spoke=False, silence=looks[-1].reason)
    last = spoken[-1]
    assert last.effect is not None
    assert last.low is not None
    assert last.high is not None
    counts = sum(base * (1 - base) / (of * (last.look or 28)) for of in answers.values()) * 2
    best = 2 * float(stats.norm.ppf(0.5 + LEVEL / 2)) * sqrt(counts + 4 * noise**2 / (last.look or 28))
    claimed = any(one.verdict == "improved" for one in looks)
    return Answered(held, True, True, last.effect, last.low, last.high, 0.0, best, 1.0, claimed)


MEASURES: Mapping[str, Callable[[int], Answered]] = {THANKS: survey, FIX: fix}
"""By family; the one list of them."""
