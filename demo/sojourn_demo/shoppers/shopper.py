"""A shopper and its fate: everything it will do is drawn before it starts, with the failure and without it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from sojourn_demo.faults import Fault

Kind = Literal["signed_in", "guest", "anonymous"]
Walks = Literal["beacons", "browser"]


@dataclass(frozen=True, slots=True)
class Device:
    """What the shopper looks through, as beacons say it."""

    type: Literal["desktop", "mobile", "tablet"]
    browser: str
    os: str
    language: str
    user_agent: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the shopper says when asked: 1–5 and perhaps a comment."""

    value: int
    comment: str


@dataclass(frozen=True, slots=True)
class Shopper:
    """One simulated person (or one anonymous visit).

    `start` seconds after its phase began; `leaves_at` the page it drops out at on its own, or empty; `second_thoughts`: goes back
    to the cart once and comes to the pay page again; `reloads`: how often it tries again at once after a failure;
    `returns_after`: seconds after giving up until it comes back for one more visit, or None; `put_off`: has lost the wish to
    buy once it met a failure.
    """

    id: str
    kind: Kind
    walks: Walks
    start: float
    device: Device
    product: str
    quantity: int
    amount: Decimal
    pace: float
    leaves_at: Literal["", "home", "product", "cart"]
    second_thoughts: bool
    converts: bool
    reloads: int
    returns_after: float | None
    put_off: bool
    answer_if_hit: Answer | None
    answer_if_not: Answer | None
    user: str = ""
    account: str = ""
    visitor: str = ""

    @property
    def consent(self) -> Literal["granted", "denied"]:
        """An anonymous shopper refused to be recognised; the others agreed."""
        return "denied" if self.kind == "anonymous" else "granted"

    @property
    def is_person(self) -> bool:
        """True when the shopper can be told apart as a person; else only its visit can."""
        return self.kind != "anonymous"


@dataclass(frozen=True, slots=True)
class Fate:
    """What will happen to a shopper at the pay step. `tries` holds True for each try that fails, in order.

    `y0` is what it pays when nothing fails, `y1` what it pays as things are, in EUR.
    """

    reaches: bool
    tries: tuple[bool, ...]
    returned: bool
    y0: Decimal
    y1: Decimal

    @property
    def hit(self) -> bool:
        """True when at least one try fails."""
        return any(self.tries)


def foresee(shopper: Shopper, fault: Fault | None) -> Fate:
    """Work out the fate of `shopper` under `fault` (None: nothing fails). Pure: the shop's own verdicts come from the same draws."""
    nothing = Decimal(0)
    if shopper.leaves_at:
        return Fate(reaches=False, tries=(), returned=False, y0=nothing, y1=nothing)
    y0 = shopper.amount if shopper.converts else nothing
    tries: list[bool] = []

    def passes() -> bool:
        failed = fault is not None and fault.meets(shopper.id, len(tries) + 1)
        tries.append(failed)
        return not failed

    through = passes()
    if through and shopper.second_thoughts:
        through = passes()
    for _ in range(shopper.reloads):
        if through:
            break
        through = passes()
    returned = not through and shopper.returns_after is not None
    if returned:
        through = passes()
    buys = through and shopper.converts and not (any(tries) and shopper.put_off)
    return Fate(reaches=True, tries=tuple(tries), returned=returned, y0=y0, y1=shopper.amount if buys else nothing)
