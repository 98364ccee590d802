"""The door of the intake: who may send, how a body is read within its bounds, and how a request is refused."""

import asyncio

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.requests import ClientDisconnect

from sojourn_collector.sources.answer import Refusal
from sojourn_collector.sources.sentences import shown
from sojourn_collector.store.control import Control, Key, Scope


class Refused(Exception):  # noqa: N818 - says what happened
    """The whole request is refused with this status and sentence."""

    def __init__(self, status: int, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class Places:
    """A bounded number of bodies being read at once, of all vendors together."""

    def __init__(self, number: int) -> None:
        self._left = number

    def __enter__(self) -> None:
        """Raises Refused when all are taken."""
        if self._left < 1:
            raise Refused(503, "Too many deliveries are being read; come back in a moment.")
        self._left -= 1

    def __exit__(self, *_: object) -> None:
        self._left += 1


async def authenticate(control: Control, request: Request) -> Key:
    """The sender's key, checked before a byte of the body is read. Raises Refused."""
    scheme, _, presented = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not presented.strip():
        raise Refused(401, "A key is needed: send the header Authorization: Bearer sj_…; `sojourn-collector key create` makes one.")
    key = await control.keys.verify(presented.strip())
    if key is None:
        raise Refused(401, "This key is unknown or was revoked.")
    if not key.allows(Scope.SOURCES):
        raise Refused(403, f"The key {shown(key.name)} may not send to sources; make one with scope sources.")
    return key


async def read_body(request: Request, deadline: float, largest: int) -> bytes:
    """The body, in `deadline` seconds and of at most `largest` bytes. Raises Refused."""
    too_large = Refused(413, f"The body is larger than {in_words(largest)}; send it in several requests.")
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:20]) > largest:
        raise too_large
    read = bytearray()
    try:
        async with asyncio.timeout(deadline):
            async for chunk in request.stream():
                read += chunk
                if len(read) > largest:
                    raise too_large
    except TimeoutError:
        raise Refused(408, f"The body did not arrive within {deadline:g} s.") from None
    except ClientDisconnect:
        raise Refused(400, "The sender went away before its body had arrived.") from None
    return bytes(read)


def in_words(size: int) -> str:
    """Bytes as KiB or whole MiB."""
    return f"{size >> 20} MiB" if size >= 1 << 20 else f"{size >> 10} KiB"


def is_dry(said: str | None) -> bool:
    """Whether a request is only to be checked. Raises Refused."""
    if said in (None, "true", "false"):
        return said == "true"
    raise Refused(400, f"dry_run: must be true or false, got {shown(said)}.")


def refusal(error: Refused) -> JSONResponse:
    """The answer to a refused request."""
    headers = {"www-authenticate": "Bearer"} if error.status == 401 else None
    return JSONResponse(Refusal(error=str(error)).model_dump(), status_code=error.status, headers=headers)
