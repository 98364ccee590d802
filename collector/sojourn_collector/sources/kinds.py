"""Files whose rows are of several kinds: what every row has, by its kind, and the kinds nothing is made of."""

from collections.abc import Mapping
from typing import Any, Final, get_args

from sojourn_collector.sources.base import Source

MEANINGLESS: Final[Mapping[str, frozenset[str]]] = {"feedback": frozenset(("categorical", "number", "boolean", "date"))}
"""Kinds of other tools' rows, such as Formbricks Hub's, that say nothing of satisfaction, by source."""
_OF_A_SCALE: Final = frozenset(("scale_min", "scale_max", "higher_is_better"))
_WITHOUT_SCALE: Final = frozenset(("nps", "text"))


def kinds_of(source: Source[Any]) -> tuple[str, ...]:
    """The kinds a row of this source may have; none where it has no such key."""
    one = source.model.model_fields.get("kind")
    return () if one is None else tuple(str(kind) for kind in get_args(one.annotation))


def scaled(source: Source[Any]) -> tuple[str, ...]:
    """Those of them whose scale is to be given."""
    return tuple(kind for kind in kinds_of(source) if kind not in _WITHOUT_SCALE)


def apart(source: Source[Any], constants: Mapping[str, str]) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """What every row has, and what those of one kind have, as in `csat.scale_max`."""
    every: dict[str, str] = {}
    by_kind: dict[str, dict[str, str]] = {}
    for key, value in constants.items():
        kind, dot, name = key.partition(".")
        if dot and kind in kinds_of(source):
            by_kind.setdefault(kind, {})[name] = value
        else:
            every[key] = value
    return every, by_kind


def filled_in(given: Mapping[str, str], every: Mapping[str, str], by_kind: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    """A row with what it was not `given` itself. A scale that is every row's is no NPS's and no text's; one given for that kind is, and refused there."""
    kind = given.get("kind", "")
    fits = {key: value for key, value in every.items() if not (kind in _WITHOUT_SCALE and key in _OF_A_SCALE)}
    return {**fits, **by_kind.get(given.get("kind", every.get("kind", "")), {}), **given}


def left_out_said(counts: Mapping[str, int]) -> list[str]:
    """What is to be said of rows of kinds nothing is made of: one sentence, or none."""
    total = sum(counts.values())
    if not total:
        return []
    named = ", ".join(f"{kind} ({number:,})" for kind, number in sorted(counts.items()))
    return [f"{total:,} {'row is' if total == 1 else 'rows are'} left out: answers of the kind {named} say nothing of satisfaction."]
