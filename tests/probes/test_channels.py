"""How a visit came about: the rules by the table that the snippet is held to as well, and what hostile texts come to."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_probes.channels import CLICKS, campaign_of, channel_of, channel_word, snippet_source
from sojourn_probes.semconv import Channel

ROOT = Path(__file__).parents[2]
CASES = json.loads((ROOT / "tests/agent/rum/channel_cases.json").read_text())


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['query']} {case['referrer']}")
def test_the_table_of_cases(case: dict[str, Any]) -> None:
    """Campaign before referrer; the same site and a way back from signing in or paying are no arrival."""
    assert channel_of(case["query"], case["referrer"], case["host"]) == case["channel"]


def test_the_table_has_every_channel() -> None:
    """No word of the list is without a case, and none."""
    assert {case["channel"] for case in CASES} == {*Channel, None}


def test_the_snippet_has_these_rules() -> None:
    """The snippet's source has what `make schema` writes."""
    assert (ROOT / "agent/snippet/src/channel_rules.ts").read_text() == snippet_source()


def test_the_value_of_a_click_id_is_not_looked_at() -> None:
    """An advertiser's random text that happens to hold words says nothing."""
    assert campaign_of("?gclid=tv-email-sms&fbclid=whatsapp") == "gclid fbclid"
    assert CLICKS not in campaign_of("?gclid=1")


@pytest.mark.parametrize(
    ("told", "word"), [("Email", "email"), (" paid social ", "paid_social"), ("paid-search", "paid_search"), ("e-mail", None), ("", None), ("phone", None)]
)
def test_a_senders_word_is_one_of_the_list(told: str, word: str | None) -> None:
    """Capitals and separators may differ; what is not of the list is none."""
    assert channel_word(told) == word


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=300))
def test_any_text_is_a_channel_or_none(query: str, referrer: str, host: str) -> None:
    """Nothing makes the rules fall over or answer with a text of a stranger's."""
    assert channel_of(query, referrer, host) in {*Channel, None}
    assert channel_of(f"utm_medium={query}", f"https://{referrer}", host) in {*Channel, None}


@pytest.mark.parametrize("text", ["a" * 4000, "a." * 2000, "/" * 4000, "://" * 1300, "&utm_medium=" * 300, ":1" * 2000])
def test_long_texts_take_no_time_worth_speaking_of(text: str) -> None:
    """Four thousand characters of the worst kind are read a hundred times within the test's patience."""
    for _ in range(100):
        channel_of(text, f"https://{text}", text)
