"""How right the money is: many simulated worlds per family, in which the true loss is known. Families and bounds: docs/methods.md.

Every person of a world carries both outcomes. The world is written into a real engine's tables under a tenant of its own and asked through the
report's own queries and functions; nothing is handed to the estimator directly (but for the two families in bench/simulated/measures.py, whose
scores no question asks for yet). Seeds are 1, 2, 3 …, fixed and not tuned.
Coverage = share of intervals that hold the true loss of the people they speak of; its Monte-Carlo error is beside it.
A family meets its bounds at coverage >= .92, claims where nothing happened <= 4 %, speaking >= 80 % where its gates truly hold and <= 5 % where they
do not, width <= 1.6 of an oracle's; it passes when it meets them on at least 400 worlds.

Usage: .venv/bin/python bench/worlds.py [--worlds 20] [--family NAME] [--jobs 1] [--plot FILE.svg] [--json]
With --json the last line is {"families": {name: {…}}}.
"""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.simulated.asked import engine, problems
from bench.simulated.families import FAMILIES
from bench.simulated.judged import Answered, answered, verdict
from bench.simulated.measures import MEASURES
from bench.simulated.plot import plot
from bench.simulated.world import make_world

from sojourn_collector.web.answers import past_days

PER_ENGINE = 30
"""Worlds stored in one engine."""


async def judge(families: list[str], worlds: int, first: int, *, quiet: bool) -> dict[str, list[Answered]]:
    """Every family's answers. The engine is a new one now and then: hundreds of worlds are millions of rows nobody asks for again."""
    past_days.SEGMENTS_SPEAK = True  # so that it can be judged
    told: dict[str, list[Answered]] = {}
    for family in families:
        began = time.perf_counter()
        told[family] = []
        if family in MEASURES:
            told[family] = [MEASURES[family](seed) for seed in range(first, first + worlds)]
        for start in range(first, first + worlds if family in FAMILIES else first, PER_ENGINE):
            async with engine() as context:
                for seed in range(start, min(start + PER_ENGINE, first + worlds)):
                    world = make_world(family, seed)
                    told[family].append(answered(world, await problems(context, world, f"{family} {seed}")))
        print(line(family, verdict(told[family]), time.perf_counter() - began), file=sys.stderr if quiet else sys.stdout, flush=True)
        for reason, count in Counter(one.silence for one in told[family] if not one.spoke).most_common(4):
            print(f"{'':48}silent {count} × {reason[:300]}", file=sys.stderr, flush=True)
    return told


def judge_apart(families: list[str], worlds: int, first: int, quiet: bool) -> dict[str, list[Answered]]:
    return asyncio.run(judge(families, worlds, first, quiet=quiet))


def line(family: str, told: dict[str, Any], seconds: float) -> str:
    def shown(name: str, form: str = ".3f") -> str:
        return "-" if told[name] is None else format(told[name], form)

    return (
        f"{family:48}{told['spoke']:4}/{told['worlds']:<4} coverage {shown('coverage')} ± {shown('coverage_se')}  claims {shown('false_claims')}  "
        f"bias {shown('bias', '+.3f')} ± {shown('bias_se')}  speaks {shown('speak_rate_when_true', '.2f')} / {shown('speak_rate_when_false', '.2f')}  "
        f"width {shown('width_ratio', '.2f')}  {'meets' if told['meets'] else 'misses'}  {seconds:.0f} s"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--worlds", type=int, default=20)
    parser.add_argument("--family", choices=[*FAMILIES, *MEASURES], action="append", metavar="NAME", help="; ".join([*FAMILIES, *MEASURES]))
    parser.add_argument("--first", type=int, default=1, help="seed of the first world")
    parser.add_argument("--jobs", type=int, default=1, help="processes, each with an engine of its own")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    families = options.family or [*FAMILIES, *MEASURES]
    began = time.perf_counter()
    if options.jobs == 1:
        parts = [judge_apart(families, options.worlds, options.first, options.json)]
    else:
        with ProcessPoolExecutor(options.jobs) as pool:
            shares = [families[start :: options.jobs] for start in range(options.jobs)]
            parts = list(pool.map(judge_apart, shares, *([value] * len(shares) for value in (options.worlds, options.first, options.json))))
    told = {family: answers for part in parts for family, answers in part.items()}
    figures = {family: verdict(told[family]) for family in families}
    if options.plot:
        options.plot.write_text(plot(figures), encoding="utf-8")
    if options.json:
        rounded = {family: {name: round(value, 4) if isinstance(value, float) else value for name, value in one.items()} for family, one in figures.items()}
        print(json.dumps({"bench": "worlds", "seconds": round(time.perf_counter() - began, 1), "families": rounded}))


if __name__ == "__main__":
    main()
