"""Runs, visits, people and accounts as pages of a list."""

import asyncio
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.score.severities import RECOVERED
from sojourn_collector.web.answers.owners import UNKNOWN, owners_of
from sojourn_collector.web.answers.page import Place, place_of
from sojourn_collector.web.answers.sufferers import label_of, names_of
from sojourn_collector.web.answers.times import known, to_ms
from sojourn_collector.web.answers.usage import business_of_accounts
from sojourn_collector.web.asked import AccountsAsked, Asked, PeopleAsked, RunsAsked, SessionsAsked
from sojourn_collector.web.models_lists import AccountItem, AccountList, PersonItem, PersonList, RunItem, RunList, SessionItem, SessionList

_PAGING = frozenset(Asked.model_fields)


async def runs(context: Context, asked: RunsAsked) -> RunList:
    """The body of `GET /api/v1/runs`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "runs")
    rows, more = await _rows(context, "list_runs", place, asked)
    return RunList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(to_ms(rows[-1]["started"]), rows[-1]["run_id"]) if more else None,
        items=[_run(row) for row in rows],
    )


async def sessions(context: Context, asked: SessionsAsked) -> SessionList:
    """The body of `GET /api/v1/sessions`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "sessions")
    rows, more = await _rows(context, "list_sessions", place, asked)
    return SessionList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(to_ms(rows[-1]["started"]), rows[-1]["session_id"]) if more else None,
        items=[SessionItem(**{**row, "traffic": row["traffic"] or "real", "person_kind": row["person_kind"] or "visit"}) for row in rows],
    )


async def people(context: Context, asked: PeopleAsked) -> PersonList:
    """The body of `GET /api/v1/people`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "people")
    rows, more = await _rows(context, "list_people", place, asked, hit=RECOVERED)
    names = await names_of(context, [row["person"] for row in rows])
    return PersonList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(to_ms(rows[-1]["last_seen"]), rows[-1]["person"]) if more else None,
        items=[
            PersonItem(
                person_id=row["person"],
                kind=row["kind"] or "visit",
                label=label_of(row["person"], names.get(row["person"], {}).get("name", "")),
                account_id=row["account"],
                visits=row["visits"],
                first_seen=row["first_seen"],
                last_seen=row["last_seen"],
                pages=row["pages"],
                errors=row["errors"],
                runs=row["runs"],
                runs_hit=row["runs_hit"],
                worst=_severity(row["worst"]) if row["runs"] else None,
            )
            for row in rows
        ],
    )


async def accounts(context: Context, asked: AccountsAsked) -> AccountList:
    """The body of `GET /api/v1/accounts`. Raises BadWindow, BadCursor."""
    place = place_of(context, asked, "accounts")
    rows, more = await _rows(context, "list_accounts", place, asked, hit=RECOVERED)
    ids = [row["id"] for row in rows]
    (usage, pipelines), owners, gone = await asyncio.gather(
        business_of_accounts(context, ids, place.window.until),
        owners_of(context, [row["owner"] for row in rows]),
        context.store.query("ended_of_accounts", accounts=ids, since=place.window.since, until=place.window.until),
    )
    ended = {row["account"]: row for row in gone}
    return AccountList(
        window_from=place.window.since,
        window_to=place.window.until,
        next=place.next(0, rows[-1]["id"]) if more else None,
        items=[
            AccountItem(
                account_id=row["id"],
                name=row["name"],
                plan=row["plan"],
                segment=row["segment"],
                lifecycle=row["lifecycle"],
                owner=row["owner"],
                owner_name=owners.get(row["owner"], UNKNOWN).name,
                owner_team=owners.get(row["owner"], UNKNOWN).team,
                monthly=row["monthly"],
                currency=row["currency"],
                renewal=row["renewal"] or None,
                told=bool(row["told"]),
                visits=row["visits"],
                people=row["people"],
                people_hit=row["people_hit"],
                worst=_severity(row["worst"]) if row["reached"] else None,
                last_seen=known(row["last_seen"]),
                usage=usage.get(row["id"]),
                pipeline=None if pipelines is None else pipelines[row["id"]],
                ended=ended[row["id"]]["ended"] if row["id"] in ended else 0,
                ended_reason=ended[row["id"]]["newest"][0] if row["id"] in ended else "",
                ended_comment=ended[row["id"]]["newest"][1] if row["id"] in ended else "",
            )
            for row in rows
        ],
    )


async def _rows(context: Context, query: str, place: Place, asked: Asked, **more: Any) -> tuple[list[dict[str, Any]], bool]:
    """Rows of a page and whether there are more."""
    filters = asked.model_dump(exclude=set(_PAGING))
    where = {} if query == "list_accounts" else {"at": place.at}
    window = {"since": place.window.since, "until": place.window.until}
    rows = await context.store.query(query, deadline=asked.deadline, **filters, **window, **where, after=place.after, most=asked.limit + 1, **more)
    return rows[: asked.limit], len(rows) > asked.limit


def _severity(value: float) -> float:
    return round(float(value), 4)


def _run(row: dict[str, Any]) -> RunItem:
    return RunItem(
        run_id=row["run_id"],
        traffic=row["of_traffic"] or "real",
        journey=row["of_journey"],
        started=row["started"],
        ended=row["ended"],
        settled=bool(row["settled"]),
        outcome=row["outcome"],
        end=row["end"],
        severity=_severity(row["severity"]),
        flaky=bool(row["flaky"]),
        attempts=row["attempts"],
        failure_kind=row["failure_kind"],
        failure_step=row["failure_step"],
        failure=row["failure_message"],
        location=row["location"],
        session_id=row["session_id"],
        person_id=row["person_id"],
        account_id=row["account_id"],
        app=row["app"],
        device=row["device"],
        browser=row["browser"],
        release=row["release"],
        trace_id=row["trace"],
    )
