"""`feeds:` of collector.yaml: public feeds that are pulled for mentions and reviews."""

import ipaddress
import re
from collections.abc import Mapping
from typing import Final, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from sojourn_collector.config_model import Model, is_loopback
from sojourn_collector.kept_key import KeptKey
from sojourn_collector.quantities import Duration
from sojourn_collector.sources_config import RESERVED, VENDORS, Takes, takes

FEEDS: Final[Mapping[str, Takes]] = {
    "rss": takes("url", "token"),
    "mastodon": takes("url", "hashtag search mentions token"),
    "app_store": takes("app", "country url"),
    "google_play": takes("app service_account", "url"),
}
"""The one list of kinds of feeds, with the keys each takes. The adapter is the module of that name in `sources/feeds`."""

EVENTS: Final = frozenset(VENDORS) | frozenset(FEEDS)
"""Kinds of rows in the inbox that are not of our own form."""
EVERY: Final = frozenset(("kind", "every", "most", "journey", "step", "survey", "insecure", "internal"))
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


class FeedSettings(Model):
    """One feed."""

    kind: str = Field(description=f"What it is: {', '.join(FEEDS)}.")
    url: str = Field(default="", description="Address of the feed (rss), of the server (mastodon), or of another API than the usual one.")
    every: Duration = Field(default=900.0, ge=60, le=7 * 86_400, description="How often it is asked; at least 1m.")
    most: int = Field(default=500, ge=1, le=5000, description="Entries that are taken of it at once; more follow the next time, where the feed still has them.")
    token: KeptKey | None = Field(default=None, description="Token that is sent as `Authorization: Bearer …`.")
    service_account: KeptKey | None = Field(default=None, description="Key of a service account, the JSON as Google gives it.")
    hashtag: str = Field(default="", max_length=100, pattern=r"^\w*$", description="Posts with this tag, without the #.")
    search: str = Field(default="", max_length=200, description="Posts that hold these words; needs a token.")
    mentions: bool = Field(default=False, description="Public posts that mention the account of the token.")
    app: str = Field(default="", max_length=200, pattern=r"^[A-Za-z0-9._]*$", description="The app: its number in the App Store, its package in Google Play.")
    country: str = Field(default="us", pattern="^[a-z]{2}$", description="Country of the store, two small letters.")
    journey: str = Field(default="", max_length=256, description="Journey that it is about.")
    step: str = Field(default="", max_length=256, description="Step that it is about.")
    survey: str = Field(default="", max_length=256, description="Name under which its ratings are summed; the feed's own without one.")
    insecure: bool = Field(default=False, description="Allow http, also after a redirect.")
    internal: tuple[str, ...] = Field(
        default=(), strict=False, description="Networks that are not public and may be asked all the same, such as 10.1.0.0/16 or 127.0.0.1/32."
    )

    @field_validator("internal")
    @classmethod
    def _networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            try:
                ipaddress.ip_network(one)
            except ValueError as error:
                raise ValueError(f"{one[:60]!r} is no network; write it such as 10.1.0.0/16") from error
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        known = FEEDS.get(self.kind)
        if known is None:
            raise ValueError(f"there is no kind of feed {self.kind[:40]!r}; there are {', '.join(FEEDS)}")
        given = {name for name in self.model_fields_set if getattr(self, name) not in (None, "", False, ())}
        if unknown := sorted(given - EVERY - known.needs - known.may):
            raise ValueError(f"{unknown[0]} is of no use to {self.kind}; drop it, it takes {', '.join(sorted(known.needs | known.may))}")
        if missing := sorted(known.needs - given):
            raise ValueError(f"{missing[0]} is needed for {self.kind}")
        if self.kind == "mastodon":
            self._mastodon()
        if self.kind == "app_store" and not self.app.isdecimal():
            raise ValueError("app: the App Store knows an app by its number, such as 284882215; it stands in the app's address after id")
        self._good_url()
        return self

    def _mastodon(self) -> None:
        if not (self.hashtag or self.search or self.mentions):
            raise ValueError("say what to look for: hashtag, search or mentions")
        if (self.search or self.mentions) and self.token is None:
            raise ValueError(f"{'search' if self.search else 'mentions'} needs a token; a server tells it to nobody else")

    def _good_url(self) -> None:
        if not self.url:
            return
        try:
            parts = urlsplit(self.url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good or parts.username or parts.fragment or re.search(r"[^!-~]", self.url) or (self.kind != "rss" and parts.query):
            raise ValueError("url: this is no address; write scheme and host, such as https://social.example")
        if parts.scheme == "http" and not self.insecure:
            raise ValueError(f"{self.url} is not encrypted; write https, or say insecure: true beside it")
        if parts.scheme == "http" and (self.token or self.service_account) and not is_loopback(str(parts.hostname)):
            raise ValueError("url: a token must not go out in clear; write https://")


def good_feed_names(feeds: Mapping[str, FeedSettings], sources: Mapping[str, object]) -> None:
    """Names that no source has. Raises ValueError."""
    for name in feeds:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:40]!r} cannot be the name of a feed; take small letters, digits and hyphens, at most 32")
        if name in RESERVED or name in sources:
            raise ValueError(f"the name {name} is taken by a source; give the feed another, such as {name}-{feeds[name].kind.replace('_', '-')}"[:120])
