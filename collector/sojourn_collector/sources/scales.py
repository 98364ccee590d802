"""Which answers on a scale count as satisfied: the top boxes, by the number of boxes."""

TOP_BOXES = {2: 1, 3: 1, 4: 2, 5: 2, 7: 2, 10: 2}
"""Boxes counted as satisfied by scale length: 4 and 5 of 1–5, 6 and 7 of 1–7, 3 of 1–3."""


def satisfied(kind: str, value: float, low: float, high: float, higher_is_better: bool = True) -> bool | None:
    """Whether an answer counts as satisfied; None where that is not known: other kinds than CSAT and rating, other scales than `TOP_BOXES`."""
    boxes = TOP_BOXES.get(round(high - low) + 1)
    if kind not in ("csat", "rating") or boxes is None or high - low != round(high - low):
        return None
    return value > high - boxes if higher_is_better else value < low + boxes
