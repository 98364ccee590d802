"""Taking personal data out of a vendor's JSON before it is stored.

An address as a whole value becomes its SHA-256, by which people are recognised; in texts addresses, telephone numbers, cards and bank accounts are taken
out as in comments. Fields that hold nothing else than a person's data are dropped. What identifies things stays as it is.
"""

import re
from typing import Any, Final

from sojourn_collector.sources.email import email_digest
from sojourn_collector.sources.scrub import scrub
from sojourn_collector.sources.scrub_phones import names_a_phone

HASHED: Final = "sha256:"
"""What stands before the digest of an address."""
DROPPED: Final = frozenset(
    (
        "phone",
        "phone_number",
        "phones",
        "address",
        "address1",
        "address2",
        "addresses",
        "street",
        "city",
        "zip",
        "postal_code",
        "latitude",
        "longitude",
        "billing_address",
        "shipping_address",
        "default_address",
        "first_name",
        "last_name",
        "full_name",
        "family_name",
        "given_name",
        "firstName",
        "lastName",
        "ip",
        "ip_address",
        "ipAddress",
        "browser_ip",
        "client_details",
        "avatar",
        "avatar_url",
        "thumbnail",
        "social_profiles",
        "payment_method_details",
        "payment_details",
        "userAgent",
        "user_agent",
    )
)
"""Keys whose values are a person's data and of no use here, at any depth."""
_EMAIL = re.compile(r"\s*[^@\s\"<>]{1,64}@[^@\s\"<>]{1,190}\.[^@\s\"<>.]{2,63}\s*")
_OPAQUE = re.compile(
    r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"  # UUID
    r"|(?=\d*[a-fA-F])([0-9a-fA-F]{32}|[0-9a-fA-F]{40}|[0-9a-fA-F]{64})"  # ids of traces and the like, no card of digits alone
    r"|\d{4}-\d\d-\d\d([T ]\d\d:\d\d.*)?"  # times
    r"|gid://\S+"
    r"|sha256:[0-9a-f]{64}"
)
_NUMBER = re.compile(r"[+(]{0,2}\d(?:[ ()./-]{0,2}\d){5,14}")
_IDENTIFIES = re.compile(
    r"(^|_|-|\.)(id|ids|sid|tid|uuid|token|key|ref|session|trace|time|date|amount|created|updated|type|status|code|gid)$|[a-z](Id|ID|At|Date|Ref|Token)$|_at$"
)


def scrub_json(value: Any, drops: frozenset[str] = frozenset(), key: str = "") -> Any:
    """`value` without personal data. `drops` are further keys this vendor keeps a person's data in."""
    if isinstance(value, dict):
        return {_name(name): scrub_json(one, drops, name) for name, one in value.items() if name not in DROPPED and name not in drops}
    if isinstance(value, list):
        return [scrub_json(one, drops, key) for one in value]
    if not isinstance(value, str):
        return value
    value = _whole(value)
    if _EMAIL.fullmatch(value):
        return HASHED + email_digest(value)
    if _names_a_thing(value, key):
        return value
    return "[phone]" if names_a_phone(key) and _NUMBER.fullmatch(value.strip()) else scrub(value)


def _names_a_thing(value: str, key: str) -> bool:
    """Whether a text is an id or a time: by its form, or one word by its key."""
    one_word = "@" not in value and not any(char.isspace() for char in value)
    return bool(_OPAQUE.fullmatch(value) or (one_word and _IDENTIFIES.search(key)))


def _name(key: str) -> str:
    return scrub(_whole(key)) if "@" in key else _whole(key)


def _whole(text: str) -> str:
    """Text that can be kept: halves of characters and NUL are replaced."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def digest_in(value: Any) -> str:
    """The digest of an address that was taken out, in hex; of an address that is still there likewise; empty for anything else."""
    if not isinstance(value, str):
        return ""
    if value.startswith(HASHED) and re.fullmatch(r"[0-9a-f]{64}", value.removeprefix(HASHED)):
        return value.removeprefix(HASHED)
    return email_digest(value) if _EMAIL.fullmatch(value) else ""
