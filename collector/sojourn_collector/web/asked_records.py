"""What the lists of tickets, orders and subscriptions can be asked: their query parameters, each with its bounds."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from sojourn_collector.web.asked import LONGEST_FILTER, MOST, SEVERITY, Asked, Severity, Text, plain_text
from sojourn_collector.web.cursor import LONGEST as LONGEST_CURSOR

_PERSON = "Only of this person, such as `user:u12`."
_ACCOUNT = "Only of this account or of its people."
_FEED = "Only what this source told."
_LINK = "How it is linked to a visit; `linked` = in either way."
Link = Literal["", "explicit", "inferred", "linked", "unlinked"]


class TicketListAsked(Asked):
    """Of `GET /api/v1/tickets/list`: tickets opened in the window, as they stood at its end."""

    state: Literal["", "open", "solved"] = Field("", description="Whether it was solved by the end of the window.")
    status: Literal["", "new", "open", "pending", "on_hold", "solved", "closed"] = Field("", description="How the desk says that it stands now.")
    priority: Text = ""
    topic: Text = Field("", description="The whole topic.")
    text: Text = Field("", description="Part of the topic; letters' case does not matter.")
    channel: Text = Field("", description="Where it came in, such as email or chat.")
    feed: Text = Field("", description=_FEED)
    journey: Text = Field("", description="Tickets that name this journey, or whose visit walked it at worst before.")
    person: Text = Field("", description="Only of this requester, such as `user:u12`.")
    account: Text = Field("", description=_ACCOUNT)
    session: Text = Field("", description="Only tickets linked to this visit.")
    link: Link = Field("", description=_LINK)
    severity: Severity = Field(0.0, description=f"Of a linked visit's walks before the ticket. {SEVERITY}")
    reply: Literal["", "replied", "waiting", "unanswered", "untold"] = Field(
        "", description="`unanswered` = solved without a known reply; `untold` = of a desk that never told of a reply, which is in none of the others."
    )
    unresolved: bool = Field(False, description="Only tickets not solved within `windows.unresolved` of impact.yaml, of those opened at least so long ago.")
    reopened: bool = Field(False, description="Only tickets that were opened again after they were solved.")
    repeat: bool = Field(False, description="Only tickets whose requester had opened another on the same topic within seven days before.")


class OrdersAsked(Asked):
    """Of `GET /api/v1/orders`."""

    status: Literal["", "completed", "refunded", "cancelled"] = ""
    currency: Text = Field("", description="ISO 4217 code of the currency it was paid in.")
    channel: Text = ""
    feed: Text = Field("", description=_FEED)
    journey: Text = Field("", description="Orders of visits that walked this journey.")
    person: Text = Field("", description=_PERSON)
    account: Text = Field("", description=_ACCOUNT)
    session: Text = Field("", description="Only orders linked to this visit.")
    link: Link = Field("", description=_LINK)
    refunded: bool = Field(False, description="Only orders of which something was given back.")
    counted: bool = Field(False, description="Only what counts as business: neither a probe's nor cancelled.")
    probes: Literal["", "with", "only"] = Field(
        "", description="Orders of our probes and of test mode are left out; `with` shows them too, `only` shows no others."
    )
    visit: Literal["", "known", "unknown"] = Field(
        "", description="Whether its visit is known, as beacon coverage counts: the person's last visit stands for it only where it names none."
    )
    once: bool = Field(True, description="A purchase that several feeds tell of stands once; false: each feed's order for itself.")


class SubscriptionsAsked(Asked):
    """Of `GET /api/v1/subscriptions`."""

    by: Literal["began", "ended"] = Field("began", description="Which time the window is of, and the order; `ended` leaves out those that run.")
    status: Literal["", "trialing", "active", "past_due", "paused", "ended"] = ""
    plan: Text = ""
    interval: Text = ""
    feed: Text = Field("", description=_FEED)
    person: Text = Field("", description=_PERSON)
    account: Text = Field("", description=_ACCOUNT)
    reason: Text = Field("", description="Why it ended, in the feed's word; `unknown` where none was given.")
    words: bool = Field(False, description="Only those that ended with words of the customer.")


Named = Annotated[str, Field(min_length=1, max_length=LONGEST_FILTER), AfterValidator(plain_text)]


class NewlyHitAsked(Asked):
    """Of `GET /api/v1/alarms/people`: `from` is the alarm's `since`, `to` its `as_of`; what is older than 24 hours before `to` is not looked at."""

    journey: Named
    step: Named


class ExposedAsked(BaseModel):
    """Of `GET /api/v1/problems/{id}/exposed`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: int = Field(50, ge=1, le=MOST, description="Items of a page.")
    cursor: Annotated[str, Field(max_length=LONGEST_CURSOR), AfterValidator(plain_text)] = Field("", description="`next` of the page before.")

    def question(self, name: str) -> str:
        """What is asked apart from the page."""
        return name
