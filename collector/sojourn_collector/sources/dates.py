"""Times as spreadsheets and people write them: 27.11.2026 10:00, 11/27/2026 2:05 PM, 2026/11/27. Which of two numbers is the day is never guessed."""

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.sentences import shown

Order = Literal["day-first", "month-first"]
ORDERS: Final[tuple[Order, ...]] = ("day-first", "month-first")
_WRITTEN = re.compile(
    r"(?:(?P<year>\d{4})(?P<a>[-./])(?P<month>\d{1,2})(?P=a)(?P<day>\d{1,2})|(?P<one>\d{1,2})(?P<b>[-./])(?P<two>\d{1,2})(?P=b)(?P<last>\d{4}|\d\d))"
    r"(?:(?:,? |T)(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?P<part>\.\d{1,9})?)?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?"
    r"(?: ?(?P<zone>UTC|GMT|Z|[+-]\d\d:?\d\d))?)?",
    re.ASCII,
)


@dataclass(slots=True)
class Noticed:
    """What was seen in one column: times without a zone, dates that have the day first and nothing else, the month first, and either."""

    zoneless: int = 0
    days: int = 0
    months: int = 0
    either: int = 0


@dataclass(frozen=True, slots=True)
class Written:
    """One time that was read: a local one and the text of its offset, empty where it has none."""

    local: datetime
    offset: str


def written(text: str, order: Order | None, noticed: Noticed) -> Written | None:
    """What a text says, None when it is in no such form. Raises RowRefused for one that may be two days, or that does not exist."""
    found = _WRITTEN.fullmatch(text)
    if found is None:
        return None
    day = _day(found, order, noticed)
    hour, half = int(found["hour"] or 0), (found["half"] or "").lower()
    if day is None or hour > 23 or (half and not 1 <= hour <= 12):
        raise RowRefused(f"{shown(text)} is no time that exists{_with(order, found)}")
    if half:
        hour = hour % 12 + (12 if half == "p" else 0)
    try:
        local = datetime.fromisoformat(f"{day}T{hour:02}:{found['minute'] or '00'}:{found['second'] or '00'}{(found['part'] or '')[:7]}")
    except ValueError:
        raise RowRefused(f"{shown(text)} is no time that exists") from None
    return Written(local, _offset(found["zone"] or ""))


def _day(found: re.Match[str], order: Order | None, noticed: Noticed) -> date | None:
    if found["year"]:
        return _date(found["year"], found["month"], found["day"])
    year = found["last"] if len(found["last"]) == 4 else f"20{found['last']}"
    day_first, month_first = _date(year, found["two"], found["one"]), _date(year, found["one"], found["two"])
    if day_first and month_first and day_first != month_first:
        noticed.either += 1
        if order is None:
            raise RowRefused(
                f"{shown(found[0])} may be {_named(day_first)} or {_named(month_first)}; say how dates are written in this file, {' or '.join(ORDERS)}"
            )
    elif day_first != month_first:
        noticed.days += day_first is not None
        noticed.months += month_first is not None
    if order is None:
        return day_first or month_first
    return day_first if order == "day-first" else month_first


def _date(year: str, month: str, day: str) -> date | None:
    try:
        return date(int(year), int(month), int(day))
    except ValueError:
        return None


def _named(day: date) -> str:
    return f"{day.day} {_MONTHS[day.month - 1]}"


def _offset(zone: str) -> str:
    if zone in ("UTC", "GMT", "Z"):
        return "+00:00"
    return zone if not zone or ":" in zone else f"{zone[:3]}:{zone[3:]}"


def _with(order: Order | None, found: re.Match[str]) -> str:
    return f" where the {order.partition('-')[0]} is first" if order and not found["year"] else ""


def notes(seen: dict[str, Noticed], order: Order | None, zone: str) -> list[str]:
    """What is to be said of a file once it was read: sentences. `zone` is that which was taken because none was named, or empty."""
    said = []
    if zone and (zoneless := sum(one.zoneless for one in seen.values())):
        have, are = ("time has", "is") if zoneless == 1 else ("times have", "are")
        said.append(f"{zoneless:,} {have} no zone and {are} read as {zone}; name the zone of the file if it is another.")
    for key, one in seen.items():
        if order is None and one.either:
            said.append(f"{key}: {one.either:,} {'date' if one.either == 1 else 'dates'} may be read in two ways. {_likely(one)}")
    return said


def _likely(one: Noticed) -> str:
    if one.days and one.months:
        return "Some others only fit day-first and some only month-first, so this column is written in both; mend the file."
    if one.days or one.months:
        fits = ORDERS[0] if one.days else ORDERS[1]
        return f"All dates of this column fit {fits}, {max(one.days, one.months):,} of them nothing else: {fits} is the likely answer."
    return "No date of this column shows which; whoever made the file knows."


_MONTHS: Final = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")
