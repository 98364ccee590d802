"""Files with columns become rows of sources."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sojourn_collector.sources import SOURCES, RowRefused
from sojourn_collector.sources.body import BodyRefused, Unreadable
from sojourn_collector.sources.table import Reading, table_rows

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HUB = """submission_id,collected_at,source_type,source_id,source_name,field_id,field_label,field_type,value_text,value_number,language,user_id
s1,2026-02-01T10:00:00Z,formbricks,f9,Checkout,q1,How was it?,csat,,4,en,u1
s1,2026-02-01T10:00:00Z,formbricks,f9,Checkout,q2,Why?,text,Slow,,en,u1
s1,2026-02-01T10:00:00Z,formbricks,f9,Checkout,q3,Colour,categorical,red,,en,u1
"""


def read(source: str, text: str, *, columns: tuple[str, ...] = (), every: tuple[str, ...] = (), **writing: str) -> list[Any]:
    """The rows, a sentence in place of those that are refused."""
    rows, _, _ = table_rows(SOURCES[source], text.encode(), Reading.of(columns, every, **writing))
    return [row.reason if isinstance(row, Unreadable) else row for row in rows]


def test_columns_by_their_names():
    """Names of keys however they are written; empty cells are no cells; yes and no are truth values."""
    text = "ID,At,Amount,currency,User-Id,probe\no1,2026-02-01T10:00:00Z,62.00,EUR,,no\n"
    assert read("orders", text) == [{"id": "o1", "at": "2026-02-01T10:00:00Z", "amount": "62.00", "currency": "EUR", "probe": False}]


def test_columns_as_their_owner_says():
    """A column may be given its key, be left out, be an attribute; every row may have a constant."""
    text = "Nr;Umsatz;Notiz;Land\n7;1.234,50;x;DE\n"
    rows = read("accounts", text, columns=("Nr=id", "Umsatz=mrr", "Notiz=", "Land=attrs.country"), every=("currency=EUR",), decimal=",")
    assert rows == [{"currency": "EUR", "id": "7", "mrr": "1234.50", "attrs": {"country": "DE"}}]
    assert SOURCES["accounts"].read(rows[0], NOW).mrr == Decimal("1234.50")


def test_times_without_a_zone_are_those_of_the_files_zone():
    """Summer and winter by the zone; where none was named they are read as UTC, and that is said."""
    text = "id,at,amount,currency\n1,2026-01-05 10:00,1,EUR\n2,2025-07-05,1,EUR\n3,2025-07-05T10:00:00Z,1,EUR\n"
    assert [row["at"] for row in read("orders", text, timezone="Europe/Berlin")][:2] == ["2026-01-05T10:00:00+01:00", "2025-07-05T00:00:00+02:00"]
    assert noted(text, timezone="Europe/Berlin") == []
    assert [row["at"] for row in read("orders", text)] == ["2026-01-05T10:00:00+00:00", "2025-07-05T00:00:00+00:00", "2025-07-05T10:00:00Z"]
    assert noted(text) == ["2 times have no zone and are read as UTC; name the zone of the file if it is another."]


def noted(text: str, **writing: str) -> list[str]:
    """What is said of a file of orders."""
    return table_rows(SOURCES["orders"], text.encode(), Reading.of((), (), **writing))[2]


@pytest.mark.parametrize(
    ("cell", "read_as"),
    [
        ("27.11.2025 10:00", "2025-11-27T10:00:00+01:00"),
        ("11/27/2025 10:00", "2025-11-27T10:00:00+01:00"),
        ("11/27/2025 2:05 PM", "2025-11-27T14:05:00+01:00"),
        ("11/27/25 12:05:09 a.m.", "2025-11-27T00:05:09+01:00"),
        ("27-11-2025, 9:05:07.25", "2025-11-27T09:05:07.250000+01:00"),
        ("27.7.2025", "2025-07-27T00:00:00+02:00"),
        ("5.5.2025", "2025-05-05T00:00:00+02:00"),
        ("2025/11/27 10:00", "2025-11-27T10:00:00+01:00"),
        ("2025-1-5 9:00", "2025-01-05T09:00:00+01:00"),
        ("27.11.2025 10:00 UTC", "2025-11-27T10:00:00+00:00"),
        ("2025-11-27 10:00:00 UTC", "2025-11-27T10:00:00+00:00"),
        ("2025-11-27 10:00:00+0100", "2025-11-27T10:00:00+01:00"),
        ("2025-11-27T10:00Z", "2025-11-27T10:00:00+00:00"),
        ("2025-11-27T10:00:00.000Z", "2025-11-27T10:00:00.000Z"),
        ("1764236400", "2025-11-27T09:40:00.000+00:00"),
        ("1764236400000", "2025-11-27T09:40:00.000+00:00"),
        ("5.11.2025", 'at: "5.11.2025" may be 5 November or 11 May; say how dates are written in this file, day-first or month-first'),
        ("27.13.2025", 'at: "27.13.2025" is no time that exists'),
        ("2025-02-30", 'at: "2025-02-30" is no time that exists'),
        ("27.11.2025 24:00", 'at: "27.11.2025 24:00" is no time that exists'),
        ("27.11.2025 10:61", 'at: "27.11.2025 10:61" is no time that exists'),
        ("27.11.2025 13:00 PM", 'at: "27.11.2025 13:00 PM" is no time that exists'),
    ],
)
def test_times_as_spreadsheets_write_them(cell, read_as):
    """Every common form is read, and the source takes what comes of it; what may be two days is asked for."""
    (row,) = read("orders", f'id,at,amount,currency\n1,"{cell}",1,EUR\n', timezone="Europe/Berlin")
    assert (row if isinstance(row, str) else row["at"]) == read_as
    if isinstance(row, dict):
        assert SOURCES["orders"].read(row, NOW)


@pytest.mark.parametrize(
    ("how", "cell", "read_as"),
    [
        ({"dates": "day-first"}, "5/11/2025", "2025-11-05T00:00:00+00:00"),
        ({"dates": "month-first"}, "5/11/2025", "2025-05-11T00:00:00+00:00"),
        ({"every": ("dates=month-first",)}, "5.11.2025", "2025-05-11T00:00:00+00:00"),
        ({"dates": "month-first"}, "27.11.2025", 'at: "27.11.2025" is no time that exists where the month is first'),
        ({"dates": "day-first"}, "2025-11-05", "2025-11-05T00:00:00+00:00"),
    ],
)
def test_the_order_of_day_and_month_is_as_said(how, cell, read_as):
    """What was said holds for every date with two numbers before the year, and for no other."""
    (row,) = read("orders", f"id,at\n1,{cell}\n", **how)
    assert (row if isinstance(row, str) else row["at"]) == read_as


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (
            "5.11.2025 27.11.2025 28.11.2025",
            ["at: 1 date may be read in two ways. All dates of this column fit day-first, 2 of them nothing else: day-first is the likely answer."],
        ),
        (
            "5/11/2025 6/11/2025 11/27/2025",
            ["at: 2 dates may be read in two ways. All dates of this column fit month-first, 1 of them nothing else: month-first is the likely answer."],
        ),
        ("5/11/2025", ["at: 1 date may be read in two ways. No date of this column shows which; whoever made the file knows."]),
        (
            "5/11/2025 27/11/2025 11/27/2025",
            ["at: 1 date may be read in two ways. Some others only fit day-first and some only month-first, so this column is written in both; mend the file."],
        ),
        ("27.11.2025 5.5.2025 2025-11-05", []),
    ],
)
def test_what_the_other_dates_of_a_column_tell_is_a_suggestion(cells, said):
    """It is said and not done, and no more is said once the order is given."""
    text = "id,at\n" + "".join(f"1,{cell}\n" for cell in cells.split())
    assert noted(text, timezone="UTC") == said
    assert noted(text, timezone="UTC", dates="day-first") == []


def test_days_are_read_like_times():
    """The day a deal is decided on is written by the same spreadsheet."""
    (row,) = read("deals", "id,closes_on\nd1,27.11.2026\n")
    assert row["closes_on"] == "2026-11-27"


@pytest.mark.parametrize(
    ("cell", "decimal", "read_as"),
    [
        ("62.00", ".", "62.00"),
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("62,5", ",", "62.5"),
        ("62,00", ".", 'amount: "62,00" has a comma; say that the file has decimal commas, or write a point'),
        ("1,234", ".", 'amount: "1,234" has a comma; say that the file has decimal commas, or write a point'),
        ("1,234.50", ",", 'amount: "1,234.50" is not a number with a decimal comma, such as 1.234,50'),
        ("62.00", ",", 'amount: "62.00" is not a number with a decimal comma, such as 1.234,50'),
    ],
)
def test_numbers_are_never_guessed(cell, decimal, read_as):
    """A comma that may be decimal or may part thousands is refused: a factor of a thousand is no small error."""
    (row,) = read("orders", f'id,amount\n1,"{cell}"\n', decimal=decimal)
    assert (row if isinstance(row, str) else row["amount"]) == read_as


def test_records_of_formbricks_hub_keep_their_fields_apart():
    """A submission has a record per field: both make the id. The scale, which the record has not, is given."""
    answers = read("feedback", HUB, every=("scale_min=1", "scale_max=5"))
    assert [row["id"] for row in answers] == ["s1/q1", "s1/q2"]
    first = SOURCES["feedback"].read(answers[0], NOW)
    assert (first.kind, first.value, first.scale(), first.survey_id, first.user_id) == ("csat", 4.0, (1.0, 5.0), "f9", "u1")
    assert SOURCES["feedback"].read(answers[1], NOW).comment == "Slow"


MIXED = """submission_id,collected_at,source_type,field_id,field_type,value_text,value_number,value_boolean
s1,2026-02-01T10:00:00Z,formbricks,q1,nps,,9,
s1,2026-02-01T10:00:00Z,formbricks,q2,csat,,4,
s1,2026-02-01T10:00:00Z,formbricks,q3,ces,,6,
s1,2026-02-01T10:00:00Z,formbricks,q4,categorical,red,,
s1,2026-02-01T10:00:00Z,formbricks,q5,boolean,,,true
s2,2026-02-01T10:00:00Z,formbricks,q4,categorical,blue,,
s1,2026-02-01T10:00:00Z,formbricks,q6,text,Slow,,
"""


def test_a_mixed_file_of_formbricks_hub():
    """A scale for every row is none of NPS's or of texts'; each kind may have its own; kinds nothing is made of are left out, counted and said."""
    every = ("scale_min=1", "scale_max=5", "ces.scale_max=7")
    rows, lines, notes = table_rows(SOURCES["feedback"], MIXED.encode(), Reading.of((), every))
    given = [SOURCES["feedback"].read(row, NOW) for row in rows]
    assert [(one.kind, one.scale_min, one.scale_max) for one in given] == [("nps", None, None), ("csat", 1, 5), ("ces", 1, 7), ("text", None, None)]
    assert lines == [2, 3, 4, 8]
    assert notes == ["3 rows are left out: answers of the kind boolean (1), categorical (2) say nothing of satisfaction."]


def test_scales_that_contradict_a_kind_are_refused():
    """A file that is said to be NPS on another scale, or has one in its row, is not read as if it were of 0 to 10."""
    said = "scale_min and scale_max: nps goes from 0 to 10, got 1 and 5"
    plain = "id,at,value\n1,2026-02-01T10:00:00Z,4\n"
    column = "id,at,value,kind,scale_min,scale_max\n1,2026-02-01T10:00:00Z,4,nps,1,5\n"
    of_kind = "id,at,value,kind\n1,2026-02-01T10:00:00Z,4,nps\n"
    for text, every in ((plain, ("kind=nps", "scale_min=1", "scale_max=5")), (column, ()), (of_kind, ("nps.scale_min=1", "nps.scale_max=5"))):
        (row,) = read("feedback", text, every=every)
        with pytest.raises(RowRefused) as caught:
            SOURCES["feedback"].read(row, NOW)
        assert str(caught.value) == said


def test_cells_that_spreadsheets_would_run_are_text():
    """A formula is a comment like any other."""
    text = 'id,at,kind,comment\n1,2026-02-01T10:00:00Z,text,"=HYPERLINK(""http://evil"",""x"")"\n'
    (row,) = read("feedback", text)
    assert SOURCES["feedback"].read(row, NOW).comment == '=HYPERLINK("http://evil","x")'


@pytest.mark.parametrize(
    ("text", "how", "said"),
    [
        (
            "id,amonut\n",
            {},
            'The column "amonut" is no key of orders (did you mean amount?); give the key it is, or none to leave it out. Known are id, source, purchase_id, '
            "at, amount, currency, status, refunded, channel, session_id, trace_id, user_id, email, email_sha256, account_id, probe, probe_mark.",
        ),
        ("id\n", {"columns": ("nr=id",)}, 'There is no column "nr" in the first line; it has "id".'),
        (
            "id\n",
            {"columns": ("id=size",)},
            '"size" is no key of orders; known are id, source, purchase_id, at, amount, currency, status, refunded, channel, session_id, trace_id, user_id, '
            "email, email_sha256, account_id, probe, probe_mark.",
        ),
        ("id\n", {"columns": ("id",)}, "map: 'id' is not column=key."),
        ("id\n", {"every": ("=EUR",)}, "set: '=EUR' is not key=value."),
        ("id\n", {"timezone": "Mars/Base"}, 'timezone: "Mars/Base" is no time zone, such as Europe/Berlin or UTC.'),
        ("id\n", {"timezone": "../../etc/passwd"}, 'timezone: "../../etc/passwd" is no time zone, such as Europe/Berlin or UTC.'),
        (
            "id\n",
            {"every": ("csat.scale_max=5",)},
            '"csat.scale_max" is no key of orders; known are id, source, purchase_id, at, amount, currency, status, refunded, channel, session_id, trace_id, '
            "user_id, email, email_sha256, account_id, probe, probe_mark.",
        ),
        ("id\n", {"dates": "american"}, 'dates: "american" is not one of day-first, month-first.'),
        ("id\n", {"decimal": ";"}, 'decimal: ";" is not a point or a comma.'),
    ],
)
def test_settings_that_cannot_be(text, how, said):
    """One sentence each."""
    with pytest.raises(BodyRefused) as caught:
        read("orders", text, **how)
    assert str(caught.value) == said


def test_rows_that_do_not_fit():
    """Too many cells, and two filled columns for one key, spoil their row alone."""
    assert read("orders", "id,amount\n1,2,3\n4,5,\n") == ["has 3 cells, the first line names 2 columns", {"id": "4", "amount": "5"}]
    assert read("orders", "a,b\n1,2\n3,\n", columns=("a=channel", "b=channel")) == [
        "channel: two columns are given for it, and both are filled",
        {"channel": "3"},
    ]


def test_more_rows_than_one_request_takes():
    """They are refused whole, with the cure."""
    with pytest.raises(BodyRefused, match=r"^The file has more than 10,000 rows; send it in several parts, or use sojourn-collector import\.$"):
        read("orders", "id\n" + "1\n" * 10_001)


def test_owners_as_a_crm_exports_them() -> None:
    """By the names of its columns; the address is an owner's, and only its digest is kept."""
    (row,) = read("owners", "Owner ID,Full name,Owner email,Team name\n77,Ann Bell,ann@shop.example,South\n")
    assert (row["id"], row["name"], row["team"]) == ("77", "Ann Bell", "South")
