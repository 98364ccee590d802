"""Where the pages get their answers: a protocol, so that a test or a preview may stand in for the store."""

from typing import Protocol

from sojourn_collector.context import Context
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey
from sojourn_collector.web.answers.person import person
from sojourn_collector.web.answers.run import run
from sojourn_collector.web.answers.trace import trace
from sojourn_collector.web.answers.visit import visit
from sojourn_collector.web.models import ImpactReport, JourneyAnswer
from sojourn_collector.web.models_details import PersonAnswer, RunAnswer, TraceAnswer, VisitAnswer


class Answers(Protocol):
    """One question per page. None = nothing is kept under this id. May raise `EngineUnavailable`."""

    async def impact(self) -> ImpactReport:
        """The front page, and each problem by its id."""
        ...

    async def journey(self, ident: str) -> JourneyAnswer | None:
        """One journey."""
        ...

    async def run(self, ident: str) -> RunAnswer | None:
        """One run of either traffic."""
        ...

    async def visit(self, ident: str) -> VisitAnswer | None:
        """One session."""
        ...

    async def person(self, ident: str) -> PersonAnswer | None:
        """One person, such as `user:u12`."""
        ...

    async def trace(self, ident: str) -> TraceAnswer | None:
        """One trace, by 32 hexadecimal digits."""
        ...


class StoredAnswers:
    """The answers of `/api/v1`, asked in this process."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def impact(self) -> ImpactReport:
        """See `Answers`."""
        return await impact(self._context)

    async def journey(self, ident: str) -> JourneyAnswer | None:
        """See `Answers`."""
        return await journey(self._context, ident)

    async def run(self, ident: str) -> RunAnswer | None:
        """See `Answers`."""
        return await run(self._context, ident)

    async def visit(self, ident: str) -> VisitAnswer | None:
        """See `Answers`."""
        return await visit(self._context, ident)

    async def person(self, ident: str) -> PersonAnswer | None:
        """See `Answers`."""
        return await person(self._context, ident)

    async def trace(self, ident: str) -> TraceAnswer | None:
        """See `Answers`."""
        return await trace(self._context, ident)
