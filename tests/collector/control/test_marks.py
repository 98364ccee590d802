"""Marks in a control database of each kind."""

from datetime import UTC, datetime, timedelta

import pytest

from sojourn_collector.store.control import Control
from sojourn_collector.store.control import marks as module
from sojourn_collector.store.control.marks import MarkKind, MarkRow, TooManyMarksError

AT = datetime(2026, 3, 1, 8, tzinfo=UTC)


def fix(name: str = "payment answers", at: datetime = AT) -> MarkRow:
    """A fix of checkout."""
    return MarkRow(MarkKind.FIX, at, name, "cli", AT + timedelta(hours=1), "checkout", "pay", AT - timedelta(days=3), "ticket 4711")


async def test_a_mark_is_kept_as_it_was_made_until_it_is_removed(control: Control) -> None:
    """It comes back whole, the newest first; making and removing are in the audit log; another tenant's is not to be had."""
    first = await control.marks.add(fix())
    later = await control.marks.add(fix("again", AT + timedelta(days=1)))
    assert await control.marks.get(first.id) == first
    assert [row.id for row in await control.marks.list()] == [later.id, first.id]
    assert await control.marks.get(first.id, tenant="other") is None
    assert not await control.marks.remove(first.id, "cli", AT, tenant="other")
    assert await control.marks.remove(first.id, "k1", AT)
    assert not await control.marks.remove(first.id, "k1", AT)
    assert [(deed.action, deed.subject, deed.actor) for deed in await control.audit.list()] == [
        ("mark.remove", first.id, "k1"),
        ("mark.fix", later.id, "cli"),
        ("mark.fix", first.id, "cli"),
    ]


async def test_marks_without_end_are_refused(control: Control, monkeypatch: pytest.MonkeyPatch) -> None:
    """One more than may be kept is refused with the cure, and leaves nothing in the audit log."""
    monkeypatch.setattr(module, "MOST", 1)
    await control.marks.add(fix())
    with pytest.raises(TooManyMarksError, match=r"^1 marks are kept already; remove some first, `sojourn-collector mark list` shows them$"):
        await control.marks.add(fix())
    assert len(await control.audit.list()) == 1
