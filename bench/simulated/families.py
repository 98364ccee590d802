"""The one list of families of worlds, and what each draws its worlds from. Why these: docs/methods.md."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

HOUR, DAY = 3600.0, 86_400.0


@dataclass(frozen=True)
class Shape:
    """Ranges a world's own numbers are drawn from, each uniformly; people so that most worlds are small and a few are large."""

    people: tuple[int, int] = (300, 20_000)
    failing: tuple[float, float] = (0.05, 0.5)
    conversion: tuple[float, float] = (0.06, 0.4)
    sigma: tuple[float, float] = (0.6, 1.5)
    harm: tuple[float, float] = (0.0, 1.0)
    deferral: tuple[float, float] = (0.0, 0.6)
    again: float = 0.25
    """Share of those who left without paying that come again."""
    intent: float = 0.5
    """How strongly a hidden wish drives paying and coming again; unknown to the estimator."""
    cart_matters: float = 0.3
    no_cart: float = 0.0
    """Share of people whose cart nobody told."""
    barren: bool = False
    """Nobody in every other cart band pays."""
    look: tuple[float, float] | None = None
    """When it is asked, as a share of H after the incident; None = when every window is over."""
    lag: float = 0.0
    """Seconds by which the order source is behind."""
    anonymous: float = 0.0
    """Share of people who are a visit without identity; when they come back on another day nobody knows them."""
    login: bool = False
    """The step is the login: who did not get through stays without identity."""
    untidy: bool = False
    """Refunds, a second currency, probes' and cancelled orders, and one huge cart."""
    keep: tuple[float, float] | None = None
    """Share of visits kept by sampling; those with an error are all kept."""
    journeys: int = 1


@dataclass(frozen=True)
class Weeks:
    """A shop over many days for the families that look at the time before. Shares of money, per day."""

    kind: Literal["everyone", "segment"]
    days: tuple[int, int] = (28, 32)
    visits_an_hour: tuple[float, float] = (60, 300)
    conversion: tuple[float, float] = (0.06, 0.4)
    sigma: tuple[float, float] = (0.6, 1.2)
    noise: tuple[float, float] = (0.02, 0.2)
    """Standard deviation of the day's own part of the log of the visits, and of the broken hours' own part."""
    trend: tuple[float, float] = (-0.01, 0.01)
    """Growth of the log of the visits, per day."""
    harm: tuple[float, float] = (0.0, 1.0)
    deferral: tuple[float, float] = (0.0, 0.6)
    campaigns: float = 0.0
    """Share of days that sell half as much again, by day or more."""
    share: tuple[float, float] = (0.1, 0.5)
    """The segment's part of the visits."""


FAMILIES: Mapping[str, Shape | Weeks] = {
    "plain": Shape(no_cart=0.15),
    "nothing happened": Shape(harm=(0.0, 0.0)),
    "intent, repeated tries": Shape(intent=1.5, again=0.55),
    "all blocked, small n": Shape(people=(60, 400), failing=(0.3, 0.6), harm=(1.0, 1.0), deferral=(0.0, 0.0)),
    "one segment takes all failures": Weeks("segment", visits_an_hour=(80, 500), share=(0.15, 0.5)),
    "everyone hit": Weeks("everyone"),
    "everyone hit, few weeks": Weeks("everyone", days=(7, 27)),
    "everyone hit, trend": Weeks("everyone", trend=(0.01, 0.03)),
    "everyone hit, campaigns": Weeks("everyone", campaigns=0.15),
    "looks before H, late orders": Shape(look=(0.02, 0.6), lag=0.5 * HOUR, deferral=(0.2, 0.6)),
    "zero conversions in half the strata": Shape(barren=True),
    "returns under another id": Shape(anonymous=0.3, deferral=(0.2, 0.6)),
    "refunds, two currencies, probes, one huge order": Shape(untidy=True),
    "many journeys, nothing wrong": Shape(people=(200, 2000), failing=(0.002, 0.02), harm=(0.0, 0.0), journeys=10),
    "sampled, errors kept": Shape(keep=(0.1, 0.5), again=0.45, people=(600, 20_000)),
    "login broken": Shape(login=True),
}
