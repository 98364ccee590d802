"""What could not be linked to a visit, why that is likely so, and what to do about it."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, NamedTuple

from sojourn_collector.context import Context
from sojourn_collector.join.plan import plans_of
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.models_feedback import ElsewhereLine, LinkedLine, UnlinkedAnswer, UnlinkedLine
from sojourn_probes.addresses import is_listed

LAST = timedelta(days=1)
"""How far back failed requests are looked for."""

MOST_ORIGINS = 50


class Why(NamedTuple):
    """A likely cause and its cure, each a sentence."""

    sentence: str
    cure: str


CAUSES: Mapping[str, Why] = {
    "no_key": Why(
        "it carries nothing that leads to a visit: no session id, trace, order, ticket, user or address",
        "put the visit's session id into the survey's link or hidden field (sid=…, sojourn('session') on the page gives it);"
        " docs/sources.md has the field of each vendor",
    ),
    "said_in_public": Why(
        "it was said in public, and nothing there leads to a visit of yours: it never can be linked",
        "nothing is wrong; where you know who it was, send the mention with user_id, or with the ticket it became",
    ),
    "session_unknown": Why(
        "its session id is none that beacons came of",
        "see that the page it was taken from has the snippet, that its beacons reach this collector and not another, and that the whole id is passed on",
    ),
    "key_unknown": Why(
        "the trace, order or ticket it names is of no known visit",
        "send orders and tickets with the visit's session id, and see that backends' traces and beacons reach this collector",
    ),
    "no_visit_near": Why(
        "the person is known, but did not visit within the time that answers are linked in (windows.identity of impact.yaml)",
        "nothing is wrong where people answer late; put the session id into the link, or raise windows.identity",
    ),
    "person_unseen": Why(
        "no visit of this user id was ever seen",
        "see that pages call sojourn('identify', {user}) after sign-in with the same id as your survey tool or shop has",
    ),
    "address_unknown": Why(
        "only an address is known, and no person with it",
        "send people with id and email to /api/v1/in/people, so that addresses lead to user ids",
    ),
}
"""Of an unlinked record, by what it had to go by; the names are those of the query `unlinked_causes`."""


def why(row: Mapping[str, Any], *, seen: bool) -> str:
    """The likely cause for one row of `feedback`; `seen` = whether visits of its user are known."""
    if row["given_session_id"]:
        return "session_unknown"
    if row["trace_id"] or row["order_id"] or row["ticket_id"]:
        return "key_unknown"
    if row["user_id"]:
        return "no_visit_near" if seen else "person_unseen"
    if row["email_sha256"]:
        return "address_unknown"
    return "said_in_public" if row["kind"] == "mention" else "no_key"


async def unlinked(context: Context, window: Window) -> UnlinkedAnswer:
    """The body of `GET /api/v1/unlinked`. Raises EngineUnavailable."""
    asked: dict[str, Any] = {"since": window.since, "until": window.until}
    causes, counts, elsewhere = await asyncio.gather(
        context.store.query("unlinked_causes", **asked), context.store.query("linked_counts", **asked), _elsewhere(context, window)
    )
    return UnlinkedAnswer(
        as_of=window.now,
        window_from=window.since,
        window_to=window.until,
        unlinked=[
            UnlinkedLine(
                what=row["what"],
                source=row["source"],
                survey=row["survey"],
                records=row["records"],
                newest=row["newest"],
                cause=row["cause"],
                sentence=CAUSES[row["cause"]].sentence,
                cure=CAUSES[row["cause"]].cure,
            )
            for row in causes
        ],
        linked=[LinkedLine(**row) for row in sorted(counts, key=lambda row: (row["what"], -row["records"], row["source"], row["survey"]))],
        elsewhere=elsewhere,
    )


async def _elsewhere(context: Context, window: Window) -> list[ElsewhereLine]:
    """What failed at origins that count for nobody; one that any journey lists counts there."""
    rows = await context.store.query("failed_elsewhere", since=max(window.since, window.until - LAST), until=window.until, most=MOST_ORIGINS)
    listed = [origin for plan in plans_of(context.journeys.all().values()) for origin in plan.origins]
    return [ElsewhereLine(**row) for row in rows if not is_listed(row["origin"], listed)]
