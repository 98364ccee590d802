"""Orders of two feeds that look like one purchase, though they name no id in common."""

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

WITHIN = 300
"""Seconds between two feeds' word of what looks like one purchase."""


def twice(orders: Sequence[dict[str, Any]]) -> int:
    """How many orders look like one that another feed told of in the same visit."""
    near: dict[tuple[str, str, float], list[dict[str, Any]]] = defaultdict(list)
    for order in sorted(orders, key=lambda order: int(order["ms"])):
        if order["session_id"]:
            near[order["session_id"], order["currency"], order["net"]].append(order)
    pairs = (pair for same in near.values() for pair in pairwise(same))
    return sum(one["feed"] != other["feed"] and other["ms"] - one["ms"] <= WITHIN * 1000 for one, other in pairs)


def twice_note(orders: Sequence[dict[str, Any]]) -> list[str]:
    """What a problem's money says of them; nothing where there are none."""
    number = twice(orders)
    why = f"two feeds tell of the same amount in one visit within {WITHIN // 60} minutes and name no id of the purchase in common"
    return [f"{number} order{'s' if number > 1 else ''} may count twice: {why}"] if number else []
