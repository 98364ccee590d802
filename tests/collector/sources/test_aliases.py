"""Other names of keys are the same in JSON as in files."""

from datetime import UTC, datetime
from typing import Any

import pytest

from sojourn_collector.sources import SOURCES, RowRefused
from sojourn_collector.sources.aliases import renamed
from sojourn_collector.sources.base import Secrets
from sojourn_collector.sources.checking import check
from sojourn_collector.sources.columns import ALIASES, LEFT_OUT
from sojourn_collector.sources.table import Reading, table_rows

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("source", "alias"), [(source, alias) for source, aliases in ALIASES.items() for alias in aliases if alias not in SOURCES[source].names()]
)
def test_every_alias_of_a_column_is_one_in_json(source: str, alias: str) -> None:
    """Each leads to the same key, or to none."""
    rows, _, _ = table_rows(SOURCES[source], f"{alias}\n7\n".encode(), Reading())
    (key,) = rows[0] or [LEFT_OUT]
    assert list(renamed(SOURCES[source], {alias: "7"}) or [LEFT_OUT]) == [key]


def test_a_ticket_as_desks_write_it() -> None:
    """What a desk calls created_at, requester_id and subject is taken as it is sent, and kept under our names."""
    ticket = {"id": "t-1", "created_at": "2026-03-01T10:00:00Z", "requester_id": "u-7", "subject": "Call 0170 1234567", "status": "open", "tags": ["vip"]}
    taken, arrivals = check(SOURCES["tickets"], [ticket], "default", NOW, Secrets())
    assert taken.errors == []
    assert arrivals[0].body == '{"id":"t-1","status":"open","at":"2026-03-01T10:00:00Z","user_id":"u-7","topic":"Call [phone]"}'


@pytest.mark.parametrize(
    ("source", "given", "row"),
    [
        ("tickets", {"at": "x", "created_at": "y"}, {"at": "x"}),
        ("tickets", {"opened_at": None, "created_at": "y"}, {"at": "y"}),
        ("feedback", {"submission_id": "s", "field_id": 3, "source_type": "x"}, {"id": "s/3"}),
        ("orders", {"session.id": "s", "total": 5}, {"session.id": "s", "amount": 5}),
        ("orders", {"unknown": 1}, {"unknown": 1}),
        ("orders", [], []),
    ],
)
def test_the_keys_own_name_comes_first(source: str, given: Any, row: Any) -> None:
    """An alias beside it is left; ids of two parts are joined; what is no alias stays, to be refused."""
    assert renamed(SOURCES[source], given) == row


def test_two_aliases_of_one_key() -> None:
    """Which of them is meant is not guessed."""
    with pytest.raises(RowRefused) as caught:
        renamed(SOURCES["tickets"], {"created_at": "x", "opened_at": "y"})
    assert str(caught.value) == "at: two keys are given for it, opened_at is one of them; send one"
