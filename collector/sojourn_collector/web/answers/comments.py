"""Feedback rows as comments."""

from collections.abc import Mapping
from typing import Any

from sojourn_collector.web.models import Comment

MOST_COMMENTS = 100
"""Comments one answer carries."""


def comment_of(row: Mapping[str, Any], hit: bool | None = None) -> Comment:
    """One row of `feedback`; `hit` = whether its person was, where that is known."""
    satisfied = row["satisfied"]
    return Comment(
        id=row["id"],
        at=row["ts"],
        kind=row["kind"],
        value=row["value"],
        scale_min=row["scale_min"],
        scale_max=row["scale_max"],
        satisfied=None if satisfied is None else bool(satisfied),
        text=row["comment"],
        person_id=row["person_id"],
        session_id=row["session_id"],
        hit=hit,
        join=row["join"] if row["join"] in ("explicit", "inferred") else "unlinked",
    )
