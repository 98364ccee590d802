"""`PUT /v1/evidence/{name}` at the OTLP listener: a file of evidence, from the agents that send OTLP there, with the same keys.

`?run= journey= step= kind= attempt=` say what it belongs to; `name` is the agent's file name, which the step's span carries. 200 means: fsynced.
`GET /v1/evidence` says what is taken, for a sender that wants to know before it sends.
"""

import json
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

from sojourn_collector.listeners import PEER
from sojourn_collector.receive.answers import RefusalError, refusal_body
from sojourn_collector.receive.body import ClientGoneError, Receive, read_body
from sojourn_collector.receive.intake import Intake
from sojourn_collector.store.control.evidence import Noted, Piece
from sojourn_collector.store.evidence.blobs import BlobsUnavailableError
from sojourn_collector.store.evidence.evidence import Evidence
from sojourn_collector.store.evidence.media import MEDIA, medium_of

log = logging.getLogger("sojourn.receive")

Send = Callable[[dict[str, Any]], Awaitable[None]]
App = Callable[[Mapping[str, Any], Receive, Send], Awaitable[None]]
PATH = "/v1/evidence"
AT_ONCE = 8
"""Files in work at once; each may hold the largest body in memory."""
BODY_DEADLINE = 60.0
"""Seconds for a file to arrive: it may be ten times as large as a batch."""
LONGEST_QUERY = 2000
_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,199}")
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_FIELDS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "run": (_WORD, "the run's id"),
    "journey": (_WORD, "the journey's id"),
    "step": (_WORD, "the step's id"),
    "kind": (re.compile(r"[a-z][a-z0-9_]{0,31}"), "what it is, such as screenshot"),
    "attempt": (re.compile(r"[1-9][0-9]{0,2}"), "the number of the attempt"),
}


class EvidenceApp:
    """ASGI: takes evidence, hands everything else on to `other`. `largest` is the most bytes of one file."""

    def __init__(self, other: App, intake: Intake, evidence: Evidence, largest: int, *, needs_key: bool = False) -> None:
        self._other = other
        self._intake = intake
        self._evidence = evidence
        self._limits = intake.limits.model_copy(update={"body": largest, "body_deadline": max(BODY_DEADLINE, intake.limits.body_deadline)})
        self._needs_key = needs_key
        self._active = 0

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not (scope["path"] == PATH or scope["path"].startswith(f"{PATH}/")):
            await self._other(scope, receive, send)
            return
        self._active += 1
        extra: Mapping[str, str] = {}
        try:
            status, answer = 200, await self._answer(scope, receive)
            body = json.dumps(answer).encode()
        except RefusalError as error:
            status, body, extra = error.status, refusal_body(error, "json"), error.headers
            self._intake.counters.add("sojourn_rejected", signal="evidence", reason=error.reason)
        except ClientGoneError:
            return
        except Exception:
            log.exception("a piece of evidence could not be taken")
            broken = RefusalError(503, "The collector could not handle this request; send it again.", "internal", {"retry-after": "5"})
            status, body, extra = 503, refusal_body(broken, "json"), broken.headers
        finally:
            self._active -= 1
        self._intake.counters.add("sojourn_requests", path=PATH, status=str(status))
        fields = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        fields += [(name.encode(), value.encode()) for name, value in extra.items()]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": body})

    async def _answer(self, scope: Mapping[str, Any], receive: Receive) -> dict[str, Any]:
        headers: dict[bytes, bytes] = dict(scope["headers"])
        name = str(scope["path"])[len(PATH) + 1 :]
        wanted = "PUT" if name else "GET"
        if scope["method"] != wanted:
            raise RefusalError(405, f"{PATH}{'/…' if name else ''} takes {wanted} only.", "method", {"allow": wanted})
        given = headers.get(b"authorization", b"").decode("latin-1")
        _, tenant = await self._intake.credential(given, needs_key=self._needs_key, peer=scope.get(PEER))
        if not name:
            return {"largest": self._limits.body, "endings": sorted(MEDIA), "keep_seconds": int(self._evidence.bounds.keep.total_seconds())}
        piece = piece_of(tenant, name, bytes(scope["query_string"]))
        medium = medium_of(name)
        if medium is None:
            raise RefusalError(415, f"Evidence ends in {', '.join(f'.{ending}' for ending in MEDIA)}; this name does not.", "media")
        if self._active > AT_ONCE:
            raise RefusalError(503, "Too much evidence comes at once; come back in a second.", "busy", {"retry-after": "1"})
        with self._intake.budget.hold() as held:
            content = await read_body(receive, headers, self._limits, held)
            if not content:
                raise RefusalError(400, "The body is empty.", "empty")
            if not medium.fits(content):
                raise RefusalError(415, f"The content is no {medium.media_type}, as the name's ending says.", "media")
            return await self._keep(piece, content, medium.media_type)

    async def _keep(self, piece: Piece, content: bytes, media_type: str) -> dict[str, Any]:
        try:
            found = await self._evidence.keep(piece, content, media_type)
        except BlobsUnavailableError as error:
            log.error("evidence cannot be kept: %s", error)
            raise RefusalError(503, "Evidence cannot be kept just now; come back later.", "place", {"retry-after": "5"}) from error
        if found is Noted.OTHER:
            raise RefusalError(409, "This name was used before with another content.", "conflict")
        self._intake.counters.add("sojourn_evidence", became=str(found))
        return {"id": piece.id, "kept": found in (Noted.NEW, Noted.KNOWN), "bytes": len(content), "media_type": media_type}


def piece_of(tenant: str, name: str, query: bytes) -> Piece:
    """What the address says of a piece. Raises RefusalError 400."""
    if not _NAME.fullmatch(name):
        raise RefusalError(400, "A name of evidence has at most 200 letters, digits, dots, hyphens and underscores, and does not begin with a dot.", "name")
    if len(query) > LONGEST_QUERY:
        raise RefusalError(400, f"What stands behind the ? is longer than {LONGEST_QUERY} characters.", "query")
    given = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    found = dict(given)
    for key, (pattern, what) in _FIELDS.items():
        if [one for one, _ in given].count(key) != 1 or not pattern.fullmatch(found[key]):
            raise RefusalError(400, f"?{key}= is needed once: {what}.", "query")
    unknown = next((key for key in found if key not in _FIELDS), None)
    if unknown is not None:
        raise RefusalError(400, f"?{unknown[:40]!r} is not known here; known are {', '.join(_FIELDS)}.", "query")
    return Piece(tenant, name, found["run"], found["journey"], found["step"], found["kind"], int(found["attempt"]))
