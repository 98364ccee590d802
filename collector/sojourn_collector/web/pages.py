"""The report's pages. Each asks one question of `Answers` and shows what comes back."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Annotated, Any, TypeVar, cast, get_args
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Request
from pydantic import ValidationError
from starlette.applications import Starlette
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles

from sojourn_collector.config import Keep
from sojourn_collector.context import Context
from sojourn_collector.join.rollups import midnight
from sojourn_collector.store.client import EngineUnavailable, QueryTimeout
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.web import axis, charts, words
from sojourn_collector.web.answering import ACCOUNTS, TICKETS, Answers, Met, StoredAnswers, severity_of
from sojourn_collector.web.answers.breakdown import By, Choice, Of, View, choices
from sojourn_collector.web.answers.ended import SPAN as ENDED_SPAN
from sojourn_collector.web.answers.experience_by import By as FaredBy
from sojourn_collector.web.answers.experience_by import fared_choices
from sojourn_collector.web.answers.feedback_facts import By as FeedbackBy
from sojourn_collector.web.answers.feedback_facts import Over, feedback_choices
from sojourn_collector.web.answers.history import USUAL as HISTORY_SPAN
from sojourn_collector.web.answers.journey_money import SPAN as MONEY_SPAN
from sojourn_collector.web.answers.marks import marks_shown
from sojourn_collector.web.answers.silent import SPAN as SILENT_SPAN
from sojourn_collector.web.answers.tickets import SPAN as TICKETS_SPAN
from sojourn_collector.web.answers.visit import MARGIN
from sojourn_collector.web.answers.window import LONGEST, BadWindow
from sojourn_collector.web.api import sentence_of
from sojourn_collector.web.asked_records import TicketListAsked
from sojourn_collector.web.history_shown import MOST_HOURS, history_shown
from sojourn_collector.web.models import ImpactReport, JourneyAnswer
from sojourn_collector.web.models_alarms import AlarmsAnswer
from sojourn_collector.web.models_details import PersonAnswer, RunAnswer, VisitAnswer
from sojourn_collector.web.models_experience import ExperienceBy
from sojourn_collector.web.models_feedback import FeedbackList, LanguageLine, SatisfactionBy, UnlinkedAnswer
from sojourn_collector.web.models_fixes import MarksAnswer, Verification
from sojourn_collector.web.models_history import JourneyHistory
from sojourn_collector.web.models_lists import AtProblemList
from sojourn_collector.web.models_measures import Breakdown, CorrectedCsatAnswer, ProblemAnswer
from sojourn_collector.web.models_surveys import AskedAnswer
from sojourn_collector.web.models_tickets import StarterSet
from sojourn_collector.web.over_time import over_time
from sojourn_collector.web.render import FOLDER, Pages
from sojourn_collector.web.window_chosen import WindowAsked, WindowChosen, window_chosen

Found = TypeVar("Found")
OverTime = tuple[JourneyHistory, MarksAnswer] | None

_RETRY = "5"
_LANGUAGE = re.compile(r"[A-Za-z0-9-]{0,35}")
_GONE = {
    "problems": "No problem of this id is known. What it was made of is no longer kept (runs are for {keep.runs} days), or later data showed that it was none.",
    "journeys": "No journey file of this id is in the collector’s journeys folder. Compare with the id line of the file, or run sojourn validate on it.",
    "fixes": "No mark of this id is kept; somebody may have removed it. The page Fixes lists those there are.",
    "people": "Nobody of this id was seen. A person is known by user.id, else by a consented visitor id, else by the visit.",
    "visits": "No visit of this id was received. A visit appears a second or two after its first beacon; visits are kept for {keep.runs} days.",
    "runs": "No run of this id was received. A run appears when the agent has delivered it: ask the agent’s /healthz whether something waits.",
    "feedback": "No answer of this id was received. Answers appear a second or two after they are sent to /api/v1/in/feedback.",
    "shared": "This link leads nowhere: it has ended, or somebody ended it. Ask whoever gave it to you for another.",
    "traces": "No span of this trace was received. Spans are kept for {keep.raw} days; a trace id has 32 hexadecimal digits.",
}


def mount_static(app: Starlette) -> None:
    """Serve the report's own styles and scripts under /static. Nothing of a page comes from another host."""
    app.mount("/static", StaticFiles(directory=FOLDER / "static"), name="static")


def not_found(pages: Pages, kind: str = "", keep: Keep | None = None) -> HTMLResponse:
    """The page for an address that leads nowhere, saying why that may be and what to do."""
    why = _GONE.get(kind, "There is no page at this address.").format(keep=keep or Keep())
    return pages.page("absent.html", status=404, title="Not found", why=why)


def engine_down(pages: Pages) -> HTMLResponse:
    """The page while the engine cannot answer; it asks again by itself."""
    return pages.page("engine_down.html", status=503, title="Waiting", headers={"retry-after": _RETRY, "refresh": _RETRY})


def bad_question(pages: Pages, why: str) -> HTMLResponse:
    """The page for filters that make no sense, saying why."""
    return pages.page("absent.html", status=422, title="Not shown", heading="This cannot be shown", why=f"{why[:1].upper()}{why[1:]}.")


def bad_window(pages: Pages, error: BadWindow) -> HTMLResponse:
    """The page for a window that makes no sense, saying why."""
    why = str(error)
    return pages.page("absent.html", status=422, title="Not shown", heading="This time cannot be shown", why=f"{why[:1].upper()}{why[1:]}.")


def build_pages(context: Context, answers: Answers | None = None) -> APIRouter:
    """The report's routes: `/` and one page per problem, journey, person, visit, run and trace.

    `answers` stands in for the store in tests and previews. Host check and sign-in are the app's business.
    """
    ask: Answers = answers or StoredAnswers(context)
    pages, offered = Pages(context.impact, context.clock), choices(context.impact)
    fared_by, said_by = fared_choices(context.impact), feedback_choices(context.impact)
    router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse)

    async def show(kind: str, asked: Awaitable[Found | None], draw: Callable[[Found], HTMLResponse | None]) -> HTMLResponse:
        try:
            found = await asked
        except (EngineUnavailable, QueryTimeout, ControlUnavailableError):
            return engine_down(pages)
        drawn = None if found is None else draw(found)
        return drawn or not_found(pages, kind, context.config.keep)

    def chosen(asked: WindowAsked, span: timedelta) -> WindowChosen | HTMLResponse:
        """The window of a page; the page that says why it makes no sense, where it makes none."""
        try:
            return window_chosen(asked, context.clock(), ZoneInfo(context.impact.timezone), span)
        except BadWindow as error:
            return bad_window(pages, error)

    async def fared(ident: str, fact: Choice, step: str = "", window: WindowChosen | None = None) -> ExperienceBy | None:
        by, of = cast("FaredBy", fact.asked.get("by", "device")), cast("Of", fact.asked.get("of", ""))
        return await ask.experience(ident, by, fact.asked.get("attr", ""), of, step, window)

    @router.get("/")
    async def today() -> HTMLResponse:
        def draw(found: tuple[ImpactReport, StarterSet, AlarmsAnswer | None]) -> HTMLResponse:
            report, starter, alarmed = found
            return pages.page("today.html", as_of=report.as_of, title="Today", report=report, starter=starter, alarmed=alarmed)

        return await show("", asyncio.gather(ask.impact(), ask.starter(), ask.alarms()), draw)

    # Before the problem itself, whose path would swallow it.
    @router.get("/problems/{ident}/forecast")
    async def forecast(ident: str) -> HTMLResponse:
        return await show(
            "problems", ask.forecast(ident), lambda found: pages.page("forecast.html", as_of=found.as_of, title="Tickets to expect", forecast=found)
        )

    @router.get("/problems/{ident}/people")
    async def problem_people(ident: str, met: str = "possibly", cursor: str = "") -> HTMLResponse:
        def draw(found: AtProblemList) -> HTMLResponse:
            return pages.page("problem_people.html", as_of=found.as_of, title=f"Who was {words.AT_PROBLEM[found.met]}", found=found, first=not cursor)

        return await show("problems", ask.problem_people(ident, met, cursor), draw)

    @router.get("/problems/{ident:path}")
    async def problem(ident: str) -> HTMLResponse:
        def draw(alone: ProblemAnswer) -> HTMLResponse:
            found = alone.problem
            return pages.page(
                "problem.html",
                as_of=alone.as_of,
                title=f"{found.journey.name} › {found.step.name}",
                problem=found,
                alone=alone,
                moments=axis.problem_clock(found.clock, alone.as_of),
                people_chart=charts.people_over_time(found, pages.clockface(alone.as_of)),
            )

        return await show("problems", ask.problem(ident), draw)

    # Before the journey itself, whose path would swallow it.
    @router.get("/journeys/{ident}/speed")
    async def waits(ident: str) -> HTMLResponse:
        return await show(
            "journeys", ask.speed(ident), lambda found: pages.page("speed.html", as_of=found.as_of, title="Speed, and what goes with it", speed=found)
        )

    @router.get("/journeys/{ident}/experience")
    async def experience(ident: str, when: Annotated[WindowAsked, Depends()], by: str = "", attr: str = "", of: str = "", step: str = "") -> HTMLResponse:
        asked = {"attr": attr, **({"of": of} if of else {})} if attr else {"by": by or fared_by[0].asked.get("by", "")}
        picked = next((one for one in fared_by if one.asked == asked or (not by and not attr and one is fared_by[0])), None)
        if picked is None:
            return not_found(pages)
        window = chosen(when, TICKETS_SPAN)
        if isinstance(window, HTMLResponse):
            return window

        def draw(found: ExperienceBy) -> HTMLResponse:
            more: dict[str, Any] = {"facts": fared_by, "fact": picked, "asked": {**picked.asked, "step": step}, "window": window}
            return pages.page("experience.html", as_of=found.as_of, title="How customers fared", fared=found, **more)

        return await show("journeys", fared(ident, picked, step, window), draw)

    @router.get("/journeys/{ident}/history")
    async def fared_over_time(ident: str, when: Annotated[WindowAsked, Depends()], every: str = "") -> HTMLResponse:
        if every not in ("", "hour"):
            return not_found(pages)
        window = chosen(when, HISTORY_SPAN["hour" if every else "day"])
        if isinstance(window, HTMLResponse):
            return window
        too_long = bool(every) and window.window.until - window.window.since > MOST_HOURS
        hours = "hour" if every and not too_long else ""

        def draw(asked: tuple[JourneyHistory, MarksAnswer]) -> HTMLResponse:
            over, marked = asked
            shown = history_shown(over, marked.marks, pages.clockface(over.as_of))
            more: dict[str, Any] = {"over": over, "shown": shown, "every": hours, "too_long": too_long, "most_hours": MOST_HOURS, "window": window}
            return pages.page("history.html", as_of=over.as_of, title="How it went over time", **more)

        return await show("journeys", ask.over_time(ident, "hour" if hours else "day", window), draw)

    @router.get("/journeys/{ident}/money")
    async def cost(ident: str, when: Annotated[WindowAsked, Depends()]) -> HTMLResponse:
        window = chosen(when, MONEY_SPAN)
        if isinstance(window, HTMLResponse):
            return window
        return await show(
            "journeys",
            ask.cost(ident, window),
            lambda found: pages.page("journey_money.html", as_of=found.as_of, title="What its problems cost", cost=found, window=window),
        )

    @router.get("/journeys/{ident:path}")
    async def journey(ident: str) -> HTMLResponse:
        def draw(asked: tuple[JourneyAnswer | None, Breakdown | None, CorrectedCsatAnswer, ExperienceBy | None, OverTime]) -> HTMLResponse | None:
            found, broken, corrected, by_fact, over = asked
            if found is None:
                return None
            face = pages.clockface(found.as_of)
            return pages.page(
                "journey.html",
                as_of=found.as_of,
                title=found.name,
                journey=found,
                broken=broken if broken and broken.units else None,
                corrected=corrected if corrected.invited else None,
                fared=by_fact,
                facts=fared_by,
                fact=fared_by[0],
                over=over[0] if over else None,
                shown=history_shown(over[0], over[1].marks, face) if over else None,
                funnel=charts.funnel(found.experience),
                durations=charts.probe_durations(found.probes.runs, face),
            )

        return await show(
            "journeys", asyncio.gather(ask.journey(ident), ask.breakdown(ident), ask.corrected(ident), fared(ident, fared_by[0]), ask.over_time(ident)), draw
        )

    @router.get("/breakdown/{ident}")
    async def broken_down(ident: str, by: str = "cause", attr: str = "", of: str = "", view: str = "people") -> HTMLResponse:
        asked = urlencode({"attr": attr, **({"of": of} if of else {})} if attr else {"by": by})
        chosen = next((one for one in offered if one.query == asked), None)
        if chosen is None or view not in get_args(View):
            return not_found(pages)
        return await show(
            "journeys",
            ask.breakdown(ident, cast("By", by), attr, cast("Of", of), cast("View", view)),
            lambda found: pages.page("breakdown.html", as_of=found.as_of, title="What explains its score", broken=found, name=ident, chosen=chosen),
        )

    @router.get("/feedback")
    async def feedback(
        when: Annotated[WindowAsked, Depends()], by: str = "survey", attr: str = "", of: str = "", over: str = "", language: str = ""
    ) -> HTMLResponse:
        grouped = next((one for one in said_by if one.asked == ({"attr": attr, **({"of": of} if of else {})} if attr else {"by": by})), None)
        if grouped is None or over not in get_args(Over) or not _LANGUAGE.fullmatch(language):
            return not_found(pages)
        asks, window = grouped.asked, chosen(when, TICKETS_SPAN)
        if isinstance(window, HTMLResponse):
            return window

        def draw(asked: tuple[SatisfactionBy, FeedbackList, list[LanguageLine], UnlinkedAnswer, AskedAnswer]) -> HTMLResponse:
            found, said, languages, unlinked, surveys = asked
            more: dict[str, Any] = {"said": said, "languages": languages, "language": language, "unlinked": unlinked, "asked": surveys, "window": window}
            more |= {"facts": said_by, "chosen": grouped, "keep": {**asks, "over": over}, "pictures": over_time(found)}
            return pages.page("feedback.html", as_of=found.as_of, title="Feedback", by=found, **more)

        asking = asyncio.gather(
            ask.satisfaction(cast("FeedbackBy", by), attr, cast("Of", of), cast("Over", over), window),
            ask.words(language, window),
            ask.languages(window),
            ask.unlinked(window),
            ask.surveys(window),
        )
        return await show("", asking, draw)

    @router.get("/feedback/{ident:path}")
    async def answer(ident: str, feed: str = "") -> HTMLResponse:
        return await show("feedback", ask.feedback(ident, feed), lambda found: pages.page("feedback_one.html", title="One answer", one=found))

    @router.get("/tickets")
    async def tickets(when: Annotated[WindowAsked, Depends()], journey: str = "") -> HTMLResponse:
        window = chosen(when, TICKETS_SPAN)
        if isinstance(window, HTMLResponse):
            return window
        return await show(
            "journeys",
            ask.tickets(journey, window),
            lambda found: pages.page("tickets.html", as_of=found.as_of, title="Tickets", tickets=found, journey=journey, window=window),
        )

    @router.get("/tickets/list")
    async def ticket_rows(request: Request, when: Annotated[WindowAsked, Depends()]) -> HTMLResponse:
        window = chosen(when, TICKETS_SPAN)
        if isinstance(window, HTMLResponse):
            return window
        filters = {name: value for name, value in request.query_params.items() if name not in ("last", "from", "to")}
        asked: dict[str, Any] = {**filters, "from": window.window.since, "to": window.window.until, "limit": TICKETS}
        try:
            question = TicketListAsked.model_validate(asked)
        except ValidationError as error:
            return bad_question(pages, sentence_of(error))
        kept = {name: value for name, value in filters.items() if value and name not in ("cursor", "limit", "deadline")}
        more: dict[str, Any] = {"asked": question, "kept": kept, "window": window}
        return await show("", ask.ticket_list(question), lambda found: pages.page("tickets_list.html", title="Tickets", tickets=found, **more))

    @router.get("/accounts")
    async def accounts(met: str = "hurt", cursor: str = "") -> HTMLResponse:
        if met not in get_args(Met):
            return not_found(pages)
        which = cast("Met", met)
        more: dict[str, Any] = {"met": met, "first": not cursor, "severity": severity_of(which), "most": ACCOUNTS}
        return await show("", ask.accounts(which, cursor), lambda found: pages.page("accounts.html", title="Accounts", accounts=found, **more))

    @router.get("/subscriptions/ended")
    async def ended(when: Annotated[WindowAsked, Depends()]) -> HTMLResponse:
        window = chosen(when, ENDED_SPAN)
        if isinstance(window, HTMLResponse):
            return window
        drawn: dict[str, Any] = {"title": "Ended subscriptions", "window": window}
        return await show("", ask.ended(window), lambda found: pages.page("ended.html", as_of=found.as_of, ended=found, **drawn))

    @router.get("/versions")
    async def known_versions() -> HTMLResponse:
        return await show(
            "", ask.versions(), lambda found: pages.page("versions.html", as_of=found.as_of, title="What decided the scores since when", known=found)
        )

    @router.get("/silent")
    async def silent(when: Annotated[WindowAsked, Depends()]) -> HTMLResponse:
        window = chosen(when, SILENT_SPAN)
        if isinstance(window, HTMLResponse):
            return window
        return await show("", ask.silent(window), lambda found: pages.page("silent.html", as_of=found.as_of, title="Said nothing", silent=found, window=window))

    @router.get("/fixes")
    async def fixes() -> HTMLResponse:
        return await show(
            "", ask.marks(), lambda found: pages.page("fixes.html", as_of=found.as_of, title="Fixes", **marks_shown(found, ZoneInfo(context.impact.timezone)))
        )

    @router.get("/fixes/{ident}")
    async def fix(ident: str) -> HTMLResponse:
        def draw(found: Verification) -> HTMLResponse:
            changed = [one.at.astimezone(ZoneInfo(context.impact.timezone)).date() for one in found.breaks if one.kind in ("stored", "coverage")]
            drawn = {one.measure: charts.fix_weeks(one, changed) for one in found.measures if any(part.fixed.of for part in one.parts)}
            since = midnight(found.trouble_from, ZoneInfo(context.impact.timezone)) if found.trouble_from else found.mark.at
            return pages.page("fix.html", as_of=found.as_of, title=found.mark.name, fix=found, charts=drawn, since=since)

        return await show("fixes", ask.verification(ident), draw)

    @router.get("/people/{ident:path}")
    async def person(ident: str) -> HTMLResponse:
        def draw(found: PersonAnswer) -> HTMLResponse:
            now = context.clock()
            drawing = axis.timeline(found.timeline, pages.clockface())
            return pages.page("person.html", as_of=now, title=found.label, person=found, drawing=drawing, since=now - LONGEST)

        return await show("people", ask.person(ident), draw)

    @router.get("/visits/{ident:path}")
    async def visit(ident: str) -> HTMLResponse:
        def draw(found: VisitAnswer) -> HTMLResponse:
            face = pages.clockface(found.ended)
            drawing = axis.timeline(found.timeline, face, found.ended + MARGIN)
            return pages.page("visit.html", title=f"Visit of {face.at(found.started)}", visit=found, drawing=drawing, keep=context.config.keep)

        return await show("visits", ask.visit(ident), draw)

    @router.get("/runs/{ident:path}")
    async def run(ident: str) -> HTMLResponse:
        def draw(found: RunAnswer) -> HTMLResponse:
            steps = [*found.steps, *(found.last_good.steps if found.last_good else [])]
            return pages.page("run.html", title=f"{found.journey.name}, one run", run=found, scale=axis.longest_exchange(steps), keep=context.config.keep)

        return await show("runs", ask.run(ident), draw)

    @router.get("/traces/{ident:path}")
    async def trace(ident: str) -> HTMLResponse:
        return await show("traces", ask.trace(ident), lambda found: pages.page("trace.html", title="Trace", trace=found))

    return router
