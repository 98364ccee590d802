"""Which collectors a forwarded batch has come through: `<uuid>@<collector>.<collector>`, in its batch id.

A batch id travels with the batch through HTTP, gRPC, journal and ledger, so collectors that forward to each other in a circle are recognised by the one
whose name is already there. A batch id of any other shape has come through none.
"""

import re
from typing import Final
from uuid import UUID, uuid5

MOST: Final = 8
"""Collectors one after the other; more are a mistake, and the id must stay short."""
_NAMESPACE: Final = UUID("6f2b1a52-0f0e-5c7e-9d0b-7c5f1b9a4e11")
_SHAPE: Final = re.compile(r"[0-9a-f-]{36}@([0-9a-f]{12}(?:\.[0-9a-f]{12})*)")


def hops(batch: str) -> tuple[str, ...]:
    """Ids of the collectors that forwarded this batch, the first one first."""
    match = _SHAPE.fullmatch(batch)
    return tuple(match[1].split(".")) if match else ()


def forwarded(batch: str, own: str, *facts: str) -> str:
    """The id under which `own` forwards what came under `batch`. The same facts give the same id for ever."""
    return f"{uuid5(_NAMESPACE, chr(0).join((batch, *facts)))}@{'.'.join((*hops(batch), own))}"
