"""Mentions: what was said in public becomes feedback of its own kind, its author a digest and nothing else."""

import json
from datetime import UTC, datetime

import pytest

from sojourn_collector.sources import SOURCES, normalise
from sojourn_collector.sources.body import Unreadable
from sojourn_collector.sources.mentions import without_author, without_name
from sojourn_collector.sources.table import Reading, table_rows
from sojourn_collector.store.control.authors import author_digest
from tests.collector.sources.conftest import NOW, SECRETS, Door

AT = "2026-03-01T11:00:00Z"
REVIEW = {
    "id": "r-1",
    "at": AT,
    "text": "Cannot pay since the update. Write to joe@example.com",
    "title": "Broken",
    "url": "https://forum.example/@Alice/1?by=alice",
    "platform": "forum",
    "author": "@Alice",
    "rating": 1,
    "scale_min": 1,
    "scale_max": 5,
}


async def test_a_mention_is_kept_without_its_author(door: Door) -> None:
    """Of who wrote it a digest under our own key stays; name, address of the post and the text hold nothing of them; the text is scrubbed."""
    answer = await door.client.post("/api/v1/in/mentions", json=REVIEW)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    (row,) = await door.control.inbox.waiting()
    assert "alice" not in row.body.lower()
    assert "joe@example.com" not in row.body
    kept = json.loads(row.body)
    digest = author_digest(SECRETS.author_key, "forum", "alice")
    assert (kept["author_digest"], kept["url"], kept["text"]) == (digest, "https://forum.example/@-/1?by=-", "Cannot pay since the update. Write to [email]")
    table, made = normalise(row.kind, kept, row.received_at)
    assert (table, made["kind"], made["author"], made["channel"], made["title"]) == ("feedback", "mention", digest, "forum", "Broken")
    assert (made["value"], made["scale_min"], made["scale_max"], made["satisfied"], made["survey_id"]) == (1.0, 1.0, 5.0, False, "forum")


async def test_the_same_author_is_the_same_digest_and_another_platform_another(door: Door) -> None:
    """Capitals and a leading @ make no difference; the same name elsewhere is somebody else."""
    rows = [
        REVIEW | {"id": str(number), "author": name, "platform": where}
        for number, (name, where) in enumerate([("alice", "forum"), (" @ALICE ", "forum"), ("alice", "store")])
    ]
    await door.client.post("/api/v1/in/mentions", json=rows)
    one, other, elsewhere = [json.loads(row.body)["author_digest"] for row in await door.control.inbox.waiting()]
    assert one == other != elsewhere


def test_a_mention_without_words_or_rating_of_its_own_survey() -> None:
    """Stars alone are a mention; words alone have neither value nor scale nor survey; a survey of its own name is kept."""
    _, stars = normalise("mentions", {"id": "1", "at": AT, "rating": 5, "scale_min": 1, "scale_max": 5, "survey_id": "ios"}, NOW)
    assert (stars["comment"], stars["satisfied"], stars["survey_id"]) == ("", True, "ios")
    _, words = normalise("mentions", {"id": "1", "posted_at": AT, "text": "hm", "platform": "forum"}, NOW)
    assert (words["value"], words["scale_min"], words["satisfied"], words["survey_id"]) == (None, None, None, "")
    assert words["ts"] == datetime(2026, 3, 1, 11, tzinfo=UTC)


def test_the_address_names_a_mention_that_has_no_id() -> None:
    """Two rows of one address are one mention, and another address is another."""
    first, again, other = [
        normalise("mentions", {"at": AT, "text": "x", "url": url}, NOW)[1]["id"]
        for url in ("https://a.example/1", " https://a.example/1", "https://a.example/2")
    ]
    assert first == again != other
    assert first.startswith("url-")


@pytest.mark.parametrize(
    ("url", "author", "kept"),
    [
        ("https://social.example/@alice/1", "alice@other.example", "https://social.example/@-/1"),
        ("https://social.example/@alice@other.example/1", "@Alice@other.example", "https://social.example/@-/1"),
        ("https://x.example/users/Al%20Smith/2", "Al Smith", "https://x.example/users/-/2"),
        ("https://shop.example/alicette/3", "alice", "https://shop.example/alicette/3"),
        ("https://a.example/a/4", "a", "https://a.example/a/4"),
        ("https://alice.example/5", "alice", "https://-.example/5"),
        ("https://a.example/6", "", "https://a.example/6"),
        ("https://a.example/(x/7", "(x/7", "https://a.example/-"),
    ],
)
def test_an_address_is_kept_without_the_name_in_it(url: str, author: str, kept: str) -> None:
    """The name as a part of its own is replaced; a longer word that begins with it, and names too short to mean anybody, stay."""
    assert without_name(url, author) == kept


def test_an_author_who_is_addressed_in_the_text_is_taken_out() -> None:
    """@name goes; the word alone, which may mean something else, stays, and so does a longer name."""
    assert without_author("@Pay hi, pay here @payer", "pay") == "@- hi, pay here @payer"


PLAY = """Package Name,App Version Code,App Version Name,Reviewer Language,Device,Review Submit Date and Time,Review Submit Millis Since Epoch,\
Review Last Update Date and Time,Review Last Update Millis Since Epoch,Star Rating,Review Title,Review Text,Developer Reply Date and Time,\
Developer Reply Millis Since Epoch,Developer Reply Text,Review Link
com.shop,12,1.2,de,walleye,2026-02-01T10:00:00Z,1,2026-02-02T10:00:00Z,2,2,,Zahlen geht nicht,,,,http://play.google.com/console/reviews?reviewId=abc
com.shop,12,1.2,en,walleye,2026-02-03T10:00:00Z,1,2026-02-03T10:00:00Z,2,5,,,,,,
"""


def test_the_file_of_reviews_of_google_play_is_read_as_it_is() -> None:
    """Its columns are known by their names; a review without a link has no id and says so."""
    reading = Reading.of([], ["scale_min=1", "scale_max=5", "platform=google_play"], None, None)
    rows, _, _ = table_rows(SOURCES["mentions"], PLAY.encode(), reading)
    assert not any(isinstance(row, Unreadable) for row in rows)
    _, made = normalise("mentions", rows[0], NOW)
    assert (made["value"], made["language"], made["comment"], made["ts"].day, made["channel"]) == (2.0, "de", "Zahlen geht nicht", 2, "google_play")
    with pytest.raises(ValueError, match=r"^id is missing$"):
        normalise("mentions", rows[1], NOW)
