"""The page *Add data*: a CSV is dropped, its columns are matched, it is checked, taken in, and taken back.

The file stays in the browser and comes along with every question, so nothing of it is kept here before it is imported.
"""

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Path, Request
from starlette.responses import HTMLResponse

from sojourn_collector.context import Context
from sojourn_collector.sources import Source
from sojourn_collector.sources.answer import Taken
from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.body import BodyRefused, Unreadable
from sojourn_collector.sources.cells import Cells, Writing
from sojourn_collector.sources.checking import check
from sojourn_collector.sources.columns import ATTRIBUTE, LEFT_OUT, guessed, known
from sojourn_collector.sources.csv_file import CsvFile
from sojourn_collector.sources.door import Refused, read_body
from sojourn_collector.sources.import_door import ImportDoor, Sender
from sojourn_collector.sources.kinds import scaled
from sojourn_collector.sources.table import Reading, table_rows
from sojourn_collector.store.control import Arrival
from sojourn_collector.web.api import SentenceRoute
from sojourn_collector.web.feeds import feed_lines
from sojourn_collector.web.imports import source_of, taken_back
from sojourn_collector.web.render import Pages

LARGEST_FILE: Final = 20 << 20
MOST_ROWS: Final = 50_000
_FIRST_ROWS = 5
_MOST_ERRORS = 10
_LOOKED_AT = 2_000
_SEVERAL = 2
_LISTED = 20
_DEADLINE = 50.0
_AT_ONCE = 2
CONSTANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "feedback": ("kind", "scale_min", "scale_max"),
    "orders": ("currency",),
    "accounts": ("currency",),
    "subscriptions": ("currency",),
    "deals": ("currency",),
}
"""Keys that are often the same for a whole file, by source."""
WHAT: Final[Mapping[str, str]] = {
    "feedback": "Answers to surveys and comments",
    "mentions": "Posts and reviews in public",
    "orders": "What was bought, and what of it was given back",
    "accounts": "Customers as companies",
    "people": "Who is behind a user id",
    "tickets": "Cases at the support desk",
    "subscriptions": "What recurs, and why it ended",
    "invitations": "Surveys that were sent or shown",
    "usage": "Who used what when",
    "deals": "What is being sold, and how far it is",
    "owners": "Who looks after accounts and deals",
}
Ident = Annotated[str, Path(pattern="^[0-9a-f]{12}$")]


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the dropped file: its name, first cells, and the key it is taken for."""

    name: str
    cells: Sequence[str]
    key: str


def build_add_data(context: Context, door: ImportDoor, *, deadline: float = _DEADLINE) -> APIRouter:
    """The page and its parts. `deadline` in seconds is that of a file's arrival."""
    pages = Pages(context.impact, context.clock)
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=SentenceRoute)
    reading_files = asyncio.Semaphore(_AT_ONCE)

    def refused(error: Refused) -> HTMLResponse:
        return pages.page("add_refused.html", status=error.status, reason=str(error))

    async def file_of(request: Request) -> tuple[Sender, Source[Any], bytes]:
        sender = await door.who(request)
        source = source_of(request.query_params.get("source", ""))
        return sender, source, await read_body(request, deadline, LARGEST_FILE)

    async def checked(request: Request) -> tuple[Sender, Source[Any], Taken, list[Arrival], list[int]]:
        async with reading_files:
            sender, source, body = await file_of(request)
            asked = request.query_params
            try:
                reading = Reading.of(asked.getlist("map"), asked.getlist("set"), asked.get("timezone"), asked.get("decimal"), asked.get("dates"))
                rows, lines, notes = await asyncio.to_thread(table_rows, source, body, reading, MOST_ROWS)
            except BodyRefused as error:
                raise Refused(400, str(error)) from None
            taken, arrivals = await asyncio.to_thread(check, source, rows, sender.tenant, context.clock(), context.secrets)
            return sender, source, taken.model_copy(update={"notes": notes}), arrivals, lines

    @router.get("/add")
    async def add() -> HTMLResponse:
        found = await context.control.imports.latest(_LISTED)
        return pages.page("add_data.html", title="Add data", what=WHAT, imports=found, feeds=await feed_lines(context))

    @router.post("/add/look")
    async def look(request: Request) -> HTMLResponse:
        """The columns of a file, what they are taken for, and what is still needed."""
        try:
            async with reading_files:
                _, source, body = await file_of(request)
                try:
                    header, rows, more = await asyncio.to_thread(_first, body)
                except BodyRefused as error:
                    raise Refused(400, str(error)) from None
            asked = request.query_params
            keys: dict[str, str] = {column: key or LEFT_OUT for column, key in guessed(source, header).items()}
            keys |= {column: key for column, sign, key in (one.rpartition("=") for one in asked.getlist("map")) if sign and column in keys}
        except Refused as error:
            return refused(error)
        columns = [Column(name, [row[place] if place < len(row) else "" for row in rows], keys[name]) for place, name in enumerate(header)]
        given = dict(one.partition("=")[::2] for one in asked.getlist("set"))
        needed = [name for name, one in source.model.model_fields.items() if one.is_required()]
        matched = set(keys.values())
        constants = [(name, given.get(name, "")) for name in _constants(source, [keys[column] for column in header], more)]
        return pages.page(
            "add_columns.html",
            source=source,
            columns=columns,
            needed=needed,
            others=[name for name in known(source) if name not in needed],
            attributes="attrs" in source.model.model_fields,
            attribute=ATTRIBUTE,
            missing=[name for name in needed if name not in matched and name not in dict(constants)],
            constants=constants,
            zone=asked.get("timezone", context.impact.timezone),
            decimal=asked.get("decimal", "."),
            dates=asked.get("dates", ""),
            hints=await asyncio.to_thread(_date_hints, source, asked.get("dates", ""), [keys[column] for column in header], more),
        )

    @router.post("/add/check")
    async def dry_run(request: Request) -> HTMLResponse:
        """What would go in."""
        try:
            _, source, taken, _, lines = await checked(request)
        except Refused as error:
            return refused(error)
        return pages.page("add_outcome.html", source=source, taken=taken, lines=lines, errors=taken.errors[:_MOST_ERRORS], done=None)

    @router.post("/add/import")
    async def take_in(request: Request) -> HTMLResponse:
        """Keep the good rows."""
        try:
            sender, source, taken, arrivals, lines = await checked(request)
        except Refused as error:
            return refused(error)
        done = None
        if arrivals:
            done = await context.control.imports.begin(source.name, request.query_params.get("file", ""), sender.actor, context.clock(), tenant=sender.tenant)
            await context.control.imports.add(done, arrivals, taken.rejected)
        return pages.page("add_outcome.html", source=source, taken=taken, lines=lines, errors=taken.errors[:_MOST_ERRORS], done=done)

    @router.post("/add/undo/{ident}")
    async def undo(request: Request, ident: Ident) -> HTMLResponse:
        """Take an import back."""
        try:
            sender = await door.who(request)
            done = await taken_back(context, sender, ident)
        except Refused as error:
            return refused(error)
        return pages.page("add_undone.html", done=done)

    @router.post("/add/list")
    async def listed(request: Request) -> HTMLResponse:
        """The latest imports once more."""
        try:
            sender = await door.who(request)
        except Refused as error:
            return refused(error)
        return pages.page("add_imports.html", imports=await context.control.imports.latest(_LISTED, tenant=sender.tenant))

    return router


def _first(body: bytes) -> tuple[list[str], list[list[str]], list[list[str]]]:
    """Names of the columns, the rows that are shown, and as many as tell how dates are written. Raises BodyRefused."""
    file = CsvFile([body])
    rows: list[list[str]] = []
    for line in file:
        if not isinstance(line.cells, Unreadable):
            rows.append(line.cells)
        if len(rows) == _LOOKED_AT:
            break
    if not rows:
        raise BodyRefused("The file has names of columns and no row below them.")
    return file.header, rows[:_FIRST_ROWS], rows


def _constants(source: Source[Any], keys: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """What may be given for every row; where the file has several kinds with a scale, the scale of each."""
    names = [name for name in CONSTANTS.get(source.name, ()) if name not in keys]
    if "kind" not in keys:
        return names
    place = keys.index("kind")
    found = {row[place].strip() for row in rows if place < len(row)}
    kinds = [kind for kind in scaled(source) if kind in found]
    if len(kinds) < _SEVERAL:
        return names
    return [one for name in names for one in ([f"{kind}.{name}" for kind in kinds] if name.startswith("scale_") else [name])]


def _date_hints(source: Source[Any], dates: str, keys: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """What the dates in the columns of times tell of how they are written, in a sentence for each column that leaves it open."""
    if dates:
        return []
    cells = Cells.of(source.model.model_fields, Writing(zone=ZoneInfo("UTC")))
    times = [place for place, key in enumerate(keys) if key and cells.is_time(key)]
    for row in rows:
        for place in times:
            if place < len(row) and row[place].strip():
                with contextlib.suppress(RowRefused):
                    cells.value(keys[place], row[place].strip())
    return cells.notes()
