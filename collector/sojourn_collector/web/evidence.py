"""`GET /evidence/{id}?exp=…&sig=…`: a piece of evidence for whoever has the signed link.

What strangers' pages left is hostile: nothing of it ever runs on our origin. Pictures and plain text are shown, everything else is saved as a
file; pages are given out as text. Each answer is in a sandbox of its own that loads nothing.
"""

import logging

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from sojourn_collector.store.control.evidence import EvidenceRow, EvidenceRows
from sojourn_collector.store.evidence.blobs import BlobMissingError, BlobsUnavailableError
from sojourn_collector.store.evidence.evidence import Evidence
from sojourn_collector.store.evidence.links import EvidenceLinks
from sojourn_collector.store.evidence.media import medium_of

log = logging.getLogger("sojourn.evidence")

HARMLESS = {
    "content-security-policy": "sandbox; default-src 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "private, no-store",
    "x-robots-tag": "noindex",
}
_GONE = {"age": "its time was over", "room": "there was too much of it", "erased": "it was erased"}


def build_evidence(evidence: Evidence, links: EvidenceLinks) -> APIRouter:
    """The route."""
    router = APIRouter(include_in_schema=False)

    @router.get("/evidence/{ident}")
    async def piece(ident: str, exp: str = "", sig: str = "") -> Response:
        if not links.good(ident, exp, sig):
            return _said(403, "This link is wrong or its time is over; open the run's page again.")
        return await _given(evidence, evidence.rows, ident)

    return router


async def _given(evidence: Evidence, rows: EvidenceRows, ident: str) -> Response:
    row = await rows.get(ident)
    if row is None:
        return _said(404, "There is no such piece of evidence.")
    if row.gone_at is not None:
        return _said(410, f"This piece of evidence is gone: {_GONE.get(row.gone_why or '', 'it was removed')}.")
    try:
        content = await evidence.content(row)
    except BlobMissingError as error:
        log.error("evidence %s of run %s is missing where it should be: %s", row.name, row.run_id, error)
        return _said(410, "This piece of evidence is lost or damaged where it was kept.")
    except BlobsUnavailableError as error:
        log.warning("evidence cannot be read: %s", error)
        return _said(503, "Evidence cannot be read just now; come back in a moment.", {"retry-after": "5"})
    return Response(content, headers=headers_of(row))


def headers_of(row: EvidenceRow) -> dict[str, str]:
    """What makes the content harmless, whatever is in it."""
    medium = medium_of(row.name)
    inline = medium is not None and medium.inline
    media_type = "application/octet-stream" if medium is None else medium.served_as or medium.media_type
    text = media_type == "text/plain"
    # A page saved as .html would run when it is opened from the disk.
    name = f"{row.name}.txt" if text and not row.name.endswith(".txt") else row.name
    return {
        **HARMLESS,
        "content-type": "text/plain; charset=utf-8" if text else media_type,
        "content-disposition": f'{"inline" if inline else "attachment"}; filename="{name}"',
    }


def _said(status: int, sentence: str, extra: dict[str, str] | None = None) -> Response:
    return JSONResponse({"error": sentence}, status, {**HARMLESS, **(extra or {})})
