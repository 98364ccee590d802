"""Strata: which controls stand beside which of those hit.

A cell is trial class × device × cart band, from facts before time zero only. A cell with fewer than five controls borrows: first the
device is given up, last the cart band. Dropping thin cells instead would bias the answer (docs/scores.md).
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.trials import Bools, Ints, Trials

Cell = tuple[int, str, int]
"""Trial class, device, cart band."""

MIN_PAYERS = 5
"""Payers below which a share is not bootstrapped."""


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


def build_pools(trials: Trials, min_controls: int, min_payers: int = MIN_PAYERS) -> Pools:
    """Give every hit row the nearest pool with at least `min_controls` distinct people who stayed unhurt, or paid before they were.

    The device is also given up where it leaves fewer than `min_payers` who paid: a Beta's half order in each of many barren cells adds
    up to orders nobody would have placed. The cart band is not: what is bought for 20 says little of what is bought for 200.
    """
    pays = trials.control_converted <= trials.control_follow
    stays = (trials.control_whole > 0) | pays
    usable = [row for row in range(len(trials.control)) if trials.control_follow[row] > 0]
    levels = [_index(trials, usable, rank) for rank in range(3)]
    people = [_people(trials, level, stays) for level in levels]
    payers = _people(trials, levels[0], pays)
    chosen: dict[tuple[int, Cell], list[int]] = defaultdict(list)
    outside = []
    for row, key in enumerate(trials.hit_key):
        cells = [_coarse(key, rank) for rank in range(3)]
        enough = [rank for rank in range(3) if people[rank].get(cells[rank], 0) >= min_controls]
        if not enough:
            outside.append(row)
            continue
        rank = 1 if enough[0] == 0 and payers.get(cells[0], 0) < min_payers else enough[0]
        chosen[rank, cells[rank]].append(row)
    pools = tuple(Pool(np.array(rows, dtype=np.intp), np.array(levels[rank][key], dtype=np.intp), rank) for (rank, key), rows in sorted(chosen.items()))
    return Pools(pools, np.array(outside, dtype=np.intp))


def _people(trials: Trials, level: dict[Cell, list[int]], counted: Bools) -> dict[Cell, int]:
    return {cell: len({int(trials.control_cluster[row]) for row in rows if counted[row]}) for cell, rows in level.items()}


def _coarse(key: Cell, rank: int) -> Cell:
    trial, device, band = key
    return (trial, device if rank < 1 else "", band if rank < 2 else -2)


def _index(trials: Trials, rows: list[int], rank: int) -> dict[Cell, list[int]]:
    index: dict[Cell, list[int]] = defaultdict(list)
    for row in rows:
        index[_coarse(trials.control_key[row], rank)].append(row)
    return index
