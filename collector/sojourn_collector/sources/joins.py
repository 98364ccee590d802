"""What a page or a shop put into a vendor's free fields so that its records can be joined: ids of session, trace, person, account, order and ticket."""

import re
from collections.abc import Mapping
from typing import Any, Final

from sojourn_collector.sources.reading import text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources_config import SourceSettings

NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "session_id": ("session_id", "session.id", "sid", "sojourn_session"),
    "trace_id": ("trace_id", "tid"),
    "user_id": ("user_id", "user.id", "uid"),
    "account_id": ("account_id",),
    "order_id": ("order_id",),
    "ticket_id": ("ticket_id",),
}
"""Names under which they are looked for, in this order."""
ONLY: Final[Mapping[str, frozenset[str]]] = {
    "feedback": frozenset(NAMES),
    "mentions": frozenset(NAMES),
    "tickets": frozenset(NAMES) - {"ticket_id"},
    "invitations": frozenset(NAMES),
    "orders": frozenset(("session_id", "trace_id", "user_id", "account_id")),
    "subscriptions": frozenset(("user_id", "account_id")),
    "usage": frozenset(("session_id", "user_id", "account_id")),
}
"""Which of them a row of a kind may have."""
_LONGEST: Final = 256


def joined(fields: Any, settings: SourceSettings, kind: str) -> dict[str, str]:
    """Keys for a row of `kind` from a flat object of free fields. A value that cannot be an id is left out: a stranger may have written it."""
    found: dict[str, str] = {}
    own = {"session_id": settings.session_field, "user_id": settings.user_field}
    for key in ONLY[kind]:
        for name in (own.get(key, ""), *NAMES[key]):
            value = text_at(fields, name).strip() if name else ""
            if _good(key, value):
                found[key] = value
                break
    if email := digest_in(fields.get("email") if isinstance(fields, dict) else None):
        found["email_sha256"] = email
    return found


def purchase_in(fields: Any) -> dict[str, str]:
    """The shop's id of a purchase from a flat object of free fields, for an order that the vendor knows by an id of its own."""
    value = text_at(fields, "order_id").strip()
    return {"purchase_id": value} if _good("order_id", value) else {}


def about(settings: SourceSettings) -> dict[str, str]:
    """Journey and step that the source is about, as collector.yaml says."""
    return {key: value for key, value in (("journey", settings.journey), ("step", settings.step)) if value}


def _good(key: str, value: str) -> bool:
    if not value or len(value) > _LONGEST or not value.isprintable() or value.startswith("sha256:"):
        return False
    return key != "trace_id" or (re.fullmatch(r"[0-9a-fA-F]{32}", value) is not None and set(value) != {"0"})
