"""What `report_probe_steps` makes of failures, written down a second time."""

from collections import defaultdict

Failure = tuple[str, int, int]
"""Run, began, ended, in milliseconds."""


def folded(failures: list[Failure], stretch: int) -> list[tuple[str, int, int, int]]:
    """Of those that end in the same stretch of milliseconds the first and the last to end and the first to begin, each with how many it stands for."""
    by_stretch: dict[int, list[Failure]] = defaultdict(list)
    for failure in failures:
        by_stretch[failure[2] // stretch].append(failure)
    kept: list[tuple[str, int, int, int]] = []
    for mine in by_stretch.values():
        by_end = sorted(mine, key=lambda one: (one[2], one[0], one[1]))
        few = by_end if len(mine) <= 3 else list(dict.fromkeys([by_end[0], min(mine, key=lambda one: (one[1], one[0], one[2])), by_end[-1]]))
        kept += [(*one, 1) for one in few[:-1]]
        kept.append((*few[-1], len(mine) - len(few) + 1))
    return kept
