"""What the report and each of its chapters take: which form, which time, and where it goes."""

import argparse
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sojourn_collector.cli_running import CommandError
from sojourn_collector.config import duration

FORMATS = ("human", "json", "csv", "md", "html")
LONGEST_DAYS = 3660


def add_form(one: argparse.ArgumentParser, default: str | None, body: str) -> None:
    """`--format`, `--json`, `--out`; without a default an option that is not given says nothing. `body` = what json is."""
    absent: dict[str, Any] = {} if default else {"default": argparse.SUPPRESS}
    form = f"human (default), json: the whole body of {body}, csv, md, html: one page by itself"
    one.add_argument("--format", choices=FORMATS, default=default or argparse.SUPPRESS, help=form)
    one.add_argument("--json", action="store_true", help="the same as --format json", **absent)
    one.add_argument("--out", type=Path, metavar="FILE", help="write it to a file (default: standard output)", **absent)


def add_window(one: argparse.ArgumentParser, usual: str) -> None:
    """`--last` and `--days` of a chapter."""
    one.add_argument("--last", metavar="SPAN", default=argparse.SUPPRESS, help=f"how far to look back, such as 7d (default: {usual})")
    one.add_argument("--days", type=int, metavar="N", default=argparse.SUPPRESS, help="the same in days")


def since(given: argparse.Namespace) -> dict[str, str]:
    """The parameter `from` of `--last` or `--days`; nothing where neither is given. Raises CommandError."""
    last, days = getattr(given, "last", None), getattr(given, "days", None)
    if last and days is not None:
        raise CommandError("--last and --days say the same; give one of them")
    if last:
        try:
            span = timedelta(seconds=duration(last))
        except ValueError as error:
            raise CommandError(f"--last: {error}") from error
    elif days is not None:
        if not 1 <= days <= LONGEST_DAYS:
            raise CommandError(f"--days: {days} is no number of days to look back; give one from 1 to {LONGEST_DAYS}")
        span = timedelta(days=days)
    else:
        return {}
    return {"from": (datetime.now(UTC) - span).isoformat()}


def put(text: str, out: Path | None) -> None:
    """Write it where it is wanted. Raises CommandError."""
    if out is None:
        sys.stdout.write(text)
        return
    try:
        out.write_text(text, encoding="utf-8", newline="")
    except OSError as error:
        raise CommandError(f"--out {out}: cannot be written ({error.strerror}); give a file in a folder that is there") from error
