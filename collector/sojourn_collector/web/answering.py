"""Where the pages get their answers: a protocol, so that a test or a preview may stand in for the store."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Literal, Protocol, TypeVar
from zoneinfo import ZoneInfo

from pydantic import ValidationError

from sojourn_collector.context import Context
from sojourn_collector.join.rollups import Every
from sojourn_collector.score.severities import RECOVERED
from sojourn_collector.web.answers.alarms import alarms_shared
from sojourn_collector.web.answers.breakdown import By, Of, View, breakdown
from sojourn_collector.web.answers.breaks import versions
from sojourn_collector.web.answers.corrected_csat import corrected
from sojourn_collector.web.answers.ended import SPAN as ENDED_SPAN
from sojourn_collector.web.answers.ended import ended
from sojourn_collector.web.answers.experience_by import By as FaredBy
from sojourn_collector.web.answers.experience_by import experience_by
from sojourn_collector.web.answers.feedback import feedback_answer, feedback_languages, feedback_list
from sojourn_collector.web.answers.feedback_facts import By as FeedbackBy
from sojourn_collector.web.answers.feedback_facts import Over
from sojourn_collector.web.answers.forecast import problem_forecast
from sojourn_collector.web.answers.history import USUAL, history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.journey import journey
from sojourn_collector.web.answers.journey_money import SPAN as MONEY_SPAN
from sojourn_collector.web.answers.journey_money import journey_money
from sojourn_collector.web.answers.lists import accounts
from sojourn_collector.web.answers.marks import mark_of, marks
from sojourn_collector.web.answers.person import person
from sojourn_collector.web.answers.problem_alone import problem_alone
from sojourn_collector.web.answers.problem_people import problem_people
from sojourn_collector.web.answers.records import ticket_list
from sojourn_collector.web.answers.run import run
from sojourn_collector.web.answers.satisfaction_by import satisfaction_by
from sojourn_collector.web.answers.silent import silent
from sojourn_collector.web.answers.speed import speed
from sojourn_collector.web.answers.starter import starter_set
from sojourn_collector.web.answers.surveys import SPAN as ASKED_SPAN
from sojourn_collector.web.answers.surveys import surveys
from sojourn_collector.web.answers.tickets import SPAN, tickets
from sojourn_collector.web.answers.trace import trace
from sojourn_collector.web.answers.unlinked import unlinked
from sojourn_collector.web.answers.verification import verification
from sojourn_collector.web.answers.visit import visit
from sojourn_collector.web.answers.window import Window, window_of
from sojourn_collector.web.asked import AccountsAsked, AtProblemAsked, FeedbackAsked
from sojourn_collector.web.asked_records import TicketListAsked
from sojourn_collector.web.cursor import BadCursor
from sojourn_collector.web.models import ImpactReport, JourneyAnswer
from sojourn_collector.web.models_alarms import AlarmsAnswer
from sojourn_collector.web.models_details import PersonAnswer, RunAnswer, TraceAnswer, VisitAnswer
from sojourn_collector.web.models_ended import EndedAnswer
from sojourn_collector.web.models_experience import ExperienceBy
from sojourn_collector.web.models_feedback import FeedbackAnswer, FeedbackList, LanguageLine, SatisfactionBy, UnlinkedAnswer
from sojourn_collector.web.models_fixes import MarksAnswer, Verification
from sojourn_collector.web.models_forecast import ForecastAnswer
from sojourn_collector.web.models_history import JourneyHistory
from sojourn_collector.web.models_journey_money import JourneyMoney
from sojourn_collector.web.models_lists import AccountList, AtProblemList
from sojourn_collector.web.models_measures import Breakdown, CorrectedCsatAnswer, ProblemAnswer, SilentAnswer
from sojourn_collector.web.models_records import TicketList
from sojourn_collector.web.models_speed import SpeedAnswer
from sojourn_collector.web.models_surveys import AskedAnswer
from sojourn_collector.web.models_tickets import StarterSet, TicketsAnswer
from sojourn_collector.web.models_versions import VersionList
from sojourn_collector.web.window_chosen import WindowChosen

REMEMBERED = 120.0
"""Seconds for which pages share an answer about four weeks that names nobody."""


WORDS = 30
"""Answers with words that a page lists."""

ACCOUNTS = 200
"""Accounts that a page lists."""

TICKETS = 100
"""Tickets that a page lists."""
AT_PROBLEM = 100
"""People at a problem that a page lists."""

PATIENT = 30.0
"""Seconds that the list of accounts, or of tickets, may take."""

Met = Literal["hurt", "any"]
"""Accounts one of whose people was hit, or all."""


def severity_of(met: Met) -> float:
    """The least that the worst of an account's people must have met."""
    return RECOVERED if met == "hurt" else 0.0


ALONE = 20.0
"""Seconds for which the page of a problem, which renews itself, shares what is measured of it alone."""

T = TypeVar("T")


class Answers(Protocol):
    """One question per page. None = nothing is kept under this id. May raise `EngineUnavailable`."""

    async def impact(self) -> ImpactReport:
        """The front page."""
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

    async def alarms(self) -> AlarmsAnswer | None:
        """Steps at which more customers are newly hit than is usual; None where that is not known."""
        ...

    async def starter(self) -> StarterSet:
        """The starter set of the front page."""
        ...

    async def tickets(self, journey: str = "", window: WindowChosen | None = None) -> TicketsAnswer | None:
        """Tickets of a window, by default of four weeks, of one journey where it is given; None for one that is not there."""
        ...

    async def ticket_list(self, asked: TicketListAsked) -> TicketList | None:
        """Tickets one by one; None for a cursor that is none."""
        ...

    async def silent(self, window: WindowChosen | None = None) -> SilentAnswer:
        """Who was hurt in a window, by default of four weeks, and said nothing."""
        ...

    async def accounts(self, met: Met = "hurt", cursor: str = "") -> AccountList | None:
        """Accounts with what their people lived through in four weeks; None for a cursor that is none."""
        ...

    async def ended(self, window: WindowChosen | None = None) -> EndedAnswer:
        """Why subscriptions were ended in a window, by default of 90 days."""
        ...

    async def versions(self) -> VersionList:
        """What decided the scores since when."""
        ...

    async def problem(self, ident: str) -> ProblemAnswer | None:
        """One problem, with what is measured of it alone."""
        ...

    async def breakdown(self, ident: str, by: By = "cause", attr: str = "", of: Of = "", view: View = "people") -> Breakdown | None:
        """What explains a journey's score over four weeks."""
        ...

    async def experience(
        self, ident: str, by: FaredBy = "device", attr: str = "", of: Of = "", step: str = "", window: WindowChosen | None = None
    ) -> ExperienceBy | None:
        """How customers fared in a journey, or at one of its steps, in a window, by default of four weeks, by a fact; None for a step that is not there."""
        ...

    async def over_time(self, ident: str, every: Every = "day", window: WindowChosen | None = None) -> tuple[JourneyHistory, MarksAnswer] | None:
        """A journey by day or hour, of a window, by default of 90 days, and what may have changed how it goes."""
        ...

    async def cost(self, ident: str, window: WindowChosen | None = None) -> JourneyMoney | None:
        """What a journey's problems cost together, and the revenue exposed in it, in a window, by default of 24 hours."""
        ...

    async def corrected(self, ident: str) -> CorrectedCsatAnswer:
        """A journey's CSAT over four weeks, corrected for who answers."""
        ...

    async def marks(self) -> MarksAnswer:
        """Releases and fixes."""
        ...

    async def verification(self, ident: str) -> Verification | None:
        """Whether one of them helped."""
        ...

    async def satisfaction(self, by: FeedbackBy = "survey", attr: str = "", of: Of = "", over: Over = "", window: WindowChosen | None = None) -> SatisfactionBy:
        """Satisfaction of a window, by default of four weeks, by a fact."""
        ...

    async def words(self, language: str = "", window: WindowChosen | None = None) -> FeedbackList:
        """The newest answers with words, of the same; in one language, or in any."""
        ...

    async def languages(self, window: WindowChosen | None = None) -> list[LanguageLine]:
        """In which languages they are."""
        ...

    async def unlinked(self, window: WindowChosen | None = None) -> UnlinkedAnswer:
        """What of the same is linked to no visit."""
        ...

    async def feedback(self, ident: str, feed: str = "") -> FeedbackAnswer | None:
        """One answer."""
        ...

    async def surveys(self, window: WindowChosen | None = None) -> AskedAnswer:
        """Who is asked too often in the 90 days before a window ends, and which accounts too rarely."""
        ...

    async def speed(self, ident: str) -> SpeedAnswer | None:
        """What goes with the waits at a journey's steps, over four weeks."""
        ...

    async def forecast(self, ident: str) -> ForecastAnswer | None:
        """Tickets to expect of a problem in the next 24 hours."""
        ...

    async def problem_people(self, ident: str, met: str, cursor: str = "") -> AtProblemList | None:
        """Who was possibly hit, or hit, in a problem, page by page."""
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

    async def alarms(self) -> AlarmsAnswer | None:
        """See `Answers`."""
        return await alarms_shared(self._context)

    async def starter(self) -> StarterSet:
        """See `Answers`."""
        return await starter_set(self._context)

    async def tickets(self, journey: str = "", window: WindowChosen | None = None) -> TicketsAnswer | None:
        """See `Answers`."""
        if journey and journey not in self._context.journeys.all():
            return None
        return await tickets(self._context, self._window(window, SPAN), journey)

    async def ticket_list(self, asked: TicketListAsked) -> TicketList | None:
        """See `Answers`."""
        try:
            return await ticket_list(self._context, asked.model_copy(update={"deadline": PATIENT}))
        except BadCursor:
            return None

    async def accounts(self, met: Met = "hurt", cursor: str = "") -> AccountList | None:
        """See `Answers`."""
        asked = {"from": self._weeks().since, "limit": ACCOUNTS, "severity": severity_of(met), "cursor": cursor, "deadline": PATIENT}
        try:
            return await accounts(self._context, AccountsAsked.model_validate(asked))
        except (BadCursor, ValidationError):
            return None

    async def ended(self, window: WindowChosen | None = None) -> EndedAnswer:
        """See `Answers`."""
        return await ended(self._context, self._window(window, ENDED_SPAN))

    async def versions(self) -> VersionList:
        """See `Answers`."""
        return await versions(self._context)

    async def silent(self, window: WindowChosen | None = None) -> SilentAnswer:
        """See `Answers`."""
        return await silent(self._context, self._window(window, SPAN))

    async def problem(self, ident: str) -> ProblemAnswer | None:
        """See `Answers`."""
        return await problem_alone(self._context, ident, shared=ALONE)

    async def breakdown(self, ident: str, by: By = "cause", attr: str = "", of: Of = "", view: View = "people") -> Breakdown | None:
        """See `Answers`."""
        if ident not in self._context.journeys.all():
            return None
        return await self._once(("breakdown", ident, by, attr, of, view), lambda: breakdown(self._context, ident, self._weeks(), by, attr, of, view))

    async def experience(
        self, ident: str, by: FaredBy = "device", attr: str = "", of: Of = "", step: str = "", window: WindowChosen | None = None
    ) -> ExperienceBy | None:
        """See `Answers`."""
        known = self._context.journeys.all().get(ident)
        if known is None or (step and step not in {one.id for one in known.steps}):
            return None
        span = self._window(window, SPAN)
        if window is not None and not window.moves:
            # Kept for nobody else: another may be asked for every time.
            return await experience_by(self._context, ident, span, by, attr, of, step)
        key = ("experience", ident, by, attr, of, step, window.last if window else "")
        return await self._once(key, lambda: experience_by(self._context, ident, span, by, attr, of, step))

    async def over_time(self, ident: str, every: Every = "day", window: WindowChosen | None = None) -> tuple[JourneyHistory, MarksAnswer] | None:
        """See `Answers`."""
        span = self._window(window, USUAL[every])

        async def both() -> tuple[JourneyHistory, MarksAnswer] | None:
            found, marked = await asyncio.gather(history(self._context, ident, every, span.since, span.until), marks(self._context))
            return None if found is None else (found, marked)

        if ident not in self._context.journeys.all() or (window is not None and window.chosen):
            # Kept for nobody else: another may be asked for every time.
            return await both()
        return await self._once(("over_time", ident, every), both)

    async def cost(self, ident: str, window: WindowChosen | None = None) -> JourneyMoney | None:
        """See `Answers`."""
        if ident not in self._context.journeys.all():
            return None
        return await journey_money(self._context, ident, self._window(window, MONEY_SPAN))

    async def corrected(self, ident: str) -> CorrectedCsatAnswer:
        """See `Answers`."""
        return await self._once(("corrected_csat", ident), lambda: corrected(self._context, ident, self._weeks()))

    async def marks(self) -> MarksAnswer:
        """See `Answers`."""
        return await marks(self._context)

    async def verification(self, ident: str) -> Verification | None:
        """See `Answers`."""
        known = await mark_of(self._context, ident)
        return None if known is None else await self._once(("verification", ident), lambda: verification(self._context, ident))

    async def satisfaction(self, by: FeedbackBy = "survey", attr: str = "", of: Of = "", over: Over = "", window: WindowChosen | None = None) -> SatisfactionBy:
        """See `Answers`."""
        span = self._window(window, SPAN)
        if window is not None and not window.moves:
            # Kept for nobody else: another may be asked for every time.
            return await satisfaction_by(self._context, span, by, attr=attr, of=of, over=over)
        key = ("satisfaction", by, attr, of, over, window.last if window else "")
        return await self._once(key, lambda: satisfaction_by(self._context, span, by, attr=attr, of=of, over=over))

    async def words(self, language: str = "", window: WindowChosen | None = None) -> FeedbackList:
        """See `Answers`."""
        span = self._window(window, SPAN)
        asked = {"from": span.since, "to": span.until, "limit": WORDS, "words": True, "language": language}
        return await feedback_list(self._context, FeedbackAsked.model_validate(asked))

    async def languages(self, window: WindowChosen | None = None) -> list[LanguageLine]:
        """See `Answers`."""
        return await feedback_languages(self._context, self._window(window, SPAN))

    async def unlinked(self, window: WindowChosen | None = None) -> UnlinkedAnswer:
        """See `Answers`."""
        return await unlinked(self._context, self._window(window, SPAN))

    async def feedback(self, ident: str, feed: str = "") -> FeedbackAnswer | None:
        """See `Answers`."""
        return await feedback_answer(self._context, ident, feed)

    async def surveys(self, window: WindowChosen | None = None) -> AskedAnswer:
        """See `Answers`."""
        # Who is asked too often is seen over weeks, however short the page's window is.
        until = window.window.until if window is not None and not window.moves else None
        return await surveys(self._context, window_of(self._context.clock(), ZoneInfo(self._context.impact.timezone), until=until, span=ASKED_SPAN))

    async def speed(self, ident: str) -> SpeedAnswer | None:
        """See `Answers`."""
        if ident not in self._context.journeys.all():
            return None
        return await self._once(("speed", ident), lambda: speed(self._context, ident, self._weeks()))

    async def forecast(self, ident: str) -> ForecastAnswer | None:
        """See `Answers`."""
        return await self._once(("forecast", ident), lambda: problem_forecast(self._context, ident))

    async def problem_people(self, ident: str, met: str, cursor: str = "") -> AtProblemList | None:
        """See `Answers`; None also where the cursor is none."""
        try:
            return await problem_people(self._context, ident, AtProblemAsked.model_validate({"met": met, "cursor": cursor, "limit": AT_PROBLEM}))
        except (BadCursor, ValidationError):
            return None

    def _weeks(self) -> Window:
        return self._last(SPAN)

    def _window(self, window: WindowChosen | None, span: timedelta) -> Window:
        """The window chosen on the page; where none was, the last `span` of what is asked, which may be longer than the page's."""
        return window.window if window is not None and window.chosen else self._last(span)

    def _last(self, span: timedelta) -> Window:
        return window_of(self._context.clock(), ZoneInfo(self._context.impact.timezone), span=span)

    async def _once(self, key: tuple[str, ...], ask: Callable[[], Awaitable[T]], seconds: float = REMEMBERED) -> T:
        memory = self._context.problems
        return await (ask() if memory is None else memory.once(key, seconds, ask))
