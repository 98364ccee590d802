"""Draws the world of the demo from a seed: accounts, customers and every shopper with both of its potential outcomes."""

import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, TypeVar

from sojourn_demo.faults import Fault
from sojourn_demo.shop.catalogue import PRODUCTS
from sojourn_demo.shop.settings import Account, Customer
from sojourn_demo.shoppers import words
from sojourn_demo.shoppers.shopper import Answer, Device, Fate, Kind, Shopper, Walks, foresee

T = TypeVar("T")

SHARE: Final = 0.45
"""Share of all tries at paying that fail while the fault is on."""
PER_SECOND: Final = 16.0
"""How many simulated shoppers set out per second."""
HEALTHY_PART: Final = 0.2
"""Part of the shoppers who come before anything breaks."""
KIND_SHARES: Final[tuple[tuple[Kind, float], ...]] = (("signed_in", 0.62), ("guest", 0.3), ("anonymous", 0.08))
LEAVES: Final = (("", 0.86), ("cart", 0.05), ("product", 0.05), ("home", 0.04))
CART_BANDS: Final = ((Decimal(25), 0.72), (Decimal(75), 0.64), (Decimal(150), 0.57), (Decimal("Infinity"), 0.46))
"""Upper end of a cart's worth in EUR, and how many of those who come to pay with such a cart pay when nothing fails."""
DEVICES: Final[tuple[tuple[Device, float], ...]] = tuple(
    (Device(kind, browser, os, language, user_agent), share) for kind, browser, os, language, user_agent, share in words.DEVICES
)


@dataclass(frozen=True, slots=True)
class World:
    """All that will happen. `healthy` come before the fault, `incident` while it is on."""

    seed: int
    accounts: tuple[Account, ...]
    customers: tuple[Customer, ...]
    healthy: tuple[Shopper, ...]
    incident: tuple[Shopper, ...]
    fault: Fault

    def fate(self, shopper: Shopper) -> Fate:
        """The fate of a shopper of the incident."""
        return foresee(shopper, self.fault)


@dataclass(frozen=True, slots=True)
class Truth:
    """What really happened at the failing step; the report has to find the same."""

    people_reached: int
    people_hit: int
    visits_reached: int
    visits_hit: int
    shortfall: Decimal


def truth_of(world: World) -> Truth:
    """Count the truth from the fates: people apart from anonymous visits; shortfall = Σ (y0 − y1) over all who were hit, anonymous ones too."""
    fates = [(shopper, world.fate(shopper)) for shopper in world.incident]
    people = [fate for shopper, fate in fates if shopper.is_person and fate.reaches]
    visits = [fate for shopper, fate in fates if not shopper.is_person and fate.reaches]
    return Truth(
        people_reached=len(people),
        people_hit=sum(fate.hit for fate in people),
        visits_reached=sum(1 + fate.returned for fate in visits),
        visits_hit=sum(any(fate.tries[: len(fate.tries) - fate.returned]) + (fate.returned and fate.tries[-1]) for fate in visits),
        shortfall=sum((fate.y0 - fate.y1 for _, fate in fates if fate.hit), Decimal(0)),
    )


def draw_world(seed: int, shoppers: int, browsers: int) -> World:
    """Draw a world of `shoppers` simulated at beacon level and `browsers` in a real browser, each set split over the two phases."""
    dice = random.Random(f"sojourn demo {seed}")
    accounts = _accounts(dice)
    before, in_browser = round(shoppers * HEALTHY_PART), browsers // 3
    plan: list[tuple[str, Walks, float]] = []
    for phase, count, walking in (("h", before, in_browser), ("i", shoppers - before, browsers - in_browser)):
        length = count / PER_SECOND
        plan += [(f"{phase}{number:04d}", "beacons", dice.uniform(0, length)) for number in range(count)]
        plan += [(f"{phase}b{number:03d}", "browser", number * 1.0) for number in range(walking)]
    everybody = [_shopper(dice, seed, name, walks, start, accounts) for name, walks, start in plan]
    customers = [_customer(shopper) for shopper in everybody if shopper.user]
    return World(
        seed=seed,
        accounts=accounts,
        customers=tuple(customers),
        healthy=_in_order(everybody, "h"),
        incident=_in_order(everybody, "i"),
        fault=Fault("error", SHARE, seed),
    )


def draw_passer_by(seed: int, number: int) -> Shopper:
    """One more shopper for a demo that stays open: a guest, so that nobody has to be introduced first."""
    dice = random.Random(f"sojourn passer-by {seed} {number}")
    return _shopper(dice, seed, f"p{number:05d}", "beacons", 0.0, (), kind="guest")


def _in_order(everybody: Sequence[Shopper], phase: str) -> tuple[Shopper, ...]:
    return tuple(sorted((shopper for shopper in everybody if shopper.id.startswith(phase)), key=lambda shopper: shopper.start))


def _pick(dice: random.Random, shares: Sequence[tuple[T, float]]) -> T:
    return dice.choices([value for value, _ in shares], [share for _, share in shares])[0]


def _accounts(dice: random.Random) -> tuple[Account, ...]:
    plans = {"Basic": (49.0, "small"), "Team": (290.0, "mid"), "Enterprise": (1900.0, "large")}
    found = []
    for number, name in enumerate(words.COMPANIES):
        plan = dice.choices(list(plans), [0.5, 0.35, 0.15])[0]
        mrr, segment = plans[plan]
        found.append(Account(f"a{number:02d}", name, plan, segment, round(mrr * dice.uniform(0.8, 1.6), 2), dice.choice(words.OWNERS)))
    return tuple(found)


def _shopper(dice: random.Random, seed: int, name: str, walks: Walks, start: float, accounts: Sequence[Account], kind: Kind | None = None) -> Shopper:
    chosen: Kind = _pick(dice, KIND_SHARES) if kind is None else kind
    product, quantity = dice.choice(PRODUCTS), dice.choices([1, 2, 3], [0.78, 0.17, 0.05])[0]
    amount = product.price * quantity
    band = next(share for upto, share in CART_BANDS if amount < upto)
    leaves_at = _pick(dice, LEAVES)
    business = bool(accounts) and dice.random() < 0.3
    if walks == "browser":
        chosen, leaves_at = ("signed_in", "")
    return Shopper(
        id=name,
        kind=chosen,
        walks=walks,
        start=start,
        device=_pick(dice, DEVICES),
        product=product.id,
        quantity=quantity,
        amount=amount,
        pace=dice.uniform(0.08, 0.35),
        leaves_at=leaves_at,  # type: ignore[arg-type]
        second_thoughts=dice.random() < 0.12,
        converts=dice.random() < band,
        reloads=dice.choices([0, 1, 2], [0.4, 0.38, 0.22])[0],
        returns_after=dice.uniform(3.0, 9.0) if dice.random() < 0.25 else None,
        put_off=dice.random() < 0.1,
        answer_if_hit=_answer(dice, words.BAD, (0.42, 0.28, 0.14, 0.1, 0.06), 0.3),
        answer_if_not=_answer(dice, words.GOOD, (0.04, 0.05, 0.11, 0.35, 0.45), 0.22),
        user=f"u-{name}" if chosen == "signed_in" else "",
        account=dice.choice(accounts).id if business and chosen == "signed_in" else "",
        visitor=str(uuid.uuid5(uuid.NAMESPACE_URL, f"sojourn-demo/{seed}/{name}")) if chosen != "anonymous" else "",
    )


def _answer(dice: random.Random, comments: Sequence[str], weights: Sequence[float], rate: float) -> Answer | None:
    value, comment, asked, writes = dice.choices([1, 2, 3, 4, 5], weights)[0], dice.choice(comments), dice.random(), dice.random()
    if asked >= rate:
        return None
    return Answer(value, comment if writes < 0.45 else "")


def _customer(shopper: Shopper) -> Customer:
    first, last = words.name_of(shopper.id)
    return Customer(shopper.user, f"{first} {last}", f"{first}.{last}.{shopper.id}@example.net".lower(), shopper.account)
