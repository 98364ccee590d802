"""`/api/v1/admin`: what changes the installation. A key with the scope admin is needed, also on this machine."""

from typing import Annotated

from fastapi import APIRouter, Path, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel

from sojourn_collector.store.journal import JournalUnavailableError
from sojourn_collector.store.letter_error import LetterError
from sojourn_collector.store.letters import Letters
from sojourn_collector.web.admin_door import AdminDoor, refused
from sojourn_collector.web.api import ErrorAnswer, SentenceRoute

Ident = Annotated[int, Path(ge=1, le=2**62, description="Id of the dead letter.")]


class Replayed(BaseModel):
    """Where a dead letter went: the number of the journal file it waits in."""

    seq: int


REFUSALS: dict[int | str, dict[str, type[ErrorAnswer]]] = {401: {"model": ErrorAnswer}, 404: {"model": ErrorAnswer}, 503: {"model": ErrorAnswer}}


def build_admin(letters: Letters, door: AdminDoor) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/admin", tags=["admin"], route_class=SentenceRoute)

    @router.post("/dead-letters/{ident}/replay", response_model=Replayed, responses=REFUSALS, summary="Put a dead letter back into the journal")
    async def replay(request: Request, ident: Ident) -> Response:
        who = await door.who(request)
        if who is None:
            return refused()
        try:
            return JSONResponse({"seq": await letters.replay(ident, who)})
        except LetterError as error:
            return JSONResponse({"error": f"{str(error)[0].upper()}{str(error)[1:]}."}, 404)
        except JournalUnavailableError as error:
            return JSONResponse({"error": f"The letter cannot be put back just now: {error}."}, 503, {"retry-after": "5"})

    return router
