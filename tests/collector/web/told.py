"""Answers that stand in for the store, and the addresses of all pages over them."""

from sojourn_collector.web import models as m
from sojourn_collector.web import models_details as details
from sojourn_collector.web import models_experience as ends
from sojourn_collector.web import models_feedback as said
from sojourn_collector.web import models_fixes as fixes
from sojourn_collector.web import models_forecast as ahead
from sojourn_collector.web import models_measures as measures
from sojourn_collector.web import models_speed as waits
from sojourn_collector.web import models_surveys as asking
from sojourn_collector.web import models_tickets as desk
from sojourn_collector.web import models_versions as versions
from sojourn_collector.web.asked_records import TicketListAsked
from sojourn_collector.web.models_alarms import AlarmsAnswer
from sojourn_collector.web.models_ended import EndedAnswer
from sojourn_collector.web.models_history import JourneyHistory
from sojourn_collector.web.models_journey_money import JourneyMoney
from sojourn_collector.web.models_lists import AccountList, AtProblemList
from sojourn_collector.web.models_records import TicketList
from tests.collector.web import (
    fixtures,
    fixtures_of_accounts,
    fixtures_of_alarms,
    fixtures_of_experience,
    fixtures_of_feedback,
    fixtures_of_fixes,
    fixtures_of_forecast,
    fixtures_of_history,
    fixtures_of_measures,
    fixtures_of_money,
    fixtures_of_one,
    fixtures_of_people,
    fixtures_of_records,
    fixtures_of_speed,
    fixtures_of_versions,
)


class Shop:
    """Answers of the shop whose payment fails; `comment` is what the first customer wrote, `label` how they call themselves."""

    def __init__(self, comment: str = fixtures.COMMENTS[0], label: str = "Ada Berger", money_state: str = "so_far", journey_name: str = "Buy one item") -> None:
        self.comment, self.label = comment, label
        self.how = {"money_state": money_state, "journey_name": journey_name}

    async def impact(self) -> m.ImpactReport:
        return fixtures.report(comment=self.comment, **self.how)

    async def journey(self, ident: str) -> m.JourneyAnswer | None:
        return fixtures.journey(comment=self.comment, **self.how) if ident == "checkout" else fixtures.empty_journey() if ident == "renew" else None

    async def run(self, ident: str) -> details.RunAnswer | None:
        return {
            fixtures.PROBE_RUN: fixtures_of_one.probe_run(),
            fixtures.GOOD_RUN: fixtures_of_one.probe_run(failed=False),
            fixtures.REAL_RUN: fixtures_of_one.real_run(),
        }.get(ident)

    async def visit(self, ident: str) -> details.VisitAnswer | None:
        return fixtures_of_one.visit(comment=self.comment) if ident.startswith("s") else None

    async def person(self, ident: str) -> details.PersonAnswer | None:
        return fixtures_of_one.person(comment=self.comment, label=self.label) if ident.startswith(("user:", "visitor:", "visit:")) else None

    async def trace(self, ident: str) -> details.TraceAnswer | None:
        return fixtures_of_one.trace() if ident in {fixtures.TRACE, fixtures.GOOD_TRACE} else None

    async def alarms(self) -> AlarmsAnswer:
        return fixtures_of_alarms.alarmed(self.how["journey_name"])

    async def starter(self) -> desk.StarterSet:
        return fixtures_of_measures.starter()

    async def tickets(self, journey: str = "", window: object = None) -> desk.TicketsAnswer:
        return fixtures_of_measures.tickets(self.comment)

    async def ticket_list(self, asked: TicketListAsked) -> TicketList | None:
        return fixtures_of_records.tickets(self.comment, self.label) if not asked.cursor else fixtures_of_records.tickets(some=False)

    async def accounts(self, met: str = "hurt", cursor: str = "") -> AccountList | None:
        return fixtures_of_accounts.accounts(self.label, hurt=met == "hurt" and not cursor)

    async def silent(self, window: object = None) -> measures.SilentAnswer:
        return fixtures_of_measures.silent(self.label)

    async def ended(self, window: object = None) -> EndedAnswer:
        return fixtures_of_records.ended(self.comment, self.label)

    async def versions(self) -> versions.VersionList:
        return fixtures_of_versions.known(self.comment or "checkout")

    async def problem(self, ident: str) -> measures.ProblemAnswer | None:
        return fixtures_of_measures.alone(comment=self.comment, **self.how) if ident == fixtures.PROBLEM else None

    async def breakdown(self, ident: str, by: str = "cause", attr: str = "", of: str = "", view: str = "people") -> measures.Breakdown | None:
        return fixtures_of_measures.breakdown(self.comment or "502", by, view) if ident == "checkout" else None

    async def experience(self, ident: str, by: str = "device", attr: str = "", of: str = "", step: str = "", window: object = None) -> ends.ExperienceBy | None:
        return fixtures_of_experience.by(attr or by, step, self.comment or "phone") if ident == "checkout" and step in ("", "cart", "pay") else None

    async def over_time(self, ident: str, every: str = "day", window: object = None) -> tuple[JourneyHistory, fixes.MarksAnswer] | None:
        told = fixtures_of_fixes.all_marks(self.comment or "2.4.1")
        return (fixtures_of_history.history("hour" if every == "hour" else "day", self.comment or "Buy one item"), told) if ident == "checkout" else None

    async def cost(self, ident: str, window: object = None) -> JourneyMoney | None:
        return fixtures_of_money.cost(self.comment or "2 are left out") if ident == "checkout" else None

    async def corrected(self, ident: str) -> measures.CorrectedCsatAnswer:
        return fixtures_of_measures.corrected(measured=ident == "checkout")

    async def marks(self) -> fixes.MarksAnswer:
        return fixtures_of_fixes.all_marks(self.comment or "2.4.1")

    async def verification(self, ident: str) -> fixes.Verification | None:
        return fixtures_of_fixes.verification(ident, self.comment or "2.4.1")

    async def satisfaction(self, by: str = "survey", attr: str = "", of: str = "", over: str = "", window: object = None) -> said.SatisfactionBy:
        return fixtures_of_feedback.satisfaction(attr or by, self.comment, over)

    async def words(self, language: str = "", window: object = None) -> said.FeedbackList:
        return fixtures_of_feedback.words(self.comment or "Fine.")

    async def languages(self, window: object = None) -> list[said.LanguageLine]:
        return [said.LanguageLine(language="en", answers=2), said.LanguageLine(language="", answers=1)]

    async def unlinked(self, window: object = None) -> said.UnlinkedAnswer:
        return fixtures_of_feedback.unlinked()

    async def feedback(self, ident: str, feed: str = "") -> said.FeedbackAnswer | None:
        return fixtures_of_feedback.one(self.comment, self.label, linked=ident != "f2") if ident in ("f0", "f1", "f2") else None

    async def surveys(self, window: object = None) -> asking.AskedAnswer:
        return fixtures_of_feedback.asked(self.comment or "Able")

    async def speed(self, ident: str) -> waits.SpeedAnswer | None:
        return fixtures_of_speed.answer(ident, self.comment or "Buy one item")

    async def forecast(self, ident: str) -> ahead.ForecastAnswer | None:
        return fixtures_of_forecast.answer(ident, self.comment or "Buy one item") if ident == fixtures.PROBLEM else None

    async def problem_people(self, ident: str, met: str, cursor: str = "") -> AtProblemList | None:
        return fixtures_of_people.at_problem(ident, met, self.label) if ident == fixtures.PROBLEM else None


class Nothing:
    """Answers of an installation that has seen nothing."""

    async def impact(self) -> m.ImpactReport:
        return fixtures.empty_report()

    async def journey(self, ident: str) -> m.JourneyAnswer | None:
        return None

    async def run(self, ident: str) -> details.RunAnswer | None:
        return None

    async def visit(self, ident: str) -> details.VisitAnswer | None:
        return None

    async def person(self, ident: str) -> details.PersonAnswer | None:
        return None

    async def trace(self, ident: str) -> details.TraceAnswer | None:
        return None

    async def alarms(self) -> AlarmsAnswer:
        return fixtures_of_alarms.quiet()

    async def starter(self) -> desk.StarterSet:
        return desk.StarterSet(days=28)

    async def tickets(self, journey: str = "", window: object = None) -> desk.TicketsAnswer:
        return fixtures_of_measures.no_tickets()

    async def ticket_list(self, asked: TicketListAsked) -> TicketList | None:
        return fixtures_of_records.tickets(some=False)

    async def accounts(self, met: str = "hurt", cursor: str = "") -> AccountList | None:
        return fixtures_of_accounts.none()

    async def silent(self, window: object = None) -> measures.SilentAnswer:
        return fixtures_of_measures.nobody_silent()

    async def ended(self, window: object = None) -> EndedAnswer:
        return fixtures_of_records.none_ended()

    async def versions(self) -> versions.VersionList:
        return fixtures_of_versions.none_known()

    async def problem(self, ident: str) -> measures.ProblemAnswer | None:
        return None

    async def breakdown(self, ident: str, by: str = "cause", attr: str = "", of: str = "", view: str = "people") -> measures.Breakdown | None:
        return None

    async def experience(self, ident: str, by: str = "device", attr: str = "", of: str = "", step: str = "", window: object = None) -> ends.ExperienceBy | None:
        return None

    async def over_time(self, ident: str, every: str = "day", window: object = None) -> tuple[JourneyHistory, fixes.MarksAnswer] | None:
        return None

    async def cost(self, ident: str, window: object = None) -> JourneyMoney | None:
        return None

    async def corrected(self, ident: str) -> measures.CorrectedCsatAnswer:
        return fixtures_of_measures.corrected(measured=False)

    async def marks(self) -> fixes.MarksAnswer:
        return fixes.MarksAnswer(as_of=fixtures.NOW, marks=[])

    async def verification(self, ident: str) -> fixes.Verification | None:
        return None

    async def satisfaction(self, by: str = "survey", attr: str = "", of: str = "", over: str = "", window: object = None) -> said.SatisfactionBy:
        return fixtures_of_feedback.nothing_said()[0]

    async def words(self, language: str = "", window: object = None) -> said.FeedbackList:
        return fixtures_of_feedback.nothing_said()[1]

    async def languages(self, window: object = None) -> list[said.LanguageLine]:
        return []

    async def unlinked(self, window: object = None) -> said.UnlinkedAnswer:
        return fixtures_of_feedback.nothing_said()[2]

    async def feedback(self, ident: str, feed: str = "") -> said.FeedbackAnswer | None:
        return None

    async def surveys(self, window: object = None) -> asking.AskedAnswer:
        return fixtures_of_feedback.nobody_asked()

    async def speed(self, ident: str) -> waits.SpeedAnswer | None:
        return None

    async def forecast(self, ident: str) -> ahead.ForecastAnswer | None:
        return None

    async def problem_people(self, ident: str, met: str, cursor: str = "") -> AtProblemList | None:
        return None


PAGES = {
    "today": "/",
    "problem": f"/problems/{fixtures.PROBLEM}",
    "journey": "/journeys/checkout",
    "journey-unknown": "/journeys/renew",
    "person": "/people/user%3Au12",
    "visit": "/visits/s-12",
    "run": f"/runs/{fixtures.PROBE_RUN}",
    "run-real": f"/runs/{fixtures.REAL_RUN}",
    "trace": f"/traces/{fixtures.TRACE}",
    "feedback": "/feedback?by=plan",
    "feedback-over": "/feedback?by=segment&over=week",
    "feedback-one": "/feedback/f0?feed=api",
    "feedback-unlinked": "/feedback/f2?feed=api",
    "tickets": "/tickets",
    "tickets-list": "/tickets/list?state=open&topic=card&journey=checkout",
    "tickets-list-all": "/tickets/list",
    "tickets-list-end": "/tickets/list?cursor=x",
    "ended": "/subscriptions/ended",
    "tickets-week": "/tickets?last=7d",
    "feedback-from-to": "/feedback?by=week&from=2026-11-01&to=2026-11-14T12:00",
    "silent": "/silent",
    "accounts": "/accounts",
    "accounts-all": "/accounts?met=any",
    "breakdown": "/breakdown/checkout?by=cause",
    "breakdown-device": "/breakdown/checkout?by=device",
    "breakdown-worth": "/breakdown/checkout?by=cause&view=value",
    "breakdown-region": "/breakdown/checkout?by=region",
    "breakdown-location": "/breakdown/checkout?by=location",
    "experience": "/journeys/checkout/experience?by=device",
    "experience-step": "/journeys/checkout/experience?by=browser&step=pay&last=7d",
    "experience-failure": "/journeys/checkout/experience?by=failure_kind",
    "money": "/journeys/checkout/money",
    "history": "/journeys/checkout/history",
    "history-hours": "/journeys/checkout/history?every=hour",
    "versions": "/versions",
    "fixes": "/fixes",
    "fix": f"/fixes/{fixtures_of_fixes.HELPED}",
    "fix-young": f"/fixes/{fixtures_of_fixes.YOUNG}",
    "forecast": f"/problems/{fixtures.PROBLEM}/forecast",
    "possibly": f"/problems/{fixtures.PROBLEM}/people",
    "possibly-hit": f"/problems/{fixtures.PROBLEM}/people?met=hit",
    "speed": "/journeys/checkout/speed",
    "absent": "/visits/nobody",
}
