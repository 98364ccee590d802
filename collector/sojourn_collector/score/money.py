"""The words of business impact: who came to the step, what they paid, and what the answer says.

Times are seconds since the epoch, money is in major units of one currency, net of refunds, probe orders already out.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

MIN_ORDER_VALUES = 200
"""Orders of the weeks before from which on they say what an order without a known cart is worth."""

DRAWS = 2000
"""Predictive draws behind an interval."""


@dataclass(frozen=True, slots=True)
class Payment:
    """One order: when it was placed and its net amount (refunds taken off; 0 when refunded whole); `elsewhere` = in another visit."""

    at: float
    amount: float
    elsewhere: bool = False


@dataclass(frozen=True, slots=True)
class Shopper:
    """One person (or anonymous visit) at the failing step during the incident.

    `arrivals` are the times they came to the step, `failed_at` their first technical failure there, `device`, `region` and `cart` what was known at
    the step (cart None = unknown), `visits` how many visits they made in `Settings.history` before the incident, `payments` everything they paid from
    `Settings.history` before the incident until now, `cluster` whoever decides together (the account in B2B), by default the person. `identified` = known
    beyond this visit: only then are earlier and later visits theirs. `weight` = 1 / sampling probability.
    """

    id: str
    arrivals: tuple[float, ...]
    failed_at: float | None = None
    device: str = ""
    cart: float | None = None
    payments: tuple[Payment, ...] = ()
    cluster: str = ""
    identified: bool = True
    weight: float = 1.0
    region: str = ""
    visits: int = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """Windows, bands and gates of the estimate. `outcome` (H) and `history` in seconds; `cart_bands` and `visit_bands` ascending upper bounds."""

    outcome: float
    history: float = 28 * 86400.0
    cart_bands: tuple[float, ...] = (25.0, 75.0, 150.0)
    visit_bands: tuple[float, ...] = (1, 3)
    min_hit: int = 30
    min_expected_orders: float = 5.0
    min_control_orders: int = 20
    min_overlap: float = 0.8
    min_controls: int = 5
    draws: int = DRAWS


@dataclass(frozen=True, slots=True)
class Healthy:
    """Conversion (0–1) and order value of the time before, for level 0 where the incident has no one unhurt to look at."""

    conversion: float
    order_value: float
    of: int = 0


@dataclass(frozen=True, slots=True)
class Shortfall:
    """What those hit would have paid within H of their first failure, minus what they paid. Never clipped at 0.

    `so_far` until at least 80 % of those hit have their whole window behind them, then `final` on those people; `upper_bound` when only
    level 0 speaks (then `amount` stays None and the bound is in `upper_bound`); `not_estimable` otherwise. `reasons` say why not.
    """

    state: Literal["so_far", "final", "upper_bound", "not_estimable"]
    level: Literal[0, 1, "1b", 2] | None
    hit: int
    mature: int
    controls: int
    amount: float | None = None
    low: float | None = None
    high: float | None = None
    overlap: float | None = None
    expected_orders: float | None = None
    control_orders: int = 0
    upper_bound: float | None = None
    outside: int = 0
    outside_bound: float | None = None
    e_value: float | None = None
    placebo: float | None = None
    final_at: float | None = None
    reasons: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def band_of(cart: float | None, bands: Sequence[float]) -> int:
    """Number of the cart band; −1 for an unknown cart."""
    return -1 if cart is None else sum(cart >= bound for bound in bands)


def level_zero(carts: Sequence[float | None], healthy: Healthy | None) -> float | None:
    """Hit × healthy conversion × order value: everything is taken for lost and nothing comes back. Always called an upper bound.

    A person's own cart is taken for the order value where it is known. None when there is nothing healthy to compare with.
    """
    if healthy is None:
        return None
    return healthy.conversion * sum(cart or healthy.order_value for cart in carts)


def e_value(expected: float, observed: float) -> float | None:
    """How strongly a hidden trait would have to go with both failing and not paying to explain the gap away (VanderWeele & Ding 2017).

    :param expected: orders expected of those hit.
    :param observed: orders seen of them; half an order stands in for none.
    :returns: the E-value, ≥ 1; None when nothing was expected.
    """
    if expected <= 0:
        return None
    ratio = expected / max(observed, 0.5)
    ratio = max(ratio, 1 / ratio)
    return float(ratio + (ratio * (ratio - 1)) ** 0.5)
