"""Who may import: holders of a key with scope `sources`, and this process's own commands by its token. Pages of other sites may not ask for them."""

import hmac
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request

from sojourn_collector.sources.door import Refused, authenticate
from sojourn_collector.store.control import Control


@dataclass(frozen=True, slots=True)
class Sender:
    """Who imports, and for which tenant."""

    actor: str
    tenant: str


class ImportDoor:
    """Looks at who asks. `token` is that of the running process."""

    def __init__(self, control: Control, token: str) -> None:
        self._control = control
        self._token = token

    async def who(self, request: Request) -> Sender:
        """Raises Refused before a byte of the body is read."""
        _check_site(request)
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and self._token and hmac.compare_digest(given.encode(), self._token.encode()):
            return Sender("cli", "default")
        key = await authenticate(self._control, request)
        return Sender(key.id, key.tenant)


def _check_site(request: Request) -> None:
    """A browser says which site asks; commands and scripts do not. Raises Refused."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    other = site not in (None, "same-origin") or (origin is not None and urlsplit(origin).netloc != request.headers.get("host", ""))
    if other:
        raise Refused(403, "A page of another site may not import here.")
