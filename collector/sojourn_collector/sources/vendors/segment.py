"""Segment's messages: orders, people, accounts and usage, as its SDKs and RudderStack's post them to `/v1/*` and as their webhooks deliver them.

https://segment.com/docs/connections/spec/ecommerce/v2/, https://segment.com/docs/connections/destinations/catalog/webhooks/
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.joins import joined
from sojourn_collector.sources.reading import at, moment, objects_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.segment_kept import CALLS, slim
from sojourn_collector.sources.sentences import shown
from sojourn_collector.sources.signatures import HmacSignature
from sojourn_collector.sources.webhook import Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

ORDERS: Final = frozenset(("order completed", "completed order", "order updated", "order refunded", "order cancelled", "order canceled"))
"""Names of the e-commerce specification, its first version's among them, in small letters."""
PAGE_KEY: Final = "x-sojourn-page-key"
"""Kept beside a message that came under a key which stands in a page, for everybody to see."""
UNNAMED: Final = frozenset(("session_id", "session.id", "sid", "sojourn_session", "user_id", "user.id", "uid", "email", "trace_id", "tid", "consent"))
"""Properties that have a place of their own."""
_CENTS: Final = Decimal("0.0001")
_AMOUNT: Final = re.compile(r"-?\d{1,14}(\.\d{1,40})?([eE]-\d{1,2})?", re.ASCII)


def _key(event: Event) -> str:
    return text_at(event.body, "messageId")


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    body = event.body
    if at(body, "properties", "test") is True or at(body, "context", "test") is True:
        return []
    kind = text_at(body, "type")
    if kind not in CALLS:
        raise RowRefused(f"type is none of {', '.join(CALLS)}")
    time = time_of(moment(at(body, "timestamp")), "timestamp")
    used = _usage(event, kind, time, settings)
    if PAGE_KEY in event.headers:
        return used
    if kind == "track" and text_at(body, "event").strip().lower() in ORDERS:
        return [*used, _order(body, text_at(body, "event").strip().lower(), time, settings)]
    if kind == "identify":
        return _person(body, time)
    if kind == "group":
        return _account(body, time)
    return used


def _usage(event: Event, kind: str, time: datetime, settings: SourceSettings) -> list[Change]:
    """Who used what: every event of `track`, and pages and screens by their name, or the path of a page without one. Probes use nothing. Raises RowRefused."""
    body = event.body
    if kind not in ("track", "page", "screen") or _probe(body):
        return []
    told = _object(at(body, "properties"))
    path = text_at(told, "path") or text_at(body, "context", "page", "path")
    what = text_at(body, "event") if kind == "track" else f"{kind}: {text_at(body, 'name') or text_at(told, 'name') or path or 'without a name'}"
    if not what.strip():
        raise RowRefused("event is missing: a track says what was done")
    fields = {
        "at": time.isoformat(),
        "event": " ".join(what.split())[:200],
        "visitor_id": "" if text_at(body, "userId") else text_at(body, "anonymousId"),
        **_whose(body, settings, "usage"),
        "attrs": _attributes(told),
    }
    return [Change("usage", _key(event), time, fields, alone=True)]


def _attributes(told: Mapping[str, Any]) -> dict[str, str]:
    """The plain properties, at most 50, what is long cut."""
    plain = {name: value for name, value in told.items() if isinstance(value, (str, int, Decimal)) and len(name) <= 100 and name not in UNNAMED}
    return {name: str(value).lower() if isinstance(value, bool) else str(value)[:200] for name, value in list(plain.items())[:50]}


def _order(body: Any, name: str, time: datetime, settings: SourceSettings) -> Change:
    told = at(body, "properties")
    ident = text_at(told, "order_id") or text_at(told, "orderId")
    if not ident:
        raise RowRefused("properties.order_id is missing from the event")
    fields: dict[str, Any] = {"purchase_id": ident, **_whose(body, settings, "orders"), **_probe(body)}
    if name.endswith(("cancelled", "canceled")):
        fields["status"] = "cancelled"
    elif name == "order refunded":
        back = _refund(told)
        fields |= {"status": "refunded"} if back is None else {"refunds": {text_at(told, "refund_id") or text_at(body, "messageId"): back}}
    else:
        # Without shipping and tax where the sender knows it: `revenue` is what the shop keeps.
        worth = _money(told, "revenue")
        fields |= {"amount": _money(told, "total") if worth is None else worth, "currency": text_at(told, "currency")}
        fields["channel"] = text_at(told, "channel") or text_at(body, "context", "channel")
        if name != "order updated":
            fields |= {"at": time.isoformat(), "status": "completed"}
    return Change("orders", ident, time, fields)


def _refund(told: Any) -> Decimal | None:
    """What was given back; None for all of it, which is what an event without amount and products says. Raises RowRefused."""
    total = _money(told, "total")
    if total is not None:
        return abs(total)
    products = objects_at(told, "products")
    if not products:
        return None
    back = Decimal(0)
    for one in products:
        price, quantity = _money(one, "price"), _money(one, "quantity")
        if price is None:
            raise RowRefused("properties.total is missing from the refund, and its products have no price")
        back += price * (1 if quantity is None else quantity)
    return back.quantize(_CENTS)


def _money(told: Any, key: str) -> Decimal | None:
    """The amount there, to four decimals: JavaScript adds 0.1 to 0.2, and what comes of it is not the shop's. None when there is none. Raises RowRefused."""
    found = at(told, key)
    if found is None or found == "":
        return None
    if isinstance(found, bool) or not isinstance(found, (int, str, Decimal)) or not _AMOUNT.fullmatch(str(found)):
        raise RowRefused(f"{key}: {shown(found)} is no amount of money")
    return Decimal(str(found)).quantize(_CENTS)


def _probe(body: Any) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if mark := text_at(body, "properties", "sojourn_probe") or text_at(body, "context", "sojourn_probe"):
        told["probe_mark"] = mark
    if at(body, "properties", "probe") is True:
        told["probe"] = True
    return told


def _whose(body: Any, settings: SourceSettings, kind: str) -> dict[str, str]:
    """Ids of session, trace, person and account, of the envelope before those of the properties."""
    context = at(body, "context")
    free: dict[str, Any] = {**_object(context), **_object(at(body, "properties"))}
    email = at(body, "properties", "email") or at(body, "traits", "email") or at(context, "traits", "email")
    keys = joined({**free, "email": email}, settings, kind)
    session = at(context, "sessionId")
    # RudderStack's own session ids are numbers; ours never are, and no visit is found by them.
    if "session_id" not in keys and isinstance(session, str) and session and not session.isdigit() and len(session) <= 256:
        keys["session_id"] = session
    if user := text_at(body, "userId"):
        keys["user_id"] = user
    if account := text_at(body, "groupId") or text_at(context, "groupId"):
        keys["account_id"] = account
    return keys


def _person(body: Any, time: datetime) -> list[Change]:
    """Only who is known by an id of yours; somebody anonymous is no row."""
    user, traits = text_at(body, "userId"), at(body, "traits")
    if not user:
        return []
    fields: dict[str, Any] = {
        "email_sha256": digest_in(at(traits, "email")),
        "account_id": text_at(body, "context", "groupId") or text_at(traits, "company", "id") or text_at(traits, "account_id"),
        "role": _short(traits, "role") or _short(traits, "title"),
    }
    if (consent := text_at(body, "consent")) != "unknown":
        fields["consent"] = consent
    return [Change("people", user, time, fields)]


def _account(body: Any, time: datetime) -> list[Change]:
    group, user, traits = text_at(body, "groupId"), text_at(body, "userId"), at(body, "traits")
    if not group:
        raise RowRefused("groupId is missing from the event")
    fields: dict[str, Any] = {
        "name": _short(traits, "name"),
        "plan": _short(traits, "plan"),
        "segment": _short(traits, "segment") or _short(traits, "industry"),
        "owner": _short(traits, "owner"),
        "lifecycle": _short(traits, "lifecycle"),
        "renewal_date": text_at(traits, "renewal_date"),
    }
    if (mrr := _money(traits, "mrr")) is not None:
        fields |= {"mrr": mrr, "currency": text_at(traits, "currency")}
    changes = [Change("accounts", group, time, fields)]
    return [*changes, Change("people", user, time, {"account_id": group})] if user else changes


def _short(traits: Any, key: str) -> str:
    return text_at(traits, key)[:200]


def _object(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _events(body: Any) -> Sequence[Any]:
    return [slim(one) for one in body] if isinstance(body, list) else [slim(body)]


WEBHOOK = Webhook("segment", HmacSignature("x-signature", digest="sha1"), _key, _changes, events=_events, unsigned=True)
