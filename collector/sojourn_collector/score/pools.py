"""Strata: which controls stand beside which of those hit.

A cell is trial class × device × cart band, from facts before time zero only. A cell with fewer than five controls borrows: first the
device is given up, last the cart band. Dropping thin cells instead would bias the answer (docs/scores.md).
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.trials import Ints, Trials


@dataclass(frozen=True, slots=True)
class Pool:
    """Rows of those hit and the rows of controls they are compared with; `rank` 0 = same cell, 1 = any device, 2 = any cart."""

    hit: Ints
    control: Ints
    rank: int


@dataclass(frozen=True, slots=True)
class Pools:
    """All pools, and the rows of those hit for whom nobody unhurt was found."""

    pools: tuple[Pool, ...]
    outside: Ints


def build_pools(trials: Trials, min_controls: int) -> Pools:
    """Give every hit row the nearest pool with at least `min_controls` distinct people who can still be followed."""
    usable = [row for row in range(len(trials.control)) if trials.control_follow[row] > 0]
    levels = [_index(trials, usable, rank) for rank in range(3)]
    chosen: dict[tuple[int, tuple[int, str, int]], list[int]] = defaultdict(list)
    outside = []
    for row, key in enumerate(trials.hit_key):
        for rank in range(3):
            coarse = _coarse(key, rank)
            if len({int(trials.control_cluster[c]) for c in levels[rank].get(coarse, ())}) >= min_controls:
                chosen[rank, coarse].append(row)
                break
        else:
            outside.append(row)
    pools = tuple(Pool(np.array(rows, dtype=np.intp), np.array(levels[rank][key], dtype=np.intp), rank) for (rank, key), rows in sorted(chosen.items()))
    return Pools(pools, np.array(outside, dtype=np.intp))


def _coarse(key: tuple[int, str, int], rank: int) -> tuple[int, str, int]:
    trial, device, band = key
    return (trial, device if rank < 1 else "", band if rank < 2 else -2)


def _index(trials: Trials, rows: list[int], rank: int) -> dict[tuple[int, str, int], list[int]]:
    index: dict[tuple[int, str, int], list[int]] = defaultdict(list)
    for row in rows:
        index[_coarse(trials.control_key[row], rank)].append(row)
    return index
