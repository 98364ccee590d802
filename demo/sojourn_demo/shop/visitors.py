"""What the shop remembers of each browser: who it is, its cart, how often it tried to pay. Kept in memory, oldest first out."""

import uuid
from collections import OrderedDict
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from sojourn_demo.shop.catalogue import BY_ID
from sojourn_demo.shop.settings import Customer
from sojourn_probes import semconv

COOKIE: Final = "shopper"
USER_COOKIE: Final = "user"
CONSENT_COOKIE: Final = "consent"
MOST: Final = 50_000


@dataclass(slots=True)
class Visitor:
    """One browser as the shop knows it. `tries` counts attempts to pay, from the first on."""

    id: str
    known: bool
    cart: dict[str, int] = field(default_factory=dict)
    tries: int = 0
    customer: Customer | None = None
    consent: str = "unknown"
    probe: bool = False

    @property
    def total(self) -> Decimal:
        """What the cart is worth, in EUR."""
        return sum((BY_ID[product].price * count for product, count in self.cart.items()), Decimal(0))

    @property
    def items(self) -> int:
        """How many things are in the cart."""
        return sum(self.cart.values())


class Visitors:
    """All browsers, found by their cookie."""

    def __init__(self, customers: dict[str, Customer], most: int = MOST) -> None:
        self._customers = customers
        self._most = most
        self._all: OrderedDict[str, Visitor] = OrderedDict()

    def find(self, request: Request) -> Visitor:
        """The browser behind a request; a new one gets an id, which `remember` puts into the reply."""
        given = request.cookies.get(COOKIE, "")[:64]
        key = given or uuid.uuid4().hex
        visitor = self._all.get(key)
        if visitor is None:
            visitor = self._all[key] = Visitor(id=key, known=bool(given))
            while len(self._all) > self._most:
                self._all.popitem(last=False)
        self._all.move_to_end(key)
        visitor.known = bool(given)
        visitor.customer = self._customers.get(request.cookies.get(USER_COOKIE, ""))
        consent = request.cookies.get(CONSENT_COOKIE, "unknown")
        visitor.consent = consent if consent in {"granted", "denied"} else "unknown"
        visitor.probe = semconv.PROBE_HEADER in request.headers
        return visitor


def remember(response: Response, visitor: Visitor) -> Response:
    """Set the visitor's cookie where the browser had none."""
    if not visitor.known:
        response.set_cookie(COOKIE, visitor.id, httponly=True, samesite="lax")
    return response
