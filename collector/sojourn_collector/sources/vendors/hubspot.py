"""HubSpot: feedback submissions, tickets, companies and deals with who owns them. Its events hold ids alone; what happened is asked for with a token.

https://developers.hubspot.com/docs/apps/developer-platform/build-apps/authentication/request-validation
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import quote

from sojourn_collector.sources.joins import about, joined
from sojourn_collector.sources.questions import asked
from sojourn_collector.sources.reading import at, instant_of, moment, number_at, text_at
from sojourn_collector.sources.scrub_json import digest_in
from sojourn_collector.sources.signatures import HmacSignature, method_url_body_time, milliseconds
from sojourn_collector.sources.webhook import Call, Change, Event, Webhook, time_of
from sojourn_collector.sources_config import SourceSettings

FEEDBACK, TICKET, COMPANY, DEAL = "0-19", "0-5", "0-2", "0-3"
_SURVEY: Final = (
    "hs_survey_type,hs_value,hs_response_group,hs_sentiment,hs_content,hs_survey_id,hs_survey_channel,hs_submission_timestamp,"
    "hs_contact_email_rollup,hs_contact_id"
)
_CASE: Final = "subject,hs_pipeline,hs_pipeline_stage,hs_ticket_priority,source_type,createdate,closed_date,time_to_first_agent_reply"
_FIRM: Final = "name,industry,lifecyclestage,hubspot_owner_id,account_id"
_SALE: Final = "dealname,amount,deal_currency_code,dealstage,closedate,hs_is_closed,hs_is_closed_won,hs_deal_stage_probability,hubspot_owner_id,account_id"
ASKED: Final[Mapping[str, tuple[str, str, str]]] = {
    FEEDBACK: ("feedback_submissions", _SURVEY, "contacts"),
    TICKET: ("tickets", _CASE, "contacts"),
    COMPANY: ("companies", _FIRM, ""),
    DEAL: ("deals", _SALE, "companies"),
}
"""Of each type of object its name in the API, the properties asked for, and what it hangs on."""
SCALES: Final[Mapping[str, tuple[str, int, int]]] = {"NPS": ("nps", 0, 10), "CSAT": ("csat", 0, 2), "CES": ("ces", 1, 7)}
"""Kind and scale by the type of survey. A CSAT of HubSpot's goes from 0 to 2."""
STAGES: Final[Mapping[str, str]] = {"1": "new", "2": "pending", "3": "open", "4": "closed"}
"""Stages of the first pipeline, as every portal has it; those of others are a portal's own."""


def _events(body: Any) -> Sequence[Any]:
    return body if isinstance(body, list) else [body]


def _key(event: Event) -> str:
    # HubSpot's own id of an event is not unique.
    parts = [text_at(event.body, name) for name in ("subscriptionId", "objectId", "occurredAt", "propertyName")]
    return "/".join(parts) if parts[1] and parts[2] else ""


def _thing(event: Event) -> str:
    """The type of the object; empty for those that are none of ours."""
    kind, what = text_at(event.body, "subscriptionType"), text_at(event.body, "objectTypeId")
    if kind.endswith((".deletion", ".privacyDeletion", ".merge")):
        return ""
    if what in ASKED:
        return what
    return {"ticket": TICKET, "feedback_submission": FEEDBACK, "company": COMPANY, "deal": DEAL}.get(kind.partition(".")[0], "")


def _calls(event: Event, settings: SourceSettings) -> dict[str, Call]:
    thing, ident = _thing(event), text_at(event.body, "objectId")
    if not thing or not (ident.isascii() and ident.isdigit()):
        return {}
    name, properties, beside = ASKED[thing]
    wanted = ",".join([properties, *(quote(one, safe="") for one in (settings.session_field, settings.user_field) if one)])
    calls = {"object": Call(f"/crm/v3/objects/{name}/{ident}?properties={wanted}{f'&associations={beside}' if beside else ''}")}
    owner = text_at(event.fetched, "object", "properties", "hubspot_owner_id")
    if owner.isascii() and owner.isdigit():
        # A token without the scope crm.objects.owners.read is told nothing of them, and neither is anybody of an owner who left.
        calls["owner"] = Call(f"/crm/v3/owners/{owner}", lasting=True, spared=True, staff=_called)
    return calls


def _changes(event: Event, settings: SourceSettings) -> list[Change]:
    thing, ident, found = _thing(event), text_at(event.body, "objectId"), at(event.fetched, "object", "properties")
    if not thing or not isinstance(found, dict):
        return []
    told = instant_of(moment(at(event.fetched, "object", "updatedAt"))) or time_of(moment(at(event.body, "occurredAt")), "occurredAt")
    if thing == COMPANY:
        return [_firm(ident, told, found), *_owner(event, told)]
    if thing == DEAL:
        return [_sale(ident, told, found, text_at(event.fetched, "object", "associations", "companies", "results", 0, "id")), *_owner(event, told)]
    who = joined(found, settings, "subscriptions")
    if "user_id" not in who:
        contact = text_at(found, "hs_contact_id") or text_at(event.fetched, "object", "associations", "contacts", "results", 0, "id")
        email = digest_in(at(found, "hs_contact_email_rollup"))
        who |= {"email_sha256": email} if email else {"user_id": f"hubspot:{contact}"} if contact else {}
    if thing == FEEDBACK:
        return [_answer(ident, told, found, who, settings)]
    return [_case(ident, told, found, who, settings)]


def _answer(ident: str, told: datetime, found: Mapping[str, Any], who: Mapping[str, str], settings: SourceSettings) -> Change:
    survey, kind = text_at(found, "hs_survey_id"), text_at(found, "hs_survey_type").upper()
    value, comment = number_at(found, "hs_value"), text_at(found, "hs_content")
    if (question := settings.questions.get(survey)) is not None:
        said = asked(question, value, comment)
    elif kind in SCALES and value is not None:
        name, low, high = SCALES[kind]
        said = {"kind": name, "value": value, "scale_min": low, "scale_max": high}
        if name == "csat" and (group := text_at(found, "hs_response_group").upper()):
            said["satisfied"] = group == "PROMOTER"
    else:
        said = {"kind": "text"}
    said |= {"comment": comment, "at": moment(at(found, "hs_submission_timestamp")), "survey_id": survey}
    return Change("feedback", ident, told, {**about(settings), **joined(found, settings, "feedback"), **who, **said}, whole=True)


def _case(ident: str, told: datetime, found: Mapping[str, Any], who: Mapping[str, str], settings: SourceSettings) -> Change:
    opened, closed = moment(at(found, "createdate")), moment(at(found, "closed_date"))
    stage = STAGES.get(text_at(found, "hs_pipeline_stage"), "") if text_at(found, "hs_pipeline") == "0" else ""
    fields: dict[str, Any] = {
        "at": opened,
        "updated_at": told.isoformat(),
        "status": "closed" if closed else stage or "open",
        "solved_at": closed,
        "priority": text_at(found, "hs_ticket_priority").lower(),
        "topic": text_at(found, "subject"),
        "channel": text_at(found, "source_type").lower(),
        **joined(found, settings, "tickets"),
        **who,
        **about(settings),
    }
    took, began = number_at(found, "time_to_first_agent_reply"), instant_of(opened)
    if took is not None and began is not None and 0 <= took < 10**12:
        fields["first_reply_at"] = (began + timedelta(milliseconds=float(took))).isoformat()
    return Change("tickets", ident, told, fields)


def _firm(ident: str, told: datetime, found: Mapping[str, Any]) -> Change:
    """A company is an account, by your own id of it where a property `account_id` has that. What it earns a year is not what it pays."""
    fields = {
        "name": text_at(found, "name")[:200],
        "segment": text_at(found, "industry").lower(),
        "lifecycle": text_at(found, "lifecyclestage").lower(),
        "owner": text_at(found, "hubspot_owner_id"),
    }
    return Change("accounts", text_at(found, "account_id") or f"hubspot:{ident}", told, fields, whole=True)


def _called(found: Any) -> Any:
    """An owner with what to call them: the names of customers are dropped, theirs is what they are asked for."""
    name = " ".join(part for part in (text_at(found, "firstName"), text_at(found, "lastName")) if part)
    return {**found, "called": name} if isinstance(found, dict) else found


def _owner(event: Event, told: datetime) -> list[Change]:
    """Who looks after it: name and first team; of the address the digest. Nothing where HubSpot tells nothing of them."""
    found = at(event.fetched, "owner")
    ident, name, team = text_at(found, "id"), text_at(found, "called")[:200], text_at(found, "teams", 0, "name")[:200]
    if not ident or not (name or team):
        return []
    changed = instant_of(moment(at(found, "updatedAt"))) or told
    return [Change("owners", ident, changed, {"name": name, "team": team, "email_sha256": digest_in(at(found, "email"))}, whole=True)]


def _sale(ident: str, told: datetime, found: Mapping[str, Any], company: str) -> Change:
    """A deal; without a currency nobody knows what its amount is."""
    currency, likely = text_at(found, "deal_currency_code"), number_at(found, "hs_deal_stage_probability")
    closed, won = (text_at(found, name).lower() == "true" for name in ("hs_is_closed", "hs_is_closed_won"))
    fields: dict[str, Any] = {
        "account_id": text_at(found, "account_id") or (f"hubspot:{company}" if company else ""),
        "name": text_at(found, "dealname")[:200],
        "stage": text_at(found, "dealstage"),
        "owner": text_at(found, "hubspot_owner_id"),
        "status": "won" if won else "lost" if closed else "open",
        "probability": likely if likely is not None and 0 <= likely <= 1 else None,
    }
    if currency:
        fields |= {"amount": number_at(found, "amount"), "currency": currency}
    if closes := instant_of(moment(at(found, "closedate"))):
        fields["closes_on"] = closes.date().isoformat()
    return Change("deals", ident, told, fields, whole=True)


WEBHOOK = Webhook(
    "hubspot",
    HmacSignature("x-hubspot-signature-v3", encoding="base64", signed=method_url_body_time, clock=milliseconds, time_header="x-hubspot-request-timestamp"),
    _key,
    _changes,
    events=_events,
    calls=_calls,
    api="https://api.hubapi.com",
)
