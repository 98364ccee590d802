"""Strata: which controls stand beside which of those hit.

A cell is a `Stratum`, facts from before time zero only. A cell with fewer than five controls borrows: first the region is given up, then the
device, then what is known of earlier visits and orders, last the cart band. Dropping thin cells instead would bias the answer (docs/scores.md).
"""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np

from sojourn_collector.score.trials import Bools, Ints, Stratum, Trials

MIN_PAYERS = 5
"""Payers below which a share is not bootstrapped, and expected payers below which a cell is widened."""

ANY = -2
"""Where a number was given up."""

LADDER = (
    lambda key: key,
    lambda key: key._replace(region=""),
    lambda key: key._replace(region="", device=""),
    lambda key: key._replace(region="", device="", tenure=ANY, visits=ANY),
    lambda key: Stratum(key.trial, ANY, ANY, ANY, "", ""),
)
"""What a cell becomes at each rank."""

WITHIN_BAND = len(LADDER) - 2
"""The last rank at which carts are alike."""


@dataclass(frozen=True, slots=True)
class Pool:
    """Rows of those hit and the rows of controls they are compared with; `rank` = the step of `LADDER`, 0 = same cell."""

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

    All but the cart band is also given up where fewer than `min_payers` are to be expected among so many people: a Beta's half order in each of many
    thin cells adds up to orders nobody would have placed. Expected by the share of all who pay and not counted in the cell: cells kept because
    many paid in them, and merged because few did, would say too much together. The cart band is not given up for it: what is bought for 20 says little of
    what is bought for 200.
    """
    pays = trials.control_converted <= trials.control_follow
    stays = (trials.control_whole > 0) | pays
    usable = [row for row in range(len(trials.control)) if trials.control_follow[row] > 0]
    levels = [_index(trials, usable, rank) for rank in range(len(LADDER))]
    people = [_people(trials, level, stays) for level in levels]
    everyone = len(np.unique(trials.control_cluster[stays]))
    share = len(np.unique(trials.control_cluster[pays])) / everyone if everyone else 0.0
    chosen: dict[tuple[int, Stratum], list[int]] = defaultdict(list)
    outside = []
    for row, key in enumerate(trials.hit_key):
        cells = [coarser(key) for coarser in LADDER]
        enough = [rank for rank, cell in enumerate(cells) if people[rank].get(cell, 0) >= min_controls]
        if not enough:
            outside.append(row)
            continue
        paying = [rank for rank in enough if rank <= WITHIN_BAND and share * people[rank].get(cells[rank], 0) >= min_payers]
        # Where too few come with such a cart at all, its widest cell tells.
        rank = paying[0] if paying else max(enough[0], WITHIN_BAND)
        chosen[rank, cells[rank]].append(row)
    pools = tuple(Pool(np.array(rows, dtype=np.intp), np.array(levels[rank][key], dtype=np.intp), rank) for (rank, key), rows in sorted(chosen.items()))
    return Pools(pools, np.array(outside, dtype=np.intp))


def _people(trials: Trials, level: dict[Stratum, list[int]], counted: Bools) -> dict[Stratum, int]:
    return {cell: len({int(trials.control_cluster[row]) for row in rows if counted[row]}) for cell, rows in level.items()}


def _index(trials: Trials, rows: list[int], rank: int) -> dict[Stratum, list[int]]:
    index: dict[Stratum, list[int]] = defaultdict(list)
    for row in rows:
        index[LADDER[rank](trials.control_key[row])].append(row)
    return index
