"""Trials at the failing step: who failed at which arrival, and who stood there beside them without failing.

Time zero is a person's *first* technical failure at the step; its trial is the number of that arrival. Controls are arrivals with the
same number, in the classes 1 and 2 or later, of people who did not fail there. A control leaves at their own first failure, and those
who stay are weighted by 1 / Π(1 − f) over their later arrivals, f = how often such an arrival fails: staying unhurt over several tries
is rare and says something of who stayed. Comparing "ever failed" with "never failed" instead is biased (docs/scores.md).
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sojourn_collector.score.money import Settings, Shopper, band_of

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Bools = NDArray[np.bool_]


class Stratum(NamedTuple):
    """What is known of an arrival before it is seen whether it fails: who is compared with whom.

    `trial` 1 or 2 = the first arrival or a later one; `band` that of the cart; `tenure` 2 = has ordered before, 1 = has only been here before, 0 = neither,
    −1 = nobody can know; `visits` the band of earlier visits; `device` and `region` as words. What was given up is "" or `ANY`.
    """

    trial: int
    band: int
    tenure: int
    visits: int
    device: str
    region: str


@dataclass(frozen=True, slots=True)
class Trials:
    """Both arms as columns. `follow` = seconds a row is watched, capped at H; `converted` = delay of the first order, inf for none.

    `later` holds for each control the delays of their later arrivals, at which their weight grows by 1 / (1 − f); `weight` is 1 / their
    sampling probability: where visits with an error are all kept, who fails later is seen too often among the controls.
    """

    hit: tuple[Shopper, ...]
    hit_time: Floats
    hit_key: list[Stratum]
    hit_follow: Floats
    hit_paid: Floats
    hit_orders: Ints
    hit_before: Floats
    control: tuple[Shopper, ...]
    control_key: list[Stratum]
    control_cluster: Ints
    control_follow: Floats
    control_converted: Floats
    control_paid: Floats
    control_cart: Floats
    control_before: Floats
    control_later: list[Floats]
    control_factor: Floats
    control_left: Bools
    control_whole: Floats
    control_weight: Floats


def _trial_of(shopper: Shopper) -> int:
    """Number of the arrival the first failure belongs to; a failure before any arrival we saw belongs to the first."""
    assert shopper.failed_at is not None
    return max(1, sum(at <= shopper.failed_at for at in shopper.arrivals))


MIN_AT_RISK = 30
"""Later arrivals a device must have before its own failure share is believed."""


class FailureShare:
    """How often a later arrival (the second or after) failed: by device where enough were seen, else over all. Counted by weight."""

    def __init__(self, shoppers: Sequence[Shopper]) -> None:
        seen: Counter[str] = Counter()
        at_risk: dict[str, float] = defaultdict(float)
        failed: dict[str, float] = defaultdict(float)
        for shopper in shoppers:
            last = len(shopper.arrivals) if shopper.failed_at is None else _trial_of(shopper)
            seen[shopper.device] += max(0, last - 1)
            at_risk[shopper.device] += shopper.weight * max(0, last - 1)
            failed[shopper.device] += shopper.weight * (shopper.failed_at is not None and last > 1)
        total = sum(at_risk.values())
        # An arrival that always fails leaves nobody to weight; the cap keeps the arithmetic finite.
        self._all = min(0.95, sum(failed.values()) / total) if total else 0.0
        self._own = {device: min(0.95, failed[device] / n) for device, n in at_risk.items() if seen[device] >= MIN_AT_RISK}

    def later(self, device: str) -> float:
        """Share of later arrivals on this device that failed, 0–0.95."""
        return self._own.get(device, self._all)


def _paid(shopper: Shopper, start: float, follow: float) -> tuple[float, int, float]:
    """Net money, number of orders and delay of the first order in (start, start + follow]; delay inf for none."""
    inside = [payment for payment in shopper.payments if start < payment.at <= start + follow]
    return sum(payment.amount for payment in inside), len(inside), min((payment.at - start for payment in inside), default=np.inf)


def _before(shopper: Shopper, start: float, history: float) -> float:
    return sum(payment.amount for payment in shopper.payments if start - history <= payment.at < start)


def _stratum(shopper: Shopper, trial: int, start: float, settings: Settings) -> Stratum:
    """Facts from before `start` only. Orders of the incident itself do not count: who has just bought is not another customer for it."""
    ordered = any(start - settings.history <= payment.at < shopper.arrivals[0] for payment in shopper.payments) if shopper.arrivals else False
    tenure = -1 if not shopper.identified else 2 if ordered else int(shopper.visits > 0)
    return Stratum(
        min(2, trial), band_of(shopper.cart, settings.cart_bands), tenure, band_of(shopper.visits, settings.visit_bands), shopper.device, shopper.region
    )


def build_trials(shoppers: Sequence[Shopper], settings: Settings, known_until: float) -> Trials:
    """Lay out both arms.

    :param shoppers: everyone who came to the step in the incident.
    :param known_until: epoch seconds up to which every order is known (the watermark of the slowest order source).
    """
    horizon = settings.outcome
    failing = FailureShare(shoppers)
    clusters = {name: number for number, name in enumerate(sorted({s.cluster or s.id for s in shoppers}))}
    hit = [shopper for shopper in shoppers if shopper.failed_at is not None]
    times = np.array([shopper.failed_at for shopper in hit], dtype=float)
    follow = np.clip(known_until - times, 0.0, horizon)
    paid = [_paid(shopper, start, span) for shopper, start, span in zip(hit, times, follow, strict=True)]
    rows = []
    for shopper in shoppers:
        end = len(shopper.arrivals) if shopper.failed_at is None else min(len(shopper.arrivals), _trial_of(shopper) - 1)
        for number in range(end):
            rows.append(_control(shopper, number, failing.later(shopper.device), settings, known_until))
    return Trials(
        hit=tuple(hit),
        hit_time=times,
        hit_key=[_stratum(s, _trial_of(s), start, settings) for s, start in zip(hit, times.tolist(), strict=True)],
        hit_follow=follow,
        hit_paid=np.array([amount for amount, _, _ in paid], dtype=float),
        hit_orders=np.array([count for _, count, _ in paid], dtype=np.intp),
        hit_before=np.array([_before(s, start, settings.history) for s, start in zip(hit, times, strict=True)], dtype=float),
        control=tuple(row.shopper for row in rows),
        control_key=[row.key for row in rows],
        control_cluster=np.array([clusters[row.shopper.cluster or row.shopper.id] for row in rows], dtype=np.intp),
        control_follow=np.array([row.follow for row in rows], dtype=float),
        control_converted=np.array([row.converted for row in rows], dtype=float),
        control_paid=np.array([row.paid for row in rows], dtype=float),
        control_cart=np.array([np.nan if row.shopper.cart is None else row.shopper.cart for row in rows], dtype=float),
        control_before=np.array([row.before for row in rows], dtype=float),
        control_later=[row.later for row in rows],
        control_factor=np.array([1.0 / (1.0 - failing.later(row.shopper.device)) for row in rows], dtype=float),
        control_left=np.array([row.left for row in rows], dtype=bool),
        control_whole=np.array([row.whole for row in rows], dtype=float),
        control_weight=np.array([row.shopper.weight for row in rows], dtype=float),
    )


@dataclass(frozen=True, slots=True)
class _Control:
    """One control arrival. `left` = seen to fail within the time it would have been followed; `whole` = its weight when nothing is cut short: 0 for who
    failed later, else grown by later arrivals.
    """

    shopper: Shopper
    key: Stratum
    follow: float
    converted: float
    paid: float
    before: float
    later: Floats
    left: bool
    whole: float


def _control(shopper: Shopper, number: int, f_later: float, settings: Settings, known_until: float) -> _Control:
    start = shopper.arrivals[number]
    leaves = np.inf if shopper.failed_at is None else shopper.failed_at - start
    follow = float(max(0.0, min(settings.outcome, known_until - start, leaves)))
    later = np.array([at - start for at in shopper.arrivals[number + 1 :] if at - start < settings.outcome and at - start < leaves], dtype=float)
    amount, _, first = _paid(shopper, start, follow)
    stayed = leaves > settings.outcome
    return _Control(
        shopper=shopper,
        key=_stratum(shopper, number + 1, start, settings),
        follow=follow,
        converted=first,
        paid=amount,
        before=_before(shopper, start, settings.history),
        later=later,
        left=leaves < min(settings.outcome, known_until - start),
        whole=(1.0 - f_later) ** -len(later) if stayed else 0.0,
    )
