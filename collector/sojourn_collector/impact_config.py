"""impact.yaml as frozen models: what decides the scores. Read once at the start; unknown keys are refused.

Which of it makes a version, and what a change of it means for figures of before, is `impact_version.py`'s.
"""

from contextlib import suppress
from datetime import date
from decimal import Decimal, InvalidOperation
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, Self, get_args
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Discriminator, Field, Tag, ValidationInfo, field_validator, model_validator

from sojourn_collector import strict_yaml
from sojourn_collector.config_model import Model
from sojourn_collector.quantities import Duration
from sojourn_collector.score.alarms import FACTOR, FALSE_PER_WEEK, IMPACT
from sojourn_collector.score.severities import BLOCKED, LEFT, MARKS, RECOVERED, SLOW, Severities
from sojourn_collector.score.silent_sufferers import TOP, WAIT
from sojourn_collector.score.value_impact import CAP, DAYS

Fact = Literal[
    "device",
    "browser",
    "release",
    "app",
    "country",
    "region",
    "location",
    "channel",
    "network",
    "plan",
    "segment",
    "lifecycle",
    "owner",
    "role",
    "known",
    "day",
    "hour",
]
FACTS: tuple[Fact, ...] = get_args(Fact)
"""What people are broken down by without being told: facts of their visits, of themselves and of their accounts, and when it was."""

USUAL_FACTS: tuple[Fact, ...] = FACTS
MOST_SEGMENTS = 30


class Money(Model):
    """An amount in major units of a currency."""

    amount: Decimal = Field(description="Major units.")
    currency: str = Field(pattern="^[A-Z]{3}$", description="ISO 4217 code.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if isinstance(value, str):
            amount, _, currency = value.strip().partition(" ")
            try:
                return {"amount": Decimal(amount), "currency": currency.strip()}
            except InvalidOperation as error:
                raise ValueError(f"{value!r} is not an amount of money; write a number and a currency, such as 62 EUR") from error
        return value


class Windows(Model):
    """The spans of time that decide the scores."""

    outcome: Duration = Field(default=86_400.0, gt=0, description="How long after a failure an order still counts as that person's outcome.")
    abandon: Duration = Field(default=1_800.0, gt=0, description="Silence after which a customer's run is over.")
    incident_gap: Duration = Field(default=1_800.0, gt=0, description="Failures closer than this belong to one incident.")
    identity: Duration = Field(default=259_200.0, gt=0, description="How far back feedback or an order without a session is joined to the person's last visit.")
    usual: Duration = Field(default=2_419_200.0, gt=0, description="The time before an incident that says what is usual.")
    unresolved: Duration = Field(default=259_200.0, gt=0, description="A ticket without a solution for this long counts as unresolved.")
    stale: Duration = Field(default=60.0, gt=0, description="A journey whose newest run is older than this, and than 1.5 of its intervals, is grey.")


class Surveys(Model):
    """How often one may be asked."""

    rest: Duration = Field(default=7 * 86_400.0, gt=0, description="Nobody should be asked again, by any survey, within this time.")
    rarely: Duration = Field(default=180 * 86_400.0, gt=0, description="An account of which nobody has answered for this long is asked too rarely.")


class JourneyImpact(Model):
    """What impact.yaml says about one journey."""

    worth: Money | None = Field(default=None, description="Worth of one finished run where no order tells; goes before the journey file's.")
    apdex: Duration | None = Field(default=None, description="Time under which a customer is satisfied with a step (Apdex T).")


class SeverityNumbers(Model):
    """What an experience counts as in customer impact: 0 is nothing, 1 all. A worse one counts no less than a milder."""

    slow: float = Field(default=SLOW, ge=0, le=1, description="Slower than the journey's `degraded_if`.")
    recovered: float = Field(default=RECOVERED, ge=0, le=1, description="Met an error, later passed.")
    left: float = Field(default=LEFT, ge=0, le=1, description="Met an error, could have gone on or had passed, and left.")
    blocked: float = Field(default=BLOCKED, ge=0, le=1, description="The last try at the step failed and it never passed.")

    @property
    def numbers(self) -> Severities:
        """As the scores take them."""
        return Severities(self.slow, self.recovered, self.left, self.blocked)

    @model_validator(mode="after")
    def _never_falls(self) -> Self:
        values = [(name, float(getattr(self, name))) for name in MARKS]
        for (milder, low), (worse, high) in pairwise(values):
            if low > high:
                raise ValueError(f"{worse}: {high:g} is below {milder}: {low:g}; a worse experience counts no less, give {worse} at least {low:g}")
        if self.blocked == 0:
            raise ValueError("all are 0, so nobody could be hurt; give blocked a number above 0, such as 1")
        return self


class Weights(Model):
    """What a customer weighs in the value view of customer impact, and in the list of silent sufferers."""

    paid: Duration = Field(
        default=DAYS * 86_400.0,
        description="What somebody paid in this long before, 7 to 730 days, says what they are worth; an account with a price a month pays it for as long.",
    )
    cap: float = Field(default=CAP, ge=50, le=100, description="Percentile of worth above which nobody weighs more; 100 caps nobody.")

    @field_validator("paid")
    @classmethod
    def _tells_something(cls, value: float) -> float:
        if not 7 * 86_400.0 <= value <= 730 * 86_400.0:
            raise ValueError("what somebody is worth is read off 7 to 730 days; write one of them, such as 90d")
        return value

    @property
    def days(self) -> float:
        """`paid` in days."""
        return self.paid / 86_400.0


class Silent(Model):
    """Who is in the list of those who were badly hit, are worth a lot and have said nothing."""

    severity: Literal["slow", "recovered", "left", "blocked"] = Field(default="recovered", description="Whoever met this, or worse.")
    worth: float = Field(default=TOP, ge=0, le=100, description="Percentile of worth, of their segment, from which on they are in it.")
    wait: Duration = Field(default=WAIT, description="How long they have said nothing since they were first hit, up to 28 days.")

    @field_validator("wait")
    @classmethod
    def _within_the_list(cls, value: float) -> float:
        if not 0 < value <= 28 * 86_400.0:
            raise ValueError("the list looks back 28 days; write a time above 0 and at most that, such as 72h")
        return value


class Alarms(Model):
    """When newly hit customers are an alarm; no score goes by it."""

    false_per_week: float = Field(
        default=FALSE_PER_WEEK, ge=0.01, le=100, description="False alarms that all steps of all journeys together may raise in a week."
    )
    impact: float = Field(default=IMPACT, ge=0, le=100, description="Customer impact, lower end, from which on an alarm is worth waking somebody.")
    worth: float | None = Field(
        default=None,
        gt=0,
        description="What those newly hit are worth, in major units of `currency`, from which on an alarm wakes whatever its impact; default: no sum does.",
    )
    factor: float = Field(default=FACTOR, ge=1.2, le=100, description="How many times its usual share a step must hit for the alarm to be quickest.")


class SegmentAttribute(Model):
    """Something you know of people that we have no name for."""

    attribute: str = Field(min_length=1, max_length=128, description="Name of the attribute, as accounts, people or visits have it.")
    of: Literal["person", "account", "visit"] | None = Field(
        default=None,
        description="Whose attribute; default: the person's, else their account's, else that of the visit's spans and events, runs included.",
    )
    label: str = Field(default="", max_length=60, description="How pages call it; default: its name.")


Segment = Annotated[
    Annotated[Fact, Tag("[fact]")] | Annotated[SegmentAttribute, Tag("[attribute]")],
    Discriminator(lambda value: "[fact]" if isinstance(value, str) else "[attribute]"),
]
"""A word is one of our facts, a mapping an attribute: what is wrong with one is said of that one."""


def _day(value: Any) -> date:
    if isinstance(value, date):
        return value
    if isinstance(value, str) and len(value) == len("2026-12-25"):
        with suppress(ValueError):
            return date.fromisoformat(value)
    raise ValueError(f"{value!r} is no day; write one such as 2026-12-25")


Day = Annotated[date, BeforeValidator(_day)]
"""YAML is read as text here, and a strict date takes none."""


class ImpactConfig(Model):
    """impact.yaml."""

    currency: str = Field(
        default="EUR",
        pattern="^[A-Z]{3}$",
        description="Currency of every total; orders in another one count where `fx` has a rate.",
    )
    timezone: str = Field(default="UTC", description="Whose midnight begins a day.")
    fx: Path | None = Field(
        default=None,
        strict=False,
        description="CSV of rates of exchange by the day, date,currency,rate or the European Central Bank's; orders in other currencies then count too.",
    )
    simulated: bool = Field(default=False, description="Say on every page that customers are simulated.")
    windows: Windows = Windows()
    surveys: Surveys = Surveys()
    holidays: tuple[Day, ...] = Field(
        default=(), strict=False, max_length=1000, description="Days that are not like others, such as 2026-12-25: nothing is compared with them."
    )
    cart_bands: tuple[float, ...] = Field(default=(25.0, 75.0, 150.0), strict=False, description="Upper edges of the cart bands, in major units.")
    severities: SeverityNumbers = SeverityNumbers()
    weights: Weights = Weights()
    silent: Silent = Silent()
    alarms: Alarms = Alarms()
    segments: tuple[Segment, ...] = Field(
        default=USUAL_FACTS,
        strict=False,
        max_length=MOST_SEGMENTS,
        description="What people are broken down by, in this order: one of our facts, or any attribute of people, accounts or visits.",
    )
    min_hit: int = Field(default=30, ge=1, description="Fewest people hit before money speaks.")
    journeys: dict[str, JourneyImpact] = Field(default_factory=dict, description="Worth and Apdex by journey id.")

    @property
    def visit_attributes(self) -> tuple[str, ...]:
        """Names of the attributes of visits that people are broken down by."""
        return tuple(one.attribute for one in self.segments if isinstance(one, SegmentAttribute) and one.of in (None, "visit"))

    @field_validator("fx")
    @classmethod
    def _beside_the_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return (info.context["folder"] / value).resolve() if value is not None and info.context else value

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError) as error:
            raise ValueError(f"{value!r} is not a time zone; write one such as Europe/Berlin") from error
        return value

    @field_validator("segments", mode="before")
    @classmethod
    def _facts_known(cls, value: Any) -> Any:
        for one in value if isinstance(value, (list, tuple)) else ():
            if not isinstance(one, (str, dict, SegmentAttribute)):
                raise ValueError(f"{one!r} is no fact; write one of ours, such as plan, or {{attribute: name}} for an attribute of yours")
            if isinstance(one, str) and one not in FACTS:
                raise ValueError(f"{one[:60]!r} is none of our facts ({', '.join(FACTS)}); write {{attribute: {one[:60]}}} for an attribute of yours")
        return value

    @field_validator("segments")
    @classmethod
    def _named_once(cls, value: tuple[Fact | SegmentAttribute, ...]) -> tuple[Fact | SegmentAttribute, ...]:
        names = [one if isinstance(one, str) else f"attribute {one.attribute}" for one in value]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"{name} is there twice; name each once")
        return value

    @field_validator("cart_bands")
    @classmethod
    def _rising(cls, value: tuple[float, ...]) -> tuple[float, ...]:
        if list(value) != sorted(set(value)) or any(edge <= 0 for edge in value):
            raise ValueError("the edges of the cart bands must rise and be above 0, such as [25, 75, 150]")
        return value


def load_impact_config(path: Path | None) -> ImpactConfig:
    """Read impact.yaml, or take the defaults when there is none. Raises ConfigError."""
    return ImpactConfig() if path is None else strict_yaml.load(path, ImpactConfig, "the windows and worths")
