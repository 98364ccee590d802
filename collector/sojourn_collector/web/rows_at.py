"""Addresses of the rows that a number counts: a list, or its page, asked for exactly them."""

from datetime import datetime
from urllib.parse import urlencode

from sojourn_collector.web.format import machine_time


def rows_at(path: str, since: datetime | None = None, until: datetime | None = None, /, **filters: object) -> str:
    """The address of a list over a window; empty filters are left out."""
    ends = {name: machine_time(at) for name, at in (("from", since), ("to", until)) if at is not None}
    given = {name.rstrip("_"): ("true" if value else "") if isinstance(value, bool) else str(value) for name, value in filters.items() if value is not None}
    asked = urlencode({name: value for name, value in {**given, **ends}.items() if value})
    return f"{path}?{asked}" if asked else path
