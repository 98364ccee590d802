"""How right the money intervals are: many simulated worlds per family, with the true shortfall known. See docs/scores.md.

Usage: `.venv/bin/python bench/bench_money.py [--worlds 400] [--family NAME] [--json]`. One JSON object is the last line with --json.
Coverage = share of worlds whose interval holds the true shortfall (Monte-Carlo error about 1.1 points at 400 worlds);
claims = share of worlds where the interval lies above 0 (judged where nothing happened).
"""

import argparse
import json
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.collector.score.judge import Verdict, judge
from tests.collector.score.worlds import FAMILIES


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--worlds", type=int, default=400)
    parser.add_argument("--family", choices=sorted(FAMILIES), action="append")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    families = options.family or list(FAMILIES)
    started = time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        verdicts = []
        for verdict in pool.map(judge, families, [options.worlds] * len(families)):
            verdicts.append(verdict)
            print(line(verdict), file=sys.stderr if options.json else sys.stdout, flush=True)
    if options.json:
        print(json.dumps({"bench": "money", "seconds": round(time.perf_counter() - started, 1), "families": [v.as_dict() for v in verdicts]}))


def line(verdict: Verdict) -> str:
    return (
        f"{verdict.family:38} spoke {verdict.spoke}/{verdict.worlds}  coverage {verdict.coverage:.3f}  claims {verdict.claims:.3f}  "
        f"bias {verdict.bias:+.3f} ± {verdict.bias_error:.3f}  width {verdict.width_ratio:.2f}"
    )


if __name__ == "__main__":
    main()
