"""What our probes met at a step, as far as incidents need it: every failure, and of the passes those beside evidence.

Passes are many and all alike: of hundreds of thousands a handful says when trouble began and ended.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sojourn_collector.score.incidents import ProbeAtStep
from sojourn_collector.web.answers.times import from_ms

Place = tuple[str, str]
"""Journey and step."""


def probe_evidence(probes: Sequence[Mapping[str, Any]], hits: Mapping[Place, Iterable[int]]) -> defaultdict[Place, list[ProbeAtStep]]:
    """The runs at each place that `find_incidents` needs to answer as if it were given all of them.

    :param probes: rows of `report_probe_steps`.
    :param hits: when customers met failures there, in milliseconds.
    """
    moments = {place: set(times) for place, times in hits.items()}
    for row in probes:
        for _, began, ended in row["failures"]:
            moments.setdefault((row["journey"], row["step"]), set()).update((began, ended))
    found: defaultdict[Place, list[ProbeAtStep]] = defaultdict(list)
    for row in probes:
        place, location = (row["journey"], row["step"]), row["location"]
        found[place] += [ProbeAtStep(run, location, from_ms(began), from_ms(ended), False) for run, began, ended in row["failures"]]
        ends, begins = row["pass_ends"], row["pass_begins"]
        for index in beside(ends, begins, moments.get(place, ())):
            found[place].append(ProbeAtStep("", location, from_ms(begins[index]), from_ms(ends[index]), True))
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
