"""A copy of everything kept about one person, for that person: a ZIP of JSON Lines, a file per kind of thing, and a README that says what each holds."""

import io
import json
import zipfile
from collections.abc import AsyncIterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sojourn_collector.store.erasure.place import Place
from sojourn_collector.store.erasure.subject import Names

README = "README.txt"
SAID = {
    "spans": "pages opened, actions and requests of the browser, and what servers did for them",
    "events": "events of the browser and log lines that concern it",
    "metrics": "measurements labelled with a name of yours",
    "sessions": "visits",
    "runs": "journeys walked, with how they ended",
    "steps": "steps of these journeys",
    "feedback": "answers to surveys, comments, and what you said in public",
    "orders": "orders",
    "tickets": "cases at the support desk",
    "subscriptions": "subscriptions",
    "invitations": "surveys that were sent or shown to you",
    "usage": "what you used when",
    "deals": "what is being sold to the account",
    "owners": "what is known of you as one who looks after accounts",
    "people": "what is known of you",
    "accounts": "the account",
    "trace_times": "when each trace was there",
    "failed_traces": "when a backend failed in a trace",
    "inbox_mentions": "what you said in public, as it was sent in",
    "inbox_feedback": "answers and comments as they were sent in",
    "inbox_orders": "orders as they were sent in",
    "inbox_tickets": "cases as they were sent in",
    "inbox_subscriptions": "subscriptions as they were sent in",
    "inbox_invitations": "invitations as they were sent in",
    "inbox_usage": "what you used as it was sent in",
    "inbox_deals": "what is being sold to the account, as it was sent in",
    "inbox_owners": "what was sent in about you as one who looks after accounts",
    "inbox_people": "what was sent in about you",
    "inbox_accounts": "the account as it was sent in",
    "dead_letters": "what was sent and could not be taken in",
    "evidence": "pictures and recordings kept as evidence",
}
_PIECE = 64 << 10


class _Pipe(io.RawIOBase):
    """Where the ZIP is written to and taken from."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Any, /) -> int:
        """Hold them."""
        self._held += data
        return len(data)

    def take(self, least: int = 0) -> bytes:
        """What was written since, if it is worth sending."""
        if len(self._held) < least:
            return b""
        data, self._held = bytes(self._held), bytearray()
        return data


async def copy_for(names: Names, places: Sequence[Place]) -> AsyncIterator[bytes]:
    """The bytes of the ZIP. Raises what the store raises; what came till then is no whole ZIP."""
    pipe = _Pipe()
    counts: dict[str, int] = {}
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as packed:
        for place in places:
            entry = None
            open_kind = ""
            try:
                async for kind, row in place.kept(names):
                    if kind != open_kind:
                        if entry is not None:
                            entry.close()
                        entry, open_kind = packed.open(f"{kind}.jsonl", "w"), kind
                    assert entry is not None
                    counts[kind] = counts.get(kind, 0) + 1
                    entry.write(json.dumps(row, ensure_ascii=False, default=plain).encode("utf-8", "replace") + b"\n")
                    if data := pipe.take(_PIECE):
                        yield data
            finally:
                if entry is not None:
                    entry.close()
        packed.writestr(README, readme(names, counts))
    yield pipe.take()


def readme(names: Names, counts: dict[str, int]) -> str:
    """What is in the ZIP."""
    known = [*sorted(names.users), *sorted(names.visitors), *sorted(names.sessions), *sorted(names.accounts)]
    lines = ["Everything kept about one person. Each file holds one JSON object a line; times are in UTC.", ""]
    lines += [f"Known as: {', '.join(known[:50])}{f' and {len(known) - 50} more' if len(known) > 50 else ''}", ""]
    lines += [f"{kind}.jsonl: {said_of(kind)} ({number})" for kind, number in counts.items()]
    return "\n".join(lines if counts else [*lines, "Nothing is kept."]) + "\n"


def said_of(kind: str) -> str:
    """What a file holds, in words; of vendors there are many."""
    return SAID.get(kind) or (f"what {kind.removeprefix('inbox_')} told of you" if kind.startswith("inbox_") else kind)


def plain(value: Any) -> Any:
    """What JSON does not know, as text."""
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Decimal):
        return format(value, "f")
    return value.hex() if isinstance(value, bytes) else str(value)
