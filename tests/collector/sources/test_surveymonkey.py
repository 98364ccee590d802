"""SurveyMonkey's events hold ids; answers and scales are asked for, the survey once."""

from typing import Any

from sojourn_collector.sources.email import email_digest
from tests.collector.sources.conftest import Opening
from tests.collector.sources.vendor_api import VendorApi
from tests.collector.sources.webhook_rig import settings

EVENT: dict[str, Any] = {
    "name": "My Webhook",
    "filter_type": "survey",
    "filter_id": "123456789",
    "event_type": "response_completed",
    "event_id": "123456789",
    "object_type": "response",
    "object_id": "4545",
    "event_datetime": "2026-03-01T10:00:00.000000+00:00",
    "resources": {"respondent_id": "4545", "recipient_id": "0", "collector_id": "1", "survey_id": "77", "user_id": "2"},
}
RESPONSE: dict[str, Any] = {
    "id": "4545",
    "survey_id": "77",
    "response_status": "completed",
    "date_created": "2026-03-01T09:58:00+00:00",
    "date_modified": "2026-03-01T10:00:00+0000",
    "email_address": "joe@example.com",
    "first_name": "Joe",
    "ip_address": "192.0.2.7",
    "custom_variables": {"sid": "s-1", "user_id": "u-1"},
    "pages": [
        {
            "id": "1",
            "questions": [
                {"id": "11", "answers": [{"choice_id": "c4", "row_id": "r1", "choice_metadata": {"weight": "4"}}]},
                {"id": "12", "answers": [{"text": "slow, write joe@example.com"}]},
                {"id": "13", "answers": [{"choice_id": "n9"}]},
                {"id": "14", "answers": [{"text": "Joe"}]},
            ],
        }
    ],
}
SURVEY: dict[str, Any] = {
    "id": "77",
    "pages": [
        {
            "questions": [
                {"id": "11", "family": "matrix", "subtype": "rating", "answers": {"choices": [{"id": f"c{n}", "weight": n} for n in range(1, 6)]}},
                {"id": "12", "family": "open_ended", "subtype": "essay"},
                {"id": "13", "family": "matrix", "subtype": "nps", "answers": {"choices": [{"id": f"n{n}", "weight": n} for n in range(11)]}},
                {"id": "14", "family": "open_ended", "subtype": "single"},
            ]
        }
    ],
}


async def test_answers_with_their_scales(opened: Opening, vendor_api: VendorApi) -> None:
    """Scales come of the weights of all choices; NPS is known; single lines are not taken; keys and address join; the survey is asked for once."""
    desk = await opened(poll=settings("surveymonkey", client_id="cid", token={"env": "TOKEN"}, url=vendor_api.url + "/v3"))
    vendor_api.answers["/v3/surveys/77/responses/4545/details"] = [RESPONSE]
    vendor_api.answers["/v3/surveys/77/responses/4546/details"] = [{**RESPONSE, "id": "4546"}]
    vendor_api.answers["/v3/surveys/77/details"] = [SURVEY]
    await desk.take("poll", EVENT, {**EVENT, "event_id": "2", "object_id": "4546"})
    assert await desk.ask() == 2
    rows = (await desk.records())["feedback"]
    assert await desk.errors() == []
    assert {key: (row["kind"], row["value"], row["scale_min"], row["scale_max"]) for key, row in rows.items() if key.startswith("4545")} == {
        "4545:11": ("rating", 4, 1, 5),
        "4545:12": ("text", None, None, None),
        "4545:13": ("nps", 9, 0, 10),
    }
    row = rows["4545:12"]
    assert (row["comment"], row["given_session_id"], row["user_id"]) == ("slow, write [email]", "s-1", "u-1")
    assert row["email_sha256"] == email_digest("joe@example.com")
    assert [one.url.path for one in vendor_api.asked].count("/v3/surveys/77/details") == 1
    assert not [word for word in ("joe@", "192.0.2.7", "first_name") if word in str(await desk.bodies())]


async def test_a_survey_that_was_left(opened: Opening, vendor_api: VendorApi) -> None:
    """Answers of a response that is not complete are partial."""
    desk = await opened(poll=settings("surveymonkey", client_id="cid", token={"env": "TOKEN"}, url=vendor_api.url))
    vendor_api.answers |= {"/surveys/77/responses/4545/details": [{**RESPONSE, "response_status": "partial"}], "/surveys/77/details": [SURVEY]}
    await desk.take("poll", {**EVENT, "event_type": "response_updated"})
    await desk.ask()
    assert {row["question_id"]: row["partial"] for row in (await desk.records())["feedback"].values()} == {"11": True, "13": True}


async def test_a_question_of_the_file(opened: Opening, vendor_api: VendorApi) -> None:
    """`questions:` says what a question asks, and the survey's own weights are the answer."""
    question = {"11": {"kind": "csat", "scale_min": 1, "scale_max": 5, "step": "pay"}}
    desk = await opened(poll=settings("surveymonkey", client_id="cid", token={"env": "TOKEN"}, url=vendor_api.url, questions=question))
    one = {**RESPONSE, "pages": [{"questions": RESPONSE["pages"][0]["questions"][:2]}]}
    vendor_api.answers |= {"/surveys/77/responses/4545/details": [one], "/surveys/77/details": [SURVEY]}
    await desk.take("poll", {**EVENT, "event_type": "response_updated"}, {**EVENT, "event_id": "9", "event_type": "survey_deleted"})
    await desk.ask()
    (row,) = (await desk.records())["feedback"].values()
    assert (row["kind"], row["value"], row["satisfied"], row["step"], row["comment"]) == ("csat", 4, True, "pay", "slow, write [email]")
