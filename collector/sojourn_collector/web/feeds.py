"""`/api/v1/feeds`: how each pulled feed stands. Its address is not told: it may hold a key."""

from datetime import datetime

from fastapi import APIRouter

from sojourn_collector.context import Context
from sojourn_collector.store.control.feeds import FeedState
from sojourn_collector.web.api import ERRORS, SentenceRoute
from sojourn_collector.web.models import Answer


class FeedLine(Answer):
    """One feed: when it was asked and when with success, how many entries were taken in all and the last time, what is wrong, when it is asked next."""

    name: str
    kind: str
    every: float
    pulled_at: datetime | None
    answered_at: datetime | None
    next_at: datetime | None
    items: int
    fresh: int
    failures: int
    error: str


class FeedsAnswer(Answer):
    """Body of `GET /api/v1/feeds`."""

    feeds: list[FeedLine]


def build_feeds(context: Context) -> APIRouter:
    """The route."""
    errors = {status: described for status, described in ERRORS.items() if status != 404}
    router = APIRouter(prefix="/api/v1", tags=["feedback"], route_class=SentenceRoute, responses=errors)

    @router.get("/feeds", response_model=FeedsAnswer, summary="Feeds that are pulled, and how each stands")
    async def get_feeds() -> FeedsAnswer:
        """Those of `feeds:` in collector.yaml, by name."""
        return FeedsAnswer(feeds=await feed_lines(context))

    return router


async def feed_lines(context: Context) -> list[FeedLine]:
    """All feeds of the configuration. Raises ControlUnavailableError."""
    if not context.config.feeds:
        return []
    states = await context.control.feeds.list()
    found = []
    for name, settings in sorted(context.config.feeds.items()):
        state = states.get(name) or FeedState(name)
        found.append(
            FeedLine(
                name=name,
                kind=settings.kind,
                every=settings.every,
                pulled_at=state.pulled_at,
                answered_at=state.answered_at,
                next_at=state.next_at,
                items=state.items,
                fresh=state.fresh,
                failures=state.failures,
                error=state.error,
            )
        )
    return found
