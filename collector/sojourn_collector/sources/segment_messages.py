"""Cutting what an SDK of Segment's or RudderStack's posts into messages: with ids, with their time by our clock, and without personal data."""

import json
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sojourn_collector.sources.answer import RowError
from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.configured import plain
from sojourn_collector.sources.door import Refused
from sojourn_collector.sources.reading import instant_of, moment
from sojourn_collector.sources.scrub_json import scrub_json
from sojourn_collector.sources.segment_kept import CALLS
from sojourn_collector.sources.sentences import shown
from sojourn_collector.sources.vendors.segment import PAGE_KEY
from sojourn_collector.sources.webhook import Event
from sojourn_collector.store.control.webhooks import digest

NAME: Final = "segment"
"""The feed rows come by, and the vendor whose adapter reads them."""
LARGEST_MESSAGE: Final = 64 << 10
"""Bytes of one message; Segment takes half of it."""
MOST_MESSAGES: Final = 2500


def messages_in(call: str, told: Mapping[str, Any], received: datetime, *, in_page: bool) -> tuple[list[tuple[str, Event]], list[RowError]]:
    """Scrubbed messages with their ids, and a sentence for each that is none. Raises Refused."""
    messages: list[Any] = [told]
    if call == "batch":
        batch = told.get("batch")
        if not isinstance(batch, list):
            raise Refused(400, "The body has no batch, which is a list of messages.")
        if len(batch) > MOST_MESSAGES:
            raise Refused(413, f"The batch has more than {MOST_MESSAGES} messages; send it in several requests.")
        messages = batch
    adapter, events, wrong = plain(NAME).webhook, [], []
    shared = told.get("context") if call == "batch" and isinstance(told.get("context"), dict) else {}
    for number, message in enumerate(messages):
        try:
            if not isinstance(message, dict):
                raise RowRefused("the message is not a JSON object")
            if call != "batch":
                message = {**message, "type": call}
            message = _timed(message, told.get("sentAt"), received)
            if shared:
                message["context"] = {**shared, **(message["context"] if isinstance(message.get("context"), dict) else {})}
            event = Event(scrub_json(adapter.events(message)[0], adapter.drops), {PAGE_KEY: "1"} if in_page else {})
            if message.get("type") not in CALLS:
                raise RowRefused(f"type: {shown(message.get('type'))} is none of {', '.join(CALLS)}")
            if len(event.to_json().encode()) > LARGEST_MESSAGE:
                raise RowRefused(f"the message is larger than {LARGEST_MESSAGE >> 10} KiB")
            events.append((adapter.event_key(event), event))
        except RowRefused as error:
            wrong.append(RowError(row=number, error=str(error)))
    return events, wrong


def _timed(message: Mapping[str, Any], sent_at: Any, received: datetime) -> dict[str, Any]:
    """The message with its id and its time by our clock: as much before it came as the sender says it was before it was sent. Raises RowRefused."""
    given = message.get("timestamp") or message.get("originalTimestamp")
    happened, sent = received, None
    if given is not None:
        read = instant_of(moment(given))
        if read is None:
            raise RowRefused(f"timestamp: {shown(given)} is no time with a zone")
        happened = read
        sent = instant_of(moment(message.get("sentAt") or sent_at))
    if sent is not None:
        happened = received - max(sent - happened, timedelta(0))
    timed = {
        **message,
        "timestamp": min(happened, received).astimezone(UTC).isoformat(timespec="milliseconds"),
        "receivedAt": received.isoformat(timespec="milliseconds"),
    }
    if given is not None:
        timed["originalTimestamp"] = given
    if not message.get("messageId"):
        # The same message sent again is the same; without a time of its own it cannot be told from another one.
        timed["messageId"] = digest(json.dumps({**message, "sentAt": None}, sort_keys=True, default=str)) if given is not None else str(uuid.uuid4())
    return timed
