"""Who may change the installation: holders of a key with the scope admin, and this process's own commands by its token."""

import hmac

from fastapi import Request
from fastapi.responses import JSONResponse, Response

from sojourn_collector.store.control.keys import Keys, Scope


class AdminDoor:
    """Looks at who asks. `token` is that of the running process."""

    def __init__(self, keys: Keys, token: str) -> None:
        self._keys = keys
        self._token = token

    async def who(self, request: Request) -> str | None:
        """Id of the key, `cli` for a command of this machine, None for anybody else."""
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        if hmac.compare_digest(given.encode(), self._token.encode()):
            return "cli"
        key = await self._keys.verify(given.strip())
        return key.id if key is not None and key.allows(Scope.ADMIN) else None


def refused() -> Response:
    """The answer to anybody else."""
    return JSONResponse({"error": "A key with the scope admin is needed: Authorization: Bearer sj_…"}, 401, {"www-authenticate": "Bearer"})
