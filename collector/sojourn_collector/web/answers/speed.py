"""How the odds of finishing and of satisfaction go with the first wait at each step of a journey."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sojourn_collector.context import Context
from sojourn_collector.score.elasticity import Experience, elasticity
from sojourn_collector.score.satisfaction import Scale, is_satisfied
from sojourn_collector.web.answers.breaks import versioned
from sojourn_collector.web.answers.titles import journey_title, step_place, step_title
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_speed import Odds, SpeedAnswer, StepSpeed

ENOUGH = 40_000
"""Walks that are read; of more, every second, third … stands for all."""
MOST_ROWS = 400_000
DEADLINE = 25.0
MEASURES = 0.9
"""Share of a browser's finished walks with a known wait, from which on it is held to tell the wait whenever there was a paint."""
LONGEST = 600.0
"""Seconds; a longer wait is a page left open in the background."""

Row = Mapping[str, Any]


async def speed(context: Context, journey: str, window: Window) -> SpeedAnswer:
    """The body of `GET /api/v1/journeys/{id}/elasticity`. Raises EngineUnavailable, QueryTimeout."""
    span: dict[str, Any] = {"journey": journey, "since": window.since, "until": window.until, "deadline": DEADLINE}
    (counted,) = await context.store.query("journey_walks", **span)
    one_in = max(1, counted["walks"] // ENOUGH)
    read: dict[str, Any] = {**span, "zone": context.impact.timezone, "most": MOST_ROWS + 1}
    rows, answered = await asyncio.gather(
        context.store.query("waits", **read, answered=0, one_in=one_in), context.store.query("waits", **read, answered=1, one_in=1)
    )
    chosen = _scale(answered)
    steps = await asyncio.to_thread(_steps, context, journey, rows[:MOST_ROWS], [row for row in answered if _scale_of(row) == chosen])
    answer = SpeedAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        journey=journey_title(context, journey),
        walks=counted["walks"],
        one_in=one_in,
        scale=str(chosen) if chosen else "",
        truncated=max(len(rows), len(answered)) > MOST_ROWS,
        steps=steps,
        reason="" if steps else "no customer's walk through this journey was over in this time",
    )
    return await versioned(context, answer, "speed", window.since, window.until, journey=journey)


def _scale_of(row: Row) -> Scale:
    return Scale(row["scale_min"], row["scale_max"], bool(row["higher_is_better"]))


def _scale(answered: Iterable[Row]) -> Scale | None:
    uses = Counter(_scale_of(row) for row in answered)
    return max(uses, key=lambda scale: (uses[scale], scale.higher_is_better, -scale.low, scale.high)) if uses else None


def _steps(context: Context, journey: str, rows: Sequence[Row], answered: Sequence[Row]) -> list[StepSpeed]:
    by_step: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        by_step[row["step"]].append(row)
    given: dict[str, list[Row]] = defaultdict(list)
    for row in answered:
        given[row["step"]].append(row)
    names = sorted(by_step, key=lambda step: (step_place(context, journey, step), step))
    return [_step(context, journey, step, by_step[step], given[step]) for step in names]


def _step(context: Context, journey: str, step: str, rows: Sequence[Row], answered: Sequence[Row]) -> StepSpeed:
    telling = _telling(rows)
    finished = _experiences(rows, telling, lambda row: bool(row["finished"]))
    satisfied = _experiences(answered, telling, _content)
    known = [row["latency"] / 1000 for row in rows if 0 < row["latency"] <= 1000 * LONGEST]
    hit = sum(bool(row["hit"]) for row in rows)
    p10, p50, p90 = (float(value) for value in np.percentile(known, [10, 50, 90])) if known else (None, None, None)
    return StepSpeed(
        step=step_title(context, journey, step),
        walks=len(rows),
        hit=hit,
        unknown=len(rows) - hit - len(finished),
        p10=p10,
        p50=p50,
        p90=p90,
        finished=_odds(finished, "finishing"),
        satisfied=_odds(satisfied, "being satisfied"),
    )


def _telling(rows: Iterable[Row]) -> set[str]:
    """Browsers that tell the wait of nearly everybody who finished: of the others, those who left would be all that is seen."""
    seen: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for row in rows:
        if row["finished"] and not row["hit"]:
            seen[_family(row)][0] += row["latency"] > 0
            seen[_family(row)][1] += 1
    return {browser for browser, (known, of) in seen.items() if known >= MEASURES * of}


def _family(row: Row) -> str:
    """A browser's name without its version."""
    return str(row["browser"]).rpartition(" ")[0] or str(row["browser"])


def _content(row: Row) -> bool | None:
    return bool(row["satisfied"]) if row["satisfied"] is not None else is_satisfied(row["value"], _scale_of(row))


def _experiences(rows: Iterable[Row], telling: set[str], outcome: Callable[[Row], bool | None]) -> list[Experience]:
    """Those not hit at the step whose wait is known, or who left before the paint and waited so long at least."""
    told = []
    for row in rows:
        good = outcome(row)
        left = row["latency"] <= 0 and not row["finished"] and _family(row) in telling
        wait = (row["waited"] if left else row["latency"]) / 1000
        if not row["hit"] and good is not None and 0 < wait <= LONGEST:
            told.append(Experience(row["person"], wait, f"{row['of_device']}/{row['network']}/{row['hour']}", good, left))
    return told


def _odds(experiences: Sequence[Experience], what: str) -> Odds:
    told = elasticity(experiences, what)
    return Odds(
        state="measured" if told.odds_ratio is not None else "not measured",
        of=told.of,
        good=sum(one.good for one in experiences),
        left=sum(one.left for one in experiences),
        ratio=told.odds_ratio,
        low=told.low,
        high=told.high,
        shortest=told.shortest,
        longest=told.longest,
        sentence=told.sentence,
        goes=told.goes,
        reason=told.reason,
    )
