"""Whether a failure follows one segment: one browser, one release, one device. Then nobody like those hit stayed unhurt."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

INSIDE, OUTSIDE, MOST_OF = 0.6, 0.05, 0.9
"""Shares: hit within the segment at least (an incident's window may begin a little before all of it failed), hit outside at most, of those hit who are
in it at least."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One value of one attribute, such as browser = Safari 19."""

    attribute: str
    value: str

    def __str__(self) -> str:
        return f"{self.attribute.removeprefix('attribute:')} {self.value}"


@dataclass(frozen=True, slots=True)
class Crowd:
    """People who came and share all facts, such as browser and release, and how many of them were hit."""

    facts: Mapping[str, str]
    people: int
    hit: int


def guilty_segment(crowds: Iterable[Crowd], attributes: Iterable[str], *, least: int = 10) -> Segment | None:
    """The segment the failure follows, None when there is none.

    Shares of people hit are looked at, never what anybody paid. The largest of several is taken, of equal ones the first; a segment with fewer than
    `least` people hit explains nothing, nor one that all but so many are in: that none of three others was hit may be chance.
    """
    listed = list(crowds)
    everyone, hit_in_all = sum(crowd.people for crowd in listed), sum(crowd.hit for crowd in listed)
    best: tuple[int, Segment] | None = None
    for attribute in attributes:
        came: Counter[str] = Counter()
        hit: Counter[str] = Counter()
        for crowd in listed:
            came[crowd.facts.get(attribute, "")] += crowd.people
            hit[crowd.facts.get(attribute, "")] += crowd.hit
        for value, inside in hit.items():
            rest = everyone - came[value]
            if not value or inside < least or rest < least:
                continue
            follows = inside >= INSIDE * came[value] and inside >= MOST_OF * hit_in_all and hit_in_all - inside <= OUTSIDE * rest
            if follows and (best is None or inside > best[0]):
                best = (inside, Segment(attribute, value))
    return best[1] if best else None
