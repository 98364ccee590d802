"""The evidence of a run's steps: what their spans name, joined with what has come."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sojourn_collector.context import Context
from sojourn_collector.store.control.evidence import EvidenceRow
from sojourn_collector.web.models_details import EvidencePiece
from sojourn_probes import semconv

ORDER = ("screenshot", "answer", "console", "har", "dom", "trace")
"""How kinds follow each other; others come after them by name."""
MOST = 50
"""Pieces shown of a step."""


@dataclass(frozen=True, slots=True)
class Came:
    """What has come of a run, by the agent's file name, and whether the run's evidence was erased."""

    rows: Mapping[str, EvidenceRow]
    erased: bool


async def came_of(context: Context, run: str) -> Came:
    """Asks the control database."""
    tenant = context.store.tenant
    return Came({row.name: row for row in await context.control.evidence.of_runs(tenant, [run])}, await context.control.evidence.erased(tenant, run))


def pieces(context: Context, spans: Iterable[Mapping[str, Any]], came: Came) -> list[EvidencePiece]:
    """The pieces that the spans of a step name."""
    found = []
    for span in spans:
        for key, name in span["attrs"].items():
            if key.startswith(semconv.EVIDENCE_PREFIX) and name:
                found.append(_piece(context, key.removeprefix(semconv.EVIDENCE_PREFIX), name, span, came))
    return sorted(found, key=lambda one: (ORDER.index(one.kind) if one.kind in ORDER else len(ORDER), one.kind))[:MOST]


def _piece(context: Context, kind: str, name: str, span: Mapping[str, Any], came: Came) -> EvidencePiece:
    host, row = span["host"], came.rows.get(name)
    if row is None:
        old = context.clock() - span["ts"] > timedelta(seconds=context.config.evidence.keep)
        return EvidencePiece(kind=kind, name=name, state="erased" if came.erased else "too_old" if old else "not_sent", host=host)
    state = {None: "kept", "age": "too_old", "room": "no_room", "erased": "erased"}.get(row.gone_why, "no_room")
    link = context.evidence_links.link(row.id) if state == "kept" and context.evidence_links is not None else ""
    return EvidencePiece.model_validate(
        {
            "kind": kind,
            "name": name,
            "state": state,
            "host": host,
            "link": link,
            "media_type": row.media_type,
            "bytes": row.bytes,
            "sha256": row.sha256,
            "received": row.received_at,
            "expires": row.expires_at,
        }
    )
