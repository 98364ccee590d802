"""Who looks after an account: the name behind what its `owner` says."""

from collections.abc import Iterable
from typing import NamedTuple

from sojourn_collector.context import Context
from sojourn_collector.sources.email import email_digest


class Owner(NamedTuple):
    """What is known of an owner; both empty where nobody told of them."""

    name: str = ""
    team: str = ""


UNKNOWN = Owner()


async def owners_of(context: Context, told: Iterable[str]) -> dict[str, Owner]:
    """By what accounts say (an id, or an address), those that a feed of owners tells of."""
    wanted = sorted({one for one in told if one})
    if not wanted:
        return {}
    digests = {email_digest(one): one for one in wanted if "@" in one}
    rows = await context.store.query("owners_known", ids=wanted, digests=list(digests))
    by_id = {row["id"]: Owner(row["name"], row["team"]) for row in rows}
    by_digest = {digests[row["digest"]]: Owner(row["name"], row["team"]) for row in rows if row["digest"] in digests}
    return by_digest | {ident: owner for ident, owner in by_id.items() if ident in wanted}
