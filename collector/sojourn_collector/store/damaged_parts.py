"""Parts of the embedded engine's tables that are damaged on disk: one that cannot be read would fail every query over it, for ever.

Such a part is taken out of its table (`ALTER TABLE … DETACH PART`), which leaves its files in the table's folder `detached`, and is said. What else the
table holds is answered again. Replicas of a ClickHouse cluster mend theirs by themselves, so nothing is done there.
"""

import asyncio
import logging
import re
from pathlib import Path
from typing import Final

from sojourn_collector.store.client import StatementFailed, Store, StoreError
from sojourn_collector.store.damaged import Damaged

log = logging.getLogger("sojourn.engine")

CODES: Final = frozenset({33, 40, 246, 271, 273})
"""CANNOT_READ_ALL_DATA, CHECKSUM_DOESNT_MATCH, CORRUPTED_DATA, CANNOT_DECOMPRESS, CORRUPTED_DATA of older versions."""
_PART: Final = re.compile(r"/store/[0-9a-f]{3}/([0-9a-f-]{36})/([0-9A-Za-z_-]{1,80})/")
SENTENCE: Final = "A part of the tables is damaged on disk and is being taken out; ask again in a moment."


def is_damage(error: StatementFailed) -> bool:
    """Whether the engine could not read what it had written."""
    return error.code in CODES


class DamagedParts:
    """Takes damaged parts out of tables. `noticed` is told of each refusal; `run` looks after them until cancelled."""

    def __init__(self, store: Store, damaged: Damaged) -> None:
        self._store = store
        self._damaged = damaged
        self._waiting: asyncio.Queue[tuple[str, str]] = asyncio.Queue(maxsize=100)
        self._seen: set[tuple[str, str]] = set()

    def noticed(self, error: StatementFailed) -> None:
        """Remember the part a refusal speaks of, if it does."""
        found = _PART.search(str(error)) if is_damage(error) else None
        if found and (named := (found[1], found[2])) not in self._seen and not self._waiting.full():
            self._seen.add(named)
            self._waiting.put_nowait(named)

    async def run(self) -> None:
        """Take out what was noticed. What cannot be done now is noticed again by the next query."""
        while True:
            named = await self._waiting.get()
            try:
                await self._take_out(*named)
            except (StoreError, OSError) as error:
                log.error("part %s, which seems damaged, cannot be taken out: %s", named[1], error)
            finally:
                self._seen.discard(named)

    async def _take_out(self, folder: str, part: str) -> None:
        rows = await self._store.query("part_of", folder=folder, part=part)
        if not rows:
            return  # merged away meanwhile
        table, count, path = rows[0]["table"], rows[0]["rows"], rows[0]["path"]
        await self._store.statement(f"ALTER TABLE `{table}` DETACH PART '{part}'")
        where = Path(path).parent / "detached" / part
        self._damaged.keep(
            f"{table}-{part}", f"Part {part} of the table {table} was damaged on disk and was taken out with its {count} rows; its files are in {where}."
        )
