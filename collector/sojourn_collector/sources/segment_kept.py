"""What is kept of one of Segment's messages: what rows are made of, and nothing that consent does not allow."""

from collections.abc import Mapping
from typing import Any, Final

from sojourn_collector.sources.reading import at, text_at

CALLS: Final = ("track", "identify", "group", "page", "screen", "alias")
"""What a message may be."""
ENVELOPE: Final = (
    "type",
    "event",
    "name",
    "category",
    "messageId",
    "timestamp",
    "originalTimestamp",
    "sentAt",
    "receivedAt",
    "groupId",
    "userId",
    "previousId",
)
CONTEXT: Final = frozenset(
    (
        "sessionId",
        "session_id",
        "session.id",
        "sojourn_session",
        "sid",
        "trace_id",
        "groupId",
        "account_id",
        "sojourn_probe",
        "channel",
        "consent",
        "test",
        "app",
        "library",
    )
)
UNKEPT: Final = frozenset(("url", "search", "referrer", "referring_domain", "coupon", "products", "items", "user_agent", "userAgent"))
"""Properties that hold addresses with whatever stands in them, or what was bought."""
TRAITS: Final = ("role", "title", "plan", "company", "account_id", "email", "segment", "industry", "owner", "lifecycle", "renewal_date", "mrr", "currency")
OF_A_PERSON: Final = ("userId", "anonymousId", "traits", "previousId")
ANALYTICS: Final = frozenset(("analytics", "performance", "measurement", "statistics", "c0002"))
"""Categories of consent under which somebody may be recognised, as consent managers name them, in small letters."""


def consent_of(message: Any) -> str:
    """`granted`, `denied` or `unknown`: in words, else by the categories a consent manager leaves in the context."""
    told = at(message, "context", "consent")
    for word in (told, at(message, "properties", "consent"), at(message, "traits", "consent")):
        if word in ("granted", "denied"):
            return str(word)
    categories = at(told, "categoryPreferences")
    asked = [value for name, value in categories.items() if name.lower() in ANALYTICS] if isinstance(categories, dict) else []
    return "unknown" if not asked else "granted" if all(value is True for value in asked) else "denied"


def slim(message: Any) -> Any:
    """The message without what no row is made of. The visitor id stays with consent alone; where consent is denied nothing says who it was.

    What is no object stays as it is, for whoever cuts events to refuse.
    """
    if not isinstance(message, dict):
        return message
    consent = consent_of(message)
    kept: dict[str, Any] = {key: message[key] for key in ENVELOPE if key in message}
    kept["consent"] = consent
    context = message.get("context")
    if isinstance(context, dict):
        kept["context"] = {key: context[key] for key in context if key in CONTEXT}
        page = {key: at(context, "page", key) for key in ("path", "title") if text_at(context, "page", key)}
        kept["context"] |= {"page": page} if page else {}
        if email := text_at(context, "traits", "email"):
            kept["context"]["traits"] = {"email": email}
    properties = message.get("properties")
    if isinstance(properties, dict):
        kept["properties"] = {key: value for key, value in properties.items() if key not in UNKEPT}
        if text_at(message, "event").strip().lower() == "order refunded" and isinstance(properties.get("products"), list):
            kept["properties"]["products"] = [{key: at(one, key) for key in ("price", "quantity")} for one in properties["products"]]
    # RudderStack's SDK for Python tells who somebody is in the context alone.
    traits = message.get("traits") or (at(context, "traits") if message.get("type") == "identify" else None)
    if isinstance(traits, dict):
        # The name of a group is a company's, that of somebody identified their own.
        names = (*TRAITS, "name") if message.get("type") == "group" else TRAITS
        kept["traits"] = {key: traits[key] for key in names if key in traits}
        if isinstance(kept["traits"].get("company"), dict):
            kept["traits"]["company"] = {key: value for key, value in kept["traits"]["company"].items() if key == "id"}
    if consent == "granted" and text_at(message, "anonymousId"):
        kept["anonymousId"] = message["anonymousId"]
    return _nobody(kept) if consent == "denied" else kept


def _nobody(kept: Mapping[str, Any]) -> dict[str, Any]:
    """What stays of a message whose person said no: what happened, at which visit. A group's traits are a company's and stay."""
    named = [key for key in OF_A_PERSON if not (key == "traits" and kept.get("type") == "group")]
    rest = {key: value for key, value in kept.items() if key not in named}
    for part in ("context", "properties"):
        if isinstance(rest.get(part), dict):
            rest[part] = {key: value for key, value in rest[part].items() if key not in ("traits", "email", "user_id", "user.id", "uid")}
    return rest
