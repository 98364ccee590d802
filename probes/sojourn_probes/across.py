"""What must hold between the journeys of a folder: ids that differ, dependencies that are there and go in no circle, locations that exist."""

import difflib
from collections.abc import Iterator, Sequence

from sojourn_probes.errors import Problem
from sojourn_probes.journey import Journey
from sojourn_probes.yaml_core import Path


def across(journeys: Sequence[Journey], *, complete: bool = True) -> Iterator[Problem]:
    """Every problem between `journeys`. Unless they are `complete`, a dependency that is not among them is no problem."""
    yield from duplicates(journeys)
    if complete:
        yield from _unknown(journeys)
    yield from _circles(journeys)


def duplicates(journeys: Sequence[Journey]) -> Iterator[Problem]:
    """A problem for each journey whose id an earlier one has already."""
    first: dict[str, Journey] = {}
    for journey in journeys:
        earlier = first.setdefault(journey.id, journey)
        if earlier is not journey:
            yield _problem(journey, ("id",), "id", f"{earlier.source} has the id {journey.id} too; ids of journeys must differ")


def unknown_locations(journey: Journey, known: Sequence[str]) -> Iterator[Problem]:
    """Locations that `journey` names and that are not among the `known`; none when nothing is known."""
    if not known:
        return
    named: list[tuple[Path, str, str]] = [(("locations", index), f"locations[{index}]", location) for index, location in enumerate(journey.locations)]
    named += [(("overrides", location), f"overrides.{location}", location) for location in journey.overrides]
    for path, key, location in named:
        if location not in known:
            yield _problem(journey, path, key, f"there is no location {location}; {_meant(location, known)}")


def _unknown(journeys: Sequence[Journey]) -> Iterator[Problem]:
    ids = [journey.id for journey in journeys]
    for journey in journeys:
        for index, other in enumerate(journey.depends_on):
            if other not in ids:
                yield _problem(journey, ("depends_on", index), f"depends_on[{index}]", f"there is no journey {other}; {_meant(other, ids)}")


def _meant(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"


def _circles(journeys: Sequence[Journey]) -> Iterator[Problem]:
    """One problem for each circle, at the journey in it that comes first."""
    by_id = {journey.id: journey for journey in journeys}
    done: set[str] = set()
    for journey in journeys:
        circle = _circle_from(journey.id, by_id, done)
        if circle:
            done.update(circle)
            first = by_id[min(circle)]
            turned = circle[circle.index(first.id) :] + circle[: circle.index(first.id)]
            way = " → ".join([*turned, first.id])
            yield _problem(first, ("depends_on",), "depends_on", f"goes in a circle: {way}; remove one of these dependencies")
        done.add(journey.id)


def _circle_from(start: str, by_id: dict[str, Journey], done: set[str]) -> list[str]:
    way = [start]
    turns = [iter(by_id[start].depends_on)]
    while turns:
        following = next(turns[-1], None)
        if following is None:
            turns.pop()
            done.add(way.pop())
        elif following in way:
            return way[way.index(following) :]
        elif following in by_id and following not in done:
            way.append(following)
            turns.append(iter(by_id[following].depends_on))
    return []


def _problem(journey: Journey, path: Path, key: str, message: str) -> Problem:
    line, col = journey.place_of(path)
    return Problem(journey.file_of(path), line, col, key, message)
