"""Who was possibly hit in a problem, and who was: everybody its figures count, page by page."""

from sojourn_collector.context import Context
from sojourn_collector.web.answers.at_step import walks_at
from sojourn_collector.web.answers.found import find_one
from sojourn_collector.web.answers.guests import Guest, guests_of
from sojourn_collector.web.answers.sufferers import accounts_of, label_of, names_of
from sojourn_collector.web.answers.times import from_ms, to_ms
from sojourn_collector.web.answers.titles import journey_title, step_title
from sojourn_collector.web.asked import AtProblemAsked
from sojourn_collector.web.cursor import END, Cursor, decoded, encoded
from sojourn_collector.web.models_lists import AtProblemItem, AtProblemList

NO_PROBE = "our probes did not fail here, so nobody who came is held to be possibly hit"


async def problem_people(context: Context, ident: str, asked: AtProblemAsked) -> AtProblemList | None:
    """The body of `GET /api/v1/problems/{id}/people`; None when there is no problem of this id. Raises BadCursor, EngineUnavailable."""
    question = asked.question(ident)
    below = (END, "")
    if asked.cursor:
        cursor = decoded(asked.cursor, question)
        below = (cursor.at, cursor.after)
    placed = await find_one(context, ident, context.clock())
    if placed is None:
        return None
    found, window = placed
    incident = found.incident
    rows, notes = await walks_at(context, found)
    guests = guests_of(rows, to_ms(incident.window_from), to_ms(incident.window_to))
    known = asked.met == "hit" or bool(incident.failed_runs)
    theirs = [guest for guest in guests if known and (guest.hit if asked.met == "hit" else guest.possibly)]
    wanted = [guest for guest in theirs if asked.kind == "" or guest.anonymous is (asked.kind == "visit")]
    ordered = sorted((guest for guest in wanted if _place(guest) < below), key=_place, reverse=True)
    shown = ordered[: asked.limit]
    more = len(ordered) > len(shown)
    return AtProblemList(
        window_from=incident.window_from,
        window_to=incident.window_to,
        next=encoded(Cursor(window.since, window.until, *_place(shown[-1])), question) if more else None,
        problem=found.id,
        as_of=window.now,
        met=asked.met,
        journey=journey_title(context, found.journey),
        step=step_title(context, found.journey, found.step),
        people=sum(not guest.anonymous for guest in theirs),
        visits=sum(guest.anonymous for guest in theirs),
        currency=context.impact.currency,
        note=". ".join([*([] if known else [NO_PROBE]), *notes]),
        items=await _items(context, shown),
    )


def _place(guest: Guest) -> tuple[int, str]:
    """When it first met them, else when they first came; and who."""
    return (guest.failures or guest.arrivals or (0,))[0], guest.id


async def _items(context: Context, guests: list[Guest]) -> list[AtProblemItem]:
    people = await names_of(context, (guest.id for guest in guests))
    account_ids = {guest.id: guest.row["account_id"] or people.get(guest.id, {}).get("account_id", "") for guest in guests}
    accounts = await accounts_of(context, account_ids.values())
    return [
        AtProblemItem(
            person_id=guest.id,
            kind=guest.row["person_kind"] or "visit",
            label=label_of(guest.id, people.get(guest.id, {}).get("name", "")),
            account_id=account_ids[guest.id],
            account=accounts.get(account_ids[guest.id], {}).get("name", ""),
            plan=accounts.get(account_ids[guest.id], {}).get("plan", ""),
            at=from_ms(_place(guest)[0]),
            tries=len(guest.arrivals),
            settled=guest.settled,
            slow=guest.slow,
            severity=round(guest.severity, 4),
            value=guest.cart if guest.row["cart_currency"] in ("", context.impact.currency) else None,
            session_id=guest.row["session_id"],
            run_id=guest.row["run_id"],
        )
        for guest in guests
    ]
