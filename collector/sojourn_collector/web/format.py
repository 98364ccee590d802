"""How the report writes things down: numbers, money, times, spans of time, and texts that strangers wrote.

Pure functions from values to short texts. None is "not known" and is written as such, never as zero.
"""

import unicodedata
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import ROUND_HALF_UP, Decimal
from math import floor, isfinite, log10
from urllib.parse import quote, urlsplit

UNKNOWN = "not known"
MINUS = "\u2212"
DASH = "\u2013"

# Currencies whose smallest unit is not a hundredth (ISO 4217, exponent column), as far as shops use them.
_DECIMALS = {"JPY": 0, "KRW": 0, "VND": 0, "CLP": 0, "ISK": 0, "HUF": 0, "XAF": 0, "XOF": 0, "BHD": 3, "KWD": 3, "JOD": 3, "OMR": 3, "TND": 3}

# Characters that reorder or hide text around them (Unicode UAX #9 and the zero-width ones): a comment must not rewrite the page's own words.
_TRICKS = frozenset("\u200b\u200e\u200f\u061c\u2060\ufeff\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_MARKS_IN_A_ROW = 3


def plain(text: str, limit: int = 2000) -> str:
    """`text` without control, reordering and invisible characters, at most `limit` characters long (an ellipsis counts)."""
    kept: list[str] = []
    marks = 0
    # Twice the limit and some: enough to fill the limit after the marks are gone, without walking a megabyte.
    for char in text[: limit * 4 + 64]:
        category = unicodedata.category(char)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if char in _TRICKS or marks > _MARKS_IN_A_ROW or category in {"Cs", "Co"}:
            continue
        kept.append(" " if category in {"Cc", "Zl", "Zp"} and char != "\n" else char)
        if len(kept) > limit:
            return "".join(kept[: limit - 1]).rstrip() + "…"
    return "".join(kept)


def number(value: float | None, digits: int = 0) -> str:
    """`1,240`; with `digits` after the point; a real minus sign."""
    if value is None or not isfinite(value):
        return UNKNOWN
    text = f"{abs(value):,.{digits}f}"
    return MINUS + text if value < 0 and float(text.replace(",", "")) != 0 else text


def count(value: int, one: str, many: str | None = None) -> str:
    """`1 person`, `41 people`."""
    return f"{number(value)} {one if value == 1 else (many or one + 's')}"


def filesize(value: float | None) -> str:
    """Bytes as `812 bytes`, `64 KB`, `1.4 MB`; thousands, as file managers count."""
    if value is None:
        return UNKNOWN
    if value < 1000:
        return count(int(value), "byte")
    return f"{number(value / 1000)} KB" if value < 999_500 else f"{number(value / 1e6, 1)} MB"


def score(value: float | None) -> str:
    """A score of 0–100: whole from 10 on, one decimal below, so that 0.4 does not read as nobody."""
    if value is None:
        return UNKNOWN
    return number(value, 0 if value >= 10 or value == round(value) else 1)


def percent(value: float | None) -> str:
    """A share of 0–1 as `83%`; small ones with one decimal."""
    if value is None or not isfinite(value):
        return UNKNOWN
    hundredths = value * 100
    return f"{number(hundredths, 1 if 0 < abs(hundredths) < 9.95 and round(hundredths, 1) != round(hundredths) else 0)}%"


def part(some: float, whole: float) -> float | None:
    """`some / whole`, None when there is no whole."""
    return some / whole if whole else None


def rough(value: float | None) -> str:
    """An estimate to three figures: `1,240` for 1,238.4."""
    if value is None or not isfinite(value):
        return UNKNOWN
    if abs(value) < 1:
        return number(value)
    step = 10 ** max(0, floor(log10(abs(value))) - 2)
    return number(round(value / step) * step)


def span_of(low: float | None, high: float | None, *, estimate: bool = False) -> str:
    """`12–23`; with a negative end `−40 to 310`, which a dash would garble."""
    if low is None or high is None:
        return UNKNOWN
    joint = " to " if low < 0 or high < 0 else DASH
    if estimate:
        return f"{rough(low)}{joint}{rough(high)}"
    digits = 0 if high >= 10 or (low == round(low) and high == round(high)) else 1
    return f"{number(low, digits)}{joint}{number(high, digits)}"


def estimate(amount: float | None, currency: str) -> str:
    """Estimated money, three figures: `1,240 EUR`."""
    return UNKNOWN if amount is None else f"{rough(amount)} {currency}".strip()


def money(amount: float | None, currency: str) -> str:
    """Exact money with the currency's own decimals: `62.00 EUR`, `1,200 JPY`."""
    if amount is None:
        return UNKNOWN
    digits = _DECIMALS.get(currency, 2)
    exact = Decimal(repr(float(amount))).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)
    return f"{MINUS if exact < 0 else ''}{abs(exact):,} {currency}".strip()


def lasting(seconds: float | None) -> str:
    """A span of time: `620 ms`, `2.4 s`, `18 min`, `3 h 12 min`, `2 days`."""
    if seconds is None or not isfinite(seconds):
        return UNKNOWN
    if seconds < 0:
        return MINUS + lasting(-seconds)
    for below, text in (
        (0.001, f"{seconds * 1000:.1f} ms" if seconds else "0 ms"),
        (0.9995, f"{seconds * 1000:.0f} ms"),
        (9.95, f"{seconds:.1f} s"),
        (119.5, f"{seconds:.0f} s"),
        (3599.5, f"{seconds / 60:.0f} min"),
    ):
        if seconds < below:
            return text
    minutes = round(seconds / 60)
    if minutes < 36 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    return count(round(seconds / 86400), "day")


class Clockface:
    """Writes moments in one time zone. `seconds` shows them to the second, for installations whose windows are seconds."""

    def __init__(self, zone: tzinfo = UTC, now: datetime | None = None, *, seconds: bool = False) -> None:
        self.zone, self.now, self.seconds = zone, now, seconds

    def local(self, at: datetime) -> datetime:
        """`at` in the report's zone; a time without zone is taken as UTC."""
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(self.zone)

    def at(self, moment: datetime | None, *, seconds: bool | None = None) -> str:
        """`14:02`, on another day than now `21 Nov, 14:02`."""
        if moment is None:
            return UNKNOWN
        local = self.local(moment)
        shown = local.strftime("%H:%M:%S" if (self.seconds if seconds is None else seconds) else "%H:%M")
        today = self.local(self.now) if self.now else local
        if local.date() == today.date():
            return shown
        year = f" {local.year}" if local.year != today.year else ""
        return f"{local.day} {local.strftime('%b')}{year}, {shown}"

    def exact(self, moment: datetime) -> str:
        """To the millisecond, for timelines: `14:02:07.120`."""
        return self.local(moment).strftime("%H:%M:%S.%f")[:-3]

    def day(self, moment: datetime) -> str:
        """`Sunday 22 November 2026`."""
        local = self.local(moment)
        return f"{local.strftime('%A')} {local.day} {local.strftime('%B %Y')}"

    def short_day(self, moment: datetime) -> str:
        """`21 Nov`, in another year than now `21 Nov 2025`."""
        local = self.local(moment)
        year = f" {local.year}" if self.now and local.year != self.local(self.now).year else ""
        return f"{local.day} {local.strftime('%b')}{year}"

    def ago(self, moment: datetime | None) -> str:
        """`2 min ago`; `just now` below two seconds."""
        if moment is None or self.now is None:
            return UNKNOWN
        passed = (self.local(self.now) - self.local(moment)) / timedelta(seconds=1)
        return "just now" if passed < 2 else f"{lasting(passed)} ago"

    def zone_name(self) -> str:
        """`UTC`, `CET`: said once per page."""
        return self.local(self.now or datetime(2000, 1, 1, tzinfo=UTC)).tzname() or "UTC"


def machine_time(moment: datetime) -> str:
    """The `datetime` attribute of a `<time>`: RFC 3339 in UTC."""
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")


def link(kind: str, ident: str, fragment: str = "") -> str:
    """The address of a page: `/people/user%3Au12#feedback`. Ids are texts clients chose, so all of it is quoted."""
    return f"/{kind}/{quote(ident, safe='')}{'#' + quote(fragment, safe='-') if fragment else ''}"


def outside_link(url: str) -> str:
    """`url` when it is an http(s) address that may become a link (a runbook), else nothing: never `javascript:`."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    return url.strip() if parts.scheme in {"http", "https"} and parts.netloc else ""
