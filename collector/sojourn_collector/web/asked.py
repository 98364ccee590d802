"""What the lists of `/api/v1` can be asked: their query parameters, each with its bounds."""

from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from sojourn_collector.web.cursor import LONGEST as LONGEST_CURSOR

LONGEST_FILTER = 512
"""Characters of a filter."""
MOST = 500
"""Items of a page."""
LONGEST_DEADLINE = 30.0
MOST_ATTRIBUTES = 3
MOST_RESOURCE = 2


def plain_text(text: str) -> str:
    """A filter as it is; raises ValueError for one with control characters."""
    if any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in text):
        raise ValueError("holds a control character; leave it out")
    return text


SCALE = r"^(-?[0-9.e+]{1,20}–-?[0-9.e+]{1,20}( \(low is good\))?)?$"
Text = Annotated[str, Field(max_length=LONGEST_FILTER), AfterValidator(plain_text)]
Traffic = Literal["", "real", "synthetic"]
Severity = Annotated[float, Field(ge=0, le=1)]
SEVERITY = "Only where the worst that happened is at least this: 0.25 slow, 0.5 hit and recovered, 0.8 left after an error, 1 stopped by a failure."


class Asked(BaseModel):
    """What every list takes. Unknown parameters are refused: a filter that is misspelt would show everything."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    since: AwareDatetime | None = Field(None, alias="from", description="Begin of the window, RFC 3339; default 24 hours before its end.")
    until: AwareDatetime | None = Field(None, alias="to", description="End of the window, RFC 3339; default now.")
    limit: int = Field(50, ge=1, le=MOST, description="Items of a page.")
    cursor: Annotated[str, Field(max_length=LONGEST_CURSOR), AfterValidator(plain_text)] = Field(
        "", description="`next` of the page before, with the same other parameters; the window is then that page's."
    )
    deadline: float = Field(10.0, ge=1, le=LONGEST_DEADLINE, description="Seconds the answer may take.")

    def question(self, name: str) -> str:
        """What is asked apart from the page: a cursor is good for the same question only."""
        return name + self.model_dump_json(exclude={"since", "until", "limit", "cursor", "deadline"})


class RunsAsked(Asked):
    """Of `GET /api/v1/runs`."""

    journey: Text = Field("", description="Only runs of this journey.")
    traffic: Traffic = Field("", description="Probes' runs or customers'.")
    outcome: Literal["", "passed", "degraded", "failed", "inconclusive", "skipped"] = Field("", description="How a probe's run came out.")
    end: Literal["", "trying", "finished", "gave_up", "stopped"] = Field("", description="How a customer's run ended.")
    severity: Severity = Field(0.0, description=SEVERITY)
    step: Text = Field("", description="Only runs that failed at this step.")
    came_to: Text = Field("", description="Only runs that came to this step.")
    there: Literal["", "done", "hit", "slow", "stopped"] = Field(
        "", description="Beside `came_to`: only those who went on from there, were hit, found it slow, or were stopped."
    )
    failure_kind: Text = Field("", description="Only runs that failed for this kind of reason, such as `timeout`.")
    location: Text = Field("", description="Where the agent stands.")
    session: Text = Field("", description="Only runs of this visit.")
    person: Text = Field("", description="Only runs of this person, such as `user:u12`.")
    account: Text = Field("", description="Only runs of this account's people.")
    release: Text = Field("", description="Only runs on this release of the app.")


class SessionsAsked(Asked):
    """Of `GET /api/v1/sessions`."""

    traffic: Traffic = Field("real", description="Whose visits; empty for both.")
    person: Text = Field("", description="Only visits of this person, such as `user:u12`.")
    account: Text = Field("", description="Only visits of this account's people.")
    app: Text = ""
    device: Text = ""
    browser: Text = Field("", description="Name with version, as a visit shows it.")
    release: Text = ""
    errors: int = Field(0, ge=0, le=1_000_000, description="Only visits with at least so many errors.")


class PeopleAsked(Asked):
    """Of `GET /api/v1/people`."""

    traffic: Traffic = Field("real", description="Whose visits; empty for both.")
    kind: Literal["", "user", "visitor", "visit"] = Field("", description="`user` is signed in, `visitor` is known again, `visit` is an anonymous visit alone.")
    account: Text = ""
    app: Text = ""
    journey: Text = Field("", description="Only people who tried this journey.")
    severity: Severity = Field(0.0, description=SEVERITY)


class AtProblemAsked(BaseModel):
    """Of `GET /api/v1/problems/{id}/people`. They are of the problem's own time."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    met: Literal["possibly", "hit"] = Field(
        "possibly",
        description="`possibly`: who came while our probes failed, and of whom neither a failure is known nor that it worked; `hit`: whom a failure met.",
    )
    kind: Literal["", "person", "visit"] = Field("", description="People, or anonymous visits alone.")
    limit: int = Field(50, ge=1, le=MOST, description="Items of a page.")
    cursor: Annotated[str, Field(max_length=LONGEST_CURSOR), AfterValidator(plain_text)] = Field(
        "", description="`next` of the page before, with the same other parameters."
    )

    def question(self, ident: str) -> str:
        """What is asked apart from the page."""
        return f"problems/{ident}/people" + self.model_dump_json(exclude={"limit", "cursor"})


class AccountsAsked(Asked):
    """Of `GET /api/v1/accounts`. They are listed by id; the window is that of what their people did."""

    name: Text = Field("", description="Only accounts whose name holds this text.")
    plan: Text = ""
    segment: Text = ""
    lifecycle: Text = ""
    owner: Text = ""
    severity: Severity = Field(0.0, description=SEVERITY)


class FeedbackAsked(Asked):
    """Of `GET /api/v1/feedback`."""

    kind: Literal["", "csat", "nps", "ces", "rating", "text", "mention"] = Field("", description="What was asked.")
    feed: Text = Field("", description="Only of this source.")
    survey: Text = ""
    question_id: Text = Field("", description="Which question of the survey.")
    channel: Text = Field("", description="Where it was asked or said, such as email or app_store.")
    language: Text = Field("", description="Language of the words, such as `de`, whatever the region; `unknown` where it is not known.")
    journey: Text = Field("", description="Answers that name this journey, or whose visit walked it.")
    step: Text = ""
    plan: Text = Field("", description="Of the account of whoever answered; so are segment, lifecycle and account.")
    segment: Text = ""
    lifecycle: Text = ""
    account: Text = ""
    link: Literal["", "explicit", "inferred", "unlinked"] = Field("", description="How it is linked to a visit.")
    verdict: Literal["", "satisfied", "dissatisfied"] = Field("", description="Whether the answer is in the satisfied boxes of its scale.")
    person: Text = Field("", description="Only of this person, such as `user:u12`.")
    text: Text = Field("", description="Part of the comment; letters' case does not matter.")
    words: bool = Field(False, description="Only answers with words.")
    device: Text = Field("", description="Of the visit it is linked to; so are browser and release.")
    browser: Text = ""
    release: Text = ""
    scale: Annotated[str, Field(max_length=60, pattern=SCALE)] = Field(
        "", description="Only answers on this scale, as `/api/v1/satisfaction` writes it, such as `1–5`."
    )
    once: Literal["", "kind", "question"] = Field(
        "",
        description="Only what scores count: each person's newest answer with a value of a kind (`csat` with ratings) on a scale; with `question` "
        "of a question of a survey, and then `survey` and `question_id` are meant as they stand, empty ones too.",
    )


Attribute = Annotated[str, Field(max_length=2 * LONGEST_FILTER), AfterValidator(plain_text)]


class SpansAsked(Asked):
    """What traces and search take."""

    service: Text = Field("", description="`service.name`.")
    name: Text = Field("", description="The whole name of the span, metric or event.")
    traffic: Traffic = ""
    journey: Text = ""
    step: Text = ""
    run: Text = Field("", description="Only what carries this run's id.")
    session: Text = Field("", description="Only what carries this visit's id.")
    text: Text = Field("", description="Part of a span's name or message, or of a log's body; letters' case does not matter.")
    attr: list[Attribute] = Field(
        [],
        max_length=MOST_ATTRIBUTES,
        description="`key=value`, or `key` for any value; may be repeated. Attributes of the span or log itself, also ones that nobody told us of.",
    )
    resource: list[Attribute] = Field(
        [], max_length=MOST_RESOURCE, description="The same of resources, such as `k8s.pod.name=pay-7`, and of scopes (`otel.scope.version=1.2`)."
    )


class TracesAsked(SpansAsked):
    """Of `GET /api/v1/traces`: traces with a span that says all of this."""

    status: Literal["", "unset", "ok", "error"] = ""
    kind: Literal["", "unspecified", "internal", "server", "client", "producer", "consumer"] = ""
    min_duration: float = Field(0.0, ge=0, le=86_400, description="Seconds the span took at least.")


class SearchAsked(TracesAsked):
    """Of `GET /api/v1/search`."""

    signal: Literal["traces", "logs"] = Field("traces", description="Spans, or log records and events.")
    trace: Annotated[str, Field(pattern=r"^([0-9a-fA-F]{16}|[0-9a-fA-F]{32})?$")] = Field("", description="Only what belongs to this trace.")
    severity: int = Field(0, ge=0, le=24, description="Only logs at least this severe: 9 info, 13 warning, 17 error, 21 fatal.")
