"""Typeform's answers become feedback, with the scale of the form or of collector.yaml, never a guessed one."""

from typing import Any

from sojourn_collector.sources.email import email_digest
from sojourn_collector.sources.replaying import Replayed
from tests.collector.sources.conftest import Opening
from tests.collector.sources.vendor_api import VendorApi
from tests.collector.sources.webhook_rig import settings, webhooks

RESPONSE: dict[str, Any] = {
    "event_id": "LtWXD3crgy",
    "event_type": "form_response",
    "form_response": {
        "form_id": "lT4Z3j",
        "token": "a3a12ec67a1365927098a606107fac15",
        "submitted_at": "2026-03-01T10:17:09Z",
        "landed_at": "2026-03-01T10:15:09Z",
        "calculated": {"score": 9},
        "hidden": {"user_id": "abc123456", "sid": "s-9", "tid": "ab" * 16, "order_id": "o-1"},
        "definition": {
            "id": "lT4Z3j",
            "title": "Webhooks example",
            "fields": [
                {"id": "DlXFaesGBpoF", "title": "Thanks, tell us more", "type": "long_text", "ref": "readable_ref_long_text", "properties": {}},
                {"id": "SMEUb7VJz92Q", "title": "How satisfied are you?", "type": "opinion_scale", "ref": "readable_ref_opinion", "properties": {}},
                {"id": "WOTdC00F8A3h", "title": "How would you rate the website?", "type": "rating", "ref": "readable_ref_rating", "properties": {}},
            ],
        },
        "answers": [
            {"type": "text", "text": "It's cold right now", "field": {"id": "DlXFaesGBpoF", "type": "long_text", "ref": "readable_ref_long_text"}},
            {"type": "email", "email": "laura@example.com", "field": {"id": "SMEUb7VJz92Z", "type": "email", "ref": "e"}},
            {"type": "number", "number": 4, "field": {"id": "SMEUb7VJz92Q", "type": "opinion_scale", "ref": "readable_ref_opinion"}},
            {"type": "boolean", "boolean": True, "field": {"id": "gFFf3xAkJKsr", "type": "legal", "ref": "l"}},
            {"type": "text", "text": "Laura", "field": {"id": "JwWggjAKtOkA", "type": "short_text", "ref": "s"}},
        ],
    },
}
CSAT = {"readable_ref_opinion": {"kind": "csat", "scale_min": 1, "scale_max": 5, "journey": "checkout"}}


async def test_an_answer_with_its_scale_from_the_file(opened: Opening) -> None:
    """The mapped question gives one row with scale, comment, survey and the keys of the page; names and unmapped questions are not taken."""
    desk = await opened(survey=settings("typeform", questions=CSAT))
    await desk.take("survey", RESPONSE)
    rows = await desk.records()
    assert (await desk.errors(), list(rows)) == ([], ["feedback"])
    (row,) = rows["feedback"].values()
    assert (row["id"], row["source"]) == ("a3a12ec67a1365927098a606107fac15:SMEUb7VJz92Q", "survey")
    assert (row["kind"], row["value"], row["scale_min"], row["scale_max"], row["satisfied"]) == ("csat", 4, 1, 5, True)
    assert (row["comment"], row["survey_id"], row["journey"]) == ("It's cold right now", "lT4Z3j", "checkout")
    assert (row["user_id"], row["given_session_id"], row["trace_id"], row["order_id"]) == ("abc123456", "s-9", "ab" * 16, "o-1")
    assert row["email_sha256"] == email_digest("laura@example.com")


async def test_a_scale_nobody_knows_is_not_guessed(opened: Opening) -> None:
    """Without mapping and token the answer waits with a sentence; after the mapping is written a replay brings it."""
    desk = await opened(survey=settings("typeform"))
    await desk.take("survey", RESPONSE)
    assert await desk.records() == {}
    assert await desk.errors() == [
        "feedback a3a12ec67a1365927098a606107fac15:SMEUb7VJz92Q: scale_min and scale_max are missing: rating has no one scale; send them, such as 1 and 5"
    ]
    object.__setattr__(desk.context.webhooks["survey"], "settings", settings("typeform", questions=CSAT))
    assert await desk.replay("survey") == Replayed(1, 0)
    assert [row["value"] for row in (await desk.records())["feedback"].values()] == [4]
    assert await desk.errors() == []


async def test_a_form_that_was_left(opened: Opening) -> None:
    """What was answered till then is partial; when the same person goes on, the whole replaces it."""
    desk = await opened(survey=settings("typeform", questions=CSAT))
    response = {key: value for key, value in RESPONSE["form_response"].items() if key != "submitted_at"}
    await desk.take("survey", {"event_id": "left", "event_type": "form_response_partial", "form_response": response})
    (row,) = (await desk.records())["feedback"].values()
    assert (await desk.errors(), row["value"], row["partial"], row["ts"].isoformat()) == ([], 4, True, "2026-03-01T10:15:09+00:00")
    await desk.take("survey", RESPONSE)
    (row,) = (await desk.records())["feedback"].values()
    assert (row["value"], row["partial"]) == (4, False)


async def test_a_token_that_came_later(opened: Opening, vendor_api: VendorApi) -> None:
    """A replay asks for the scale of answers that came while there was no token; one with its scale is not asked for again."""
    desk = await opened(survey=settings("typeform"))
    await desk.take("survey", RESPONSE)
    assert await desk.records() == {}
    desk.context.webhooks = webhooks(survey=settings("typeform", token={"env": "TOKEN"}, url=vendor_api.url))
    vendor_api.answers["/forms/lT4Z3j"] = [{"fields": [{"id": "SMEUb7VJz92Q", "properties": {"steps": 11, "start_at_one": False}}]}]
    assert await desk.replay("survey") == Replayed(1, 1)
    assert (await desk.records(), await desk.ask()) == ({}, 1)
    assert [(row["scale_min"], row["scale_max"]) for row in (await desk.records())["feedback"].values()] == [(0, 10)]
    assert await desk.errors() == []
    assert (await desk.replay("survey"), await desk.ask(), len(vendor_api.asked)) == (Replayed(1, 0), 0, 1)


async def test_the_scale_of_the_form(opened: Opening, vendor_api: VendorApi) -> None:
    """With a token the form is asked for once: eleven steps from 0, five from 1; the token goes with it, and of the form only scales are kept."""
    desk = await opened(survey=settings("typeform", token={"env": "TOKEN"}, url=vendor_api.url))
    fields = [
        {"id": "SMEUb7VJz92Q", "type": "opinion_scale", "title": "?", "properties": {"steps": 11, "start_at_one": False}},
        {"type": "group", "properties": {"fields": [{"id": "WOTdC00F8A3h", "type": "rating", "properties": {"steps": 5}}]}},
    ]
    vendor_api.answers["/forms/lT4Z3j"] = [{"id": "lT4Z3j", "fields": fields}]
    stars = {"type": "number", "number": 5, "field": {"id": "WOTdC00F8A3h", "type": "rating", "ref": "r"}}
    both = {**RESPONSE, "form_response": {**RESPONSE["form_response"], "answers": [*RESPONSE["form_response"]["answers"], stars]}}
    another = {**both, "form_response": {**both["form_response"], "token": "second"}}
    await desk.take("survey", both, another)
    assert await desk.ask() == 2
    rows = (await desk.records())["feedback"]
    assert {key.partition(":")[2]: (row["value"], row["scale_min"], row["scale_max"], row["kind"]) for key, row in rows.items()} == {
        "SMEUb7VJz92Q": (4, 0, 10, "rating"),
        "WOTdC00F8A3h": (5, 1, 5, "rating"),
        "DlXFaesGBpoF": (None, None, None, "text"),
    }
    assert [one.headers["authorization"] for one in vendor_api.asked] == ["Bearer token-of-ours"]
    assert (await desk.bodies())[0]["fetched"] == {
        "form": {
            "fields": [
                {"id": "SMEUb7VJz92Q", "properties": {"steps": 11, "start_at_one": False}},
                {"id": "", "properties": {"steps": None, "start_at_one": None}},
                {"id": "WOTdC00F8A3h", "properties": {"steps": 5, "start_at_one": None}},
            ]
        }
    }


async def test_nps_needs_no_mapping(opened: Opening) -> None:
    """A question of the kind nps goes from 0 to 10 by itself."""
    desk = await opened(survey=settings("typeform"))
    answers = [{"type": "number", "number": 9, "field": {"id": "n", "type": "nps", "ref": "n"}}]
    await desk.take("survey", {**RESPONSE, "form_response": {**RESPONSE["form_response"], "answers": answers}})
    (row,) = (await desk.records())["feedback"].values()
    assert (row["kind"], row["value"], row["scale_max"]) == ("nps", 9, 10)


async def test_a_value_beyond_its_scale(opened: Opening) -> None:
    """A mapping that does not fit the form is said with the row, the other rows come."""
    desk = await opened(survey=settings("typeform", questions={"readable_ref_opinion": {"kind": "ces", "scale_min": 1, "scale_max": 3}}))
    nps = {"type": "number", "number": 3, "field": {"id": "n", "type": "nps", "ref": "n"}}
    answers = [*RESPONSE["form_response"]["answers"], nps]
    await desk.take("survey", {**RESPONSE, "form_response": {**RESPONSE["form_response"], "answers": answers}})
    rows = (await desk.records())["feedback"]
    assert {row["kind"] for row in rows.values()} == {"nps", "text"}
    assert await desk.errors() == ["feedback a3a12ec67a1365927098a606107fac15:SMEUb7VJz92Q: value: 4 is not on the scale from 1 to 3"]
