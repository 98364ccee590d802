"""`sojourn-collector import`: rows of a CSV, JSON or NDJSON file go to the running collector, in portions; an import can be taken back."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from sojourn_collector.cli_running import CommandError, answer_of, asking, running
from sojourn_collector.config import CollectorConfig
from sojourn_collector.sources import SOURCES
from sojourn_collector.sources.body import BodyRefused, Unreadable, rows_of
from sojourn_collector.sources.dates import ORDERS
from sojourn_collector.sources.table import Reading, Table

if TYPE_CHECKING:
    import httpx2

OK, SOME_REFUSED = 0, 1
ROWS_AT_ONCE: Final = 10_000
BYTES_AT_ONCE: Final = 4 << 20
LARGEST_JSON: Final = 64 << 20
"""Bytes of a JSON file, which is read whole; NDJSON and CSV are streamed."""
LONGEST_LINE: Final = 1 << 20
MOST_ERRORS: Final = 20
"""Refused rows that are said one by one; the others are counted."""
_LINES = {".ndjson", ".jsonl"}


def add_arguments(one: argparse.ArgumentParser) -> None:
    """The command's options."""
    one.add_argument("file", nargs="?", type=Path, metavar="FILE", help="a file that ends in .csv, .tsv, .json, .ndjson or .jsonl")
    one.add_argument("--source", choices=list(SOURCES), help="what it holds")
    one.add_argument("--map", action="append", default=[], metavar="COLUMN=KEY", help="which key a column of a CSV is; nothing after the = leaves it out")
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="what every row of a CSV has, such as currency=EUR; csat.scale_max=5 is of the rows of a kind",
    )
    one.add_argument("--timezone", metavar="ZONE", help="zone of times without one, such as Europe/Berlin (default: UTC)")
    one.add_argument("--dates", choices=ORDERS, help="what of 5/11/2026 comes first; without it dates that may be read in two ways are refused")
    one.add_argument("--decimal", choices=[".", ","], default=".", metavar="SIGN", help="decimal sign of numbers, . or , (default: .)")
    one.add_argument("--dry-run", action="store_true", help="check every row and keep nothing")
    one.add_argument("--undo", metavar="IMPORT", help="take an import back: its rows go, the versions before are in force again")
    one.add_argument("--list", action="store_true", help="the latest imports")
    one.add_argument("--json", action="store_true", help='one JSON object: {"import", "accepted", "rejected", "errors", "notes"}')


@dataclass(slots=True)
class Told:
    """What came of the rows so far; `errors` have the line of the file."""

    accepted: int = 0
    rejected: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, line: int, why: str) -> None:
        """Count a bad row."""
        self.rejected += 1
        if len(self.errors) < MOST_ERRORS:
            self.errors.append({"line": line, "error": why})


def import_file(given: argparse.Namespace, config: CollectorConfig) -> int:
    """0 when all went in, 1 when rows were refused. Raises CommandError."""
    found = running(config.data)
    if found is None:
        raise CommandError(f"no collector runs on {config.data}; start it with: sojourn-collector run --config {given.config}")
    with asking(found, config) as http:
        if given.list:
            return _list(http, as_json=given.json)
        if given.undo:
            return _undo(http, given.undo, as_json=given.json)
        if given.file is None or given.source is None:
            raise CommandError("give a file and --source, such as: sojourn-collector import orders.csv --source orders")
        try:
            return _import(http, given)
        except BodyRefused as error:
            raise CommandError(f"{given.file}: {str(error)[0].lower()}{str(error)[1:].rstrip('.')}") from error
        except OSError as error:
            raise CommandError(f"{given.file} cannot be read ({error.strerror or error})") from error


def _import(http: "httpx2.Client", given: argparse.Namespace) -> int:
    reading = Reading.of(given.map, given.set, given.timezone, given.decimal, given.dates)
    told, ident = Told(), None
    with given.file.open("rb") as file:
        size = given.file.stat().st_size
        portions = _portions(_rows(file, given.file, given.source, reading, told), told)
        while portion := _next(portions, told, ident):
            if not given.dry_run and ident is None:
                # Only now: a file that cannot be read at all leaves no import behind.
                ident = answer_of(http.post("/api/v1/imports", params={"source": given.source, "file": given.file.name[:200]}))["id"]
            _send(http, portion, told, given.source, ident)
            _progress(file.tell(), size, told)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return _say(given, told, ident)


def _next(portions: Iterator[list[tuple[int, bytes]]], told: Told, ident: str | None) -> list[tuple[int, bytes]]:
    """The next portion, empty after the last one. Raises BodyRefused that says what is in already."""
    try:
        return next(portions, [])
    except BodyRefused as error:
        raise BodyRefused(f"{str(error).rstrip('.')}{_way_out(told, ident)}.") from None


def _way_out(told: Told, ident: str | None) -> str:
    return "" if ident is None else f"; {told.accepted} rows are in, to take them out: sojourn-collector import --undo {ident}"


def _send(http: "httpx2.Client", portion: Sequence[tuple[int, bytes]], told: Told, source: str, ident: str | None) -> None:
    body = b"\n".join(row for _, row in portion)
    headers = {"content-type": "application/x-ndjson"}
    if ident is None:
        answer = http.post("/api/v1/imports/dry-run", params={"source": source}, content=body, headers=headers)
    else:
        answer = http.post(f"/api/v1/imports/{ident}/rows", content=body, headers=headers)
    try:
        taken = answer_of(answer)
    except CommandError as error:
        raise CommandError(f"{error}{_way_out(told, ident)}") from error
    told.accepted += taken["accepted"]
    for one in taken["errors"]:
        told.refuse(portion[one["row"]][0], one["error"])


def _rows(file: IO[bytes], path: Path, source: str, reading: Reading, told: Told) -> Iterator[tuple[int, Any]]:
    """Rows with their lines; what is to be said of the file is told at its end. Raises BodyRefused."""
    suffix = path.suffix.lower()
    if suffix in (".csv", ".tsv", ".txt"):
        table = Table(SOURCES[source], iter(lambda: file.read(1 << 16), b""), reading)
        yield from table
        told.notes = table.notes()
        return
    if reading.mapping or reading.constants:
        raise BodyRefused("--map and --set are for CSV; rows of JSON name their keys themselves.")
    if suffix in _LINES:
        yield from _json_lines(file)
    elif suffix == ".json":
        body = file.read(LARGEST_JSON + 1)
        if len(body) > LARGEST_JSON:
            raise BodyRefused(f"The file is larger than {LARGEST_JSON >> 20} MiB; write one object a line and name it .ndjson.")
        yield from enumerate(rows_of(body, lines=False, most=None), 1)
    else:
        raise BodyRefused(f"The ending {suffix or 'of its name'} says nothing known; name it .csv, .tsv, .json, .ndjson or .jsonl.")


def _json_lines(file: IO[bytes]) -> Iterator[tuple[int, Any]]:
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            raise BodyRefused(f"Line {number} is longer than {LONGEST_LINE >> 20} MiB.")
        if line.strip(b"\xef\xbb\xbf \t\r\n"):
            try:
                yield number, rows_of(line, lines=True)[0]
            except BodyRefused as error:
                yield number, Unreadable(str(error).rstrip("."))


def _portions(rows: Iterator[tuple[int, Any]], told: Told) -> Iterator[list[tuple[int, bytes]]]:
    """Rows as JSON, as many as one request takes. Those that cannot be read are told at once."""
    portion: list[tuple[int, bytes]] = []
    size = 0
    for line, row in rows:
        if isinstance(row, Unreadable):
            told.refuse(line, row.reason)
            continue
        body = json.dumps(row, ensure_ascii=True, separators=(",", ":"), default=_plain).encode()
        if portion and (len(portion) == ROWS_AT_ONCE or size + len(body) > BYTES_AT_ONCE):
            yield portion
            portion, size = [], 0
        portion.append((line, body))
        size += len(body) + 1
    if portion:
        yield portion


def _plain(value: Any) -> Any:
    """Money stays exact: an amount may be a text."""
    return format(value, "f") if isinstance(value, Decimal) and abs(value.adjusted()) < 40 else str(value)


def _progress(at: int, size: int, told: Told) -> None:
    share = min(1.0, at / size) if size else 1.0
    if sys.stderr.isatty():
        done = round(30 * share)
        print(f"\r[{'#' * done}{'.' * (30 - done)}] {share:4.0%} {told.accepted + told.rejected} rows", end="", file=sys.stderr, flush=True)
    elif size > BYTES_AT_ONCE:
        print(f"{share:.0%}: {told.accepted} rows taken, {told.rejected} refused", file=sys.stderr, flush=True)


def _say(given: argparse.Namespace, told: Told, ident: str | None) -> int:
    code = SOME_REFUSED if told.rejected else OK
    if given.json:
        print(json.dumps({"import": ident, "accepted": told.accepted, "rejected": told.rejected, "errors": told.errors, "notes": told.notes}))
        return code
    for one in sorted(told.errors, key=lambda one: int(one["line"])):
        print(f"{given.file}:{one['line']}: {one['error']}", file=sys.stderr)
    if told.rejected > len(told.errors):
        print(f"… and {told.rejected - len(told.errors)} more", file=sys.stderr)
    for note in told.notes:
        print(note, file=sys.stderr)
    if given.dry_run:
        print(f"{told.accepted} rows of {given.source} are good, {told.rejected} are not; nothing was kept.")
    elif ident is None:
        print(f"No row of {given.source} could be sent, {told.rejected} refused." if told.rejected else f"{given.file} has no rows; nothing was sent.")
    else:
        print(f"{told.accepted} rows of {given.source} are in, {told.rejected} were refused. To take them out: sojourn-collector import --undo {ident}")
    return code


def _undo(http: "httpx2.Client", ident: str, *, as_json: bool) -> int:
    if len(ident) != 12 or set(ident) - set("0123456789abcdef"):
        raise CommandError(f"{ident[:40]!r} is no id of an import; see: sojourn-collector import --list")
    done = answer_of(http.post(f"/api/v1/imports/{ident}/undo"))
    print(json.dumps(done) if as_json else f"{done['rows']} rows are taken out; of {done['restored']} the version before is in force again.")
    return OK


def _list(http: "httpx2.Client", *, as_json: bool) -> int:
    for one in answer_of(http.get("/api/v1/imports")):
        undone = f", undone {one['undone_at'][:19]}Z" if one["undone_at"] else ""
        print(
            json.dumps(one)
            if as_json
            else f"{one['id']} {one['begun_at'][:19]}Z {one['source']} {one['file']}: {one['accepted']} in, {one['rejected']} refused{undone}"
        )
    return OK
