"""HubSpot's events hold ids; what they mean is asked for, and until it is there the row says that it waits."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from starlette.responses import RedirectResponse

from sojourn_collector.sources.email import email_digest
from tests.collector.sources.conftest import Opening
from tests.collector.sources.vendor_api import VendorApi
from tests.collector.sources.webhook_rig import Desk, settings

AT = 1_772_359_200_000
SUBMISSION: dict[str, Any] = {
    "eventId": 1,
    "subscriptionId": 100,
    "portalId": 62515,
    "appId": 54321,
    "occurredAt": AT,
    "subscriptionType": "object.creation",
    "attemptNumber": 0,
    "objectId": 123,
    "objectTypeId": "0-19",
    "changeSource": "CRM",
}
TICKET = {**SUBMISSION, "subscriptionId": 200, "objectId": 77, "objectTypeId": "0-5", "subscriptionType": "object.propertyChange", "propertyName": "x"}


async def desk_of(opened: Opening, api: VendorApi, **more: Any) -> Desk:
    """A source `crm` that asks the test's own API."""
    return await opened(crm=settings("hubspot", public_url="https://sojourn.example", token={"env": "TOKEN"}, url=api.url, **more))


def submission(**properties: Any) -> dict[str, Any]:
    """As HubSpot's API answers."""
    known = {"hs_survey_type": "CSAT", "hs_value": "2", "hs_response_group": "PROMOTER", "hs_content": "fine", "hs_survey_id": "9"}
    known |= {"hs_submission_timestamp": "2026-03-01T09:59:00.000Z", "hs_contact_email_rollup": "joe@example.com"}
    return {"id": "123", "properties": {**known, **properties}, "createdAt": "2026-03-01T10:00:00Z", "updatedAt": "2026-03-01T10:00:00Z"}


async def test_a_submission(opened: Opening, vendor_api: VendorApi) -> None:
    """Two events in one delivery are two rows of the inbox; a CSAT goes from 0 to 2, and HubSpot's group is the verdict."""
    desk = await desk_of(opened, vendor_api)
    vendor_api.answers["/crm/v3/objects/feedback_submissions/123"] = [submission()]
    vendor_api.answers["/crm/v3/objects/feedback_submissions/124"] = [submission(hs_survey_type="NPS", hs_value="9")]
    assert (await desk.send("crm", [SUBMISSION, {**SUBMISSION, "objectId": 124}])).json()["accepted"] == 2
    assert await desk.records() == {}
    assert await desk.ask() == 2
    rows = (await desk.records())["feedback"]
    row = rows["123"]
    assert (row["kind"], row["value"], row["scale_min"], row["scale_max"], row["satisfied"]) == ("csat", 2, 0, 2, True)
    assert (row["comment"], row["survey_id"], row["ts"]) == ("fine", "9", datetime(2026, 3, 1, 9, 59, tzinfo=UTC))
    assert row["email_sha256"] == email_digest("joe@example.com")
    assert (rows["124"]["kind"], rows["124"]["value"], rows["124"]["scale_max"]) == ("nps", 9, 10)
    assert "joe@" not in str(await desk.bodies())
    assert vendor_api.asked[0].headers["authorization"] == "Bearer token-of-ours"


async def test_a_ticket_closed_and_opened_again(opened: Opening, vendor_api: VendorApi) -> None:
    """Each event is asked for as the ticket stands then; closing and opening are told apart by the closing date, the reply by how long it took."""
    desk = await desk_of(opened, vendor_api, session_field="sojourn_session")
    opened_at = {"createdate": "2026-03-01T08:00:00Z", "hs_pipeline": "0", "hs_pipeline_stage": "1", "hs_ticket_priority": "HIGH", "sojourn_session": "s-1"}
    states: list[dict[str, Any]] = [
        {**opened_at, "hs_contact_id": "5"},
        {**opened_at, "closed_date": "2026-03-01T10:05:00Z", "time_to_first_agent_reply": "600000"},
        {**opened_at, "hs_pipeline_stage": "3", "time_to_first_agent_reply": "600000"},
    ]
    path = "/crm/v3/objects/tickets/77"
    for minute, state in enumerate(states):
        vendor_api.answers[path] = [{"id": "77", "properties": state, "updatedAt": f"2026-03-01T10:0{minute * 5 if minute < 2 else 9}:00Z"}]
        await desk.take("crm", [{**TICKET, "occurredAt": AT + minute}])
        await desk.ask()
        row = (await desk.records())["tickets"]["77"]
    assert (row["status"], row["reopens"], row["solved_at"], row["priority"], row["given_session_id"]) == ("open", 1, None, "high", "s-1")
    assert (row["ts"], row["first_reply_at"]) == (datetime(2026, 3, 1, 8, tzinfo=UTC), datetime(2026, 3, 1, 8, 10, tzinfo=UTC))
    assert "sojourn_session" in vendor_api.asked[0].url.query


async def test_answers_that_do_not_come(opened: Opening, vendor_api: VendorApi) -> None:
    """Busy, refused and unreadable answers are waited for with growing pauses and a reason each; what was deleted is given up; a redirect is not followed."""
    desk = await desk_of(opened, vendor_api)
    path, host = "/crm/v3/objects/feedback_submissions/123", vendor_api.url.removeprefix("http://")
    redirect = RedirectResponse("http://169.254.169.254/latest/meta-data")
    vendor_api.answers[path] = [429, 401, redirect, "not an object", {"id": "123", "properties": None}]
    await desk.take("crm", [SUBMISSION])
    said = []
    for _ in range(3):
        assert await desk.ask() == 0
        said += await desk.errors()
        desk.context.now += timedelta(minutes=5)
    assert said == [
        f"waits for an answer of the vendor's: {host} answered 429",
        f"waits for an answer of the vendor's: {host} refuses the token (401); put one with the right to read into sources: crm: token",
        f"waits for an answer of the vendor's: {host} answered 307",
    ]
    assert (await desk.control.webhooks.count_awaiting(), await desk.ask()) == ({"crm": 1}, 1)
    assert (await desk.records(), await desk.errors()) == ({}, [])
    await desk.take("crm", [{**SUBMISSION, "objectId": 9}])
    assert (await desk.ask(), await desk.errors()) == (0, [f"{host} has no answer (404); it may have been deleted there"])
    await desk.take("crm", [{**SUBMISSION, "objectId": "../../x"}, {**SUBMISSION, "objectTypeId": "0-1", "occurredAt": 5}])
    assert (await desk.ask(), len(vendor_api.asked)) == (0, 5)


async def test_nobody_answers(opened: Opening) -> None:
    """Nobody there is waited for; after two weeks and twelve tries it is given up and says so."""
    desk = await opened(crm=settings("hubspot", public_url="https://sojourn.example", token={"env": "TOKEN"}, url="http://127.0.0.1:9"))
    await desk.take("crm", [SUBMISSION])
    assert await desk.ask() == 0
    assert await desk.errors() == ["waits for an answer of the vendor's: 127.0.0.1:9 does not answer (ConnectError)"]
    for _ in range(10):
        desk.context.now += timedelta(days=15)
        assert await desk.ask() == 0
    assert await desk.errors() == ["waits for an answer of the vendor's: 127.0.0.1:9 does not answer (ConnectError)"]
    desk.context.now += timedelta(days=15)
    assert await desk.ask() == 0
    assert await desk.errors() == ["given up after 14 days: 127.0.0.1:9 does not answer (ConnectError)"]
    assert await desk.control.webhooks.count_awaiting() == {}


async def test_an_answer_without_end(opened: Opening, vendor_api: VendorApi) -> None:
    """A huge answer is not read to its end."""
    desk = await desk_of(opened, vendor_api)
    vendor_api.answers["/crm/v3/objects/feedback_submissions/123"] = ["x" * (5 << 20)]
    await desk.take("crm", [SUBMISSION])
    assert await desk.ask() == 0
    assert await desk.errors() == [f"the answer of {vendor_api.url.removeprefix('http://')} is larger than 4 MiB"]


async def test_companies_and_deals(opened: Opening, vendor_api: VendorApi) -> None:
    """A company is an account, under an id of your own or HubSpot's; a deal is open, won or lost, and its amount counts with a currency alone."""
    desk = await desk_of(opened, vendor_api)
    company = {**SUBMISSION, "subscriptionId": 300, "objectId": 5, "objectTypeId": "0-2", "subscriptionType": "company.propertyChange", "propertyName": "name"}
    deal = {**SUBMISSION, "subscriptionId": 400, "objectTypeId": "0-3", "subscriptionType": "deal.creation"}
    firm = {"name": "Acme", "industry": "RETAIL", "lifecyclestage": "customer", "hubspot_owner_id": "77"}
    sale = {"dealname": "Renewal", "amount": "1200.50", "deal_currency_code": "EUR", "dealstage": "presentationscheduled", "closedate": "2026-06-30T10:00:00Z"}
    sale |= {"hs_is_closed": "false", "hs_is_closed_won": "false", "hs_deal_stage_probability": "0.6", "hubspot_owner_id": "77"}
    changed = {"updatedAt": "2026-03-01T10:00:00Z"}
    beside = {"associations": {"companies": {"results": [{"id": "5", "type": "deal_to_company"}]}}}
    vendor_api.answers["/crm/v3/objects/companies/5"] = [{"properties": firm, **changed}]
    vendor_api.answers["/crm/v3/objects/companies/6"] = [{"properties": {**firm, "account_id": "acme"}, **changed}]
    for number, more in enumerate(
        [{}, {"hs_is_closed": "true"}, {"hs_is_closed": "true", "hs_is_closed_won": "true"}, {"deal_currency_code": "", "account_id": "acme"}]
    ):
        vendor_api.answers[f"/crm/v3/objects/deals/{number}"] = [{"properties": {**sale, **more}, **beside, **changed}]
    await desk.take("crm", [company, {**company, "objectId": 6}, *({**deal, "objectId": number} for number in range(4))])
    assert await desk.ask() == 6
    rows = await desk.records()
    assert await desk.errors() == []
    account = rows["accounts"]["hubspot:5"]
    assert (account["name"], account["segment"], account["lifecycle"], account["owner"], account["mrr"]) == ("Acme", "retail", "customer", "77", None)
    assert rows["accounts"].keys() == {"hubspot:5", "acme"}
    deals = rows["deals"]
    assert [deals[str(number)]["status"] for number in range(4)] == ["open", "lost", "won", "open"]
    assert (deals["0"]["amount"], deals["0"]["currency"], deals["0"]["probability"], str(deals["0"]["closes_on"])) == (
        Decimal("1200.50"),
        "EUR",
        0.6,
        "2026-06-30",
    )
    assert (deals["0"]["account_id"], deals["0"]["owner"], deals["0"]["stage"]) == ("hubspot:5", "77", "presentationscheduled")
    assert (deals["3"]["account_id"], deals["3"]["amount"], deals["3"]["currency"]) == ("acme", None, "")


COMPANY = {**SUBMISSION, "subscriptionId": 300, "objectId": 5, "objectTypeId": "0-2", "subscriptionType": "company.propertyChange", "propertyName": "name"}
FIRM: dict[str, Any] = {"properties": {"name": "Acme", "hubspot_owner_id": "77"}, "updatedAt": "2026-03-01T10:00:00Z"}
OWNER = {"id": "77", "email": "Ann@shop.example", "firstName": "Ann", "lastName": "Bell", "userId": 9, "updatedAt": "2026-02-01T10:00:00Z"}


async def test_the_owner_of_a_company_has_a_name(opened: Opening, vendor_api: VendorApi) -> None:
    """The answer about a company names its owner, who is asked for next, once for many: name, first team, and of the address the digest alone."""
    desk = await desk_of(opened, vendor_api)
    for number in (5, 6):
        vendor_api.answers[f"/crm/v3/objects/companies/{number}"] = [FIRM]
    vendor_api.answers["/crm/v3/owners/77"] = [{**OWNER, "teams": [{"id": "1", "name": "South", "primary": True}, {"id": "2", "name": "All"}]}]
    await desk.take("crm", [COMPANY, {**COMPANY, "objectId": 6}])
    assert await desk.ask() == 2
    rows = await desk.records()
    assert await desk.errors() == []
    assert rows["accounts"]["hubspot:5"]["owner"] == "77"
    owner = rows["owners"]["77"]
    assert (owner["name"], owner["team"], owner["email_sha256"]) == ("Ann Bell", "South", email_digest("ann@shop.example"))
    assert "ann@" not in str(await desk.bodies()).lower()
    assert [asked.url.path for asked in vendor_api.asked].count("/crm/v3/owners/77") == 1


async def test_a_company_is_told_without_its_owner(opened: Opening, vendor_api: VendorApi) -> None:
    """An owner who left, a token that may not ask for owners, and what is no number: the account is there all the same."""
    desk = await desk_of(opened, vendor_api)
    firms = {5: "78", 6: "79", 7: "../owners", 8: ""}
    for number, owner in firms.items():
        vendor_api.answers[f"/crm/v3/objects/companies/{number}"] = [{**FIRM, "properties": {**FIRM["properties"], "hubspot_owner_id": owner}}]
    vendor_api.answers["/crm/v3/owners/79"] = [403]
    await desk.take("crm", [{**COMPANY, "objectId": number} for number in firms])
    assert await desk.ask() == 4
    rows = await desk.records()
    assert await desk.errors() == []
    assert {key: row["owner"] for key, row in rows["accounts"].items()} == {"hubspot:5": "78", "hubspot:6": "79", "hubspot:7": "../owners", "hubspot:8": ""}
    assert "owners" not in rows
    assert {asked.url.path for asked in vendor_api.asked if "owners" in asked.url.path} == {"/crm/v3/owners/78", "/crm/v3/owners/79"}
