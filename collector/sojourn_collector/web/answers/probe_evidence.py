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


def probe_evidence(probes: Sequence[Mapping[str, Any]], hits: Mapping[Place, Iterable[int]], *, edges: int = 0) -> defaultdict[Place, list[ProbeAtStep]]:
    """The runs at each place that `find_incidents` needs to answer as if it were given all of them.

    :param probes: rows of `report_probe_steps`: a few failures stand for all.
    :param hits: when customers met failures there, in milliseconds.
    :param edges: how many of the first and of the last passes of each location are kept besides.
    """
    moments = {place: set(times) for place, times in hits.items()}
    failed: list[tuple[Place, list[ProbeAtStep]]] = []
    for row in probes:
        place, few = (row["journey"], row["step"]), row["failures"]
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
