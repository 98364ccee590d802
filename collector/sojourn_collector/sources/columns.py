"""Which column of a file is which key of a source: by its name, by an alias, or as its owner says."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Final

from sojourn_collector.sources.base import RowRefused, Source
from sojourn_collector.sources.body import BodyRefused
from sojourn_collector.sources.cells import Cells, Writing
from sojourn_collector.sources.kinds import MEANINGLESS, apart, filled_in
from sojourn_collector.sources.sentences import shown

LEFT_OUT: Final = ""
"""The key of a column that is not read."""
ATTRIBUTE: Final = "attrs."
"""What the key of an attribute begins with, where a source has attributes."""

ALIASES: Final[Mapping[str, Mapping[str, str]]] = {
    "feedback": {
        # A record of Formbricks Hub is one field of a submission, so both make its id. Its CSV import documents these names.
        "submission_id": "id",
        "field_id": "id",
        "field_type": "kind",
        "value_number": "value",
        "value_text": "comment",
        "collected_at": "at",
        "source_id": "survey_id",
        "source_type": LEFT_OUT,
        "source_name": LEFT_OUT,
        "field_label": "question",
        "field_group_id": LEFT_OUT,
        "field_group_label": LEFT_OUT,
        "value_boolean": LEFT_OUT,
        "value_date": LEFT_OUT,
        "metadata": LEFT_OUT,
        "tenant_id": LEFT_OUT,
        "score": "value",
        "rating": "value",
        "created_at": "at",
        "date": "at",
    },
    "mentions": {
        "mention_id": "id",
        "review_id": "id",
        "comment": "text",
        "review": "text",
        "body": "text",
        "content": "text",
        "link": "url",
        "stars": "rating",
        "author_name": "author",
        "username": "author",
        "posted_at": "at",
        "published_at": "at",
        "created_at": "at",
        "date": "at",
        # The monthly file of reviews of the Google Play Console.
        "review_link": "url",
        "review_text": "text",
        "review_title": "title",
        "star_rating": "rating",
        "reviewer_language": "language",
        "review_last_update_date_and_time": "at",
        "review_submit_date_and_time": LEFT_OUT,
        "review_submit_millis_since_epoch": LEFT_OUT,
        "review_last_update_millis_since_epoch": LEFT_OUT,
        "developer_reply_date_and_time": LEFT_OUT,
        "developer_reply_millis_since_epoch": LEFT_OUT,
        "developer_reply_text": LEFT_OUT,
        "package_name": LEFT_OUT,
        "app_version_code": LEFT_OUT,
        "app_version_name": LEFT_OUT,
        "device": LEFT_OUT,
    },
    "orders": {"order_id": "id", "created_at": "at", "date": "at", "ordered_at": "at", "total": "amount", "customer_id": "user_id"},
    "accounts": {"account_id": "id", "company": "name", "account_name": "name"},
    "people": {"user_id": "id", "customer_id": "id", "e_mail": "email"},
    "tickets": {
        "ticket_id": "id",
        "created_at": "at",
        "opened_at": "at",
        "subject": "topic",
        "requester_id": "user_id",
        "requester_email": "email",
        "tags": LEFT_OUT,
    },
    "subscriptions": {"subscription_id": "id", "created_at": "at", "started_at": "at"},
    "invitations": {"invitation_id": "id", "sent_at": "at"},
    "usage": {"event_id": "id", "message_id": "id", "timestamp": "at", "created_at": "at", "date": "at", "event_name": "event"},
    "deals": {"deal_id": "id", "deal_name": "name", "value": "amount", "close_date": "closes_on", "company_id": "account_id", "deal_stage": "stage"},
    "owners": {
        "owner_id": "id",
        "hubspot_owner_id": "id",
        "owner_name": "name",
        "full_name": "name",
        "e_mail": "email",
        "owner_email": "email",
        "team_name": "team",
    },
}
"""Other names of keys, by source, in files and in JSON. They count where nothing has the key's own name."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one file. `keys` has the key of each, `constants` what every row has besides, `by_kind` what those of a kind have.

    Rows of the kinds in `unread` are left out, and counted in `left_out`.
    """

    header: Sequence[str]
    keys: Sequence[str]
    constants: Mapping[str, str]
    cells: Cells
    by_kind: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unread: frozenset[str] = frozenset()
    left_out: dict[str, int] = field(default_factory=dict)

    def row(self, cells: Sequence[str]) -> dict[str, Any] | None:
        """One row as JSON would have it, None for one that is left out; empty cells are no cells. Raises RowRefused."""
        given = [cell.strip() for cell in cells]
        while len(given) > len(self.header) and not given[-1]:
            given.pop()
        if len(given) > len(self.header):
            raise RowRefused(f"has {len(given)} cells, the first line names {len(self.header)} columns")
        texts: dict[str, str] = {}
        for key, text in zip(self.keys, given, strict=False):
            if key == LEFT_OUT or not text:
                continue
            if key in texts and key != "id":
                raise RowRefused(f"{key}: two columns are given for it, and both are filled")
            texts[key] = f"{texts[key]}/{text}" if key in texts else text
        if (kind := texts.get("kind", "").lower()) in self.unread:
            self.left_out[kind] = self.left_out.get(kind, 0) + 1
            return None
        row: dict[str, Any] = {}
        for key, text in filled_in(texts, self.constants, self.by_kind).items():
            if key.startswith(ATTRIBUTE):
                row.setdefault("attrs", {})[key.removeprefix(ATTRIBUTE)] = text
            else:
                row[key] = self.cells.value(key, text)
        return row


def matched(source: Source[Any], header: Sequence[str], mapping: Mapping[str, str], constants: Mapping[str, str], writing: Writing) -> Columns:
    """The columns as given in `mapping` (column to key), the others by their name. Raises BodyRefused for one that nothing is known of."""
    keys = guessed(source, header) | {_column(header, column): key for column, key in mapping.items()}
    for column, key in keys.items():
        if key is None:
            raise BodyRefused(
                f"The column {shown(column)} is no key of {source.name}{_meant(source, column)}; give the key it is, or none to leave it out. "
                f"Known are {', '.join(known(source))}{', attrs.…' if 'attrs' in source.model.model_fields else ''}."
            )
    every, by_kind = apart(source, constants)
    for key in [*mapping.values(), *every, *(name for given in by_kind.values() for name in given)]:
        _check_key(source, key)
    cells = Cells.of(source.model.model_fields, writing)
    return Columns(header, [keys[column] or LEFT_OUT for column in header], every, cells, by_kind, MEANINGLESS.get(source.name, frozenset()))


def guessed(source: Source[Any], header: Sequence[str]) -> dict[str, str | None]:
    """Of each column the key it seems to be, None where nothing is known of it."""
    plain = {column: _plain(column) for column in header}
    exact = {column: name for column, name in plain.items() if name in known(source)}
    taken, aliases = set(exact.values()), ALIASES.get(source.name, {})
    found: dict[str, str | None] = {}
    for column in header:
        alias = aliases.get(plain[column])
        found[column] = exact.get(column, alias if alias is None or alias not in taken else LEFT_OUT)
    return found


def known(source: Source[Any]) -> list[str]:
    """The keys a column may be."""
    return [name for name in source.model.model_fields if name != "attrs"]


def _check_key(source: Source[Any], key: str) -> None:
    if key == LEFT_OUT or key in known(source):
        return
    if key.startswith(ATTRIBUTE) and len(key) > len(ATTRIBUTE) and "attrs" in source.model.model_fields:
        return
    raise BodyRefused(f"{shown(key)} is no key of {source.name}{_meant(source, key)}; known are {', '.join(known(source))}.")


def _column(header: Sequence[str], column: str) -> str:
    if column not in header:
        raise BodyRefused(f"There is no column {shown(column)} in the first line; it has {', '.join(shown(name) for name in header[:20])}.")
    return column


def _meant(source: Source[Any], column: str) -> str:
    close = get_close_matches(_plain(column), known(source), n=1, cutoff=0.75)
    return f" (did you mean {close[0]}?)" if close else ""


def _plain(column: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", column.strip().lower()).strip("_")
