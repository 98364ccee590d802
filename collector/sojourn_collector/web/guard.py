"""What every page and answer goes through: who may ask under which name, and headers that keep a browser from doing harm."""

import base64
import hmac
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

from sojourn_collector.config import is_loopback
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.control.keys import Key, Scope

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

HEADERS = {
    "content-security-policy": (
        "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; object-src 'none'; "
        "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
OPEN_PATHS = frozenset({"/healthz", "/readyz"})
OWN_KEY_PATHS = ("/api/v1/in/", "/api/v1/imports", "/add/", "/v1/")
"""Sources and imports check their keys themselves."""
OWN_KEY_CHANGES = "/api/v1/marks"
"""Reading them takes the scope read; what changes them checks its key itself."""
SIGNED_PATHS = ("/evidence/", "/shared/")
"""Links that carry their own signature or secret."""


class KeyCheck(Protocol):
    """Where keys are checked."""

    async def verify(self, presented: str) -> Key | None:
        """The key, or None."""
        ...


class Guard:
    """ASGI middleware: Host allow-list against DNS rebinding, a key off loopback, security headers on every answer."""

    def __init__(self, app: App, hosts: frozenset[str], key_check: KeyCheck, *, needs_key: bool, token: str) -> None:
        self._app = app
        self._hosts = hosts
        self._key_check = key_check
        self._needs_key = needs_key
        self._token = token

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Let a request through or refuse it."""
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        host = host_name(headers.get(b"host", b"").decode("latin-1"))
        if not (is_loopback(host) or host in self._hosts):
            await _refuse(send, 421, "This name is not served here; add it to web.hosts in collector.yaml.")
            return
        path = scope["path"]
        own_check = path.startswith((*OWN_KEY_PATHS, *SIGNED_PATHS)) or (scope["method"] in ("POST", "DELETE") and path.startswith(OWN_KEY_CHANGES))
        guarded_path = self._needs_key and path not in OPEN_PATHS and not own_check
        try:
            may = not guarded_path or await self._may_read(headers)
        except ControlUnavailableError as error:
            await _refuse(send, 503, str(error), {"retry-after": "2"})
            return
        if not may:
            await _refuse(
                send, 401, "A key with the scope read is needed.", {"www-authenticate": 'Basic realm="Sojourn: any name, a key as password", charset="UTF-8"'}
            )
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name for name, _ in message["headers"]}
                extra = [(name.encode(), value.encode()) for name, value in HEADERS.items() if name.encode() not in given]
                message = {**message, "headers": [*message["headers"], *extra]}
            await send(message)

        await self._app(scope, receive, guarded)

    async def _may_read(self, headers: dict[bytes, bytes]) -> bool:
        scheme, _, given = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        if scheme.lower() == "basic":
            try:
                given = base64.b64decode(given, validate=True).decode().partition(":")[2]
            except ValueError:
                return False
        elif scheme.lower() != "bearer":
            return False
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return True
        key = await self._key_check.verify(given.strip())
        return key is not None and key.allows(Scope.READ)


def host_name(host: str) -> str:
    """The name in a Host header, without port and brackets, lower case."""
    host = host.strip().lower()
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


async def _refuse(send: Send, status: int, text: str, extra: dict[str, str] | None = None) -> None:
    body = json.dumps({"error": text}).encode()
    fields = {"content-type": "application/json", "content-length": str(len(body)), **HEADERS, **(extra or {})}
    await send({"type": "http.response.start", "status": status, "headers": [(name.encode(), value.encode()) for name, value in fields.items()]})
    await send({"type": "http.response.body", "body": body})
