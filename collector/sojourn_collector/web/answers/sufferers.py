"""Who was hit: the list to contact, with names, plans and their own words."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.web.answers.guests import Guest
from sojourn_collector.web.answers.times import from_ms
from sojourn_collector.web.models import Comment, Sufferer

MOST = 200
"""People one problem lists; `who_total` says how many there are."""


def label_of(person: str, name: str = "") -> str:
    """What to call a person: their name, else their user id, else that they are anonymous."""
    kind, _, ident = person.partition(":")
    if name:
        return name
    return ident if kind == "user" else f"visitor {ident[:8]}" if kind == "visitor" else f"anonymous visit {ident[:8]}"


async def names_of(context: Context, persons: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Rows of `people` by person id, for those signed in."""
    ids = sorted({person.removeprefix("user:") for person in persons if person.startswith("user:")})
    rows = await context.store.query("people_by_id", ids=ids) if ids else []
    return {f"user:{row['id']}": row for row in rows}


async def accounts_of(context: Context, ids: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Rows of `accounts` by id."""
    wanted = sorted({ident for ident in ids if ident})
    rows = await context.store.query("accounts_by_id", ids=wanted) if wanted else []
    return {row["id"]: row for row in rows}


async def sufferers_of(context: Context, guests: Sequence[Guest], comments: Sequence[Comment], currency: str) -> list[Sufferer]:
    """Those hit, worst first: stopped, then severity, then what they had in the cart. At most `MOST`."""
    hit = sorted((guest for guest in guests if guest.hit), key=lambda guest: (not guest.stopped, -guest.severity, -(guest.cart or 0), guest.id))[:MOST]
    people = await names_of(context, (guest.id for guest in hit))
    account_ids = {guest.id: guest.row["account_id"] or people.get(guest.id, {}).get("account_id", "") for guest in hit}
    accounts = await accounts_of(context, account_ids.values())
    words = _words(comments)
    return [_sufferer(guest, people, accounts.get(account_ids[guest.id], {}), account_ids[guest.id], words, currency) for guest in hit]


def _words(comments: Sequence[Comment]) -> dict[str, str]:
    """The newest comment of each person."""
    newest: dict[str, tuple[datetime, str]] = {}
    for comment in comments:
        if comment.text and (comment.person_id not in newest or newest[comment.person_id][0] < comment.at):
            newest[comment.person_id] = (comment.at, comment.text)
    return {person: text for person, (_, text) in newest.items()}


def _sufferer(
    guest: Guest, people: Mapping[str, Mapping[str, Any]], account: Mapping[str, Any], account_id: str, words: Mapping[str, str], currency: str
) -> Sufferer:
    row = guest.row
    return Sufferer(
        person_id=guest.id,
        kind=row["person_kind"],
        label=label_of(guest.id, people.get(guest.id, {}).get("name", "")),
        account_id=account_id,
        account=account.get("name", ""),
        plan=account.get("plan", ""),
        severity=round(guest.severity, 3),
        stopped=guest.stopped,
        at=from_ms(guest.failures[0]),
        value=guest.cart if row["cart_currency"] in ("", currency) else None,
        session_id=row["session_id"],
        run_id=row["run_id"],
        trace_id=row["hit_trace_id"],
        comment=words.get(guest.id, ""),
    )


def contact_first(lists: Iterable[Sequence[Sufferer]], most: int = 20) -> list[Sufferer]:
    """Whom to contact first over all problems: each person once at their worst, those one can reach before anonymous visits."""
    worst: dict[str, Sufferer] = {}
    for sufferer in (one for listed in lists for one in listed):
        seen = worst.get(sufferer.person_id)
        if seen is None or (sufferer.severity, sufferer.value or 0) > (seen.severity, seen.value or 0):
            worst[sufferer.person_id] = sufferer
    order = sorted(worst.values(), key=lambda one: (one.kind == "visit", -one.severity, -(one.value or 0), one.at, one.person_id))
    return order[:most]
