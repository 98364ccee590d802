"""`sources:` of collector.yaml: vendors whose webhooks are taken."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, model_validator

from sojourn_collector.config_model import Model, is_loopback
from sojourn_collector.kept_key import KeptKey

RESERVED: Final = frozenset(
    ("feedback", "orders", "accounts", "people", "tickets", "subscriptions", "invitations", "usage", "deals", "owners", "mentions", "api", "beacon")
)
"""Names that are taken: the addresses of rows of our own form, and the names they are kept under."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


@dataclass(frozen=True, slots=True)
class Takes:
    """Which keys a vendor needs, and which it may have besides `kind`, `previous_secret`, `journey` and `step`."""

    needs: frozenset[str]
    may: frozenset[str] = frozenset()


def takes(needs: str, may: str = "") -> Takes:
    """Keys given as words."""
    return Takes(frozenset(needs.split()), frozenset(may.split()))


VENDORS: Final[Mapping[str, Takes]] = {
    "zendesk": takes("secret", "token url session_field user_field"),
    "typeform": takes("secret", "token url questions session_field user_field"),
    "stripe": takes("secret", "session_field user_field"),
    "hubspot": takes("secret public_url token", "url questions session_field user_field"),
    "surveymonkey": takes("secret client_id token", "url questions session_field user_field"),
    "formbricks": takes("questions", "secret session_field user_field"),
    "delighted": takes("secret", "questions session_field user_field"),
    "intercom": takes("secret", "session_field user_field"),
    "qualtrics": takes("token url questions", "secret session_field user_field"),
    "chatwoot": takes("", "secret session_field user_field"),
    "shopify": takes("secret", "session_field user_field"),
    "posthog": takes("questions", "secret session_field user_field"),
    "sentry": takes("secret", "session_field user_field"),
    "segment": takes("", "secret session_field user_field"),
}
"""The one list of vendors, with the keys each takes. The adapter is the module of that name in `sources/vendors`."""

EVERY: Final = frozenset(("kind", "previous_secret", "journey", "step"))


class Question(Model):
    """What a question of a survey asks, where the vendor does not say it with the answer."""

    kind: Literal["csat", "nps", "ces", "rating", "text"] = Field(description="What was asked.")
    scale_min: float | None = Field(default=None, strict=False, description="Lowest answer possible; needed for all but nps and text.")
    scale_max: float | None = Field(default=None, strict=False, description="Highest answer possible.")
    higher_is_better: bool = Field(default=True, description="False where the lowest answer is the best.")
    journey: str = Field(default="", max_length=256, description="Journey it is about.")
    step: str = Field(default="", max_length=256, description="Step it is about.")

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind in ("nps", "text"):
            if (self.scale_min, self.scale_max) not in ((None, None), (0, 10)):
                raise ValueError(f"{self.kind} takes no scale; leave scale_min and scale_max out")
        elif self.scale_min is None or self.scale_max is None or not self.scale_min < self.scale_max:
            raise ValueError(f"{self.kind} needs scale_min and scale_max, such as 1 and 5")
        return self


class SourceSettings(Model):
    """One vendor's webhooks."""

    kind: str = Field(description=f"The vendor: {', '.join(VENDORS)}.")
    secret: KeptKey | None = Field(default=None, description="The secret the vendor signs with, as its page shows it.")
    previous_secret: KeptKey | None = Field(default=None, description="The secret before it, good as well while the vendor changes over.")
    token: KeptKey | None = Field(default=None, description="Token for asking the vendor's API, where its events do not hold the answers or their scale.")
    url: str = Field(default="", description="Address of the vendor's API, where it is not the usual one.")
    public_url: str = Field(
        default="", description="Address under which the vendor calls this collector, where it signs that, such as https://sojourn.example."
    )
    client_id: str = Field(default="", max_length=200, description="Id of your app at the vendor, where it signs with that too.")
    session_field: str = Field(default="", max_length=200, description="Field of the vendor's that holds the session id; the usual names are known.")
    user_field: str = Field(default="", max_length=200, description="Field of the vendor's that holds the user id; the usual names are known.")
    journey: str = Field(default="", max_length=256, description="Journey that answers are about, where the question says none.")
    step: str = Field(default="", max_length=256, description="Step that answers are about.")
    questions: dict[str, Question] = Field(default_factory=dict, description="What a question asks, by the vendor's id or reference of it.")

    @model_validator(mode="after")
    def _fits(self, info: ValidationInfo) -> Self:
        takes = VENDORS.get(self.kind)
        if takes is None:
            raise ValueError(f"there is no vendor {self.kind[:40]!r}; there are {', '.join(VENDORS)}")
        given = {name for name in self.model_fields_set if getattr(self, name) not in (None, "", {})}
        if unknown := sorted(given - EVERY - takes.needs - takes.may):
            raise ValueError(f"{unknown[0]} is of no use to {self.kind}; drop it, it takes {', '.join(sorted(takes.needs | takes.may))}")
        if missing := sorted(takes.needs - given):
            raise ValueError(f"{missing[0]} is needed for {self.kind}")
        if self.previous_secret is not None and self.secret is None:
            raise ValueError("previous_secret goes with secret; give secret")
        for name in ("url", "public_url"):
            _good_url(name, getattr(self, name))
        return self


class SignedSettings(Model):
    """The secrets of rows of our own form that come signed."""

    secret: KeptKey = Field(description="The secret they are signed with, as Standard Webhooks write it: whsec_ and base64.")
    previous_secret: KeptKey | None = Field(default=None, description="The secret before it, good as well while the sender changes over.")


def good_signed(signed: Mapping[str, SignedSettings]) -> None:
    """Sources of our own form. Raises ValueError."""
    known = sorted(RESERVED - {"api", "beacon"})
    for name in signed:
        if name not in known:
            raise ValueError(f"there is no source {name[:40]!r} whose rows could be signed; there are {', '.join(known)}")


def good_names(sources: Mapping[str, SourceSettings]) -> None:
    """Names that stand in addresses. Raises ValueError."""
    for name in sources:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name[:40]!r} cannot be the name of a source; take small letters, digits and hyphens, at most 32")
        if name in RESERVED:
            raise ValueError(f"the name {name} is taken by rows of our own form; give the source another, such as {name}-{sources[name].kind}")


def _good_url(name: str, url: str) -> None:
    if not url:
        return
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        good = False
    if not good or parts.query or parts.fragment or parts.username or re.search(r"[^!-~]", url):
        raise ValueError(f"{name}: this is no address; write scheme and host, such as https://api.example")
    if name == "url" and parts.scheme == "http" and not is_loopback(str(parts.hostname)):
        raise ValueError("url: a token must not go out in clear; write https://")
