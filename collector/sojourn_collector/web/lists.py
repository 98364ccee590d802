"""The lists of `/api/v1`: runs, sessions, people, accounts, tickets, orders, subscriptions, traces and search, page by page."""

from typing import Annotated

from fastapi import APIRouter, Query

from sojourn_collector.context import Context
from sojourn_collector.web.answers import lists, records, search
from sojourn_collector.web.answers.newly_hit import newly_hit
from sojourn_collector.web.api import ERRORS, SentenceRoute
from sojourn_collector.web.asked import AccountsAsked, PeopleAsked, RunsAsked, SearchAsked, SessionsAsked, TracesAsked
from sojourn_collector.web.asked_records import NewlyHitAsked, OrdersAsked, SubscriptionsAsked, TicketListAsked
from sojourn_collector.web.models_lists import AccountList, PersonList, RunList, SearchList, SessionList, TraceList
from sojourn_collector.web.models_records import NewlyHitList, OrderList, SubscriptionList, TicketList


def build_lists(context: Context) -> APIRouter:
    """The routes of the lists."""
    errors = {status: described for status, described in ERRORS.items() if status != 404}
    router = APIRouter(prefix="/api/v1", tags=["lists"], route_class=SentenceRoute, responses=errors)

    @router.get("/runs", response_model=RunList, summary="Runs, newest first")
    async def get_runs(asked: Annotated[RunsAsked, Query()]) -> RunList:
        """Runs of probes and of customers that began in a window."""
        return await lists.runs(context, asked)

    @router.get("/sessions", response_model=SessionList, summary="Visits, newest first")
    async def get_sessions(asked: Annotated[SessionsAsked, Query()]) -> SessionList:
        """Visits that began in a window."""
        return await lists.sessions(context, asked)

    @router.get("/people", response_model=PersonList, summary="People, who came last first")
    async def get_people(asked: Annotated[PeopleAsked, Query()]) -> PersonList:
        """People who came in a window, with the worst that happened to them in it."""
        return await lists.people(context, asked)

    @router.get("/accounts", response_model=AccountList, summary="Accounts by id")
    async def get_accounts(asked: Annotated[AccountsAsked, Query()]) -> AccountList:
        """Accounts that somebody told us of or that visits named, with what their people did in a window."""
        return await lists.accounts(context, asked)

    @router.get("/tickets/list", response_model=TicketList, summary="Tickets one by one, newest first")
    async def get_tickets(asked: Annotated[TicketListAsked, Query()]) -> TicketList:
        """Tickets opened in a window, as they stood at its end: the rows that the figures of `/api/v1/tickets` are made of."""
        return await records.ticket_list(context, asked)

    @router.get("/alarms/people", response_model=NewlyHitList, summary="Who was newly hit at a step, newest first")
    async def get_newly_hit(asked: Annotated[NewlyHitAsked, Query()]) -> NewlyHitList:
        """The people and visits without identity that an alarm counts as hit."""
        return await newly_hit(context, asked)

    @router.get("/orders", response_model=OrderList, summary="Orders, newest first")
    async def get_orders(asked: Annotated[OrdersAsked, Query()]) -> OrderList:
        """Orders of a window with what was given back; those of our probes and of test mode only where they are asked for, and marked."""
        return await records.order_list(context, asked)

    @router.get("/subscriptions", response_model=SubscriptionList, summary="Subscriptions, newest first")
    async def get_subscriptions(asked: Annotated[SubscriptionsAsked, Query()]) -> SubscriptionList:
        """Subscriptions that began, or that ended, in a window, with why they were ended."""
        return await records.subscription_list(context, asked)

    @router.get("/traces", response_model=TraceList, summary="Traces, newest first")
    async def get_traces(asked: Annotated[TracesAsked, Query()]) -> TraceList:
        """Traces with a span that says all that is asked."""
        return await search.traces(context, asked)

    @router.get("/search", response_model=SearchList, summary="Spans or logs by anything they say, newest first")
    async def get_search(asked: Annotated[SearchAsked, Query()]) -> SearchList:
        """Any service's spans or log records, by any attribute; each with the run and the visit it belongs to."""
        return await search.search(context, asked)

    return router
