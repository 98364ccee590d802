"""When the trouble began that led to a fix: its days are out of the judgement, or the end of a bad week would look like the fix's doing.

Days are looked at by what failed technically, never by what is judged afterwards on the other side of the fix. Definition: docs/methods.md.
"""

from collections.abc import Mapping

import numpy as np
from scipy import special

LEAST, MOST = 7, 28
"""Days before a fix that are out at least, and at most."""
USUAL = 56
"""Days before those that say what is usual."""
QUIET = 2
"""Days without trouble after which an earlier bad day belongs to another story."""
UNLIKELY = 0.01
LEAST_HIT = 3


def trouble_begin(days: Mapping[int, tuple[int, int]], fixed: int) -> int:
    """First day of the trouble that led to a fix: a week before it, or as long before as days were worse than usual.

    :param days: day number → tries that met a failure, and all tries, on the treated journey.
    :param fixed: day of the fix.
    """
    usual = [days[day] for day in range(fixed - MOST - USUAL, fixed - MOST) if day in days and days[day][1]]
    shares = [hit / of for hit, of in usual]
    usually = float(np.median(shares)) if shares else 0.0
    first, quiet = fixed - LEAST, 0
    for day in range(fixed - 1, fixed - MOST - 1, -1):
        hit, of = days.get(day, (0, 0))
        # The chance of so many or more, if the day were as usual.
        if hit >= LEAST_HIT and float(special.bdtrc(hit - 1, of, max(usually, 1 / max(of, 1)))) < UNLIKELY:
            first, quiet = min(first, day), 0
        else:
            quiet += 1
            if quiet > QUIET and day < fixed - LEAST:
                break
    return first
