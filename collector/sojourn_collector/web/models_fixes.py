"""Marks (releases, fixes) and whether a fix helped: journeys nobody touched beside the one that was fixed."""

from datetime import date, datetime
from typing import Literal

from sojourn_collector.web.models import Answer, Named, Versioned

Verdict = Literal["improved", "no evidence", "worse", "too early", "not estimable"]


class Mark(Answer):
    """A moment that may have changed how journeys go. `told` by somebody, or `seen` in telemetry: a release, since its first visit.

    `name` = a version, or what was fixed; `trouble_from` = since when there was the trouble that led to it, where somebody said so.
    """

    id: str
    kind: Literal["release", "fix", "campaign", "price"]
    origin: Literal["told", "seen"]
    at: datetime
    name: str
    journey: Named | None = None
    step: Named | None = None
    trouble_from: datetime | None = None
    note: str = ""
    actor: str = ""
    made_at: datetime | None = None
    app: str = ""
    visits: int | None = None


class MarksAnswer(Answer):
    """Body of `GET /api/v1/marks`, the newest first."""

    as_of: datetime
    marks: list[Mark]


class Counted(Answer):
    """So many of so many."""

    good: int
    of: int


class FixLook(Answer):
    """One look, so many days after the fix, at 98.3 %: the difference in differences of shares with its interval, and the counts it is of.

    `before` are as many days before the trouble began. `shifts` = the same difference at that many earlier dates without a fix.
    """

    days: int
    verdict: Verdict
    effect: float | None = None
    low: float | None = None
    high: float | None = None
    reason: str = ""
    shifts: int = 0
    fixed_before: Counted
    fixed_after: Counted
    untouched_before: Counted
    untouched_after: Counted


class FixPart(Answer):
    """A week before the trouble or after the fix, or the trouble itself; `last` is its last day."""

    part: Literal["before", "trouble", "after"]
    first: date
    last: date
    fixed: Counted
    untouched: Counted


class MixPart(Answer):
    """How many of the counted belong to one group of people on the fixed journey, before and after, at the newest look."""

    name: str
    before: int
    after: int


class FixMeasure(Answer):
    """One share: `satisfied` answers, walks that `finished`, walks `unhurt` by any failure. More is better in each."""

    measure: Literal["satisfied", "finished", "unhurt"]
    verdict: Verdict
    reason: str = ""
    scale: str = ""
    looks: list[FixLook]
    parts: list[FixPart]
    mix: list[MixPart]


class Verification(Versioned):
    """Body of `GET /api/v1/marks/{id}/verification`.

    `verdict` is that of `decided_by`: satisfaction, where enough answered for it to be judged, else what share finished. The days from
    `trouble_from` to the fix are out; `trouble_told` says whether somebody gave that day or the failures of those days did.
    No evidence is not no effect.
    """

    as_of: datetime
    mark: Mark
    verdict: Verdict
    decided_by: Literal["", "satisfied", "finished"] = ""
    sentence: str
    reason: str = ""
    next_look: datetime | None = None
    next_look_days: int | None = None
    level: float
    fixed_on: date | None = None
    trouble_from: date | None = None
    trouble_told: bool = False
    untouched: list[Named]
    left_out: list[Named]
    notes: list[str]
    measures: list[FixMeasure]
