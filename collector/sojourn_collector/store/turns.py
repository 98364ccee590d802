"""Who may change the tables just now. Taken in this order: `load`, then `join`."""

import asyncio
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Turns:
    """The loader holds `load` for each file, the join `join` for each portion. Whoever needs the tables to stand still takes both; a backup also holds `copy`
    while frozen files lie about."""

    load: asyncio.Lock = field(default_factory=asyncio.Lock)
    join: asyncio.Lock = field(default_factory=asyncio.Lock)
    copy: asyncio.Lock = field(default_factory=asyncio.Lock)
