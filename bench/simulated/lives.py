"""Draws the people of one incident, each with both outcomes: what they would have paid had nothing failed, and what they paid.

A person comes to the step, pays or leaves, and perhaps comes again; some arrivals fail. What failure does to the order: nothing, or it is
lost, or it comes back later, perhaps too late. Everything is drawn from the world's seed.
"""

from dataclasses import dataclass

import numpy as np
from bench.simulated.families import DAY, HOUR, Shape
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Ints = NDArray[np.int64]

START = 1_790_000_000.0
OUTCOME = 24 * HOUR
DEVICES = ("desktop", "mobile", "tablet")
BANDS = (25.0, 75.0, 150.0)
TRIES = 12


@dataclass(frozen=True)
class Nature:
    """The world's own numbers; nobody who estimates sees them."""

    failing: float
    base: float
    sigma: float
    harm: float
    deferral: float
    length: float
    keep: float
    shape: Shape


@dataclass(frozen=True)
class Lives:
    """People as columns. Times are epoch seconds, NaN = never; `arrivals` people × tries; money in the report's currency."""

    nature: Nature
    device: Ints
    cart: Floats
    cart_told: Bools
    band: Ints
    arrivals: Floats
    unhurt_tries: Ints
    failed_at: Floats
    trial: Ints  # number of the arrival that failed, 0 = none
    unhurt_at: Floats
    lived_at: Floats
    worth: Floats  # net value of the order, the same in both lives
    foreign: Bools
    past_at: Floats
    past_worth: Floats
    anonymous: Bools
    unknown_return: Bools  # the order was placed under an id nobody can connect
    seen: Bools

    @property
    def hit(self) -> Bools:
        """Whether something failed for them."""
        return ~np.isnan(self.failed_at)

    def owed(self, until: float, *, mature: bool) -> Floats:
        """Y0 − Y1 of each person hit within H of their first failure, up to `until`; 0 for the others and, if asked, for the immature."""
        end = np.minimum(self.failed_at + OUTCOME, until)
        lost = np.where(_inside(self.unhurt_at, self.failed_at, end), self.worth, 0.0) - np.where(_inside(self.lived_at, self.failed_at, end), self.worth, 0.0)
        counted = self.hit & ~self.foreign & ((self.failed_at + OUTCOME <= until) | (not mature))
        return np.where(counted, lost, 0.0)


def _inside(at: Floats, start: Floats, end: Floats) -> Bools:
    with np.errstate(invalid="ignore"):
        return (at > start) & (at <= end)


def draw_nature(shape: Shape, rng: np.random.Generator) -> Nature:
    """Draw a world's own numbers."""
    return Nature(
        failing=rng.uniform(*shape.failing),
        base=rng.uniform(*shape.conversion),
        sigma=rng.uniform(*shape.sigma),
        harm=rng.uniform(*shape.harm),
        deferral=rng.uniform(*shape.deferral),
        length=rng.uniform(0.7, 2.5) * HOUR,
        keep=rng.uniform(*shape.keep) if shape.keep else 1.0,
        shape=shape,
    )


def chances(nature: Nature, wish: Floats, band: Ints, device: Ints) -> tuple[Floats, Floats]:
    """Probability to pay at a try, and to come again after one without paying."""
    shape = nature.shape
    logit = np.log(nature.base / (1 - nature.base)) + shape.intent * wish - shape.cart_matters * (band - 1) - 0.3 * (device == 1)
    pay = 1 / (1 + np.exp(-logit))
    again = 1 / (1 + np.exp(-(np.log(shape.again / (1 - shape.again)) + shape.intent * wish)))
    return (np.where(band % 2 == 1, 0.0, pay) if shape.barren else pay), again


def size_of(bounds: tuple[int, int], rng: np.random.Generator) -> int:
    """Between the bounds; half of the worlds in the smallest quarter of their logarithm."""
    low, high = np.log(bounds[0]), np.log(bounds[1])
    return int(np.exp(low + (high - low) * rng.random() ** 2))


def draw_lives(nature: Nature, count: int, rng: np.random.Generator) -> Lives:
    """Draw `count` people."""
    shape = nature.shape
    device = rng.choice(3, size=count, p=[0.5, 0.4, 0.1]).astype(np.int64)
    cart = np.round(rng.lognormal(np.log(50), nature.sigma, count), 2) + 0.01
    if shape.untidy:
        cart[rng.integers(count)] = 20_000.0
    band = np.searchsorted(BANDS, cart, side="right").astype(np.int64)
    wish = rng.normal(size=count)
    pay, again = chances(nature, wish, band, device)
    arrivals, tries, unhurt_at = _unhurt(nature, pay, again, rng)
    fails = (rng.random(arrivals.shape) < nature.failing) & ~np.isnan(arrivals)
    trial = np.where(fails.any(axis=1), fails.argmax(axis=1) + 1, 0).astype(np.int64)
    hit = trial > 0
    failed_at = np.where(hit, arrivals[np.arange(count), np.maximum(trial - 1, 0)] + 1.0, np.nan)
    kept = np.where(hit, trial, tries)
    lived_at = _lived(nature, unhurt_at, failed_at, rng)
    soon = np.nan_to_num(lived_at, nan=np.inf) - arrivals[:, 0] <= HOUR
    anonymous = rng.random(count) < shape.anonymous
    if shape.login:
        # Who was let in at a further try is known by name; of those who then do not buy, three in ten.
        anonymous = hit & ~soon & (rng.random(count) >= 0.3)
    paid_before = rng.random(count) < 0.25 + 0.1 * np.tanh(wish)
    refund = rng.choice([0.0, 0.5, 1.0], size=count, p=[0.9, 0.05, 0.05]) if shape.untidy else np.zeros(count)
    return Lives(
        nature=nature,
        device=device,
        cart=cart,
        cart_told=rng.random(count) >= shape.no_cart,
        band=band,
        arrivals=np.where(np.arange(arrivals.shape[1])[None, :] < kept[:, None], arrivals, np.nan),
        unhurt_tries=tries,
        failed_at=failed_at,
        trial=trial,
        unhurt_at=unhurt_at,
        lived_at=lived_at,
        worth=np.round(cart * (1 - refund), 2),
        foreign=(rng.random(count) < 0.1) if shape.untidy else np.zeros(count, dtype=bool),
        past_at=np.where(paid_before, START - rng.uniform(1, 27, count) * DAY, np.nan),
        past_worth=np.round(cart * rng.lognormal(0, 0.5, count), 2),
        anonymous=anonymous,
        # Without identity a later visit of the same person is somebody else.
        unknown_return=anonymous & ~soon & ~np.isnan(lived_at),
        seen=(rng.random(count) < nature.keep) | hit if shape.keep else np.ones(count, dtype=bool),
    )


def _unhurt(nature: Nature, pay: Floats, again: Floats, rng: np.random.Generator) -> tuple[Floats, Ints, Floats]:
    """Arrivals, their number and the order of lives in which nothing fails. Whoever pays does not come again."""
    count = len(pay)
    arrivals = np.full((count, TRIES), np.nan)
    tries = np.zeros(count, dtype=np.int64)
    order = np.full(count, np.nan)
    at, going = START + rng.uniform(0, nature.length, count), np.ones(count, dtype=bool)
    for number in range(TRIES):
        arrivals[going, number] = at[going]
        tries[going] += 1
        pays = going & (rng.random(count) < pay)
        delay = np.where(rng.random(count) < SLOW_SHARE, rng.exponential(SLOW_MEAN, count), rng.lognormal(np.log(QUICK), QUICK_SIGMA, count))
        order[pays] = at[pays] + 2.0 + delay[pays]
        at = at + 60 + rng.exponential(900, count)
        going &= ~pays & (rng.random(count) < again) & (at <= START + nature.length)
    return arrivals, tries, order


SLOW_SHARE, SLOW_MEAN, QUICK, QUICK_SIGMA = 0.25, 5 * HOUR, 90.0, 0.7
"""When those who pay do: a quarter takes hours, the others about a minute and a half."""


def _lived(nature: Nature, unhurt_at: Floats, failed_at: Floats, rng: np.random.Generator) -> Floats:
    """What the failure left of the order: kept, lost, or back later, perhaps too late."""
    harmed = ~np.isnan(failed_at) & (rng.random(len(unhurt_at)) < nature.harm)
    back = rng.random(len(unhurt_at)) < nature.deferral
    later = np.fmax(unhurt_at, failed_at + rng.exponential(OUTCOME / 5, len(unhurt_at)))
    return np.where(np.isnan(unhurt_at) | ~harmed, unhurt_at, np.where(back, later, np.nan))
