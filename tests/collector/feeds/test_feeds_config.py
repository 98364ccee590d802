"""`feeds:` of collector.yaml: what it may say, and what is said where it cannot be."""

from pathlib import Path

import pytest

from sojourn_collector.config import CollectorConfig, ConfigError, load_collector_config
from sojourn_collector.feeds_config import FEEDS, FeedSettings
from sojourn_collector.sources.feed import feed_of

GOOD = """feeds:
  community: {kind: rss, url: "https://forum.example/latest.rss?key=1", every: 5m, journey: checkout, survey: forum}
  fediverse: {kind: mastodon, url: https://social.example, hashtag: shop, search: my shop, mentions: true, token: {env: T}}
  ios: {kind: app_store, app: "284882215", country: de}
  android: {kind: google_play, app: com.shop.app, service_account: {file: key.json}}
  intranet: {kind: rss, url: http://wiki.corp/rss, insecure: true, internal: [10.1.0.0/16, "fd00::/8"]}
"""
BAD = {
    "feeds: {a: {kind: fax}}": "feeds.a: there is no kind of feed 'fax'; there are rss, mastodon, app_store, google_play",
    "feeds: {a: {kind: rss}}": "feeds.a: url is needed for rss",
    "feeds: {a: {kind: rss, url: https://a.example, hashtag: x}}": "feeds.a: hashtag is of no use to rss; drop it, it takes token, url",
    "feeds: {a: {kind: rss, url: http://a.example/rss}}": "feeds.a: http://a.example/rss is not encrypted; write https, or say insecure: true beside it",
    "feeds: {a: {kind: rss, url: http://a.example/rss, insecure: true, token: {env: T}}}": "feeds.a: url: a token must not go out in clear; write https://",
    "feeds: {a: {kind: rss, url: ftp://a.example}}": "feeds.a: url: this is no address; write scheme and host, such as https://social.example",
    "feeds: {a: {kind: rss, url: https://u:p@a.example}}": "feeds.a: url: this is no address; write scheme and host, such as https://social.example",
    "feeds: {a: {kind: rss, url: https://a.example, internal: [all]}}": "feeds.a.internal: 'all' is no network; write it such as 10.1.0.0/16",
    "feeds: {a: {kind: rss, url: https://a.example, token: secret}}": "feeds.a.token: a key does not belong into this file; write {file: …} or {env: …}",
    "feeds: {a: {kind: mastodon, url: https://a.example}}": "feeds.a: say what to look for: hashtag, search or mentions",
    "feeds: {a: {kind: mastodon, url: https://a.example, search: x}}": "feeds.a: search needs a token; a server tells it to nobody else",
    "feeds: {a: {kind: mastodon, url: https://a.example, mentions: true}}": "feeds.a: mentions needs a token; a server tells it to nobody else",
    "feeds: {a: {kind: app_store, app: com.shop}}": "feeds.a: app: the App Store knows an app by its number, such as 284882215",
    "feeds: {a: {kind: google_play, app: com.shop}}": "feeds.a: service_account is needed for google_play",
    "feeds: {mentions: {kind: rss, url: https://a.example}}": "feeds: the name mentions is taken by a source; give the feed another, such as mentions-rss",
    "feeds: {A b: {kind: rss, url: https://a.example}}": "feeds: 'A b' cannot be the name of a feed; take small letters, digits and hyphens, at most 32",
    "sources: {a: {kind: posthog, questions: {q: {kind: nps}}}}\nfeeds: {a: {kind: rss, url: https://a.example}}": "feeds: the name a is taken by a source",
}


def load(folder: Path, text: str) -> CollectorConfig:
    """A file with this text."""
    path = folder / "collector.yaml"
    path.write_text(text)
    return load_collector_config(path)


def test_every_kind_can_be_configured(tmp_path: Path) -> None:
    """A feed of each kind, with the keys that it needs and some that it may have; keys are looked for beside the file."""
    config = load(tmp_path, GOOD)
    assert {one.kind for one in config.feeds.values()} == set(FEEDS)
    assert (config.feeds["community"].every, config.feeds["ios"].every, config.feeds["ios"].most) == (300.0, 900.0, 500)
    account = config.feeds["android"].service_account
    assert account is not None
    assert account.file == tmp_path / "key.json"


@pytest.mark.parametrize(("text", "sentence"), BAD.items())
def test_what_cannot_be_is_said_with_its_cure(tmp_path: Path, text: str, sentence: str) -> None:
    """File, line, key, what is wrong, and what to write instead."""
    with pytest.raises(ConfigError) as told:
        load(tmp_path, text)
    assert sentence in str(told.value)


def test_nobody_is_asked_more_often_than_once_a_minute(tmp_path: Path) -> None:
    """The floor holds for every kind."""
    with pytest.raises(ConfigError, match=r"feeds\.a\.every: .*60"):
        load(tmp_path, "feeds: {a: {kind: rss, url: https://a.example, every: 10s}}")


def test_every_kind_of_the_list_has_its_adapter() -> None:
    """One module a kind, called alike, and none that is not in the list."""
    folder = Path(feed_of("rss").asks.__code__.co_filename).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(FEEDS)
    assert {kind: feed_of(kind).name for kind in FEEDS} == {kind: kind for kind in FEEDS}
    assert all(known.needs | known.may <= set(FeedSettings.model_fields) for known in FEEDS.values())
