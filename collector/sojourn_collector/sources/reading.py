"""Reading a vendor's JSON without trusting its shape: what is not there, or is something else, reads as nothing."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sojourn_collector.sources.base import RowRefused


def at(value: Any, *path: str | int) -> Any:
    """What lies at a path of keys and positions; None when there is nothing."""
    for part in path:
        if isinstance(part, str) and isinstance(value, dict):
            value = value.get(part)
        elif isinstance(part, int) and isinstance(value, list) and -len(value) <= part < len(value):
            value = value[part]
        else:
            return None
    return value


def text_at(value: Any, *path: str | int) -> str:
    """The text or whole number there, as text; empty when there is none."""
    found = at(value, *path)
    if isinstance(found, bool):
        return ""
    return found if isinstance(found, str) else str(found) if isinstance(found, int) else ""


def needed(value: Any, *path: str | int) -> str:
    """The text there. Raises RowRefused when there is none."""
    if found := text_at(value, *path):
        return found
    raise RowRefused(f"{'.'.join(str(part) for part in path)} is missing from the event")


def objects_at(value: Any, *path: str | int) -> list[dict[str, Any]]:
    """The objects of the list there; empty when it is no list."""
    found = at(value, *path)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def number_at(value: Any, *path: str | int) -> Decimal | int | None:
    """The number there, also when it is written as text; None when there is none."""
    found = at(value, *path)
    if isinstance(found, str) and re.fullmatch(r"-?\d{1,12}(\.\d{1,12})?", found, re.ASCII):
        return Decimal(found)
    return found if isinstance(found, (int, Decimal)) and not isinstance(found, bool) else None


def moment(value: Any) -> str:
    """A time as rows have it, from RFC 3339 text, or seconds or milliseconds since 1970; empty when it is none of these."""
    if isinstance(value, str) and re.fullmatch(r"\d{9,14}(\.\d{1,9})?", value, re.ASCII):
        value = Decimal(value)  # the inbox keeps numbers with a point as text
    if isinstance(value, (int, Decimal)) and not isinstance(value, bool):
        try:
            return datetime.fromtimestamp(float(value / 1000 if value > 10**11 else value), UTC).isoformat(timespec="milliseconds")
        except (ValueError, OverflowError, OSError):
            return ""
    if not isinstance(value, str):
        return ""
    # SurveyMonkey, Chatwoot and Zendesk's templates write other spellings of the same: a blank for the T, "UTC" for the Z, offsets without a colon,
    # nanoseconds, no seconds.
    text = re.sub(r"\s?UTC$", "Z", value.strip())
    text = re.sub(r"^(\d{4}-\d\d-\d\d) (\d)", r"\1T\2", text)
    text = re.sub(r"([+-]\d\d)(\d\d)$", r"\1:\2", text)
    text = re.sub(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d)(Z|[+-]\d\d:\d\d)$", r"\1:00\2", text)
    return re.sub(r"(\.\d{6})\d+", r"\1", text)


def instant_of(text: str) -> datetime | None:
    """The time a text of `moment` says; None for none, or one without a zone."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read.astimezone(UTC) if read.tzinfo is not None else None
