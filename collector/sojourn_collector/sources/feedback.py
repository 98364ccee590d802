"""Source `feedback`: answers to surveys (CSAT, NPS, CES, ratings) and comments, each with its scale."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AliasChoices, BeforeValidator, Field, model_validator

from sojourn_collector.sources.base import Secrets, Source
from sojourn_collector.sources.email import Email, EmailDigest, digest_of, without_email
from sojourn_collector.sources.fields import Identifier, Instant, Number, OptionalIdentifier, Row, Short, TraceId, text
from sojourn_collector.sources.language import said_language
from sojourn_collector.sources.scales import satisfied
from sojourn_collector.sources.scrub import scrub
from sojourn_collector.sources.sentences import refusal

LONGEST_COMMENT = 10_000


def free_text(value: Any) -> str:
    """Free text of a person, scrubbed and bounded. Raises a refusal."""
    if value is None:
        return ""
    read = text(value)
    if len(read) > LONGEST_COMMENT:
        raise refusal(f"has {len(read)} characters; at most {LONGEST_COMMENT} are kept")
    return scrub(read)


class FeedbackRow(Row):
    """One answer or comment."""

    id: Identifier = Field(description="Id of the answer in its source; the same id again replaces it.")
    source: OptionalIdentifier = Field("api", description="The feed it came by.")
    kind: Literal["csat", "nps", "ces", "rating", "text"] = Field(description="What was asked.")
    value: Number = Field(None, description="The answer as given, on its own scale.")
    scale_min: Number = Field(None, description="Lowest answer possible.")
    scale_max: Number = Field(None, description="Highest answer possible.")
    higher_is_better: bool = Field(True, description="False where the lowest answer is the best.")
    satisfied: bool | None = Field(None, description="The source's own verdict; without it the top boxes of the scale decide.")
    comment: Annotated[str, BeforeValidator(free_text)] = Field("", description="Free text; addresses and numbers of persons are taken out.")
    language: Short = Field("", description="Language of the comment, such as en; without one it is recognised where that is sure.")
    at: Instant = Field(description="When it was answered, with time zone.")
    survey_id: OptionalIdentifier = ""
    question_id: OptionalIdentifier = Field("", description="Which question of the survey.")
    question: Short = Field("", description="The question as it was asked.")
    partial: bool = Field(False, description="True where the survey was left before its end; such answers count in no response rate.")
    channel: Short = Field("", description="Where it was asked, such as email or web.")
    session_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("session_id", "session.id"), description="The visit it belongs to.")
    trace_id: TraceId = ""
    user_id: OptionalIdentifier = Field("", validation_alias=AliasChoices("user_id", "user.id"))
    email: Email = ""
    email_sha256: EmailDigest = ""
    account_id: OptionalIdentifier = ""
    order_id: OptionalIdentifier = ""
    ticket_id: OptionalIdentifier = ""
    journey: OptionalIdentifier = ""
    step: OptionalIdentifier = ""

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.kind == "text":
            if self.value is not None:
                raise refusal("value: a text has none; send its kind: csat, nps, ces or rating")
            if not self.comment:
                raise refusal("comment is missing: a text without words says nothing")
            return self
        if self.value is None:
            raise refusal(f"value is missing: {self.kind} needs one")
        low, high = self.scale()
        if not low < high:
            raise refusal(f"scale_min {low:g} must be below scale_max {high:g}")
        if not low <= self.value <= high:
            raise refusal(f"value: {self.value:g} is not on the scale from {low:g} to {high:g}")
        return self

    def scale(self) -> tuple[float, float]:
        """Lowest and highest answer. Only NPS is known by its kind; raises a refusal when the scale is missing or not NPS's."""
        given = (self.scale_min, self.scale_max)
        if self.kind == "nps":
            if given not in ((None, None), (0, 10)):
                raise refusal(f"scale_min and scale_max: nps goes from 0 to 10, got {_said(self.scale_min)} and {_said(self.scale_max)}")
            return 0.0, 10.0
        if self.scale_min is None or self.scale_max is None:
            raise refusal(f"scale_min and scale_max are missing: {self.kind} has no one scale; send them, such as 1 and 5")
        return self.scale_min, self.scale_max


def _said(value: float | None) -> str:
    return "nothing" if value is None else f"{value:g}"


def _stored(raw: dict[str, Any], row: FeedbackRow, _keys: Secrets) -> dict[str, Any]:
    kept = without_email(raw, row.email)
    return {**kept, "comment": row.comment} if "comment" in kept else kept


def engine_row(row: FeedbackRow, received: datetime) -> dict[str, Any]:
    """The row of the engine's table `feedback`, not yet joined."""
    low, high = row.scale() if row.kind != "text" else (None, None)
    verdict = row.satisfied
    if verdict is None and row.value is not None and low is not None and high is not None:
        verdict = satisfied(row.kind, row.value, low, high, row.higher_is_better)
    return {
        "source": row.source or "api",
        "id": row.id,
        "ts": row.at,
        "received": received,
        "kind": row.kind,
        "value": row.value,
        "scale_min": low,
        "scale_max": high,
        "higher_is_better": row.higher_is_better,
        "satisfied": verdict,
        "comment": row.comment,
        **said_language(row.language),
        "survey_id": row.survey_id,
        "question_id": row.question_id,
        "question": row.question,
        "partial": row.partial,
        "channel": row.channel,
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


FEEDBACK = Source("feedback", "feedback", FeedbackRow, _stored, engine_row)
