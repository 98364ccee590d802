"""Tickets to show one by one."""

from datetime import timedelta

from sojourn_collector.web.models_records import TicketItem, TicketList
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
