"""Evidence as a place: pictures, recordings and the like of the subject's runs."""

import base64
from collections.abc import AsyncIterator
from typing import Any

from sojourn_collector.store.erasure.subject import Names, Orders
from sojourn_collector.store.evidence.blobs import BlobMissingError
from sojourn_collector.store.evidence.evidence import Evidence


class EvidencePlace:
    """What is kept of runs. Probes leave most of it, and they are nobody; what came for a customer's run is that customer's."""

    name = "evidence"

    def __init__(self, evidence: Evidence, tenant: str) -> None:
        self._evidence = evidence
        self._tenant = tenant

    async def count(self, names: Names) -> dict[str, int]:
        """Pieces."""
        found = [row for row in await self._evidence.rows.of_runs(self._tenant, names.runs) if row.gone_at is None]
        return {"evidence": len(found)} if found else {}

    async def erase(self, names: Names, orders: Orders) -> dict[str, int]:
        """Remove them, and take no more of these runs. Raises BlobsUnavailableError."""
        found = await self._evidence.erase(self._tenant, names.runs) if names.runs else 0
        return {"evidence": found} if found else {}

    async def kept(self, names: Names) -> AsyncIterator[tuple[str, dict[str, Any]]]:
        """What each is, and its content in base64. Raises BlobsUnavailableError."""
        for row in await self._evidence.rows.of_runs(self._tenant, names.runs):
            if row.gone_at is not None:
                continue
            try:
                content = base64.b64encode(await self._evidence.content(row)).decode()
            except BlobMissingError:
                content = ""
            about = {"run_id": row.run_id, "step": row.step, "kind": row.kind, "name": row.name, "media_type": row.media_type}
            yield "evidence", {**about, "received": row.received_at.isoformat(), "content": content}
