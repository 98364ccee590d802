"""Experience: Apdex with its T, the funnel of a journey, and quantiles that say nothing of nothing."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

ENDS = ("finished", "gave_up", "stopped", "trying")
"""How a real run can stand; every run is in exactly one."""


@dataclass(frozen=True, slots=True)
class ApdexScore:
    """Apdex 0–1 with the threshold it was computed with (seconds) and how many it speaks of. Print as `0.87 [2.5]`."""

    score: float
    t: float
    of: int

    def __str__(self) -> str:
        return f"{self.score:.2f} [{self.t:g}]"


@dataclass(frozen=True, slots=True)
class Funnel:
    """What became of those who tried: finished + gave_up + stopped + trying = tried."""

    tried: int
    finished: int
    gave_up: int
    stopped: int
    trying: int

    @property
    def settled(self) -> int:
        """How many have an end, so that a share may be taken of them."""
        return self.tried - self.trying

    @property
    def finished_share(self) -> float | None:
        """Finished of settled; None when nothing has settled."""
        return self.finished / self.settled if self.settled else None


def apdex(seconds: Iterable[float], t: float, errors: int = 0) -> ApdexScore | None:
    """(satisfied + tolerating / 2) / all, satisfied ≤ t, tolerating ≤ 4 t, errors count as frustrated. None for no samples.

    :param seconds: durations of those that worked, in seconds.
    :param t: threshold in seconds, positive.
    :param errors: how many did not work at all.
    :raises ValueError: when t is not positive or errors negative.
    """
    if t <= 0 or errors < 0:
        raise ValueError("Apdex needs a positive threshold and no negative count")
    values = np.fromiter(seconds, dtype=float)
    of = len(values) + errors
    if not of:
        return None
    satisfied = int((values <= t).sum())
    tolerating = int(((values > t) & (values <= 4 * t)).sum())
    return ApdexScore((satisfied + tolerating / 2) / of, t, of)


def funnel(ends: Iterable[str]) -> Funnel:
    """Count the ends of real runs.

    :raises ValueError: for an end that is none of `ENDS`.
    """
    counts = dict.fromkeys(ENDS, 0)
    for end in ends:
        if end not in counts:
            raise ValueError(f"a run ends as {', '.join(ENDS)}, not as {end!r}")
        counts[end] += 1
    return Funnel(tried=sum(counts.values()), **counts)


def quantile(values: Sequence[float], q: float) -> float | None:
    """The q-quantile (0–1) of the values, None when there are none."""
    return float(np.quantile(np.asarray(values, dtype=float), q)) if len(values) else None
