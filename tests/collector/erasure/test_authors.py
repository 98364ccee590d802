"""Who wrote mentions is erased by platform and name, or by the digest that mentions show, and stays away."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest

from sojourn_collector.store.control.authors import author_digest, author_key
from sojourn_collector.store.control.inbox import Arrival
from sojourn_collector.store.erasure.authors import by_digest
from sojourn_collector.store.erasure.find import find
from sojourn_collector.store.erasure.subject import Subject, SubjectError
from sojourn_collector.store.export_person import copy_for
from tests.collector.erasure.rig import Rig
from tests.collector.erasure.test_eraser import erase

NOW = datetime.now(UTC)


async def mention(parts: Rig, ident: str, digest: str, ago: timedelta = timedelta(hours=1), user: str = "") -> None:
    """A mention in the inbox and in the table."""
    body = {"id": ident, "source": "social", "at": (NOW - ago).isoformat(), "text": "x", "author_digest": digest, "user_id": user}
    await parts.control.inbox.add_many([Arrival(parts.store.tenant, "social", "mentions", ident, NOW, json.dumps(body))])
    row = {"source": "social", "id": ident, "ts": NOW - ago, "kind": "mention", "author": digest, "user_id": user, "version": 1}
    await parts.store.insert("feedback", [row])


async def test_an_author_is_erased_by_name(parts: Rig) -> None:
    """Their mentions go from table and inbox, those sent with a user id too; another author's stay; what is told again from before goes again."""
    key = await author_key(parts.control.signing_keys, NOW)
    alice, bob = author_digest(key, "mastodon", "alice@social.example"), author_digest(key, "mastodon", "bob")
    await mention(parts, "1", alice)
    await mention(parts, "2", alice, user="u-1")
    await mention(parts, "3", bob)
    look = await parts.eraser.look(Subject("person", "author:Mastodon/@Alice@social.example"))
    assert (sorted(look.names.authors), look.counts["feedback"], look.counts["inbox mentions"]) == ([alice], 2, 2)
    assert await erase(parts, "person", "author:mastodon/alice@social.example") == {"feedback": 2, "inbox mentions": 2}
    assert [row.source_key for row in await parts.control.inbox.after(0)] == ["3"]
    assert await parts.count("feedback") == 1
    await mention(parts, "1", alice)
    await mention(parts, "4", alice, -timedelta(hours=1))
    kept = await parts.tombstones.sift(await parts.control.inbox.waiting())
    assert sorted(row.source_key for row in kept) == ["3", "4"]


async def test_a_known_person_takes_their_mentions_along(parts: Rig) -> None:
    """Erasing a user id takes the mentions sent with it from table and inbox."""
    await mention(parts, "1", "", user="user-joe-4711")
    await mention(parts, "2", "ab" * 32)
    assert await erase(parts, "person", "user-joe-4711") == {"feedback": 1, "inbox mentions": 1}
    assert [row.source_key for row in await parts.control.inbox.after(0)] == ["2"]


async def test_the_erasure_itself_names_nobody(parts: Rig) -> None:
    """While it waits its row holds the digest, never the name it was asked by."""
    ident = await parts.eraser.ask(Subject("person", "author:mastodon/alice"), "test", "strip")
    row = await parts.control.erasures.get(ident)
    assert row is not None
    assert "alice" not in json.dumps(row.work)


async def test_a_copy_for_an_author(parts: Rig) -> None:
    """An export by the digest holds their mentions as kept, and nobody else's."""
    await mention(parts, "1", "ab" * 32)
    await mention(parts, "2", "cd" * 32)
    names = await find(parts.store, await by_digest(parts.control, Subject("person", "author:" + "ab" * 32), NOW))
    packed = zipfile.ZipFile(io.BytesIO(b"".join([piece async for piece in copy_for(names, parts.eraser.places)])))
    assert [json.loads(line)["id"] for line in packed.read("feedback.jsonl").splitlines()] == ["1"]
    assert [json.loads(line)["row"]["id"] for line in packed.read("inbox_mentions.jsonl").splitlines()] == ["1"]


@pytest.mark.parametrize("name", ["author:alice", "author:/alice", "author:mastodon/", "author:"])
async def test_an_author_needs_platform_and_name(parts: Rig, name: str) -> None:
    """Anything else is refused with an example."""
    with pytest.raises(SubjectError, match=r"^an author is named by platform and name, such as author:mastodon/alice"):
        await by_digest(parts.control, Subject("person", name), NOW)
