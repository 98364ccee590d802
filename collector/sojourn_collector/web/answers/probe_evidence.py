"""What our probes met at a step, as far as incidents need it: of failures those that begin and end a short time of them, of passes those beside evidence.

Runs are many and all alike: of hundreds of thousands a handful says when trouble began and ended.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sojourn_collector.score.incidents import ProbeAtStep
from sojourn_collector.web.answers.times import from_ms

Place = tuple[str, str]
"""Journey and step."""


EDGES = 3
"""Passes at either end of what was read that are kept in any case: they are beside what another read finds."""


def probe_evidence(
    probes: Sequence[Mapping[str, Any]], hits: Mapping[Place, Iterable[int]], *, stretch: int = 1, edges: int = 0
) -> defaultdict[Place, list[ProbeAtStep]]:
    """The runs at each place that `find_incidents` needs to answer as if it were given all of them.

    :param probes: rows of `report_probe_steps`.
    :param hits: when customers met failures there, in milliseconds.
    :param stretch: milliseconds, less than the gap between incidents: of failures of one location that end in the same stretch of time the first to begin, the
        first and the last to end stand for all.
    :param edges: how many of the first and of the last passes of each location are kept besides.
    """
    moments = {place: set(times) for place, times in hits.items()}
    failed: list[tuple[Place, list[ProbeAtStep]]] = []
    for row in probes:
        place, few = (row["journey"], row["step"]), fewer(row["failures"], stretch)
        if few:
            moments.setdefault(place, set()).update(ms for _, began, ended, _ in few for ms in (began, ended))
        failed.append((place, [ProbeAtStep(run, row["location"], from_ms(began), from_ms(ended), False, runs) for run, began, ended, runs in few]))
    found: defaultdict[Place, list[ProbeAtStep]] = defaultdict(list)
    for (place, failures), row in zip(failed, probes, strict=True):
        ends, begins = row["pass_ends"], row["pass_begins"]
        kept = {*beside(ends, begins, moments.get(place, ())), *range(min(edges, len(ends))), *range(max(0, len(ends) - edges), len(ends))}
        found[place] += failures
        found[place] += [ProbeAtStep("", row["location"], from_ms(begins[index]), from_ms(ends[index]), True) for index in sorted(kept)]
    return found


def fewer(failures: Iterable[tuple[str, int, int]], stretch: int) -> list[tuple[str, int, int, int]]:
    """Failures (run, began, ended in milliseconds) that stand for all, each with how many it stands for."""
    by_stretch: dict[int, list[tuple[str, int, int]]] = defaultdict(list)
    for failure in failures:
        by_stretch[failure[2] // stretch].append(failure)
    kept: list[tuple[str, int, int, int]] = []
    for mine in by_stretch.values():
        if len(mine) <= 3:
            kept += [(*one, 1) for one in mine]
            continue
        # Tuples in the order they are compared by: there may be a hundred thousand, and a key function for each takes its time.
        by_end = [(ended, run, began) for run, began, ended in mine]
        (last_end, last_run, last_begin), (first_end, first_run, first_begin) = max(by_end), min(by_end)
        begin, earliest_run, end = min((began, run, ended) for run, began, ended in mine)
        first, earliest, last = (first_run, first_begin, first_end), (earliest_run, begin, end), (last_run, last_begin, last_end)
        few = list(dict.fromkeys((first, earliest, last)))
        kept += [(*one, 1) for one in few[:-1]]
        kept.append((*few[-1], len(mine) - len(few) + 1))
    return kept


def beside(ends: Sequence[int], begins: Sequence[int], moments: Collection[int]) -> list[int]:
    """Which passes of one location are beside these moments: the last that ended by then, the next to end, and of those begun since the first to end.

    :param ends: when each ended, ascending.
    :param begins: when each began, in the same order.
    """
    if not ends or not moments:
        return []
    over, begun = np.asarray(ends, dtype=np.int64), np.asarray(begins, dtype=np.int64)
    at = np.unique(np.fromiter(moments, dtype=np.int64, count=len(moments)))
    after, since = np.searchsorted(over, at, side="right"), np.searchsorted(over, at, side="left")
    # Passes overlap, so the next to end may have begun before; a few later ones at most.
    while (early := (since < len(over)) & (begun[np.minimum(since, len(over) - 1)] < at)).any():
        since[early] += 1
    kept = np.unique(np.concatenate([after - 1, after, since]))
    return [int(index) for index in kept[(kept >= 0) & (kept < len(over))]]
