"""Visits as lines of a list."""

from collections.abc import Mapping
from typing import Any

from sojourn_collector.web.models import VisitLine


def visit_line(row: Mapping[str, Any], worst: float) -> VisitLine:
    """One row of `sessions`; `worst` = the severity of its worst run."""
    return VisitLine(
        session_id=row["session_id"],
        started=row["started"],
        ended=row["ended"],
        app=row["app"],
        device=row["device"],
        browser=row["browser"],
        pages=row["pages"],
        errors=row["errors"],
        worst=round(worst, 3),
        traffic="synthetic" if row["traffic"] == "synthetic" else "real",
    )
