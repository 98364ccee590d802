"""Corrected CSAT in a shop that asks on its thank-you page."""

import zlib
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

import numpy as np
from bench.simulated.families import DAY
from bench.simulated.judged import Answered
from bench.simulated.lives import START
from bench.simulated.measured import Measured, answer, ms, survey_row, walk

from sojourn_collector.context import Context
from sojourn_collector.web.answers.corrected_csat import corrected
from sojourn_collector.web.answers.window import Window

THANKS = "survey only on the thank-you page"
JOURNEY = "journey-0"


def survey(seed: int) -> Measured:
    """Only who finished is asked. Of them, those who met an error on the way answer less and are less satisfied; the truth is the share of all asked."""
    rng = np.random.default_rng([seed, zlib.crc32(THANKS.encode())])
    people = int(np.exp(rng.uniform(np.log(300), np.log(5000))))
    hit = rng.random(people) < rng.uniform(0.05, 0.6)
    mobile = rng.random(people) < 0.4
    asked = rng.random(people) < np.where(hit, rng.uniform(0.1, 0.6), 0.8)
    good = rng.random(people) < np.where(hit, rng.uniform(0.2, 0.6), rng.uniform(0.6, 0.9))
    odds = np.where(hit, rng.uniform(0.05, 0.3), rng.uniform(0.2, 0.7)) * np.where(mobile, 0.7, 1.0)
    answers = asked & (rng.random(people) < odds)
    at, old = START + rng.uniform(0, 7 * DAY, people), rng.random(people) < 0.5
    tables: dict[str, list[dict[str, Any]]] = {"runs": [], "sessions": [], "invitations": [], "feedback": []}
    for n in range(people):
        run, who, came, device = f"r{n}", f"u{n}", float(at[n]), "mobile" if mobile[n] else "desktop"
        tables["runs"].append(walk(run, JOURNEY, who, came, device=device, hit=bool(hit[n]), finished=bool(asked[n])))
        tables["sessions"].append(_session(f"s-{run}", who, came, device))
        if old[n]:
            tables["sessions"].append(_session(f"s-before-{run}", who, came - 40 * DAY, device))
        if asked[n]:
            tables["invitations"].append(survey_row(f"i{n}", JOURNEY, who, came + 120, run) | {"status": "sent"})
        if answers[n]:
            tables["feedback"].append(answer(f"f{n}", JOURNEY, who, came + 180, run, good=bool(good[n])))
    count, now = int(answers.sum()), datetime.fromtimestamp(START + 8 * DAY, UTC)
    held = count >= 30 and int(asked.sum()) - count >= 10
    truth, weight = float(good[asked].mean()), 1 / odds[answers]
    best = 2 * 1.96 * sqrt(truth * (1 - truth) * float((weight**2).sum())) / float(weight.sum()) if count else 0.0

    async def ask(context: Context) -> Answered:
        told = await corrected(context, JOURNEY, Window(now - timedelta(days=14), now, now))
        if told.share is None or told.low is None or told.high is None:
            return Answered(held, nothing=False, spoke=False, silence=told.reason)
        return Answered(held, nothing=False, spoke=True, amount=told.share, low=told.low, high=told.high, truth=truth, oracle=best, bound=1.0)

    return Measured(tables, ask)


def _session(ident: str, person: str, at: float, device: str) -> dict[str, Any]:
    return {
        "session_id": ident,
        "version": 1,
        "traffic": "real",
        "started": ms(at),
        "ended": ms(at + 300),
        "person_id": f"user:{person}",
        "person_kind": "user",
        "device": device,
    }
