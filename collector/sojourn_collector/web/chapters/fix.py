"""Whether a fix helped: the journey it treats beside journeys nobody touched, 7, 14 and 28 days on."""

from sojourn_collector.web.chapters.figures import of_counted
from sojourn_collector.web.chapters.told import INTERVAL, Cell, Column, Figure, Table, Told, broken
from sojourn_collector.web.format import number
from sojourn_collector.web.models_fixes import Verification
from sojourn_collector.web.words import FIX_MEASURES, FIX_PARTS, MARKS, VERDICTS

ANSWER = Verification
_PARTS = (Column("measure", "share"), Column("part", "part"), Column("first", "from"), Column("last", "to"))
_WEEKS = (*_PARTS, Column("fixed", "fixed journey", ("of",)), Column("untouched", "untouched", ("of",)))


def tell(answer: Verification) -> Told:
    """Of one mark. Effects are told in points, hundredths of the share."""
    mark = answer.mark
    place = "" if mark.journey is None else f" on {mark.journey.name}" + ("" if mark.step is None else f" › {mark.step.name}")
    interval = f"difference, points [{number(100 * answer.level, 1)}%]"
    looks: list[tuple[Cell, ...]] = [
        (
            FIX_MEASURES[one.measure],
            Figure(look.days),
            *(of_counted(counted) for counted in (look.fixed_before, look.fixed_after, look.untouched_before, look.untouched_after)),
            Figure(_points(look.effect), "points", _points(look.low), _points(look.high)),
            VERDICTS[look.verdict].text,
            look.reason,
        )
        for one in answer.measures
        for look in one.looks
    ]
    weeks = [
        (FIX_MEASURES[one.measure], FIX_PARTS[week.part], week.first, week.last, of_counted(week.fixed), of_counted(week.untouched))
        for one in answer.measures
        for week in one.parts
    ]
    words = [
        (
            FIX_MEASURES[one.measure],
            VERDICTS[one.verdict].text,
            "decides" if one.measure == answer.decided_by else "",
            f"{one.reason}{f' (scale {one.scale})' if one.scale else ''}".strip(),
        )
        for one in answer.measures
    ]
    return Told(
        "fix",
        f"{MARKS[mark.kind]} {mark.name}: {VERDICTS[answer.verdict].text.lower()}",
        answer.as_of,
        version=answer.config_version,
        ident=mark.id,
        lines=[f"{MARKS[mark.kind]} of {mark.at:%Y-%m-%d %H:%M}Z{place}", answer.sentence, *_trouble(answer), *broken(answer)],
        tables=[
            Table("verdict", "", (Column("measure", "share"), Column("verdict", "word"), Column("decides", ""), Column("reason", "")), words, answer.reason),
            Table("look", "Looks", (Column("measure", "share"), Column("days", "days after"), *_cells(), *_effect(interval)), looks),
            Table("week", "Weeks", _WEEKS, weeks),
        ],
        notes=[*answer.notes, *_others(answer), "No evidence is not no effect: the interval says what remains possible"],
    )


def _cells() -> tuple[Column, ...]:
    return (
        Column("fixed_before", "fixed, before", ("of",)),
        Column("fixed_after", "after", ("of",)),
        Column("untouched_before", "untouched, before", ("of",)),
        Column("untouched_after", "after", ("of",)),
    )


def _effect(head: str) -> tuple[Column, ...]:
    return (Column("points", head, INTERVAL), Column("verdict", "word"), Column("reason", ""))


def _points(share: float | None) -> float | None:
    return None if share is None else 100 * share


def _trouble(answer: Verification) -> list[str]:
    if answer.trouble_from is None:
        return []
    return [f"the trouble from {answer.trouble_from.isoformat()} on ({'told' if answer.trouble_told else 'as the days before say'}) does not count"]


def _others(answer: Verification) -> list[str]:
    told = []
    if answer.untouched:
        told.append(f"untouched: {', '.join(one.name for one in answer.untouched[:20])}{_more(len(answer.untouched))}")
    if answer.left_out:
        told.append(f"left out, for they were changed in the same time: {', '.join(one.name for one in answer.left_out[:20])}{_more(len(answer.left_out))}")
    if answer.next_look is not None:
        told.append(f"next look, after {answer.next_look_days} whole days: {answer.next_look:%Y-%m-%d %H:%M}Z; until then the word stays")
    return told


def _more(found: int) -> str:
    return f" and {number(found - 20)} more" if found > 20 else ""
