"""What of a vendor's JSON is a person's goes; what names things stays, for records are joined by it."""

import contextlib
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.sources.base import RowRefused
from sojourn_collector.sources.configured import webhook_of
from sojourn_collector.sources.email import email_digest
from sojourn_collector.sources.reading import moment
from sojourn_collector.sources.scrub_json import digest_in, scrub_json
from sojourn_collector.sources.webhook import Event
from sojourn_collector.sources_config import VENDORS, Question, SourceSettings

JOE = "sha256:" + email_digest("joe@example.com")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ({"email": "Joe@Example.com "}, {"email": JOE}),
        ({"emails": [{"value": "joe@example.com"}]}, {"emails": [{"value": JOE}]}),
        ({"comment": "ask joe@example.com"}, {"comment": "ask [email]"}),
        ({"comment": "+49 30 1234567"}, {"comment": "[phone]"}),
        ({"value": "+49301234567"}, {"value": "[phone]"}),
        ({"value": "4111111111111111"}, {"value": "[card]"}),
        ({"value": "DE89370400440532013000"}, {"value": "[iban]"}),
        ({"comment": "DE89 3704 0044 0532 0130 00"}, {"comment": "[iban]"}),
        ({"customer": {"first_name": "Joe", "id": 7, "default_address": {"zip": "1"}}}, {"customer": {"id": 7}}),
        ({"joe@example.com": 1}, {"[email]": 1}),
        ({"comment": "tel:01712345678"}, {"comment": "tel:[phone]"}),
        ({"comment": "+4917012345678,danke"}, {"comment": "[phone],danke"}),
        ({"comment": "IBAN:DE89370400440532013000"}, {"comment": "IBAN:[iban]"}),
        ({"comment": "我的电话是13812345678"}, {"comment": "我的电话是[phone]"}),
        ({"Handynummer": "1712345678", "customerPhone": "555 123 4567"}, {"Handynummer": "[phone]", "customerPhone": "[phone]"}),
        ({"email": "jürgen@müller.de"}, {"email": "sha256:" + email_digest("jürgen@müller.de")}),
        ({"value": "5551234567", "number": "ORD-0012345678", "link": "https://shop.example/orders/0123456789"}, ...),
        ({"call_id": "5551234567", "phone_model": "5551234567"}, ...),
        ({"id": "4111111111111111", "parent_id": "0301234567", "cart_token": "0301234567"}, ...),
        ({"detail": {"updated_at": "2026-03-01T10:12:07Z", "at": "2026-03-01 10:12:07 +0000"}}, ...),
        ({"value": "01890a5d-ac96-774b-bcce-0123-4567-8901"}, ...),
        ({"amount": 12.5, "paid": True, "none": None, "n": 4111111111111111}, ...),
    ],
)
def test_what_goes_and_what_stays(given: dict[str, Any], kept: Any) -> None:
    """Each value as it is kept; `...` is as it was."""
    assert scrub_json(given) == (given if kept is ... else kept)


def test_keys_of_a_vendor() -> None:
    """What a vendor says holds a person's data goes at any depth."""
    assert scrub_json({"a": [{"name": "Joe", "id": 1}]}, frozenset({"name"})) == {"a": [{"id": 1}]}


@given(st.uuids(), st.sampled_from(["value", "sid", "whatever", "hidden"]))
def test_ids_of_sessions_stay(ident: UUID, key: str) -> None:
    """Whatever digits a UUID is made of, and whatever it stands under, it is no telephone number."""
    assert scrub_json({key: str(ident)}) == {key: str(ident)}


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))
def test_any_json_can_be_kept(value: Any) -> None:
    """Whatever was sent, what is kept can be written to a database, and scrubbing it again changes nothing."""
    once = scrub_json(value)
    str(once).encode()
    assert "\x00" not in str(once)
    assert scrub_json(once) == once


def test_digests() -> None:
    """The digest of an address is found again, and nothing else is one."""
    assert digest_in(JOE) == digest_in(" JOE@example.com") == email_digest("joe@example.com")
    assert [digest_in(value) for value in ("sha256:zz", "", None, 5, "sha256:" + "g" * 64, "[email]")] == [""] * 6


@pytest.mark.parametrize(
    ("said", "read"),
    [
        (1_772_359_200, "2026-03-01T10:00:00.000+00:00"),
        (1_772_359_200_250, "2026-03-01T10:00:00.250+00:00"),
        ("1772359200.25", "2026-03-01T10:00:00.250+00:00"),
        ("2026-03-01 10:00:00 UTC", "2026-03-01T10:00:00Z"),
        ("2026-03-01T10:00:00+0000", "2026-03-01T10:00:00+00:00"),
        ("2026-03-01T10:00:00.123456789Z", "2026-03-01T10:00:00.123456Z"),
        (None, ""),
        (True, ""),
        ([], ""),
        (10**40, ""),
    ],
)
def test_times_of_vendors(said: Any, read: str) -> None:
    """Seconds, milliseconds and the spellings of vendors become one form; anything else is no time."""
    assert moment(said) == read


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20))
@pytest.mark.parametrize("kind", VENDORS)
def test_any_shape_is_read_or_refused(kind: str, value: Any) -> None:
    """Whatever stands where an adapter looks, it reads nothing or refuses with a sentence; no error of ours comes of it."""
    webhook, known = webhook_of(kind), SourceSettings.model_construct(kind=kind, questions={"q": Question(kind="nps")}, token=None)
    for body in ({}, dict.fromkeys(SHAPES, value), {**SHAPES, "data": value, "detail": value, "event": value, "event_data": value, "form_response": value}):
        for fetched in ({}, {"response": value, "survey": value, "object": value, "form": value}):
            event = Event(body, dict.fromkeys(webhook.headers, "orders/create"), fetched)
            webhook.key(event)
            webhook.calls(event, known)
            with contextlib.suppress(RowRefused):
                webhook.changes(event, known)


SHAPES: dict[str, Any] = {
    "id": "1",
    "event": "message_updated",
    "content_type": "input_csat",
    "conversation": {"id": 1},
    "created_at": 1_772_359_200,
    "created": 1_772_359_200,
    "time": "2026-03-01T10:00:00Z",
    "type": "customer.subscription.updated",
    "livemode": True,
    "topic": "conversation.rating.added",
    "event_type": "survey_response.created",
    "subscriptionType": "ticket.creation",
    "objectId": 1,
    "occurredAt": 1_772_359_200_000,
    "data": {"object": {}, "item": {}},
    "detail": {"id": "1"},
    "event_data": {"survey_type": "nps"},
    "form_response": {"token": "t", "submitted_at": "2026-03-01T10:00:00Z", "answers": [{}]},
}
