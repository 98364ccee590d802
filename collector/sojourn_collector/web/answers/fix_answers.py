"""Answers to surveys as a fix is judged by them: on the scale with most of them, satisfied or not, by whether the person had lately met a failure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from sojourn_collector.score.fix_verification import DayCount
from sojourn_collector.score.satisfaction import Scale, is_satisfied

BEFORE = 28
"""Days before an answer in which a failure parts those who answer."""
HIT_BEFORE, OTHERS = "met a failure in the 28 days before", "had met none"


def answers_by_day(rows: Sequence[Mapping[str, Any]]) -> tuple[list[DayCount], str]:
    """Counts by day, and the scale they are of; scales are never mixed.

    :param rows: rows of the query `fix_answers`.
    """
    judged: list[tuple[Scale, Mapping[str, Any], bool]] = []
    for row in rows:
        scale = Scale(row["scale_min"], row["scale_max"], bool(row["higher_is_better"]))
        verdict = is_satisfied(row["value"], scale) if row["satisfied"] is None else bool(row["satisfied"])
        if verdict is not None:
            judged.append((scale, row, verdict))
    uses: Counter[Scale] = Counter()
    for scale, row, _ in judged:
        # The fixed journey's scale is the one that counts; without answers there none can be judged anyway.
        uses[scale] += row["n"] if row["treated"] else 0
    if not uses:
        return [], ""
    chosen = max(uses, key=lambda scale: (uses[scale], scale.higher_is_better, -scale.low, scale.high))
    counts: dict[tuple[int, bool, str], list[int]] = defaultdict(lambda: [0, 0])
    for scale, row, verdict in judged:
        if scale == chosen:
            cell = counts[row["day"], bool(row["treated"]), HIT_BEFORE if row["hit_before"] else OTHERS]
            cell[0] += row["n"] if verdict else 0
            cell[1] += row["n"]
    return [DayCount(day, treated, good, of, stratum) for (day, treated, stratum), (good, of) in counts.items()], str(chosen)
