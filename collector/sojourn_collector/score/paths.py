"""The paths that people walk again and again: frequent ordered paths over pages and conversions, ids in addresses taken out. Pure.

Frequent sequences are found by PrefixSpan (Pei et al. 2001) over each visit's pages in the order they were first seen; support is counted in people,
not in visits.
Of the frequent ones those are kept that no longer one contains, and of those that look alike the one that most people walked.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

LEAST_PEOPLE = 5
"""People below which a path is not told: it could tell of one."""

LONGEST = 8
MOST_PLACES = 60
MOST_LOOKED_AT = 3_000_000
"""Places of visits that one search looks at; where people wander so much that it does not do, more people are asked of a path."""

MOST_FREQUENT = 1_500
ALIKE = 0.6
MANY_VALUES = 25
"""Different words at one place of an address from which on they are taken for names of things, if each is rare."""

RARE = 0.05
_ID = re.compile(r"\d+|[0-9a-f]{8,}|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|.*\d.*\d.*\d.*\d.*|.*%[0-9a-fA-F]{2}.*|.*@.*|.{41,}", re.DOTALL)


class Place(NamedTuple):
    """A page pattern, or a conversion's name."""

    page: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Visit:
    """One visit: whose, and in order (milliseconds, page path, conversion's name); one of the two is empty."""

    person: str
    walked: Sequence[tuple[int, str, str]]


@dataclass(frozen=True, slots=True)
class Path:
    """One path: its places in order, and how many people came to each on this way; visits that walked all of it, and seconds that half of them took."""

    places: tuple[Place, ...]
    people: tuple[int, ...]
    visits: int
    seconds: float


def general(path: str) -> str:
    """A path whose segments that look like ids are `*`; without query and trailing slash."""
    bare = re.split(r"[?#]", path, maxsplit=1)[0]
    segments = [part for part in bare.split("/") if part]
    return "/" + "/".join("*" if _ID.fullmatch(part) else part for part in segments)


def patterns(paths: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The pattern of each path, by (person, path): ids are `*`, and so are words of a place where there are many and each is rare."""
    found = {}
    who: dict[str, set[str]] = defaultdict(set)
    for person, path in paths:
        if path not in found:
            found[path] = general(path)
        who[found[path]].add(person)
    for depth in range(max((path.count("/") for path in who), default=0)):
        values: dict[tuple[Sequence[str], Sequence[str]], dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
        for path, people in who.items():
            parts = path[1:].split("/")
            if len(parts) > depth and parts[depth] != "*":
                values[_around(parts, depth)][parts[depth]] |= people
        renamed: dict[str, str] = {}
        for path in who:
            parts = path[1:].split("/")
            if len(parts) <= depth or parts[depth] == "*":
                continue
            of = values[_around(parts, depth)]
            everyone = len(set().union(*of.values()))
            if len(of) > MANY_VALUES and len(of[parts[depth]]) < max(2, RARE * everyone):
                renamed[path] = "/" + "/".join([*parts[:depth], "*", *parts[depth + 1 :]])
        if renamed:
            found = {path: renamed.get(pattern, pattern) for path, pattern in found.items()}
            merged: dict[str, set[str]] = defaultdict(set)
            for path, people in who.items():
                merged[renamed.get(path, path)] |= people
            who = merged
    return found


def _around(parts: Sequence[str], depth: int) -> tuple[Sequence[str], Sequence[str]]:
    """What stands before and after a place of an address."""
    return tuple(parts[:depth]), tuple(parts[depth + 1 :])


def paths(
    visits: Sequence[Visit], *, least: int = LEAST_PEOPLE, share: float = 0.01, most: int = 10, covered: Callable[[Path], bool] = lambda _: False
) -> list[Path]:
    """The paths worth a journey, that most people walk first.

    :param least: people below which a path is not told; never below 5.
    :param share: of all people, below which a path is too rare.
    :param covered: whether a path is known already.
    """
    shape = patterns((visit.person, page) for visit in visits for _, page, _ in visit.walked if page)
    people = {visit.person for visit in visits}
    support = max(least, LEAST_PEOPLE, share * len(people))
    sequences = [_first_seen(visit, shape) for visit in visits]
    walked = [(visit.person, [place for place, _ in sequence]) for visit, sequence in zip(visits, sequences, strict=True)]
    while (frequent := _frequent(walked, support)) is None:
        support *= 2
    longest = _maximal(frequent)
    ranked = sorted(longest, key=lambda one: (-(frequent[one] * len(one) * (2 if one[-1].event else 1)), one))
    chosen: list[Path] = []
    taken: list[tuple[Place, ...]] = []
    for one in ranked:
        if any(_alike(one, other) > ALIKE for other in taken):
            continue
        told = _told(one, visits, sequences)
        taken.append(one)
        if not covered(told):
            chosen.append(told)
        if len(chosen) >= most:
            break
    return chosen


def _first_seen(visit: Visit, shape: Mapping[str, str]) -> list[tuple[Place, int]]:
    seen: dict[Place, int] = {}
    for at, page, event in visit.walked:
        seen.setdefault(Place(page=shape[page]) if page else Place(event=event), at)
    return list(seen.items())


def _frequent(sequences: Sequence[tuple[str, list[Place]]], support: float) -> dict[tuple[Place, ...], int] | None:
    """Frequent ordered paths of two places and more, with their people (PrefixSpan over first visits, so that no place comes twice).

    None when there are too many to look through.
    """
    known: dict[Place, set[str]] = defaultdict(set)
    for person, places in sequences:
        for place in places:
            known[place].add(person)
    alphabet = {place for place in sorted(known, key=lambda one: (-len(known[one]), one))[:MOST_PLACES] if len(known[place]) >= support}
    rows = [(person, [place for place in places if place in alphabet]) for person, places in sequences]
    found: dict[tuple[Place, ...], int] = {}
    waiting: list[tuple[tuple[Place, ...], list[tuple[int, int]]]] = [((), [(index, 0) for index in range(len(rows))])]
    looked = 0
    while waiting:
        prefix, projected = waiting.pop()
        follows: dict[Place, list[tuple[int, int]]] = defaultdict(list)
        for index, start in projected:
            places = rows[index][1]
            looked += len(places) - start
            for number in range(start, len(places)):
                follows[places[number]].append((index, number + 1))
        if looked > MOST_LOOKED_AT:
            return None
        for place, after in follows.items():
            people = len({rows[index][0] for index, _ in after})
            if people < support:
                continue
            longer = (*prefix, place)
            if len(longer) > 1:
                found[longer] = people
                if len(found) > MOST_FREQUENT:
                    return None
            # A conversion ends a path: what comes after it is another.
            if len(longer) < LONGEST and not place.event:
                waiting.append((longer, after))
    return found


def _maximal(frequent: Mapping[tuple[Place, ...], int]) -> list[tuple[Place, ...]]:
    """Those that no longer frequent one contains; a path to a conversion is contained only in one that ends in it too."""
    kept: list[tuple[Place, ...]] = []
    for one in sorted(frequent, key=lambda path: (-len(path), -frequent[path], path)):
        if not any(_inside(one, other) for other in kept):
            kept.append(one)
    return kept


def _inside(short: tuple[Place, ...], long: tuple[Place, ...]) -> bool:
    places = iter(long)
    return all(place in places for place in short)


def _alike(one: tuple[Place, ...], other: tuple[Place, ...]) -> float:
    mine, theirs = set(one), set(other)
    return len(mine & theirs) / min(len(mine), len(theirs))


def _told(places: tuple[Place, ...], visits: Sequence[Visit], sequences: Sequence[list[tuple[Place, int]]]) -> Path:
    came: list[set[str]] = [set() for _ in places]
    took = []
    for visit, sequence in zip(visits, sequences, strict=True):
        when = iter(sequence)
        began = at = 0
        for number, place in enumerate(places):
            at = next((ms for seen, ms in when if seen == place), -1)
            if at < 0:
                break
            began = at if number == 0 else began
            came[number].add(visit.person)
        else:
            took.append((at - began) / 1000)
    return Path(places, tuple(len(people) for people in came), len(took), median(took) if took else 0.0)
