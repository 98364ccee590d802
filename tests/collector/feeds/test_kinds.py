"""Each kind of feed with what its server documents, to the mention it becomes; and what is none of it."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sojourn_collector.feeds_config import FEEDS, FeedSettings
from sojourn_collector.sources.feed import FeedError, feed_of, mention_of
from sojourn_collector.sources.feeds import rss
from sojourn_collector.sources.html_text import text_of
from sojourn_collector.sources.service_account import signed
from sojourn_collector.sources.webhook import Event
from sojourn_collector.store.control import Control
from sojourn_collector.store.control.authors import author_digest
from tests.collector.feeds.rig import KEY, NOW, Desk, settings
from tests.collector.sources.vendor_api import VendorApi

STATUS: dict[str, Any] = {
    "id": "103270115826048975",
    "created_at": "2026-02-08T03:12:11.123Z",
    "in_reply_to_id": None,
    "sensitive": False,
    "spoiler_text": "Ärger &amp; Frust",
    "visibility": "public",
    "language": "de",
    "uri": "https://social.example/users/alice/statuses/103270115826048975",
    "url": "https://social.example/@alice/103270115826048975",
    "replies_count": 5,
    "favourites_count": 7,
    "edited_at": None,
    "content": '<p>Zahlen geht <a href="https://social.example/tags/shop" rel="tag">#<span>shop</span></a><br />seit Tagen nicht &lt;3</p><p>Wann?</p>',
    "reblog": None,
    "account": {
        "id": "1",
        "username": "alice",
        "acct": "Alice",
        "display_name": "Alice A.",
        "url": "https://social.example/@alice",
        "avatar": "https://x/a.png",
    },
    "media_attachments": [],
    "mentions": [{"id": "2", "username": "bob", "acct": "bob"}],
    "tags": [{"name": "shop", "url": "https://social.example/tags/shop"}],
}


def review(ident: str = "11", **more: Any) -> dict[str, Any]:
    """A review as Apple's feed has it."""
    return {
        "author": {"uri": {"label": "https://itunes.apple.com/de/reviews/id4711"}, "name": {"label": "Alice99"}, "label": ""},
        "updated": {"label": "2026-02-20T08:15:30-07:00"},
        "im:rating": {"label": "2"},
        "im:version": {"label": "7.1"},
        "id": {"label": ident},
        "title": {"label": "Schade"},
        "content": {"label": "Absturz beim Zahlen", "attributes": {"type": "text"}},
        "im:voteSum": {"label": "3"},
        **more,
    }


def apple(*reviews: Any) -> dict[str, Any]:
    """A page of them."""
    return {"feed": {"author": {"name": {"label": "iTunes Store"}}, "entry": list(reviews) if len(reviews) != 1 else reviews[0]}}


PLAY: dict[str, Any] = {
    "reviewId": "gp:AOqpTOE",
    "authorName": "Alice A.",
    "comments": [
        {
            "userComment": {
                "text": "Schade\tStürzt beim Zahlen ab",
                "lastModified": {"seconds": "1771581330", "nanos": 5},
                "starRating": 2,
                "reviewerLanguage": "de_AT",
                "device": "walleye",
                "androidOsVersion": 34,
                "appVersionName": "7.1",
                "thumbsUpCount": 3,
            }
        },
        {"developerComment": {"text": "Danke", "lastModified": {"seconds": "1771581400"}}},
    ],
}


async def test_posts_of_mastodon(control: Control, api: VendorApi) -> None:
    """Of a hashtag, of a search and of mentions: HTML becomes text, the author a digest of name and server, the address one that names nobody."""
    hidden = [STATUS | {"id": "2", "visibility": "private"}, STATUS | {"id": "3", "visibility": "direct"}, STATUS | {"id": "4", "reblog": STATUS}]
    found, mentioned = STATUS | {"id": "5", "account": {"acct": "bob@far.example"}}, STATUS | {"id": "6"}
    api.answers |= {
        "/api/v1/timelines/tag/shop": [[STATUS, *hidden, {"id": "7"}, "x", None]],
        "/api/v2/search": [{"accounts": [], "statuses": [found], "hashtags": []}],
        "/api/v1/notifications": [[{"id": "9", "type": "mention", "status": mentioned}]],
    }
    one = Desk(control, {"feed": settings("mastodon", url=api.url, hashtag="shop", search="my shop", mentions=True, token={"env": "TOKEN"}, survey="social")})
    assert (await one.pull()).fresh == 3
    assert [str(request.url).removeprefix(api.url) for request in api.asked] == [
        "/api/v1/timelines/tag/shop?limit=40",
        "/api/v2/search?type=statuses&limit=40&q=my%20shop",
        "/api/v1/notifications?types[]=mention&limit=40",
    ]
    rows = {row["id"]: row for row in await one.rows()}
    assert rows.keys() == {"103270115826048975", "5", "6"}
    row = rows["103270115826048975"]
    assert (row["title"], row["comment"]) == ("Ärger & Frust", "Zahlen geht #shop\nseit Tagen nicht <3\nWann?")
    assert (row["language"], row["language_by"], row["channel"], row["survey_id"], row["value"]) == ("de", "given", "mastodon", "social", None)
    assert row["url"] == f"{api.url}/statuses/103270115826048975"
    host = api.url.removeprefix("http://")
    assert row["author"] == author_digest(KEY, "mastodon", f"alice@{host}")
    assert rows["5"]["author"] == author_digest(KEY, "mastodon", "bob@far.example")
    kept = json.dumps(await one.kept()).lower()
    assert "alice" not in kept
    assert "bob" not in kept


async def test_reviews_of_the_app_store(control: Control, api: VendorApi) -> None:
    """Page after page while there is something new; the app itself is no review; stars go with their scale and count under the feed's own survey."""
    base = "/de/rss/customerreviews/page={}/id=284882215/sortby=mostrecent/json"
    app_itself = {key: value for key, value in review("284882215").items() if key != "im:rating"}
    api.answers |= {base.format(1): [apple(app_itself, review("11"), review("12"))], base.format(2): [apple(review("13"))], base.format(3): [{"feed": {}}]}
    one = Desk(control, {"ios": settings("app_store", url=api.url, app="284882215", country="de")})
    assert (await one.pull("ios")).fresh == 3
    assert [request.url.path for request in api.asked] == [base.format(number) for number in (1, 2, 3)]
    row, *_ = await one.rows()
    assert (row["id"], row["title"], row["comment"], row["value"], row["scale_min"], row["scale_max"]) == ("11", "Schade", "Absturz beim Zahlen", 2.0, 1.0, 5.0)
    assert (row["satisfied"], row["survey_id"], row["channel"], row["ts"].isoformat()) == (False, "ios", "app_store", "2026-02-20T15:15:30+00:00")
    assert row["author"] == author_digest(KEY, "app_store", "https://itunes.apple.com/de/reviews/id4711")
    assert row["url"] == "https://apps.apple.com/de/app/id284882215?see-all=reviews"
    assert "Alice" not in json.dumps(await one.kept())
    assert (await one.pull("ios", after=900)).fresh == 0
    assert len(api.asked) == 4


@pytest.fixture(scope="module")
def account_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65_537, key_size=2048)


def account(key: rsa.RSAPrivateKey, where: str) -> str:
    """The JSON of a service account's key."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return json.dumps({"type": "service_account", "client_email": "s@p.iam.example", "private_key": pem, "private_key_id": "k1", "token_uri": f"{where}/token"})


async def test_reviews_of_google_play(control: Control, api: VendorApi, account_key: rsa.RSAPrivateKey, tmp_path: Path) -> None:
    """With a token for the service account, which is used until it ends; heading and text stand with a tab between; an answer of ours is no review."""
    (tmp_path / "key.json").write_text(account(account_key, api.url))
    path = "/androidpublisher/v3/applications/com.shop.app/reviews"
    api.answers |= {
        "/token": [{"access_token": "t-1", "expires_in": 3599}],
        f"{path}?maxResults=100": [{"reviews": [PLAY], "tokenPagination": {"nextPageToken": "a b"}}],
        f"{path}?maxResults=100&token=a%20b": [{"reviews": [PLAY | {"reviewId": "2"}, {"reviewId": "3"}]}],
    }
    one = Desk(control, {"android": settings("google_play", url=api.url, app="com.shop.app", service_account={"file": str(tmp_path / "key.json")})})
    assert (await one.pull("android")).fresh == 2
    assert (await one.pull("android", after=900)).error == ""
    await one.pull("android", after=3000)
    assert [request.url.path for request in api.asked].count("/token") == 2
    assert {request.headers["authorization"] for request in api.asked if request.url.path == path} == {"Bearer t-1"}
    row, *_ = await one.rows()
    assert (row["id"], row["title"], row["comment"], row["value"], row["scale_max"]) == ("gp:AOqpTOE", "Schade", "Stürzt beim Zahlen ab", 2.0, 5.0)
    assert (row["language"], row["ts"].isoformat(), row["channel"]) == ("de-AT", "2026-02-20T09:55:30+00:00", "google_play")
    assert "Alice" not in json.dumps(await one.kept())


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("{}", "service_account is not the JSON of a service account's key; put it there as Google gives it"),
        ("no json", "service_account is not the JSON of a service account's key; put it there as Google gives it"),
        ('{"client_email": "s", "private_key": "secret"}', "private_key of the service account is no key; put the JSON there as Google gives it"),
        (None, "127.0.0.1 answered 400"),
    ],
)
async def test_a_service_account_without_a_token(
    control: Control, api: VendorApi, account_key: rsa.RSAPrivateKey, tmp_path: Path, key: str | None, sentence: str
) -> None:
    """A key that is none, and one that Google refuses: the reason is said, and never the key."""
    (tmp_path / "key.json").write_text(account(account_key, api.url) if key is None else key)
    api.answers["/token"] = [400]
    one = Desk(control, {"android": settings("google_play", url=api.url, app="a", service_account={"file": str(tmp_path / "key.json")})})
    assert (await one.pull("android")).error == sentence


def test_the_statement_of_a_service_account(account_key: rsa.RSAPrivateKey) -> None:
    """RS256 over head and claims, as RFC 7523 has it: for reading reviews alone, for an hour."""
    head, claims, signature = signed(json.loads(account(account_key, "https://oauth.example")), "https://oauth.example/token", NOW).split(".")
    account_key.public_key().verify(_unb64(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), hashes.SHA256())
    assert json.loads(_unb64(head)) == {"alg": "RS256", "typ": "JWT", "kid": "k1"}
    said = json.loads(_unb64(claims))
    assert (said["iss"], said["aud"], said["exp"] - said["iat"]) == ("s@p.iam.example", "https://oauth.example/token", 3600)
    assert said["scope"] == "https://www.googleapis.com/auth/androidpublisher"


def _unb64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


RSS = FeedSettings(kind="rss", url="https://forum.example/rss")


def entries(body: str | bytes) -> list[tuple[str, str, dict[str, Any]]]:
    """What is read of a feed."""
    page = rss.read(body if isinstance(body, bytes) else body.encode(), "https://forum.example/feeds/rss", RSS)
    return [(one.id, one.author, dict(one.body)) for one in page.entries]


def test_an_atom_feed() -> None:
    """RFC 4287: ids, authors by name, the alternate link made whole, XHTML with its blocks, the entry's own language."""
    body = """<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>Forum</title>
    <entry xml:lang="de"><id>tag:forum.example,2026:1</id><title type="html">Zahlen &amp;amp; mehr</title><link rel="self" href="x"/><link href="/t/1"/>
    <author><name>Alice</name><uri>https://forum.example/u/alice</uri></author><published>2026-03-01T11:00:00Z</published><updated>2026-03-01T12:00:00Z</updated>
    <summary>kurz</summary><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Geht</p><p>nicht</p></div></content></entry></feed>"""
    ((ident, author, kept),) = entries(body)
    assert (ident, author, kept["url"], kept["language"], kept["date"]) == (
        "tag:forum.example,2026:1",
        "Alice",
        "https://forum.example/t/1",
        "de",
        "2026-03-01T11:00:00Z",
    )
    said = rss.said(kept, RSS)
    assert (said["title"], said["text"], said["at"]) == ("Zahlen & mehr", "Geht\nnicht", "2026-03-01T11:00:00Z")


def test_rss_1_and_older_feeds() -> None:
    """RDF with Dublin Core and Content, and RSS 0.91 with its DTD, which is not fetched."""
    rdf = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel rdf:about="x"/><item rdf:about="https://forum.example/1"><title>T</title>
    <link>https://forum.example/1</link><description>short</description><content:encoded><![CDATA[<p>whole</p>]]></content:encoded>
    <dc:creator>Bob</dc:creator><dc:date>2026-03-01T11:00:00+01:00</dc:date></item></rdf:RDF>"""
    ((ident, author, kept),) = entries(rdf)
    assert (ident, author, rss.said(kept, RSS)["text"], rss.said(kept, RSS)["at"]) == ("https://forum.example/1", "Bob", "whole", "2026-03-01T11:00:00+01:00")
    old = """<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://127.0.0.1:9/rss.dtd">
    <rss version="0.91"><channel><item><title>Old</title></item></channel></rss>"""
    assert [kept["title"] for _, _, kept in entries(old)] == ["Old"]


def test_common_mistakes_are_mended() -> None:
    """Blanks before the declaration, control characters, HTML's entities and a bare & do not lose a feed, nor a word of it."""
    body = b"\n <?xml version='1.0'?><rss><channel><item><title>A&nbsp;b\x01 &eacute; &amp; AT&T &lt;p&gt; &bogus; &#228;</title></item></channel></rss>"
    assert [kept["title"] for _, _, kept in entries(body)] == ["A\xa0b é & AT&T <p> &bogus; ä"]


ENTITIES = "it declares entities of its own, which no feed needs"
BOMB = (
    '<!DOCTYPE rss [<!ENTITY a0 "ha">'
    + "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    + "]><rss><channel><item><title>&a9;</title></item></channel></rss>"
)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"", "it is no well-formed XML: Document is empty, line 1, column 1"),
        (b"\x00\x01\x02", "it is no well-formed XML: "),
        (b"<rss><channel><item><title>A</title></item><item><title>B</ti", "it is no well-formed XML: "),
        (b"<rss><channel><item></channel></rss>", "it is no well-formed XML: Opening and ending tag mismatch: item line 1 and channel, line 1, column 31"),
        (
            b"<!doctype html><html><body>Sign in</body></html>",
            "it is neither RSS nor Atom but begins with <html>; give the address of the feed itself, not of a page",
        ),
        (BOMB.encode(), "it "),
        (BOMB.replace("&a9;", "x").encode(), ENTITIES),
        (b'<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/passwd">]><rss><channel><item><title>&x;</title></item></channel></rss>', ENTITIES),
        (b'<!DOCTYPE rss [<!ENTITY % x SYSTEM "http://127.0.0.1:9/x"> %x;]><rss/>', ENTITIES),
        ('<?xml version="1.0" encoding="utf-16"?><!DOCTYPE rss [<!ENTITY a "x">]><rss/>'.encode("utf-16"), ENTITIES),
        (b"<rss>" + b"<a>" * 5000, "it is no well-formed XML: Excessive depth in document"),
        (b"<rss>" + b"<a/>" * 300_001 + b"</rss>", "it has more than 300000 tags"),
    ],
)
def test_what_is_no_feed(body: bytes, sentence: str) -> None:
    """Garbage, torn feeds, pages, entities that grow or lead outside, depth and number without end: one sentence each, and nothing is fetched or kept."""
    with pytest.raises(FeedError) as told:
        entries(body)
    assert str(told.value).startswith(sentence)


SETTINGS = {
    "rss": RSS,
    "mastodon": FeedSettings(kind="mastodon", url="https://social.example", hashtag="x"),
    "app_store": FeedSettings(kind="app_store", app="1"),
    "google_play": FeedSettings.model_validate({"kind": "google_play", "app": "a", "service_account": {"env": "X"}}),
}
FINE = {"rss": b"<rss><channel><item><title>x</title></item></channel></rss>", "mastodon": json.dumps([STATUS]).encode()} | {
    "app_store": json.dumps(apple(review(), review("12"))).encode(),
    "google_play": json.dumps({"reviews": [PLAY]}).encode(),
}


def through(kind: str, body: bytes) -> None:
    """Read a body and every entry of it as a mention; anything but a refusal in a sentence is a fault of ours."""
    feed, known = feed_of(kind), SETTINGS[kind]
    try:
        page = feed.read(body, feed.asks(known)[0].url, known)
    except FeedError:
        return
    for entry in page.entries:
        event = Event.from_json(Event({"id": entry.id, "entry": dict(entry.body), "pulled_at": NOW.isoformat()}).to_json())
        mention_of("feed", kind, event, known)


@pytest.mark.parametrize("kind", FEEDS)
def test_torn_bodies(kind: str) -> None:
    """Cut anywhere, a body is read or refused, and never breaks anything."""
    assert kind in SETTINGS
    body = FINE[kind]
    through(kind, body)
    for end in range(0, len(body), 7):
        through(kind, body[:end])


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.text(max_size=20))
KEYS = ["id", "label", "entry", "feed", "statuses", "status", "visibility", "account", "acct", "content", "created_at", "tags"]
KEYS += ["reviews", "comments", "userComment", "text", "starRating", "lastModified", "reviewId", "im:rating", "updated", "author"]
SHAPES = st.recursive(LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)), max_leaves=25)


@pytest.mark.parametrize("kind", [kind for kind in FEEDS if kind != "rss"])
@hypothesis_settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(value=SHAPES)
def test_any_json(kind: str, value: Any) -> None:
    """Known keys with anything at all in them."""
    through(kind, json.dumps(value).encode())
    if kind == "mastodon":
        through(kind, json.dumps([STATUS | value] if isinstance(value, dict) else [value]).encode())


@pytest.mark.parametrize("kind", [kind for kind in FEEDS if kind != "rss"])
@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (b"<html>", "The body is not JSON: Expecting value"),
        (b"[" * 100_000, "The JSON is nested deeper than 32 levels"),
        (b'{"a": NaN}', "The body is not JSON: NaN"),
    ],
)
def test_json_that_is_none(kind: str, body: bytes, sentence: str) -> None:
    """A page, depth without end and what is no JSON are refused in a sentence."""
    with pytest.raises(FeedError, match=sentence):
        feed_of(kind).read(body, "https://a.example", SETTINGS[kind])


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("plain", "plain"),
        ("I <3 this & that", "I <3 this & that"),
        ("<p>a</p><p>b</p>", "a\nb"),
        ("a<br>b<br/>c", "a\nb\nc"),
        ("<script>alert(1)</script>x<style>p{}</style>", "x"),
        ("<scr<script>ipt>alert(1)</script>", "ipt>alert(1)"),
        ("&lt;script&gt;", "<script>"),
        ("<p onclick='x'>a <b>b</b>\n\n  c</p>", "a b\nc"),
        ("<a href='javascript:x'>go</a>", "go"),
        ("<!-- x --><![CDATA[ y ]]>z", "z"),
        ("<" * 1000, "<" * 1000),
    ],
)
def test_html_is_read_as_text(html: str, text: str) -> None:
    """Words with their line ends; scripts, styles, comments and markup are left out."""
    assert text_of(html) == text


@hypothesis_settings(max_examples=200, deadline=None)
@given(st.text(alphabet="<>/&;!-[]pbrscriptCDATA \"'=x#", max_size=200))
def test_any_html_is_read(html: str) -> None:
    """Whatever it is."""
    assert isinstance(text_of(html), str)
