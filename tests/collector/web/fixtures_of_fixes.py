"""Answers to show of marks: a fix that helped, one that is too young, releases seen in visits."""

from datetime import timedelta
from typing import Literal

from sojourn_collector.score.fix_verification import LEVEL
from sojourn_collector.web import models_fixes as fixes
from sojourn_collector.web.models import Named
from tests.collector.web import fixtures_of_versions
from tests.collector.web.fixtures import NOW

CHECKOUT = Named(id="checkout", name="Buy one item")
HELPED, YOUNG = "a1b2c3d4e5f6", "0f1e2d3c4b5a"
DAY = timedelta(days=1)


def marks(name: str) -> list[fixes.Mark]:
    """A fix of two weeks ago, one of yesterday, a release seen."""
    step = Named(id="pay", name="Pay")
    return [
        fixes.Mark(id=YOUNG, kind="fix", origin="told", at=NOW - DAY, name="Card form keeps its values", journey=CHECKOUT, actor="cli", made_at=NOW - DAY),
        fixes.Mark(id="seen-0123456789ab", kind="release", origin="seen", at=NOW - 3 * DAY, name=name, app="shop", visits=5123),
        fixes.Mark(
            id=HELPED, kind="fix", origin="told", at=NOW - 16 * DAY, name=name, journey=CHECKOUT, step=step, note=name, actor="4f1c0a9b2d3e", made_at=NOW
        ),
    ]


def all_marks(name: str) -> fixes.MarksAnswer:
    """The list."""
    return fixes.MarksAnswer(as_of=NOW, marks=marks(name))


def verification(ident: str, name: str) -> fixes.Verification | None:
    """What is known of one of them."""
    mark = next((one for one in marks(name) if one.id == ident), None)
    if mark is None:
        return None
    if ident != HELPED:
        said = "It is looked at first when 7 whole days have passed since the fix."
        return fixes.Verification(as_of=NOW, mark=mark, verdict="too early", sentence=said, level=LEVEL, untouched=[], left_out=[], notes=[name], measures=[])
    return fixes.Verification(
        as_of=NOW,
        mark=mark,
        verdict="improved",
        decided_by="satisfied",
        sentence="14 days on, the share of satisfied answers rose against untouched journeys (+20.1 points, between +8.0 and +32.2).",
        next_look=NOW + 13 * DAY,
        next_look_days=28,
        level=LEVEL,
        fixed_on=mark.at.date(),
        trouble_from=(mark.at - 9 * DAY).date(),
        untouched=[Named(id="renew", name="Renew")],
        left_out=[],
        notes=[],
        breaks=fixtures_of_versions.breaks(NOW - 10 * DAY),
        measures=[_measure("satisfied", 40), _measure("finished", 300), _measure("unhurt", 0)],
    )


def _measure(name: Literal["satisfied", "finished", "unhurt"], of: int) -> fixes.FixMeasure:
    none = fixes.Counted(good=0, of=0)
    if not of:
        return fixes.FixMeasure(measure=name, verdict="not estimable", reason="0 tries on the fixed journey before", looks=[], parts=[], mix=[])

    def counted(share: float) -> fixes.Counted:
        return fixes.Counted(good=round(of * share), of=of)

    at = (NOW - 16 * DAY).date()
    weeks = [
        fixes.FixPart(part="before", first=at - (9 + 7 * n) * DAY, last=at - (3 + 7 * n) * DAY, fixed=counted(0.6 + n / 100), untouched=counted(0.61))
        for n in (4, 3, 2, 1)
    ]
    trouble = fixes.FixPart(part="trouble", first=at - 9 * DAY, last=at, fixed=counted(0.3), untouched=none)
    after = [fixes.FixPart(part="after", first=at + (1 + 7 * n) * DAY, last=at + (7 + 7 * n) * DAY, fixed=counted(0.8), untouched=counted(0.6)) for n in (0, 1)]
    cells = {"fixed_before": counted(0.6), "fixed_after": counted(0.8), "untouched_before": counted(0.61), "untouched_after": counted(0.6)}
    looks = [
        fixes.FixLook(days=7, verdict="no evidence", effect=0.2, low=-0.01, high=0.41, shifts=41, **cells),
        fixes.FixLook(days=14, verdict="improved", effect=0.201, low=0.08, high=0.322, shifts=41, **cells),
    ]
    mix = [fixes.MixPart(name="had met none", before=300, after=340)]
    return fixes.FixMeasure(measure=name, verdict="improved", looks=looks, parts=[*weeks, trouble, *after], mix=mix)
