"""Rows of the sources: what is refused with which sentence, and what the engine gets."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.sources import SOURCES, RowRefused, normalise
from sojourn_collector.sources.scales import satisfied

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
AT = "2026-03-01T11:00:00Z"
GOOD: dict[str, dict[str, Any]] = {
    "orders": {"id": "o-1", "at": AT, "amount": "62.00", "currency": "EUR"},
    "feedback": {"id": "f-1", "at": AT, "kind": "csat", "value": 4, "scale_min": 1, "scale_max": 5},
    "mentions": {"id": "m-1", "at": AT, "text": "Fine shop", "platform": "forum"},
    "accounts": {"id": "a-1", "name": "ACME", "mrr": 99, "currency": "EUR"},
    "people": {"id": "u-1", "name": "Joe"},
    "tickets": {"id": "t-1", "at": AT},
    "subscriptions": {"id": "s-1", "at": AT, "mrr": "9.90", "currency": "EUR"},
    "invitations": {"id": "i-1", "at": AT},
    "usage": {"id": "e-1", "at": AT, "event": "report opened"},
    "deals": {"id": "d-1", "account_id": "acme", "amount": "1200", "currency": "EUR", "closes_on": "2026-06-30"},
    "owners": {"id": "77", "name": "Ann Bell", "email": "ann@shop.example", "team": "South"},
}


def engine_row(kind: str, /, **changes: Any) -> dict[str, Any]:
    """The engine's row of a good row with some changes; a value of ... takes the key out."""
    row = {key: value for key, value in (GOOD[kind] | changes).items() if value is not ...}
    return normalise(kind, row, NOW)[1]


@pytest.mark.parametrize("kind", SOURCES)
def test_a_good_row_of_every_source(kind: str) -> None:
    """Every source of the list takes a plain row and names the table it goes to."""
    table, row = normalise(kind, GOOD[kind], NOW)
    assert (table, row["id"]) == ("feedback" if kind == "mentions" else kind, GOOD[kind]["id"])
    assert row["source"] == ("mentions" if kind == "mentions" else "api")


@pytest.mark.parametrize(
    ("kind", "changes", "sentence"),
    [
        ("orders", {"id": ...}, "id is missing"),
        ("orders", {"id": ""}, 'id: must be 1 to 256 characters on one line, got ""'),
        ("orders", {"id": "a\nb"}, 'id: must be 1 to 256 characters on one line, got "a\\nb"'),
        ("orders", {"id": True}, "id: must be text, got true"),
        ("orders", {"id": "\ud800"}, "id: holds half of a character (a lone surrogate); send valid Unicode"),
        ("orders", {"sesion_id": "s"}, "sesion_id: unknown key; did you mean session_id?"),
        (
            "people",
            {"zzz": 1},
            "zzz: unknown key; known are account_id, attrs, consent, email, email_sha256, id, name, role, source",
        ),
        ("orders", {"at": "2026-03-01T11:00:00"}, 'at: "2026-03-01T11:00:00" has no time zone; add Z or an offset, such as 2026-03-01T12:00:00+01:00'),
        ("orders", {"at": "2026-03-01"}, 'at: must be a time such as 2026-03-01T12:00:00Z (RFC 3339), got "2026-03-01"'),
        ("orders", {"at": 1_772_000_000}, "at: must be a time such as 2026-03-01T12:00:00Z (RFC 3339), got 1772000000"),
        ("orders", {"at": "2026-02-30T11:00:00Z"}, 'at: "2026-02-30T11:00:00Z" is no time that exists'),
        ("orders", {"at": "1999-12-31T23:59:59Z"}, 'at: "1999-12-31T23:59:59Z" is before the year 2000'),
        ("orders", {"at": "2026-03-03T11:00:00Z"}, 'at: "2026-03-03T11:00:00Z" is more than a day in the future; look at the sender\'s clock'),
        ("orders", {"amount": "62,00"}, 'amount: must be a number or a text such as "62.00", got "62,00"'),
        ("orders", {"amount": None}, 'amount: must be a number or a text such as "62.00", got null'),
        ("orders", {"amount": Decimal("1.23456")}, 'amount: "1.23456" has more than 4 decimals'),
        ("orders", {"amount": "100000000000000"}, 'amount: "100000000000000" is out of range; at most 14 digits before the point'),
        ("orders", {"amount": -5}, "amount: -5 is negative; what was given back goes into refunded of its order"),
        ("orders", {"refunded": "62.01"}, "refunded: 62.01 is not between 0 and the amount 62.00"),
        ("orders", {"refunded": -1}, "refunded: -1 is not between 0 and the amount 62.00"),
        ("orders", {"currency": "EURO"}, 'currency: "EURO" is not a currency of ISO 4217, such as EUR'),
        ("orders", {"currency": 978}, "currency: 978 is not a currency of ISO 4217, such as EUR"),
        ("orders", {"status": "paid"}, 'status: "paid" is not one of completed, cancelled or refunded'),
        ("orders", {"probe": "yes"}, 'probe: must be true or false, got "yes"'),
        ("orders", {"trace_id": "abc"}, 'trace_id: must be 32 hexadecimal digits, not all zero, got "abc"'),
        ("mentions", {"text": ...}, "text is missing: a mention without words and without a rating says nothing"),
        ("mentions", {"rating": 4}, "scale_min and scale_max are missing: a rating has no one scale; send them, such as 1 and 5"),
        ("mentions", {"rating": 6, "scale_min": 1, "scale_max": 5}, "rating: 6 is not on the scale from 1 to 5"),
        ("mentions", {"rating": 4, "scale_min": 5, "scale_max": 1}, "scale_min 5 must be below scale_max 1"),
        ("mentions", {"scale_min": 1, "scale_max": 5}, "rating is missing: a scale is given and nothing on it"),
        ("mentions", {"url": "javascript:alert(1)"}, 'url: must be an address such as https://forum.example/t/1, got "javascript:alert(1)"'),
        (
            "mentions",
            {"url": "https://joe:pw@forum.example/"},
            'url: must be an address such as https://forum.example/t/1, got "https://joe:pw@forum.example/"',
        ),
        ("mentions", {"url": "https://x.example/" + "a" * 2000}, "url: has 2018 characters; at most 2000 are kept"),
        ("mentions", {"author": "x" * 257}, "author: has 257 characters; at most 256 are read"),
        ("mentions", {"id": ...}, "id is missing"),
        ("feedback", {"kind": "stars"}, 'kind: "stars" is not one of csat, nps, ces, rating or text'),
        ("feedback", {"value": ...}, "value is missing: csat needs one"),
        ("feedback", {"value": "good"}, 'value: must be a number, got "good"'),
        ("feedback", {"value": True}, "value: must be a number, got true"),
        ("feedback", {"value": 6}, "value: 6 is not on the scale from 1 to 5"),
        ("feedback", {"scale_max": ...}, "scale_min and scale_max are missing: csat has no one scale; send them, such as 1 and 5"),
        ("feedback", {"kind": "ces", "scale_min": ...}, "scale_min and scale_max are missing: ces has no one scale; send them, such as 1 and 5"),
        ("feedback", {"scale_min": 5, "scale_max": 1}, "scale_min 5 must be below scale_max 1"),
        ("feedback", {"kind": "nps"}, "scale_min and scale_max: nps goes from 0 to 10, got 1 and 5"),
        ("feedback", {"kind": "text"}, "value: a text has none; send its kind: csat, nps, ces or rating"),
        ("feedback", {"kind": "text", "value": ..., "comment": " "}, "comment is missing: a text without words says nothing"),
        ("feedback", {"comment": "x" * 10_001}, "comment: has 10001 characters; at most 10000 are kept"),
        ("feedback", {"comment": 5}, "comment: must be text, got 5"),
        ("accounts", {"currency": ...}, "currency is missing: mrr needs one, such as EUR"),
        ("accounts", {"mrr": -1}, "mrr: -1 is negative"),
        ("accounts", {"renewal_date": "2027-02-29"}, 'renewal_date: "2027-02-29" is no date that exists'),
        ("accounts", {"renewal_date": "9999-01-01"}, 'renewal_date: must be a date such as 2026-03-01, got "9999-01-01"'),
        ("accounts", {"attrs": []}, "attrs: must be an object, got []"),
        ("accounts", {"attrs": {"a": {}}}, 'attrs: "a" must be text, a number or true/false, got {}'),
        ("accounts", {"attrs": {str(n): n for n in range(51)}}, "attrs: has 51 entries; at most 50 are kept"),
        ("accounts", {"name": "x" * 201}, "name: has 201 characters; at most 200 are kept"),
        ("people", {"email": "joe"}, "email: is not an e-mail address"),
        ("people", {"email_sha256": "abc"}, 'email_sha256: must be 64 hexadecimal digits, got "abc"'),
        ("tickets", {"status": "done"}, 'status: "done" is not one of new, open, pending, on_hold, solved or closed'),
        ("tickets", {"first_reply_at": "2026-03-01T10:59:59Z"}, "first_reply_at is before the case was opened"),
        ("tickets", {"solved_at": "2026-03-01T10:59:59Z"}, "solved_at is before the case was opened"),
        ("tickets", {"reopens": -1}, "reopens: must be a whole number from 0 to 65535, got -1"),
        ("tickets", {"reopens": "2"}, 'reopens: must be a whole number from 0 to 65535, got "2"'),
        ("tickets", {"email": "joe"}, "email: is not an e-mail address"),
        ("subscriptions", {"mrr": -1}, "mrr: -1 is negative"),
        ("usage", {"event": ...}, "event is missing"),
        ("usage", {"event": "a\nb"}, 'event: must be 1 to 256 characters on one line, got "a\\nb"'),
        ("usage", {"attrs": {str(n): n for n in range(51)}}, "attrs: has 51 entries; at most 50 are kept"),
        ("usage", {"attrs": {"a": {"b": 1}}}, 'attrs: "a" must be text, a number or true/false, got {"b": 1}'),
        ("deals", {"amount": -1}, "amount: -1 is negative"),
        ("deals", {"currency": ...}, "currency is missing: amount needs one, such as EUR"),
        ("deals", {"probability": 60}, "probability: 60 is not between 0 and 1; 60 % is 0.6"),
        ("owners", {"name": ..., "team": ...}, "name is missing: an owner without a name or a team tells nothing"),
        ("owners", {"email": "ann"}, "email: is not an e-mail address"),
        ("owners", {"id": ...}, "id is missing"),
        ("owners", {"phone": "1"}, "phone: unknown key; known are email, email_sha256, id, name, source, team"),
        ("deals", {"status": "maybe"}, 'status: "maybe" is not one of open, won or lost'),
        ("deals", {"closes_on": "soon"}, 'closes_on: must be a date such as 2026-03-01, got "soon"'),
        ("subscriptions", {"currency": ...}, "currency is missing: mrr needs one, such as EUR"),
        ("subscriptions", {"renews_at": "2200-01-01T00:00:00Z"}, 'renews_at: "2200-01-01T00:00:00Z" is too far in the future'),
        ("subscriptions", {"status": "on"}, 'status: "on" is not one of trialing, active, past_due, paused or ended'),
        ("invitations", {"status": "read"}, 'status: "read" is not one of sent, shown, dismissed, answered or bounced'),
        ("people", {"consent": "yes"}, 'consent: "yes" is not one of granted, denied or unknown'),
    ],
)
def test_what_is_refused(kind: str, changes: dict[str, Any], sentence: str) -> None:
    """A bad row is refused with exactly this sentence."""
    with pytest.raises(RowRefused) as refused:
        engine_row(kind, **changes)
    assert str(refused.value) == sentence


def test_all_that_is_wrong_is_said_at_once() -> None:
    """A row with several faults names them all."""
    with pytest.raises(RowRefused) as refused:
        engine_row("orders", id=..., amount="x", more=1)
    assert str(refused.value).count(";") >= 2


def test_money_never_goes_through_a_float() -> None:
    """An amount keeps its digits, as number and as text."""
    assert engine_row("orders", amount=Decimal("0.1"))["amount"] == Decimal("0.1")
    assert str(engine_row("orders", amount="1234567890.1234")["amount"]) == "1234567890.1234"


def test_refunds() -> None:
    """`refunded` without an amount given back means all of it; a cancelled order gives nothing back by itself."""
    assert engine_row("orders", status="refunded")["refunded"] == Decimal("62.00")
    assert engine_row("orders", status="refunded", refunded="10")["refunded"] == Decimal("10")
    assert engine_row("orders", status="cancelled")["refunded"] == 0


def test_times_are_kept_in_utc() -> None:
    """Offsets, small letters and fractions beyond what is kept are read."""
    assert engine_row("orders", at="2026-03-01t12:30:00.123456789+01:30")["ts"] == datetime(2026, 3, 1, 11, 0, 0, 123456, tzinfo=UTC)


def test_other_names_of_keys() -> None:
    """`session.id` and `user.id` are taken as OpenTelemetry writes them; ids may be whole numbers; currencies may be small."""
    row = engine_row("orders", **{"id": 17, "session.id": "s", "user.id": "u", "currency": "eur", "trace_id": "AB" * 16, "source": "stripe"})
    assert (row["id"], row["given_session_id"], row["user_id"], row["currency"]) == ("17", "s", "u", "EUR")
    assert (row["trace_id"], row["source"]) == ("ab" * 16, "stripe")


def test_nps_needs_no_scale() -> None:
    """NPS goes from 0 to 10 by its kind, and has no top boxes."""
    row = engine_row("feedback", kind="nps", value=9, scale_min=..., scale_max=...)
    assert (row["scale_min"], row["scale_max"], row["satisfied"]) == (0, 10, None)


def test_the_sources_own_verdict_wins() -> None:
    """`satisfied` as sent goes before the top boxes."""
    assert engine_row("feedback", value=1, satisfied=True)["satisfied"] is True


@pytest.mark.parametrize(
    ("low", "high", "first_satisfied"),
    [(0, 1, 1), (1, 3, 3), (0, 2, 2), (1, 4, 3), (1, 5, 4), (1, 7, 6), (1, 10, 9)],
)
def test_top_boxes(low: int, high: int, first_satisfied: int) -> None:
    """The top boxes by scale length: 2 and 3 have one, 4, 5, 7 and 10 have two."""
    verdicts = {value: satisfied("csat", value, low, high) for value in range(low, high + 1)}
    assert verdicts == {value: value >= first_satisfied for value in range(low, high + 1)}


def test_where_low_is_good() -> None:
    """On a scale turned round the bottom boxes are the satisfied ones."""
    assert [satisfied("csat", value, 1, 5, higher_is_better=False) for value in range(1, 6)] == [True, True, False, False, False]


@pytest.mark.parametrize(("kind", "low", "high"), [("nps", 0, 10), ("ces", 1, 7), ("csat", 0, 100), ("csat", 1, 6), ("csat", 0, 4.5)])
def test_unknown_is_not_dissatisfied(kind: str, low: float, high: float) -> None:
    """Other kinds and other scales have no verdict."""
    assert satisfied(kind, high, low, high) is None


@settings(deadline=None)
@given(st.datetimes(datetime(2000, 1, 2), datetime(2026, 3, 1)), st.integers(-14 * 60, 14 * 60))
def test_any_rfc3339_time_reads_back(moment: datetime, offset: int) -> None:
    """A time written in any zone is the same moment in UTC."""
    zoned = moment.replace(tzinfo=UTC) + timedelta(0)
    sign, minutes = ("-" if offset < 0 else "+"), abs(offset)
    local = (zoned + timedelta(minutes=offset)).replace(tzinfo=None).isoformat(timespec="microseconds")
    assert engine_row("orders", at=f"{local}{sign}{minutes // 60:02}:{minutes % 60:02}")["ts"] == zoned


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.decimals(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@pytest.mark.parametrize("kind", SOURCES)
@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_no_value_is_anything_but_taken_or_refused(kind: str, data: st.DataObject) -> None:
    """Whatever JSON stands under a known key, the row is taken or refused with a sentence."""
    key = data.draw(st.sampled_from(sorted(SOURCES[kind].known_keys())))
    value = data.draw(json_values)
    try:
        normalise(kind, GOOD[kind] | {key: value}, NOW)
    except RowRefused as refused:
        said = str(refused)
    else:
        said = "taken"
    assert said


def test_whose_id_an_order_has() -> None:
    """Without a feed's name it is the shop's, which other feeds know too; with one it is that feed's own unless the row says how others know the purchase."""
    named = [
        engine_row("orders", **more)["purchase"] for more in ({}, {"source": "shop-de"}, {"source": "shop-de", "purchase_id": "p-1"}, {"purchase_id": "p-1"})
    ]
    assert named == [engine_row("orders")["id"], "", "p-1", "p-1"]
