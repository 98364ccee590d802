"""Rows of our own form that come signed, as Standard Webhooks say, instead of with a key: `signed:` of collector.yaml.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final

from fastapi import Request

from sojourn_collector.kept_key import KeptKeyError
from sojourn_collector.sources.body import LARGEST_BODY
from sojourn_collector.sources.door import Places, Refused, read_body
from sojourn_collector.sources.signatures import STANDARD_WEBHOOKS, Delivery, SignatureError
from sojourn_collector.sources_config import SignedSettings

TENANT: Final = "default"
DEADLINE: Final = 4.0
"""Seconds for a body: nobody is proven to be a sender before it has arrived."""
_AT_ONCE: Final = 8
_LONGEST_ID: Final = 256
RowSecrets = Mapping[str, Callable[[], list[bytes]]]
"""By source; reading them raises KeptKeyError."""


def row_secrets(signed: Mapping[str, SignedSettings], environ: Mapping[str, str]) -> RowSecrets:
    """The newest secret of each source and the one before it; none is read yet."""

    def of(name: str, one: SignedSettings) -> Callable[[], list[bytes]]:
        kept = [(key, which) for key, which in (("secret", one.secret), ("previous_secret", one.previous_secret)) if which is not None]
        return lambda: [which.read(f"signed: {name}: {key}", environ).encode() for key, which in kept]

    return {name: of(name, one) for name, one in signed.items()}


def is_signed(request: Request) -> bool:
    """Whether a request says it is."""
    return "webhook-signature" in request.headers


class SignedDoor:
    """Reads signed bodies, a bounded number at once."""

    def __init__(self, secrets: RowSecrets, *, deadline: float = DEADLINE) -> None:
        self._secrets = secrets
        self._deadline = deadline
        self._places = Places(_AT_ONCE)

    async def body(self, source: str, request: Request, now: datetime) -> tuple[bytes, str]:
        """The proven body and the id of its message. Raises Refused."""
        secrets = self._of(source)
        ident = request.headers.get("webhook-id", "")
        if not ident or len(ident) > _LONGEST_ID:
            raise Refused(401, f"The header webhook-id is missing or longer than {_LONGEST_ID} characters; Standard Webhooks sign it.")
        with self._places:
            body = await read_body(request, self._deadline, LARGEST_BODY)
            delivery = Delivery(request.method, "", {name.lower(): value for name, value in request.headers.items()}, body)
            try:
                await asyncio.to_thread(STANDARD_WEBHOOKS.check, delivery, secrets, now)
            except SignatureError as error:
                raise Refused(401, str(error)) from None
        return body, ident

    def _of(self, source: str) -> list[bytes]:
        if source not in self._secrets:
            raise Refused(401, f"Signed {source} are not expected here; give their secret under signed: {source}: secret in collector.yaml, or send a key.")
        try:
            return self._secrets[source]()
        except KeptKeyError as error:
            # Whoever sends learns nothing of our files, and tries again.
            raise Refused(503, "The secret of this source cannot be read just now; see the collector's log.") from error
