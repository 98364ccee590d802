"""The types rows are made of. Each says in one sentence why it refuses a value."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationInfo

from sojourn_collector.sources.currencies import CURRENCIES
from sojourn_collector.sources.sentences import refusal, shown

_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_ZONELESS = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d(\.\d{1,9})?)?", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)
_AHEAD = timedelta(days=1)
_LONGEST_ID = 256
_MONEY_DIGITS = 14  # the engine keeps Decimal(18, 4)
_MONEY_DECIMALS = 4
_LARGEST = 10**9
_TINIEST = 9


class Row(BaseModel):
    """Base of every source's row: frozen, unknown keys refused. Validation context: `{"received": datetime}`."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True)


def text(value: Any) -> str:
    """Text without control characters but for line ends and tabs. Raises a refusal."""
    if not isinstance(value, str):
        raise refusal(f"must be text, got {shown(value)}")
    try:
        value.encode()
    except UnicodeEncodeError:
        raise refusal("holds half of a character (a lone surrogate); send valid Unicode") from None
    return "".join(c for c in value if (c >= " " and c != "\x7f") or c in "\n\t").strip()


def _bounded(longest: int) -> BeforeValidator:
    def check(value: Any) -> str:
        read = text(value)
        if len(read) > longest:
            raise refusal(f"has {len(read)} characters; at most {longest} are kept")
        return read

    return BeforeValidator(check)


def identifier(value: Any) -> str:
    """An id of the sender's; whole numbers are taken as text. Raises a refusal."""
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value) if abs(value) < 10**_LONGEST_ID else ""
    read = text(value)
    if not read or len(read) > _LONGEST_ID or "\n" in read or "\t" in read:
        raise refusal(f"must be 1 to {_LONGEST_ID} characters on one line, got {shown(value)}")
    return read


def _optional_identifier(value: Any) -> str:
    return "" if value is None or value == "" else identifier(value)


def trace_id(value: Any) -> str:
    """A W3C trace id, or "" for none. Raises a refusal."""
    if value is None or value == "":
        return ""
    if not isinstance(value, str) or not re.fullmatch(r"[0-9a-fA-F]{32}", value) or set(value) == {"0"}:
        raise refusal(f"must be 32 hexadecimal digits, not all zero, got {shown(value)}")
    return value.lower()


def instant(value: Any, info: ValidationInfo) -> datetime:
    """An RFC 3339 time with its zone, neither before 2000 nor more than a day ahead of its arrival. Raises a refusal."""
    return _instant(value, (info.context or {}).get("received"))


def _instant(value: Any, received: datetime | None) -> datetime:
    if isinstance(value, str) and _ZONELESS.fullmatch(value):
        raise refusal(f"{shown(value)} has no time zone; add Z or an offset, such as {value[:10]}T12:00:00+01:00")
    if not isinstance(value, str) or not _RFC3339.fullmatch(value):
        raise refusal(f"must be a time such as 2026-03-01T12:00:00Z (RFC 3339), got {shown(value)}")
    try:
        # Python reads at most microseconds; the engine keeps milliseconds.
        read = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", value).upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise refusal(f"{shown(value)} is no time that exists") from None
    if read < _EARLIEST:
        raise refusal(f"{shown(value)} is before the year 2000")
    if received is not None and read > received + _AHEAD:
        raise refusal(f"{shown(value)} is more than a day in the future; look at the sender's clock")
    return read


def _optional_instant(value: Any, info: ValidationInfo) -> datetime | None:
    return None if value is None or value == "" else instant(value, info)


def _planned(value: Any) -> datetime | None:
    """A time that may lie ahead: renewals do."""
    read = None if value is None or value == "" else _instant(value, None)
    if read is not None and read.year > 2148:
        raise refusal(f"{shown(value)} is too far in the future")
    return read


def count(value: Any) -> int:
    """A whole number from 0 to 65,535. Raises a refusal."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= 65_535:
        raise refusal(f"must be a whole number from 0 to 65535, got {shown(value)}")
    return value


def calendar_date(value: Any) -> date | None:
    """A date such as 2026-03-01, or None. Raises a refusal."""
    if value is None:
        return None
    if isinstance(value, str) and _DATE.fullmatch(value):
        try:
            read = date.fromisoformat(value)
        except ValueError:
            raise refusal(f"{shown(value)} is no date that exists") from None
        if 1970 <= read.year <= 2148:  # what the engine's Date can hold
            return read
    raise refusal(f"must be a date such as 2026-03-01, got {shown(value)}")


def money(value: Any) -> Decimal:
    """An amount in major units from a number or a text, never through a float. Raises a refusal."""
    if isinstance(value, bool) or not isinstance(value, (int, str, Decimal)):
        raise refusal(f'must be a number or a text such as "62.00", got {shown(value)}')
    if isinstance(value, str) and not re.fullmatch(r"[+-]?\d{1,20}(\.\d{1,20})?", value, re.ASCII):
        raise refusal(f'must be a number or a text such as "62.00", got {shown(value)}')
    try:
        read = Decimal(value)
    except InvalidOperation:
        raise refusal(f'must be a number or a text such as "62.00", got {shown(value)}') from None
    if not read.is_finite() or (read and read.adjusted() >= _MONEY_DIGITS):
        raise refusal(f"{shown(value)} is out of range; at most {_MONEY_DIGITS} digits before the point")
    exponent = read.as_tuple().exponent
    if isinstance(exponent, int) and exponent < -_MONEY_DECIMALS:
        raise refusal(f"{shown(value)} has more than {_MONEY_DECIMALS} decimals")
    return read


def currency(value: Any) -> str:
    """An ISO 4217 code in capitals; small letters are raised. Raises a refusal."""
    if isinstance(value, str) and value.upper() in CURRENCIES:
        return value.upper()
    raise refusal(f"{shown(value)} is not a currency of ISO 4217, such as EUR")


def number(value: Any) -> float | None:
    """A finite number, or None. Raises a refusal."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"-?\d{1,9}(\.\d{1,30})?", value, re.ASCII):
        return float(value)
    if isinstance(value, Decimal) and value and value.adjusted() < -_TINIEST:
        raise refusal(f"must be a number, got {shown(value)}")
    if isinstance(value, bool) or not isinstance(value, (int, float, Decimal)) or not -_LARGEST <= value <= _LARGEST:
        raise refusal(f"must be a number, got {shown(value)}")
    return float(value)


def attributes(value: Any) -> dict[str, str]:
    """Free attributes: at most 50 of text, number or truth value, kept as text. Raises a refusal."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise refusal(f"must be an object, got {shown(value)}")
    if len(value) > 50:
        raise refusal(f"has {len(value)} entries; at most 50 are kept")
    read = {}
    for name, item in value.items():
        if not isinstance(item, (str, int, float, Decimal, bool)):
            raise refusal(f"{shown(name)} must be text, a number or true/false, got {shown(item)}")
        kept = text(item) if isinstance(item, str) else ("true" if item else "false") if isinstance(item, bool) else str(item)
        if len(kept) > 1000 or len(name) > 100:
            raise refusal(f"{shown(name)} is too long; at most 100 characters for a name and 1000 for a value")
        read[text(name)] = kept
    return read


Identifier = Annotated[str, BeforeValidator(identifier)]
OptionalIdentifier = Annotated[str, BeforeValidator(_optional_identifier)]
Short = Annotated[str, _bounded(200)]
TraceId = Annotated[str, BeforeValidator(trace_id)]
Instant = Annotated[datetime, BeforeValidator(instant), Field(json_schema_extra={"examples": ["2026-03-01T12:00:00Z"]})]
OptionalInstant = Annotated[datetime | None, BeforeValidator(_optional_instant)]
PlannedInstant = Annotated[datetime | None, BeforeValidator(_planned)]
Count = Annotated[int, BeforeValidator(count)]
CalendarDate = Annotated[date | None, BeforeValidator(calendar_date)]
Amount = Annotated[Decimal, BeforeValidator(money)]
Currency = Annotated[str, BeforeValidator(currency)]
Number = Annotated[float | None, BeforeValidator(number)]
Attributes = Annotated[dict[str, str], BeforeValidator(attributes)]
