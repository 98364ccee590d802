"""Source `mentions`: what people say in public, such as posts, forum entries and reviews in app stores. It becomes feedback of the kind `mention`.

Whoever wrote it is not kept by name: of the author stays a digest under a key of this installation (`store/control/authors.py`), by which all mentions of
one author are found and can be erased.
"""

import hashlib
import re
from datetime import datetime
from typing import Annotated, Any, Self
from urllib.parse import quote, urlsplit

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from sojourn_collector.sources.base import Secrets, Source
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.feedback import free_text
from sojourn_collector.sources.fields import Identifier, Instant, Number, OptionalIdentifier, Row, Short, TraceId, text
from sojourn_collector.sources.language import said_language
from sojourn_collector.sources.scales import satisfied
from sojourn_collector.sources.sentences import refusal, shown
from sojourn_collector.store.control.authors import author_digest, plain

LONGEST_URL = 2000
LONGEST_TITLE = 300
LONGEST_AUTHOR = 256
_SHORTEST_IN_URL = 3
"""Characters of a name from which on it is looked for in the address of what its owner said."""


def web_address(value: Any) -> str:
    """An address of the web, or "" for none. Raises a refusal."""
    if value is None or value == "":
        return ""
    read = text(value)
    if len(read) > LONGEST_URL:
        raise refusal(f"has {len(read)} characters; at most {LONGEST_URL} are kept")
    try:
        parts = urlsplit(read)
        good = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username and parts.port != 0
    except ValueError:
        good = False
    if not good or re.search(r"[\s\\<>\"]", read):
        raise refusal(f"must be an address such as https://forum.example/t/1, got {shown(value)}")
    return read


def _title(value: Any) -> str:
    read = free_text(value)
    return read if len(read) <= LONGEST_TITLE else f"{read[: LONGEST_TITLE - 1]}…"


def _author(value: Any) -> str:
    read = "" if value is None else text(value)
    if len(read) > LONGEST_AUTHOR:
        # The name itself stays out of the sentence: answers end up in logs.
        raise refusal(f"has {len(read)} characters; at most {LONGEST_AUTHOR} are read")
    return read


class MentionRow(Row):
    """Something said in public: a post, an entry of a forum, a review with its stars. Of the author only a digest is kept."""

    id: Identifier = Field(description="Id where it was said; the same id again replaces it. Without one the address names it.")
    source: OptionalIdentifier = Field("mentions", description="The feed it came by; name it unlike feeds of answers, ids are told apart by it.")
    at: Instant = Field(validation_alias=AliasChoices("at", "posted_at"), description="When it was said, with time zone.")
    text: Annotated[str, BeforeValidator(free_text)] = Field("", description="What was said; addresses and numbers of persons are taken out.")
    title: Annotated[str, BeforeValidator(_title)] = Field("", description="Its heading; cut at 300 characters.")
    url: Annotated[str, BeforeValidator(web_address)] = Field("", description="Where it can be read; the author's name in it is replaced by a hyphen.")
    platform: Short = Field("", description="Where it was said, such as app_store or mastodon.")
    author: Annotated[str, BeforeValidator(_author)] = Field(
        "", description="Name of the author there; kept only as a digest under a key of this installation."
    )
    author_digest: EmailDigest = Field("", description="That digest, where this installation made it before.")
    rating: Number = Field(None, description="Stars or the like, as given, on their own scale.")
    scale_min: Number = Field(None, description="Lowest rating possible.")
    scale_max: Number = Field(None, description="Highest rating possible.")
    higher_is_better: bool = Field(True, description="False where the lowest rating is the best.")
    language: Short = Field("", description="Language of the text, such as en; without one it is recognised where that is sure.")
    survey_id: OptionalIdentifier = Field("", description="Under which name its ratings are summed; the platform without one.")
    session_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("session_id", "session.id"), description="The visit it belongs to, where known.")
    trace_id: TraceId = ""
    user_id: OptionalIdentifier = Field(
        "", validation_alias=AliasChoices("user_id", "user.id"), description="Who said it, where that is a known person of yours."
    )
    email: Email = ""
    email_sha256: EmailDigest = ""
    account_id: OptionalIdentifier = ""
    order_id: OptionalIdentifier = ""
    ticket_id: OptionalIdentifier = ""
    journey: OptionalIdentifier = ""
    step: OptionalIdentifier = ""

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        """The address of a mention names it where its source has no id."""
        if isinstance(value, dict) and value.get("id") in (None, "") and isinstance(value.get("url"), str) and value["url"].strip():
            return {**value, "id": "url-" + hashlib.sha256(value["url"].strip().encode("utf-8", "replace")).hexdigest()[:40]}
        return value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.rating is None:
            if not (self.text or self.title):
                raise refusal("text is missing: a mention without words and without a rating says nothing")
            if self.scale_min is not None or self.scale_max is not None:
                raise refusal("rating is missing: a scale is given and nothing on it")
            return self
        if self.scale_min is None or self.scale_max is None:
            raise refusal("scale_min and scale_max are missing: a rating has no one scale; send them, such as 1 and 5")
        if not self.scale_min < self.scale_max:
            raise refusal(f"scale_min {self.scale_min:g} must be below scale_max {self.scale_max:g}")
        if not self.scale_min <= self.rating <= self.scale_max:
            raise refusal(f"rating: {self.rating:g} is not on the scale from {self.scale_min:g} to {self.scale_max:g}")
        return self


def _stored(raw: dict[str, Any], row: MentionRow, secrets: Secrets) -> dict[str, Any]:
    """The row as kept: text and heading scrubbed, the author as a digest."""
    kept = {key: value for key, value in without_email(raw, row.email).items() if key != "author"} | {"id": row.id}
    for name in ("text", "title"):
        if name in kept:
            kept[name] = without_author(getattr(row, name), row.author)
    if row.url:
        kept["url"] = without_name(row.url, row.author)
    if row.author:
        kept["author_digest"] = author_digest(secrets.author_key, row.platform, row.author)
    return kept


def without_author(said: str, author: str) -> str:
    """A text without the author's name as one is addressed by it: `@name`."""
    name = plain(author)
    return re.sub(rf"(?<![\w@])@{re.escape(name)}(?![\w])", "@-", said, flags=re.IGNORECASE) if name else said


def without_name(url: str, author: str) -> str:
    """An address without the author's name in it, whole or, of `name@host`, the name alone; many platforms find the post all the same."""
    name = plain(author)
    for one in sorted({name, name.partition("@")[0], quote(name, safe=""), quote(name, safe="@")}, key=len, reverse=True):
        if len(one) >= _SHORTEST_IN_URL:
            url = re.sub(rf"(?<=[/@=~.:]){re.escape(one)}(?=$|[/?#&@.:])", "-", url, flags=re.IGNORECASE)
    return url


def engine_row(row: MentionRow, received: datetime) -> dict[str, Any]:
    """The row of the engine's table `feedback`, not yet joined. Its kind keeps ratings of mentions apart from every survey's."""
    rated = row.rating is not None and row.scale_min is not None and row.scale_max is not None
    return {
        "source": row.source or "api",
        "id": row.id,
        "ts": row.at,
        "received": received,
        "kind": "mention",
        "value": row.rating,
        "scale_min": row.scale_min,
        "scale_max": row.scale_max,
        "higher_is_better": row.higher_is_better,
        "satisfied": satisfied("rating", row.rating, row.scale_min, row.scale_max, row.higher_is_better)  # type: ignore[arg-type]
        if rated
        else None,
        "comment": row.text,
        "title": row.title,
        "url": row.url,
        "author": row.author_digest,
        **said_language(row.language),
        "survey_id": row.survey_id or (row.platform if rated else ""),
        "channel": row.platform,
        "journey": row.journey,
        "step": row.step,
        "user_id": row.user_id,
        "email_sha256": digest_of(row.email, row.email_sha256),
        "account_id": row.account_id,
        "order_id": row.order_id,
        "ticket_id": row.ticket_id,
        "trace_id": row.trace_id,
        "given_session_id": row.session_id,
    }


MENTIONS = Source("mentions", "feedback", MentionRow, _stored, engine_row)
