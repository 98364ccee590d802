"""The answers of the lists of tickets, orders and subscriptions: each record as its feed tells it, with the visit it is linked to."""

from datetime import datetime
from typing import Literal

from sojourn_collector.web.models import Answer
from sojourn_collector.web.models_lists import Page

Link = Literal["explicit", "inferred", "unlinked"]


class TicketItem(Answer):
    """One ticket. `solved` = by the end of the window; `replied` is None of a desk that never told of a reply, `severity` without a walk that was linked.

    Journey and step are those it names, else those of the worst walk of its visit before.
    """

    id: str
    source: str
    opened: datetime
    status: str
    solved: bool
    replied: bool | None
    first_reply_at: datetime | None
    solved_at: datetime | None
    reopens: int
    priority: str
    topic: str
    channel: str
    person_id: str
    label: str
    account_id: str
    session_id: str
    link: Link
    confidence: float
    journey: str
    step: str
    severity: float | None


class TicketList(Page):
    """Body of `GET /api/v1/tickets/list`. `stale_days` = days from which on a ticket counts as unresolved."""

    stale_days: float
    items: list[TicketItem]


class OrderItem(Answer):
    """One order. `net` = `amount` less what was given back; `net_converted` is in the report's currency, by the rate of the order's day, None without a rate.

    `counts` is false for what is no business: a probe's, of test mode, or cancelled. `purchase` = the id under which other feeds know it too.
    """

    id: str
    source: str
    purchase: str
    at: datetime
    amount: float
    refunded: float
    net: float
    currency: str
    net_converted: float | None
    status: str
    probe: bool
    counts: bool
    channel: str
    person_id: str
    account_id: str
    session_id: str
    run_id: str
    link: Link
    confidence: float


class OrderList(Page):
    """Body of `GET /api/v1/orders`. `currency` is the report's."""

    currency: str
    items: list[OrderItem]


class SubscriptionItem(Answer):
    """One subscription as it stands now. `monthly` is None where nobody told it.

    `reason` is why it was ended in the feed's word, `comment` what the customer wrote then.
    """

    id: str
    source: str
    began: datetime
    status: str
    monthly: float | None
    currency: str
    interval: str
    plan: str
    renews_at: datetime | None
    cancel_at: datetime | None
    ended_at: datetime | None
    reason: str
    comment: str
    person_id: str
    account_id: str


class SubscriptionList(Page):
    """Body of `GET /api/v1/subscriptions`."""

    items: list[SubscriptionItem]


class NewlyHit(Answer):
    """Somebody, or a visit without identity, and their first failure at a step. `severity` is the worst they met there."""

    person_id: str
    kind: Literal["user", "visitor", "visit"]
    label: str
    account_id: str
    at: datetime
    severity: float
    session_id: str
    run_id: str


class NewlyHitList(Page):
    """Body of `GET /api/v1/alarms/people`."""

    items: list[NewlyHit]
