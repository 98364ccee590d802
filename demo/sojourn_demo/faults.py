"""Who meets the fault. A verdict depends on the seed, the shopper and the number of the try, never on timing.

The shop asks at every try; the simulation asks the same question beforehand and so knows each shopper's fate.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

FaultKind = Literal["error", "slow", "broken_script"]
KINDS: Final[tuple[str, ...]] = get_args(FaultKind)
STEPS: Final = ("pay",)
_SCALE: Final = float(1 << 64)


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault at `step`: `share` (0–1) of all tries by shoppers meet it, and every probe does."""

    kind: FaultKind
    share: float
    seed: int
    step: str = "pay"

    def meets(self, shopper: str, number: int) -> bool:
        """True when try `number` (from 1) of `shopper` meets this fault."""
        return draw(self.seed, shopper, number) < self.share


def draw(seed: int, shopper: str, number: int) -> float:
    """An evenly spread number in [0, 1) that is always the same for the same seed, shopper and try."""
    digest = hashlib.sha256(f"{seed}:{shopper}:{number}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / _SCALE


def read_fault(body: Any, default_seed: int) -> Fault | None:
    """Read the body of `POST /_faults`: `{step, kind, share, seed?}`; `{"kind": null}` switches off.

    Raises ValueError with one sentence for whoever sent it.
    """
    if not isinstance(body, dict):
        raise ValueError('the body must be a JSON object such as {"step": "pay", "kind": "error", "share": 0.4}')
    if unknown := sorted(set(body) - {"step", "kind", "share", "seed"}):
        raise ValueError(f"unknown key {unknown[0]!r}; known are step, kind, share and seed")
    kind, step, share, seed = body.get("kind"), body.get("step", "pay"), body.get("share", 1.0), body.get("seed", default_seed)
    if kind is None:
        return None
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}, or null to switch the fault off")
    if step not in STEPS:
        raise ValueError("step must be pay, the one step this shop can break")
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
        raise ValueError("share must be a number from 0 (nobody) to 1 (everyone)")
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ValueError("seed must be a whole number")
    return Fault(kind, float(share), seed, step)
