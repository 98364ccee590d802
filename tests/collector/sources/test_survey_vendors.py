"""Formbricks, Delighted and Qualtrics: documented deliveries become feedback."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest

from sojourn_collector.sources.email import email_digest
from sojourn_collector.store.control import Scope
from tests.collector.sources.conftest import Opening
from tests.collector.sources.vendor_api import VendorApi
from tests.collector.sources.webhook_rig import NOW, SECRET, SIGNERS, settings

# --- Formbricks -----------------------------------------------------------------------------------------------------------

FINISHED: dict[str, Any] = {
    "webhookId": "cm1",
    "event": "responseFinished",
    "data": {
        "id": "cljwdbr8t0001",
        "createdAt": "2026-03-01T10:00:00.000Z",
        "updatedAt": "2026-03-01T10:00:05.000Z",
        "surveyId": "cljw0",
        "displayId": "d1",
        "contact": {"id": "c1", "userId": "u-1"},
        "contactAttributes": {"email": "joe@example.com", "userId": "u-1"},
        "finished": True,
        "data": {"q_nps": 9, "q_csat": 4, "q_why": "fast", "sid": "s-1"},
        "meta": {"url": "https://shop.example", "userAgent": {"os": "x"}},
        "ttc": {"q_nps": 100},
        "tags": [],
        "language": "de",
    },
}
ELEMENTS = {"q_nps": {"kind": "nps"}, "q_csat": {"kind": "csat", "scale_min": 1, "scale_max": 5}, "q_why": {"kind": "text"}}


async def test_formbricks(opened: Opening) -> None:
    """Each described element is a row with scale, language, survey and keys; an update replaces."""
    desk = await opened(forms=settings("formbricks", questions=ELEMENTS))
    await desk.take("forms", FINISHED)
    rows = (await desk.records())["feedback"]
    assert await desk.errors() == []
    assert {key.partition(":")[2]: (row["kind"], row["value"], row["scale_max"]) for key, row in rows.items()} == {
        "q_nps": ("nps", 9, 10),
        "q_csat": ("csat", 4, 5),
        "q_why": ("text", None, None),
    }
    row = rows["cljwdbr8t0001:q_csat"]
    assert (row["language"], row["survey_id"], row["user_id"], row["given_session_id"], row["satisfied"]) == ("de", "cljw0", "u-1", "s-1", True)
    changed = {**FINISHED["data"], "updatedAt": "2026-03-01T10:01:00Z", "data": {"q_csat": 1}}
    await desk.take("forms", {**FINISHED, "event": "responseUpdated", "data": changed})
    assert (await desk.records())["feedback"]["cljwdbr8t0001:q_csat"]["value"] == 1


async def test_formbricks_that_was_not_finished(opened: Opening) -> None:
    """What was answered so far is partial, words without a score wait; once it is finished, also if that comes first, nothing of it is partial or twice."""

    def so_far(minute: int, *, finished: bool, **given: Any) -> dict[str, Any]:
        told = {**FINISHED["data"], "updatedAt": f"2026-03-01T10:0{minute}:00Z", "finished": finished, "data": given}
        return {**FINISHED, "event": "responseFinished" if finished else "responseUpdated", "data": told}

    told = [so_far(0, finished=False), so_far(1, finished=False, q_why="fast"), so_far(2, finished=False, q_why="fast", q_nps=9)]
    whole = so_far(3, finished=True, q_why="fast", q_nps=9, q_csat=4)
    desk = await opened(forms=settings("formbricks", questions=ELEMENTS), late=settings("formbricks", questions=ELEMENTS))
    await desk.take("forms", *told[:2])
    assert await desk.records() == {}
    await desk.take("forms", told[2])
    (row,) = (await desk.records())["feedback"].values()
    assert (row["question_id"], row["value"], row["comment"], row["partial"]) == ("q_nps", 9, "fast", True)
    await desk.take("forms", whole)
    await desk.take("late", whole, *told)
    for _ in range(2):
        rows = (await desk.records()).get("feedback", {})
        assert {row["question_id"]: (row["comment"], row["partial"]) for row in rows.values()} == {
            "q_nps": ("", False),
            "q_csat": ("", False),
            "q_why": ("fast", False),
        }
        await desk.replay("late")
    assert await desk.errors() == []


async def test_formbricks_with_elements_nobody_described(opened: Opening) -> None:
    """Nothing is guessed; the row says what to write where."""
    desk = await opened(forms=settings("formbricks", questions={"other": {"kind": "nps"}}))
    await desk.take("forms", FINISHED)
    assert await desk.records() == {}
    assert await desk.errors() == ["none of the elements that survey cljw0 asks stands under questions: of this source; add their ids with kind and scale"]


async def test_a_release_that_signs_nothing(opened: Opening) -> None:
    """Without a secret a key of ours is asked for, as for rows of our own form."""
    desk = await opened(forms=settings("formbricks", secret=None, questions=ELEMENTS))
    assert (await desk.send("forms", FINISHED, {})).status_code == 401
    key = (await desk.control.keys.create("forms", [Scope.SOURCES])).text
    for _ in range(2):
        assert (await desk.send("forms", FINISHED, {"authorization": f"Bearer {key}"})).status_code == 200
    assert len(await desk.bodies()) == 1


@pytest.mark.parametrize("secret", [None, {"env": "SECRET"}])
async def test_the_form_for_a_new_webhook(opened: Opening, secret: dict[str, str] | None) -> None:
    """What Formbricks sends before it shows the secret is answered the same whoever signed it and never kept; nothing else is taken without proof."""
    desk = await opened(forms=settings("formbricks", secret=secret, questions=ELEMENTS))
    body, stranger = b'{"event":"testEndpoint"}', {"webhook-id": "msg_1", "webhook-timestamp": "1772366400", "webhook-signature": "v1,AAAA"}
    proven = SIGNERS["formbricks"](body, SECRET, NOW) if secret else {"authorization": f"Bearer {(await desk.control.keys.create('f', [Scope.SOURCES])).text}"}
    answers = [await desk.send("forms", body, headers) for headers in (stranger, {}, proven)]
    assert {(answer.status_code, answer.text) for answer in answers} == {(200, '{"accepted":0,"rejected":0,"errors":[]}')}
    for other in (b'{"event":"testEndpoint","a":1}', b'["testEndpoint"]', b"{", b"", b'{"event":"responseFinished"}', b'{"event":"testEndpoint"}' + b" " * 41):
        assert (await desk.send("forms", other, stranger)).status_code == 401

    async def in_pieces() -> AsyncIterator[bytes]:
        yield body

    assert (await desk.client.post("/api/v1/in/forms", content=in_pieces(), headers=stranger)).status_code == 401
    assert await desk.bodies() == []


async def test_a_greeting_that_does_not_come(opened: Opening) -> None:
    """A body that could be one is waited for within the deadline."""
    desk = await opened(forms=settings("formbricks", questions=ELEMENTS))
    reader, writer = await asyncio.open_connection("127.0.0.1", int(desk.url.rsplit(":", 1)[1]))
    writer.write(b"POST /api/v1/in/forms HTTP/1.1\r\nhost: x\r\ncontent-length: 24\r\n\r\n{")
    async with asyncio.timeout(20):
        assert (await reader.readline()).startswith(b"HTTP/1.1 408")
    writer.close()
    await writer.wait_closed()


# --- Delighted ------------------------------------------------------------------------------------------------------------

CREATED: dict[str, Any] = {
    "event_type": "survey_response.created",
    "event_id": "0a1",
    "event_data": {
        "id": "5435",
        "person": {"id": "33", "email": "joe@example.com", "name": "Joe Bloggs", "created_at": 1_772_000_000},
        "survey_type": "nps",
        "score": 3,
        "comment": None,
        "permalink": "https://app.delighted.com/r/x",
        "created_at": 1_772_359_200,
        "updated_at": 1_772_359_200,
        "person_properties": {"session_id": "s-1", "Delighted Source": "Email"},
        "notes": [],
        "tags": [],
        "additional_answers": [],
    },
}


async def test_delighted(opened: Opening) -> None:
    """The comment of a later event is added, also when it comes first; the score stays; the address is a digest and the name is not kept."""
    updated = {**CREATED, "event_type": "survey_response.updated", "event_id": "0a2"}
    updated["event_data"] = {**CREATED["event_data"], "comment": "too slow", "updated_at": 1_772_359_260}
    desk = await opened(late=settings("delighted"), early=settings("delighted"))
    for name, order in (("late", (CREATED, updated)), ("early", (updated, CREATED))):
        await desk.take(name, *order)
    rows = (await desk.records())["feedback"]
    row = rows["5435"]
    assert (row["kind"], row["value"], row["scale_max"], row["comment"], row["given_session_id"]) == ("nps", 3, 10, "too slow", "s-1")
    assert row["email_sha256"] == email_digest("joe@example.com")
    assert not [word for word in ("Bloggs", "joe@", "permalink") if word in str(await desk.bodies())]


async def test_delighted_of_another_type(opened: Opening) -> None:
    """Types of survey have their scales; one that is not known is said; who unsubscribes is no answer."""
    desk = await opened(d=settings("delighted"))
    for number, kind in enumerate(("csat", "ces7", "thumbs", "pmf")):
        await desk.take("d", {**CREATED, "event_id": kind, "event_data": {**CREATED["event_data"], "id": f"{number}", "survey_type": kind, "score": 1}})
    await desk.take("d", {"event_type": "unsubscribe.created", "event_id": "u", "event_data": {"id": "1"}})
    rows = (await desk.records())["feedback"]
    assert [(row["kind"], row["scale_min"], row["scale_max"]) for row in rows.values()] == [("csat", 1, 5), ("ces", 1, 7), ("rating", 0, 1)]
    assert await desk.errors() == ['the survey type "pmf" is not known; put it under questions: of this source with kind and scale']


# --- Qualtrics ------------------------------------------------------------------------------------------------------------

MESSAGE = {"Status": "Complete", "SurveyID": "SV_1", "ResponseID": "R_1", "CompletedDate": "2026-03-01 10:00:00", "BrandID": "b"}


def form(message: dict[str, Any], secret: str = SECRET) -> bytes:
    """As Qualtrics posts it."""
    text = json.dumps(message)
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha512).hexdigest()
    return urlencode({"Topic": "surveyengine.completedResponse.SV_1", "HMAC": mac, "MSG": text}).encode()


async def test_qualtrics(opened: Opening, vendor_api: VendorApi) -> None:
    """A signed form leads to the response, whose described questions are rows; previews are none; another HMAC is refused."""
    questions = {"QID1": {"kind": "ces", "scale_min": 1, "scale_max": 7}, "QID2": {"kind": "text"}, "QID9": {"kind": "nps"}}
    desk = await opened(xm=settings("qualtrics", token={"env": "TOKEN"}, url=vendor_api.url, questions=questions))
    values = {"QID1": 6, "QID2_TEXT": "ok", "recordedDate": "2026-03-01T10:00:01.5Z", "userLanguage": "EN", "sid": "s-1", "recipientEmail": "joe@example.com"}
    vendor_api.answers["/API/v3/surveys/SV_1/responses/R_1"] = [{"result": {"responseId": "R_1", "values": values, "labels": {"QID1": "x"}}}]
    vendor_api.answers["/API/v3/surveys/SV_1/responses/R_2"] = [{"result": {"values": {**values, "distributionChannel": "preview"}}}]
    sent = {"content-type": "application/x-www-form-urlencoded"}
    assert (await desk.send("xm", form(MESSAGE), sent)).status_code == 200
    assert (await desk.send("xm", form({**MESSAGE, "ResponseID": "R_2"}), sent)).status_code == 200
    assert (await desk.send("xm", form({**MESSAGE, "ResponseID": "R_3"}, "wrong"), sent)).status_code == 401
    assert (await desk.send("xm", b"MSG=%7B", sent)).status_code == 401
    assert await desk.ask() == 2
    (row,) = (await desk.records())["feedback"].values()
    assert (row["kind"], row["value"], row["scale_max"], row["comment"], row["language"], row["given_session_id"]) == ("ces", 6, 7, "ok", "en", "s-1")
    assert row["partial"] is False
    vendor_api.answers["/API/v3/surveys/SV_1/responses/R_4"] = [{"result": {"values": {**values, "finished": 0}}}]
    assert (await desk.send("xm", form({**MESSAGE, "ResponseID": "R_4"}), sent)).status_code == 200
    assert await desk.ask() == 1
    assert [row["partial"] for row in (await desk.records())["feedback"].values()] == [True]
    assert {one.headers["x-api-token"] for one in vendor_api.asked} == {"token-of-ours"}
    assert (await desk.errors(), "joe@" in str(await desk.bodies())) == ([], False)


# --- PostHog --------------------------------------------------------------------------------------------------------------


def capture(name: str, uuid: str, second: int, **properties: Any) -> dict[str, Any]:
    """As a webhook destination sends it."""
    known = {"$survey_id": "sv1", "$session_id": "ph-1", "session_id": "s-1", "$ip": "192.0.2.7", "$is_identified": True, **properties}
    told = {"uuid": uuid, "event": name, "distinct_id": "u-1", "timestamp": f"2026-03-01T10:00:0{second}.5Z", "properties": known}
    return {"event": told, "person": {"properties": {"email": "joe@example.com"}}}


async def test_posthog(opened: Opening) -> None:
    """Shown, dismissed and sent in a session are one invitation, answered in the end; answers are by question, of a submission in several events too."""
    questions = {"q1": {"kind": "csat", "scale_min": 1, "scale_max": 5}, "q2": {"kind": "text"}}
    desk = await opened(ph=settings("posthog", questions=questions))
    sent = {"$survey_submission_id": "sub1", "$survey_response_q1": "4"}
    await desk.take("ph", capture("survey sent", "c", 3, **sent, **{"$survey_response_q2": "ok"}), capture("survey sent", "b", 2, **sent))
    await desk.take("ph", capture("survey shown", "a", 1), capture("survey dismissed", "d", 1, **{"$session_id": "ph-2"}), capture("$pageview", "e", 1))
    rows = await desk.records()
    assert await desk.errors() == []
    assert {key: row["status"] for key, row in rows["invitations"].items()} == {"sv1:ph-1": "answered", "sv1:ph-2": "dismissed"}
    (row,) = rows["feedback"].values()
    assert (row["id"], row["value"], row["comment"], row["user_id"], row["given_session_id"]) == ("sub1:q1", 4, "ok", "u-1", "s-1")
    assert not [word for word in ("192.0.2.7", "joe@", "person") if word in str(await desk.bodies())]


# --- Sentry ---------------------------------------------------------------------------------------------------------------


async def test_sentry(opened: Opening) -> None:
    """What was written into the widget is a text with the writer's address as a digest; other issues and actions are none."""
    written = {"contact_email": "joe@example.com", "name": "Joe Bloggs", "message": "the button does nothing", "source": "new_feedback_envelope"}
    issue = {"id": "170", "issueCategory": "feedback", "firstSeen": "2026-03-01T10:00:00.123456Z", "metadata": written, "project": {"id": "1", "slug": "shop"}}
    body = {"action": "created", "installation": {"uuid": "x"}, "data": {"issue": issue}, "actor": {"type": "application"}}
    desk = await opened(errors=settings("sentry", journey="checkout"))
    await desk.take("errors", body, {**body, "action": "resolved"}, {**body, "data": {"issue": {**issue, "id": "171", "issueCategory": "error"}}})
    (row,) = (await desk.records())["feedback"].values()
    assert (row["id"], row["kind"], row["comment"], row["survey_id"], row["journey"]) == ("170", "text", "the button does nothing", "shop", "checkout")
    assert row["email_sha256"] == email_digest("joe@example.com")
    assert ("Bloggs" in str(await desk.bodies()), await desk.errors()) == (False, [])
