"""What changes for a running agent when one set of journeys takes another's place."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from sojourn_probes.beside import files_named_in
from sojourn_probes.diff_values import Change, Kind, content_changes
from sojourn_probes.journey import Journey
from sojourn_probes.rules import PARTS
from sojourn_probes.similar import most_alike
from sojourn_probes.step import Step


class Fate(StrEnum):
    """What becomes of a journey."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    RENAMED = "renamed"
    REVISED = "revised"
    """Only the version changes: the file says otherwise what it said before."""
    SAME = "same"


HISTORY: Final = {
    Fate.ADDED: "begins",
    Fate.REMOVED: "ends",
    Fate.CHANGED: "goes on",
    Fate.RENAMED: "breaks",
    Fate.REVISED: "goes on",
    Fate.SAME: "goes on",
}
"""What becomes of a journey's history."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One journey before and after. `id` is the newer one; versions are empty where there is no such journey."""

    id: str
    name: str
    fate: Fate
    history: str
    file: str
    line: int
    id_before: str
    version_before: str
    version: str
    changes: tuple[Change, ...] = ()


def differences(before: Sequence[Journey], after: Sequence[Journey], *, pair: bool = False) -> list[Difference]:
    """What became of each journey, in the order of `after`, the removed ones last. With `pair`, the only journeys of both belong together."""
    old = {journey.id: journey for journey in before}
    new = {journey.id: journey for journey in after}
    gone = [journey for journey in before if journey.id not in new]
    come = [journey for journey in after if journey.id not in old]
    successors = {one.id: other for other, one in _renamed(gone, come, pair=pair)}
    found = [_compared(old.get(journey.id) or successors.get(journey.id), journey) for journey in after]
    followed = {journey.id for journey in successors.values()}
    return found + [_alone(journey, Fate.REMOVED) for journey in gone if journey.id not in followed]


def _renamed(gone: list[Journey], come: list[Journey], *, pair: bool) -> list[tuple[Journey, Journey]]:
    """Journeys that only have another id now: the one in the file of the same name, or the same content elsewhere."""
    if pair and len(gone) == len(come) == 1:
        return [(gone[0], come[0])]
    names = {journey.source.name: journey for journey in gone if journey.source is not None}
    found = [(names[one.source.name], one) for one in come if one.source is not None and one.source.name in names]
    left_gone = [journey for journey in gone if all(journey is not old for old, _ in found)]
    left_come = [journey for journey in come if all(journey is not new for _, new in found)]
    return found + most_alike(left_gone, left_come, _said)


def _compared(before: Journey | None, after: Journey) -> Difference:
    if before is None:
        return _alone(after, Fate.ADDED)
    changes = tuple(_changes(before, after))
    if before.id != after.id:
        fate = Fate.RENAMED
    elif changes:
        fate = Fate.CHANGED
    else:
        fate = Fate.REVISED if before.version != after.version else Fate.SAME
    line = after.place_of(("id",))[0]
    return Difference(after.id, after.title, fate, HISTORY[fate], str(after.source), line, before.id, before.version, after.version, changes)


def _alone(journey: Journey, fate: Fate) -> Difference:
    gone = fate is Fate.REMOVED
    versions = (journey.version, "") if gone else ("", journey.version)
    return Difference(journey.id, journey.title, fate, HISTORY[fate], str(journey.source), 1, journey.id if gone else "", *versions)


def _changes(before: Journey, after: Journey) -> Iterator[Change]:
    old, new = _dumped(before), _dumped(after)
    rest = {"id", *PARTS}
    yield from content_changes({k: v for k, v in old.items() if k not in rest}, {k: v for k, v in new.items() if k not in rest}, "", (), after)
    for part in PARTS:
        yield from _step_changes(before, after, part, old[part], new[part])
    yield from _file_changes(before, after)


def _step_changes(before: Journey, after: Journey, part: str, old: list[Any], new: list[Any]) -> Iterator[Change]:
    """The changes in one of the lists of steps."""
    was: tuple[Step, ...] = getattr(before, part)
    now: tuple[Step, ...] = getattr(after, part)
    word = "step" if part == "steps" else f"{part} step"
    old_at = {step.id: index for index, step in enumerate(was)}
    new_at = {step.id: index for index, step in enumerate(now)}
    gone = [step for step in was if step.id not in new_at]
    come = [step for step in now if step.id not in old_at]
    renamed = {new_step.id: old_step.id for old_step, new_step in most_alike(gone, come, _said)}
    for step in now:
        index = new_at[step.id]
        former = renamed.get(step.id, step.id)
        line = after.place_of((part, index))[0]
        if former not in old_at:
            yield Change(f"{word} {step.id}", Kind.ADDED, "", step.title if step.name else "", line)
            continue
        if former != step.id:
            yield Change(word, Kind.RENAMED, former, step.id, line)
        one, other = ({key: item for key, item in of.items() if key != "id"} for of in (old[old_at[former]], new[index]))
        yield from content_changes(one, other, f"{word} {step.id}: ", (part, index), after)
    line = after.place_of((part,))[0]
    for step in gone:
        if step.id not in renamed.values():
            yield Change(f"{word} {step.id}", Kind.REMOVED, step.title if step.name else "", "", line)
    stayed = [step.id for step in was if step.id in new_at]
    if stayed != (order := [step.id for step in now if step.id in old_at]):
        yield Change(f"order of the {word}s", Kind.CHANGED, ", ".join(stayed), ", ".join(order), line)


def _said(part: Journey | Step) -> str:
    """What a journey or step says, its id and name apart. Without defaults: in them all are alike."""
    said = part.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return json.dumps({key: item for key, item in said.items() if key not in ("id", "name")}, sort_keys=True)


def _file_changes(before: Journey, after: Journey) -> Iterator[Change]:
    """Files both name by the same words, with other contents; certificates among them, of which no version tells."""
    old = {_relative(file, before): file for file in files_named_in(before)}
    for file in files_named_in(after):
        name = _relative(file, after)
        if name in old and old[name].read_bytes() != file.read_bytes():
            yield Change(f"file {name}", Kind.CHANGED, "", "", 1)


def _relative(file: Path, journey: Journey) -> str:
    return str(file.relative_to(journey.folder)) if file.is_relative_to(journey.folder) else str(file)


def _dumped(journey: Journey) -> dict[str, Any]:
    """All that counts for an agent, defaults filled in."""
    return journey.model_dump(mode="json", by_alias=True)
