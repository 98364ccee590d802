"""Pairs of things that are the same under another name."""

from collections.abc import Callable, Sequence
from difflib import SequenceMatcher
from typing import Final, TypeVar

T = TypeVar("T")

ENOUGH: Final = 0.8
"""How alike two texts must be, of 1, to be taken for the same thing."""


def most_alike(gone: Sequence[T], come: Sequence[T], text_of: Callable[[T], str]) -> list[tuple[T, T]]:
    """Pairs of one that is gone and one that has come and is much like it, each in one pair at most, the most alike first."""
    texts = [(text_of(one), text_of(other), one, other) for one in gone for other in come]
    scored = [(SequenceMatcher(None, a, b, autojunk=False).ratio() if len(a) + len(b) < 20_000 else float(a == b), one, other) for a, b, one, other in texts]
    pairs: list[tuple[T, T]] = []
    for score, one, other in sorted(scored, key=lambda item: -item[0]):
        if score >= ENOUGH and all(one is not taken and other is not also for taken, also in pairs):
            pairs.append((one, other))
    return pairs
