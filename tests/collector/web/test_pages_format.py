"""How the report writes things down."""

import unicodedata
from datetime import UTC, datetime, timedelta
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sojourn_collector.web import format as write
from sojourn_collector.web import words

NOON = datetime(2026, 11, 22, 12, 0, 7, 120_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1240, "1,240"), (-12, "−12"), (0, "0"), (-0.2, "0"), (None, "not known"), (float("nan"), "not known"), (float("inf"), "not known")],
)
def test_a_number_is_grouped_and_unknown_is_never_zero(value, text):
    """Thousands are grouped, minus is a real minus, no number is said to be not known."""
    assert write.number(value) == text


@pytest.mark.parametrize(("value", "text"), [(1238.4, "1,240"), (684.2, "684"), (12345.6, "12,300"), (-87.3, "−87"), (0.3, "0"), (None, "not known"), (0, "0")])
def test_an_estimate_shows_three_figures(value, text):
    """An estimate does not pretend to be exact to the cent."""
    assert write.rough(value) == text


@pytest.mark.parametrize(
    ("low", "high", "estimate", "text"),
    [
        (12.2, 23.1, False, "12–23"),
        (7.4, 14.1, False, "7–14"),
        (0.0, 0.7, False, "0.0–0.7"),
        (684.0, 1806.0, True, "684–1,810"),
        (-42.0, 310.0, True, "−42 to 310"),
        (None, 3.0, False, "not known"),
    ],
)
def test_an_interval_keeps_its_sign_readable(low, high, estimate, text):
    """A negative end is written with `to`, because a dash would hide its sign."""
    assert write.span_of(low, high, estimate=estimate) == text


@pytest.mark.parametrize(
    ("amount", "currency", "text"),
    [(62.0, "EUR", "62.00 EUR"), (1200, "JPY", "1,200 JPY"), (-3.456, "KWD", "−3.456 KWD"), (0.005, "EUR", "0.01 EUR"), (None, "EUR", "not known")],
)
def test_exact_money_has_the_decimals_of_its_currency(amount, currency, text):
    """A yen has no cents, a dinar has three decimals."""
    assert write.money(amount, currency) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 ms"),
        (0.0004, "0.4 ms"),
        (0.62, "620 ms"),
        (0.9996, "1.0 s"),
        (2.44, "2.4 s"),
        (42, "42 s"),
        (1080, "18 min"),
        (3600, "1 h"),
        (11520, "3 h 12 min"),
        (86400 * 2, "2 days"),
        (-5, "−5.0 s"),
        (None, "not known"),
    ],
)
def test_a_span_of_time_reads_as_people_say_it(seconds, text):
    """Short ones in milliseconds, long ones in days."""
    assert write.lasting(seconds) == text


@pytest.mark.parametrize(("share", "text"), [(0.4, "40%"), (0.003, "0.3%"), (1.0, "100%"), (0.0, "0%"), (None, "not known"), (0.0999, "10%")])
def test_a_small_share_keeps_a_decimal(share, text):
    """0.3% does not read as nobody."""
    assert write.percent(share) == text


def test_a_moment_of_another_day_names_the_day():
    """Only today's times go without their day; another year is named too."""
    clock = write.Clockface(ZoneInfo("Europe/Berlin"), NOON)
    assert clock.at(NOON) == "13:00"
    assert clock.at(NOON - timedelta(days=1)) == "21 Nov, 13:00"
    assert clock.at(NOON - timedelta(days=700)) == "22 Dec 2024, 13:00"
    assert clock.at(None) == "not known"
    assert clock.zone_name() == "CET"


def test_windows_of_seconds_show_seconds():
    """Where an outcome takes 40 s, a time without seconds says nothing."""
    assert write.Clockface(UTC, NOON, seconds=True).at(NOON) == "12:00:07"
    assert write.Clockface(UTC, NOON).exact(NOON) == "12:00:07.120"


def test_a_time_without_zone_is_taken_as_utc():
    """A naive time does not shift with the server's own zone."""
    assert write.Clockface(UTC, NOON).at(NOON.replace(tzinfo=None)) == "12:00"
    assert write.machine_time(NOON.replace(tzinfo=None)) == "2026-11-22T12:00:07.120000Z"


@given(st.text(max_size=400), st.integers(1, 300))
@example("a\u202eb\u2066c\u200bd\x07e", 100)
def test_plain_text_is_bounded_and_has_no_character_that_reorders_or_controls(text, limit):
    """Whatever a stranger writes, what is shown is no longer than the limit and cannot reorder the page."""
    shown = write.plain(text, limit)
    assert len(shown) <= limit
    assert not set(shown) & set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\u200e\u200f\ufeff")
    assert all(unicodedata.category(char) != "Cc" or char == "\n" for char in shown)


def test_a_tower_of_marks_is_cut():
    """A letter with fifty accents on it would paint over the lines above."""
    assert write.plain("a" + "\u0301" * 50 + "b") == "a" + "\u0301" * 3 + "b"


@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=60))
def test_any_id_survives_in_an_address(ident):
    """An id with a slash, a question mark or a percent sign leads to itself and to nothing else."""
    address = write.link("visits", ident)
    assert unquote(address.removeprefix("/visits/")) == ident
    assert not set(address.removeprefix("/visits/")) & set("/?#\"'<> ")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://wiki.example/a?b=c", "https://wiki.example/a?b=c"),
        ("javascript:alert(1)", ""),
        (" JaVaScRiPt:alert(1)", ""),
        ("data:text/html,x", ""),
        ("//wiki.example", ""),
        ("https://[", ""),
        ("wiki", ""),
    ],
)
def test_only_web_addresses_become_links(url, shown):
    """A runbook is written by people; only http and https may be clicked."""
    assert write.outside_link(url) == shown


def test_every_severity_has_its_words():
    """The words follow the steps of severity in docs/scores.md."""
    assert [words.severity(value).text for value in (0, 0.25, 0.5, 0.8, 1)] == [
        "Not hit",
        "Slow",
        "Hit, got through later",
        "Hit an error, then left",
        "Was stopped",
    ]


def test_an_unheard_of_state_shows_in_grey_as_it_is():
    """A newer collector's word does not break an older page."""
    assert words.state("half_open") == words.Word("Half open", "unknown")
    assert words.outcome("") == words.Word("Not known", "unknown")
