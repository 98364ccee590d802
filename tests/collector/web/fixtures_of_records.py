"""Tickets to show one by one, and subscriptions that ended."""

from datetime import timedelta

from sojourn_collector.web.models_ended import EndedAnswer, EndedFigures, EndedLine, EndedReason
from sojourn_collector.web.models_records import SubscriptionItem, TicketItem, TicketList
from sojourn_collector.web.models_tickets import Part
from tests.collector.web.fixtures import COMMENTS, NAMES, NOW, ago

DAY = 86_400.0


def tickets(topic: str = COMMENTS[2], label: str = NAMES[0], *, some: bool = True) -> TicketList:
    """Open, solved, opened again, of a desk that tells no replies; `topic` and `label` are what strangers wrote."""
    items = [_ticket(number, topic, label) for number in range(5)] if some else []
    return TicketList(window_from=ago(28 * DAY), window_to=NOW, next="bmV4dA" if some else None, stale_days=3.0, items=items)


def _ticket(number: int, topic: str, label: str) -> TicketItem:
    opened, solved = ago(DAY * (number + 1)), number % 2 == 1
    return TicketItem(
        id=f"{4100 + number}",
        source="helpdesk" if number < 4 else "mail",
        opened=opened,
        status="closed" if solved else "on_hold",
        solved=solved,
        replied=None if number == 4 else number > 1,
        first_reply_at=opened + timedelta(minutes=47) if 1 < number < 4 else None,
        solved_at=opened + timedelta(hours=9) if solved else None,
        reopens=2 if number == 2 else 0,
        priority="high" if number == 0 else "",
        topic=topic if number < 3 else "",
        channel="email",
        person_id=f"user:u{number}" if number < 3 else "",
        label=label if number == 0 else f"u{number}" if number < 3 else "",
        account_id="a1" if number == 1 else "",
        session_id=f"s-{number}" if number < 2 else "",
        link="explicit" if number == 0 else "inferred" if number == 1 else "unlinked",
        confidence=1.0 if number == 0 else 0.5 if number == 1 else 0.0,
        journey="checkout" if number < 3 else "",
        step="pay" if number == 0 else "",
        severity=1.0 if number == 0 else None,
    )


def none_ended() -> EndedAnswer:
    """Of an installation that is told of no subscription."""
    nobody = EndedFigures(ended=0, hit_before=Part(count=0, of=0))
    return EndedAnswer(as_of=NOW, window_from=ago(90 * DAY), window_to=NOW, currency="EUR", days_before=30, figures=nobody, reasons=[], words=[], rows="")


def ended(comment: str = COMMENTS[0], label: str = NAMES[0]) -> EndedAnswer:
    """Two reasons, and none; what a customer wrote is a stranger's."""
    figures = EndedFigures(ended=14, monthly=620.0, unpriced=2, other_currencies={"USD": 90.0}, hit_before=Part(count=5, of=11, low=0.21, high=0.72))
    few = EndedFigures(ended=3, hit_before=Part(count=0, of=0))
    rows = "/api/v1/subscriptions?by=ended"
    line = EndedLine(
        ended=ago(3 * DAY),
        reason="too_expensive",
        comment=comment or "It never worked",
        plan="pro",
        monthly=49.0,
        currency="EUR",
        person_id="user:u12",
        label=label,
        account_id="a1",
        account=label,
        severity=1.0,
    )
    reasons = [EndedReason(reason=comment or "too_expensive", figures=figures, rows=rows), EndedReason(reason="", figures=few, rows=rows)]
    quiet = line.model_copy(update={"person_id": "", "account_id": "", "severity": None, "monthly": None})
    found = {"figures": figures, "reasons": reasons, "words": [line, quiet], "rows": rows}
    return none_ended().model_copy(update=found)


def subscription(comment: str = COMMENTS[0]) -> SubscriptionItem:
    """One that ended; why is a stranger's words."""
    return SubscriptionItem(
        id="sub_1",
        source="stripe",
        began=ago(200 * DAY),
        status="ended",
        monthly=49.0,
        currency="EUR",
        interval="month",
        plan="pro",
        renews_at=None,
        cancel_at=None,
        ended_at=ago(3 * DAY),
        reason="too_expensive",
        comment=comment,
        person_id="user:u12",
        account_id="",
    )
