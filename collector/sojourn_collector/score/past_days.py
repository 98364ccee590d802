"""Business impact where nobody beside those hit can be compared: levels 2 and 1b, from the same clock window of past days.

Level 2, everyone was hit: r = money of those who came to the step in the window, within H of their coming, per person who came. The number
who came is the reference: it is counted before the failure meets them, so that the failure does not touch it. Loss = those hit ·
exp(mean log r) − what they paid, its interval conformal on log r.
Level 1b, the failure follows a segment: gap = money per person of the segment − of the others, in the same windows. Expected of the
segment = the others today + the mean gap; its interval from the gaps of the past days, conformal too.
Both are silent by their gates, which never look at what those hit paid. Definition and reasons: docs/methods.md.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, inf, isfinite, log, sqrt
from statistics import fmean, median, variance
from typing import Literal

from sojourn_collector.score.conformal import LEAST, foretold, half_width
from sojourn_collector.score.money import Shortfall

MIN_EXPECTED_ORDERS = 20.0
WEAK = 0.84
"""Standard deviations below the mean of a day that four in five are better than."""

MAX_SPREAD = 0.5
"""Median |log r − mean| from which a day says too little of another."""

TROUBLED = 0.05
"""Share of people hit from which a past day is an incident itself, when three were."""


@dataclass(frozen=True, slots=True)
class Window:
    """One clock window of one day: people who came to the step, of them hit, their orders and net money within H of coming."""

    people: int
    hit: int = 0
    orders: int = 0
    money: float = 0.0

    @property
    def troubled(self) -> bool:
        """Whether something was wrong in it too."""
        return self.hit >= 3 and self.hit > TROUBLED * self.people

    @property
    def worth(self) -> float:
        """Money per person who came; 0 when nobody did."""
        return self.money / self.people if self.people else 0.0


@dataclass(frozen=True, slots=True)
class PastDay:
    """One past day: all who came in the clock window or, for 1b, the segment, and apart from it the others; `before` = the hours before the window.

    `ago` = days before today, 0 = not known.
    """

    here: Window
    others: Window | None = None
    before: Window | None = None
    ago: int = 0


def from_past_days(plain: Shortfall, paid: float, days: Sequence[PastDay], before: Window | None = None) -> Shortfall:
    """Level 2 in place of a silent level 1.

    :param plain: the silent answer; its counts are kept, its reasons explain why the past had to stand in.
    :param paid: net money of those hit within H of their first failure.
    :param days: past days, today left out.
    :param before: the hours before the window today; when they were already unlike those of the past days it stays silent.
    """
    usable = [day for day in days if not day.here.troubled and day.here.people]
    reasons = _too_few(usable, len(days), plain.hit, [day.here for day in usable])
    if reasons:
        return replace(plain, reasons=(*plain.reasons, *reasons))
    ratios = [log(day.here.worth) if day.here.worth > 0 else -inf for day in usable]
    mean, half = half_width(ratios)
    spread = median(abs(ratio - mean) for ratio in ratios)
    if not isfinite(half) or spread > MAX_SPREAD:
        return replace(
            plain, reasons=(*plain.reasons, f"past days differ too much from each other to say what this one would have brought (median {spread:.2f})")
        )
    unlike = _unlike_before(before, [(day.before, day.ago) for day in usable if day.before is not None])
    if unlike:
        return replace(plain, reasons=(*plain.reasons, unlike))
    expected, low, high = (plain.hit * exp(value) for value in (mean, mean - half, mean + half))
    return _speaks(plain, 2, expected - paid, low - paid, high - paid, [day.here for day in usable])


def from_segment(plain: Shortfall, paid: float, others: Window, days: Sequence[PastDay], segment: str) -> Shortfall:
    """Level 1b in place of a level 1 whose controls are all of another segment.

    :param others: who came in the same window and is not of the segment.
    :param segment: what to call it, such as `browser Safari 19`.
    """
    usable = [day for day in days if day.others is not None and day.here.people and day.others.people and not day.here.troubled and not day.others.troubled]
    reasons = _too_few(usable, len(days), plain.hit, [day.here for day in usable])
    if not reasons and others.orders < MIN_EXPECTED_ORDERS:
        reasons = (f"{others.orders} of the others ordered, estimated from {MIN_EXPECTED_ORDERS:g} on",)
    if not reasons and others.troubled:
        reasons = (f"{others.hit} of {others.people} of the others were hit too",)
    if reasons:
        return replace(plain, reasons=(*plain.reasons, *reasons))
    gaps = [day.here.worth - day.others.worth for day in usable if day.others is not None]
    mean, half = half_width(gaps)
    expected = plain.hit * (others.worth + mean)
    note = f"only {segment} was hit; compared with the others at the same time, and with how the two differed on {len(usable)} past days"
    answer = _speaks(plain, "1b", expected - paid, expected - plain.hit * half - paid, expected + plain.hit * half - paid, [day.here for day in usable])
    return replace(answer, controls=others.people, control_orders=others.orders, notes=(note, *answer.notes[1:]))


def _too_few(usable: Sequence[PastDay], days: int, hit: int, windows: Sequence[Window]) -> tuple[str, ...]:
    reasons = []
    if len(usable) < LEAST:
        out = f" ({days - len(usable)} more had trouble of their own or nobody came)" if days > len(usable) else ""
        reasons.append(f"{len(usable)} past days to compare with{out}, estimated from {LEAST} on")
    expected = _orders_expected(windows, hit)
    weak = expected * _weak_day(windows)
    if usable and weak < MIN_EXPECTED_ORDERS:
        reasons.append(f"{expected:.1f} orders expected of those hit by past days, {weak:.1f} if it was a weak one, estimated from {MIN_EXPECTED_ORDERS:g} on")
    return tuple(reasons)


def _orders_expected(windows: Sequence[Window], hit: int) -> float:
    return hit * fmean(window.orders / window.people for window in windows) if windows else 0.0


def _weak_day(windows: Sequence[Window]) -> float:
    """What share of the usual a day may still bring: one in five is weaker. How good today was is not known, the past only says how much days differ.

    The days' own part of the variance of orders per person, by moments (the binomial part off), and that of their mean; log-normal.
    """
    shares = [window.orders / window.people for window in windows]
    if len(shares) < 2 or not (mean := fmean(shares)):
        return 1.0
    seen = variance(shares)
    own = max(0.0, seen - fmean(mean * (1 - min(1.0, mean)) / window.people for window in windows))
    return exp(-WEAK * sqrt(own + seen / len(shares)) / mean)


def _unlike_before(today: Window | None, past: Sequence[tuple[Window, int]]) -> str:
    """Whether today was already unlike other days before anything failed, in money per person or in how many came; how many may follow a trend."""
    usable = [(window, ago) for window, ago in past if window.people and not window.troubled]
    if today is None or not today.people or len(usable) < LEAST:
        return ""
    growing = [-float(ago) for _, ago in usable]
    for what, own, others, at in (
        ("brought", today.worth, [window.worth for window, _ in usable], ()),
        ("drew", float(today.people), [float(window.people) for window, _ in usable], growing),
    ):
        logs = [log(value) if value > 0 else -inf for value in others]
        if own <= 0 or not any(map(isfinite, logs)):
            continue
        usual, half = foretold(logs, at, 0.0, 0.99 if len(logs) >= 99 else 0.95)
        # A factor within a fifth of the usual is no other day, however regular the past was.
        if abs(log(own) - usual) > max(half, log(1.2)):
            unit = "a person" if what == "brought" else "people"
            return f"the hours before it {what} {own / exp(usual):.1f} times the usual ({unit}): a campaign, a release or another day than those before"
    return ""


def _speaks(plain: Shortfall, level: Literal["1b", 2], amount: float, low: float, high: float, windows: Sequence[Window]) -> Shortfall:
    final = plain.hit > 0 and plain.mature == plain.hit
    notes = (
        f"nearly everyone was hit; compared with the same hours of {len(windows)} past days",
        "nobody told of a release, a campaign or a changed price at its start",
    )
    return replace(
        plain,
        state="final" if final else "so_far",
        level=level,
        amount=amount,
        low=low,
        high=high,
        reasons=(),
        expected_orders=_orders_expected(windows, plain.hit),
        notes=notes,
    )
