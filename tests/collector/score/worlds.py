"""Simulated worlds for the money: every shopper carries both potential outcomes, so that the true shortfall is known.

A shopper comes to the step, pays or leaves and perhaps comes again; some arrivals fail. Y0 = what they would have paid after the time of
their first failure had nothing failed, Y1 = what they paid. Truth = Σ over those hit of Y0 − Y1. All draws come from the world's seed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from sojourn_collector.score.money import Payment, Settings, Shopper

START = 1_790_000_000.0
HOUR = 3600.0
DEVICES = ("desktop", "mobile", "tablet")


@dataclass(frozen=True)
class Shape:
    """What a family draws its worlds from."""

    people: tuple[int, int] = (400, 2500)
    failing: tuple[float, float] = (0.08, 0.5)
    conversion: tuple[float, float] = (0.12, 0.4)
    sigma: tuple[float, float] = (0.6, 1.3)
    harm: tuple[float, float] = (0.0, 1.0)
    deferral: tuple[float, float] = (0.0, 0.6)
    again: float = 0.25
    intent: float = 0.5
    cart_matters: float = 0.3
    barren: bool = False
    look: float | None = None
    lag: float = 0.0


FAMILIES: Mapping[str, Shape] = {
    "plain": Shape(),
    "nothing happened": Shape(harm=(0.0, 0.0)),
    "intent, repeated tries": Shape(intent=1.5, again=0.55),
    "zero conversions in half the strata": Shape(barren=True),
    "looks before H, late orders": Shape(look=0.3, lag=0.5 * HOUR, deferral=(0.2, 0.6)),
}


@dataclass(frozen=True)
class World:
    """One world as the estimator sees it, and the truth it does not see."""

    shoppers: list[Shopper]
    settings: Settings
    now: float
    watermark: float
    truth: float
    hit: int


@dataclass(frozen=True)
class _Nature:
    """The world's own numbers."""

    failing: float
    base: float
    sigma: float
    harm: float
    deferral: float
    length: float
    shape: Shape


def make_world(family: str, seed: int, people: tuple[int, int] | None = None) -> World:
    """Draw one world of a family; `people` bounds its size where the family's own is too slow."""
    shape = FAMILIES[family] if people is None else replace(FAMILIES[family], people=people)
    rng = np.random.default_rng([seed, sorted(FAMILIES).index(family)])
    nature = _Nature(
        failing=rng.uniform(*shape.failing),
        base=rng.uniform(*shape.conversion),
        sigma=rng.uniform(*shape.sigma),
        harm=rng.uniform(*shape.harm),
        deferral=rng.uniform(*shape.deferral),
        length=rng.uniform(1, 3) * HOUR,
        shape=shape,
    )
    settings = Settings(outcome=24 * HOUR)
    if shape.look is None:
        now = START + nature.length + settings.outcome + 600
        watermark = now
    else:
        now = START + nature.length + shape.look * settings.outcome * rng.uniform(0.1, 1.0)
        watermark = now - shape.lag
    lives = [_person(number, nature, settings, rng) for number in range(int(rng.integers(*shape.people)))]
    truth = sum(_truth(shopper, unhurt, settings.outcome, watermark) for shopper, unhurt in lives)
    # Orders after the watermark have not been sent yet; the estimator must not see them.
    seen = [replace(shopper, payments=tuple(p for p in shopper.payments if p.at <= watermark)) for shopper, _ in lives]
    return World(seen, settings, now, watermark, truth, sum(s.failed_at is not None for s in seen))


def _truth(shopper: Shopper, unhurt: tuple[Payment, ...], outcome: float, watermark: float) -> float:
    if shopper.failed_at is None:
        return 0.0
    start, end = shopper.failed_at, min(shopper.failed_at + outcome, watermark)
    inside: Callable[[tuple[Payment, ...]], float] = lambda paid: sum(p.amount for p in paid if start < p.at <= end)  # noqa: E731
    return inside(unhurt) - inside(shopper.payments)


def _person(number: int, nature: _Nature, settings: Settings, rng: np.random.Generator) -> tuple[Shopper, tuple[Payment, ...]]:
    """One shopper as lived, and their payments had nothing failed."""
    shape = nature.shape
    device = DEVICES[int(rng.choice(3, p=[0.5, 0.4, 0.1]))]
    cart = round(float(rng.lognormal(np.log(50), nature.sigma)), 2)
    wish = float(rng.normal())
    band = sum(cart >= bound for bound in settings.cart_bands)
    logit = np.log(nature.base / (1 - nature.base)) + shape.intent * wish - shape.cart_matters * (band - 1) - 0.3 * (device == "mobile")
    chance = 0.0 if shape.barren and band % 2 else float(1 / (1 + np.exp(-logit)))
    again = float(1 / (1 + np.exp(-(np.log(shape.again / (1 - shape.again)) + shape.intent * wish))))
    past = _history(wish, cart, rng)
    arrivals, unhurt = _unhurt(nature, cart, chance, again, rng)
    fails = rng.random(len(arrivals)) < nature.failing
    if not fails.any():
        return Shopper(f"p{number}", tuple(arrivals), None, device, cart, (*past, *unhurt)), (*past, *unhurt)
    first = int(np.argmax(fails))
    failed_at = arrivals[first] + 1.0
    lived = _hurt(unhurt, failed_at, nature, settings, rng)
    return Shopper(f"p{number}", tuple(arrivals[: first + 1]), failed_at, device, cart, (*past, *lived)), (*past, *unhurt)


def _history(wish: float, cart: float, rng: np.random.Generator) -> tuple[Payment, ...]:
    if rng.random() > 0.25 + 0.1 * np.tanh(wish):
        return ()
    return (Payment(START - float(rng.uniform(1, 27)) * 86400, cart * float(rng.lognormal(0, 0.5))),)


def _unhurt(nature: _Nature, cart: float, chance: float, again: float, rng: np.random.Generator) -> tuple[list[float], tuple[Payment, ...]]:
    """Tries and the order of a life in which nothing fails. Whoever pays does not come again."""
    arrivals = [START + float(rng.uniform(0, nature.length))]
    while True:
        if rng.random() < chance:
            slow = rng.random() < 0.25
            delay = float(rng.exponential(5 * HOUR)) if slow else float(rng.lognormal(np.log(90), 0.7))
            return arrivals, (Payment(arrivals[-1] + 2.0 + delay, cart),)
        next_try = arrivals[-1] + 60 + float(rng.exponential(900))
        if rng.random() > again or next_try > START + nature.length:
            return arrivals, ()
        arrivals.append(next_try)


def _hurt(unhurt: tuple[Payment, ...], failed_at: float, nature: _Nature, settings: Settings, rng: np.random.Generator) -> tuple[Payment, ...]:
    """What is left of the order after the failure: kept, lost, or come back later, perhaps too late."""
    if not unhurt or rng.random() > nature.harm:
        return unhurt
    if rng.random() < nature.deferral:
        return (Payment(max(unhurt[0].at, failed_at + float(rng.exponential(settings.outcome / 5))), unhurt[0].amount),)
    return ()
