"""How right the money is: many simulated worlds per family, in which the true loss is known. Families and bounds: docs/methods.md.

Every person of a world carries both outcomes. The world is written into a real engine's tables under a tenant of its own and asked through the
report's own queries and functions; nothing is handed to the estimator directly. Seeds are 1, 2, 3 …, fixed and not tuned.
Coverage = share of intervals that hold the true loss of the people they speak of; its Monte-Carlo error is beside it.
A family meets its bounds at coverage >= .92, claims where nothing happened <= 4 %, speaking >= 80 % where its gates truly hold and <= 5 % where they
do not, width <= 1.6 of an oracle's; it passes when it meets them on at least 400 worlds. Where most worlds are too small to speak 400 of them say
little of coverage: with --spoken 400 a family goes on until so many spoke, up to five times --worlds.

Usage: .venv/bin/python bench/worlds.py [--worlds 20] [--spoken N] [--family NAME] [--jobs 1] [--answers FILE.jsonl] [--plot FILE.svg] [--json]
--answers keeps every world's answer, and takes from the file what it has: a long run can be stopped, and gone on with by the same code only.
With --json the last line is {"families": {name: {…}}}.
"""

import argparse
import asyncio
import dataclasses
import json
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.simulated.asked import engine, measured, problems
from bench.simulated.families import FAMILIES
from bench.simulated.judged import Answered, answered, verdict
from bench.simulated.measures import MEASURES
from bench.simulated.plot import plot
from bench.simulated.world import make_world

PER_ENGINE = 30
"""Worlds stored in one engine."""


@dataclasses.dataclass(frozen=True)
class Wanted:
    """How many worlds of each family, from which seed on, until how many spoke, and where answers are kept."""

    worlds: int
    first: int = 1
    spoken: int = 0
    answers: Path | None = None
    times: int = 5
    """Times `worlds` after which a family ends, however few of them spoke."""
    quiet: bool = False

    @property
    def most(self) -> int:
        return self.worlds * self.times if self.spoken else self.worlds

    def enough(self, told: list[Answered]) -> bool:
        """Whether a family's answers so far will do."""
        return len(told) >= self.most or (len(told) >= self.worlds and sum(one.spoke for one in told) >= self.spoken)

    def kept(self, family: str) -> list[Answered]:
        """Answers of an earlier run, in the order of their seeds, as far as they follow each other without a gap."""
        if self.answers is None or not self.answers.exists():
            return []
        rows = [json.loads(line) for line in self.answers.read_text(encoding="utf-8").splitlines()]
        by_seed = {row["seed"]: Answered(**row["answer"]) for row in rows if row["family"] == family}
        told: list[Answered] = []
        while self.first + len(told) in by_seed and not self.enough(told):
            told.append(by_seed[self.first + len(told)])
        return told

    def keep(self, family: str, seed: int, answer: Answered) -> None:
        if self.answers is not None:
            with self.answers.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"family": family, "seed": seed, "answer": dataclasses.asdict(answer)}) + "\n")


async def judge(families: list[str], wanted: Wanted) -> dict[str, list[Answered]]:
    """Every family's answers. The engine is a new one now and then: hundreds of worlds are millions of rows nobody asks for again."""
    told: dict[str, list[Answered]] = {}
    for family in families:
        began = time.perf_counter()
        answers = told[family] = wanted.kept(family)
        while not wanted.enough(answers):
            await some_stored(family, wanted, answers)
        print(line(family, verdict(answers), time.perf_counter() - began), file=sys.stderr if wanted.quiet else sys.stdout, flush=True)
        for reason, count in Counter(one.silence for one in answers if not one.spoke).most_common(4):
            print(f"{'':48}silent {count} × {reason[:300]}", file=sys.stderr, flush=True)
    return told


async def some_stored(family: str, wanted: Wanted, answers: list[Answered]) -> None:
    """Some more worlds in an engine of their own."""
    async with engine() as context:
        for _ in range(PER_ENGINE):
            if wanted.enough(answers):
                return
            seed = wanted.first + len(answers)
            tenant = f"{family} {seed}"
            if family in MEASURES:
                answers.append(await measured(context, MEASURES[family](seed), tenant))
            else:
                world = make_world(family, seed)
                answers.append(answered(world, await problems(context, world, tenant)))
            wanted.keep(family, seed, answers[-1])


def judge_apart(families: list[str], wanted: Wanted) -> dict[str, list[Answered]]:
    return asyncio.run(judge(families, wanted))


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
    parser.add_argument("--spoken", type=int, default=0, metavar="N", help="go on until N worlds spoke")
    parser.add_argument("--answers", type=Path, metavar="FILE", help="keep every answer there, and go on from it")
    parser.add_argument("--first", type=int, default=1, help="seed of the first world")
    parser.add_argument("--jobs", type=int, default=1, help="processes, each with an engine of its own")
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    families = options.family or [*FAMILIES, *MEASURES]
    wanted = Wanted(options.worlds, options.first, options.spoken, options.answers, quiet=options.json)
    began = time.perf_counter()
    if options.jobs == 1:
        parts = [judge_apart(families, wanted)]
    else:
        with ProcessPoolExecutor(options.jobs) as pool:
            shares = [families[start :: options.jobs] for start in range(options.jobs)]
            parts = list(pool.map(judge_apart, shares, [wanted] * len(shares)))
    told = {family: answers for part in parts for family, answers in part.items()}
    figures = {family: verdict(told[family]) for family in families}
    if options.plot:
        options.plot.write_text(plot(figures), encoding="utf-8")
    if options.json:
        rounded = {family: {name: round(value, 4) if isinstance(value, float) else value for name, value in one.items()} for family, one in figures.items()}
        print(json.dumps({"bench": "worlds", "seconds": round(time.perf_counter() - began, 1), "families": rounded}))


if __name__ == "__main__":
    main()
