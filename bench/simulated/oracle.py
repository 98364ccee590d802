"""What the best possible interval would be: the same predictive draw with the true odds of everyone hit, given all that may be known of them.

True odds = the hidden wish averaged out (by its own distribution, tilted by having come a k-th time), so that the oracle knows how the
world works and whom it asks about, but not what is in their heads.
"""

import numpy as np
from bench.simulated.lives import OUTCOME, QUICK, QUICK_SIGMA, SLOW_MEAN, SLOW_SHARE, Bools, Floats, Lives, chances
from scipy import stats

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(31)


def odds(lives: Lives, who: Bools, trial: Floats, follow: Floats) -> Floats:
    """Probability that these people would have paid within `follow` seconds of their arrival number `trial`."""
    eventually = np.zeros(int(who.sum()))
    mass = np.zeros(int(who.sum()))
    for node, weight in zip(NODES, WEIGHTS, strict=True):
        pay, again = chances(lives.nature, np.full(int(who.sum()), node), lives.band[who], lives.device[who])
        tilt = weight * ((1 - pay) * again) ** np.maximum(trial - 1, 0)
        # Each further try is another chance; that the incident ends some time is left out.
        eventually += tilt * pay / (1 - (1 - pay) * again)
        mass += tilt
    quick = stats.lognorm.cdf(np.maximum(follow, 0), QUICK_SIGMA, scale=QUICK)
    return np.asarray(eventually / mass * (SLOW_SHARE * (1 - np.exp(-np.maximum(follow, 0) / SLOW_MEAN)) + (1 - SLOW_SHARE) * quick), dtype=float)


def width(lives: Lives, who: Bools, until: float) -> float:
    """Width of the 95 % interval around the realised loss of these people, known odds and orders."""
    share = odds(lives, who, lives.trial[who].astype(float), np.minimum(OUTCOME, until - lives.failed_at[who]))
    worth = np.where(lives.foreign[who], 0.0, lives.worth[who])
    # Whose cart nobody told may have any.
    worth_known = np.where(lives.cart_told[who], worth, float(worth.mean()) if len(worth) else 0.0)
    spread = np.where(lives.cart_told[who], 0.0, float(worth.var()) if len(worth) else 0.0)
    return float(2 * 1.96 * np.sqrt((share * (1 - share) * worth_known**2 + share * spread).sum()))
