"""The language of words: as the sender says, else as they show, else unknown."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sojourn_collector.sources import normalise
from sojourn_collector.sources.language import detect, language_tag, tell_languages
from tests.collector.sources.test_rows import GOOD, NOW


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("de", "de"),
        ("DE", "de"),
        ("pt_br", "pt-BR"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("de-CH-1901", "de-CH-1901"),
        ("und", ""),
        ("ZXX", ""),
        ("", ""),
        ("Deutsch (Schweiz)", "Deutsch (Schweiz)"),
    ],
)
def test_what_the_sender_says_is_written_as_bcp_47_does(sent: str, kept: str) -> None:
    """Capitals and hyphens are set right, codes of no language are none, and what is no tag stays as it was given."""
    assert language_tag(sent) == kept
    _, row = normalise("feedback", GOOD["feedback"] | {"language": sent}, NOW)
    assert (row["language"], row["language_by"]) == (kept, "given" if kept else "")


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Seit dem Update stürzt die App ständig ab", "de"),
        ("The app keeps crashing since the last update", "en"),
        ("Je ne peux plus me connecter depuis hier", "fr"),
        ("Desde la actualización no funciona nada", "es"),
        ("Não consigo pagar com cartão", "pt"),
        ("Aplikacja ciągle się zawiesza", "pl"),
        ("アップデート後にログインできない", "ja"),
        ("付款失败了两次，没有人回复", "zh"),
        ("결제가 안 돼요", "ko"),
        ("לא מצליח לשלם בכרטיס", "he"),
        ("Δεν μπορώ να πληρώσω", "el"),
        ("จ่ายเงินไม่ได้", "th"),
        ("Sehr gut gemacht https://shop.example/pay/now/at/once @support #fail", "de"),
    ],
)
def test_words_show_their_language(text: str, language: str) -> None:
    """A short sentence is enough, in any script; addresses, names and tags are no words."""
    assert detect(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "👍👍👍",
        "ok",
        "gut",
        "lol",
        "hmm",
        "Error 500",
        "ORDER-12345 €62.00",
        "iPhone 15 Pro Max",
        "asdf qwer zxcv",
        "https://a.example/de/hilfe",
        "[email] [phone]",
        "\x00",
        "付",
    ],
)
def test_what_is_not_sure_stays_unknown(text: str) -> None:
    """One word, numbers, pictures, product names and nonsense have no language."""
    assert detect(text) == ""


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400))
def test_any_text_can_be_looked_at(text: str) -> None:
    """Whatever a stranger writes, the answer is a code of two or three letters or nothing."""
    found = detect(text)
    assert found == "" or (2 <= len(found) <= 3 and found.isalpha())


async def test_only_what_is_not_known_is_looked_at() -> None:
    """What a sender said stays, also where the words show another language; rows without words stay unknown; a heading counts with the words."""
    rows: list[dict[str, Any]] = [
        {"comment": "Seit dem Update stürzt die App ab", "language": "en", "language_by": "given"},
        {"comment": "Seit dem Update stürzt die App ab", "language": "", "language_by": ""},
        {"comment": "", "language": "", "language_by": ""},
        {"comment": "", "title": "Je ne peux plus me connecter", "language": "", "language_by": ""},
    ]
    await tell_languages(rows)
    assert [(row["language"], row["language_by"]) for row in rows] == [("en", "given"), ("de", "detected"), ("", ""), ("fr", "detected")]
