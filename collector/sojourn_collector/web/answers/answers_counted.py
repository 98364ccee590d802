"""Where the answers are that a group of satisfaction counts: the list of feedback, asked for exactly them."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sojourn_collector.join.rollups import midnight
from sojourn_collector.web.answers.window import Window
from sojourn_collector.web.rows_at import rows_at

ADDRESS: Final = "/api/v1/feedback"
_FILTER_OF: Final = {
    "channel": "channel",
    "source": "feed",
    "language": "language",
    "plan": "plan",
    "segment": "segment",
    "lifecycle": "lifecycle",
    "device": "device",
    "browser": "browser",
    "release": "release",
}
_DAYS_OF: Final = {"day": 1, "week": 7}


def answers_counted(
    window: Window, zone: ZoneInfo, by: str, value: str, *, survey: str, question_ids: Collection[str], kind: str, scale: str, journey: str = ""
) -> str:
    """The address of a group's answers; empty where the list cannot be asked for exactly those."""
    if len(question_ids) != 1:
        return ""
    since, until = window.since, window.until
    filters = {"kind": kind, "scale": scale, "survey": survey, "question_id": next(iter(question_ids)), "journey": journey, "once": "question"}
    if by in _DAYS_OF:
        day = date.fromisoformat(value)
        since, until = max(since, midnight(day, zone)), min(until, midnight(day + timedelta(days=_DAYS_OF[by]), zone))
    elif by in _FILTER_OF:
        filters[_FILTER_OF[by]] = value
    elif by not in ("survey", "question"):
        return ""
    return rows_at(ADDRESS, since, until, **filters)
