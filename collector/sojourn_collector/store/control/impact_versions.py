"""What decided the scores since when: the versions of impact.yaml a collector was started with. Only added to; nothing in it is of customers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, insert, select

from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.tables import impact_versions

MOST = 1000
"""Versions that are read, the newest; somebody who tries numbers out comes to a few a day."""


@dataclass(frozen=True, slots=True)
class ImpactVersion:
    """One version: from `since` on its `content` decided the scores, until the next one did."""

    version: str
    since: datetime
    content: Mapping[str, Any]


class ImpactVersions:
    """Remembers them in their order."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def remember(self, version: str, content: Mapping[str, Any], at: datetime, *, tenant: str = "default") -> bool:
        """Write down that this one holds from `at` on; False where it did already."""
        row = {"tenant": tenant, "version": version, "since": at, "content": json.dumps(content, sort_keys=True)}
        newest = select(impact_versions.c.version).where(impact_versions.c.tenant == tenant).order_by(impact_versions.c.id.desc()).limit(1)

        def work(connection: Connection) -> bool:
            if connection.execute(newest).scalar() == version:
                return False
            connection.execute(insert(impact_versions), row)
            return True

        return await self._database.write(work)

    async def list(self, *, tenant: str = "default") -> list[ImpactVersion]:
        """The oldest first; of very many the newest `MOST`."""
        query = select(impact_versions).where(impact_versions.c.tenant == tenant).order_by(impact_versions.c.id.desc()).limit(MOST)
        rows = await self._database.read(lambda connection: connection.execute(query).mappings().all())
        return [ImpactVersion(row["version"], row["since"], json.loads(row["content"])) for row in reversed(rows)]
