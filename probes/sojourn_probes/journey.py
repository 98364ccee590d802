"""What a journey file says, as frozen models. Loading files is in `load.py`, what spans several keys in `rules.py`."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final, Literal

from pydantic import BeforeValidator, Field, JsonValue, ModelWrapValidatorHandler, PlainSerializer, PlainValidator, PrivateAttr, create_model, model_validator
from pydantic_core import PydanticCustomError

from sojourn_probes import schedule
from sojourn_probes.condition import Condition, parse_condition
from sojourn_probes.expectation import SOURCES, Expectation, ExpectationError
from sojourn_probes.expectation_parse import from_parts, parse
from sojourn_probes.maintenance import Cron, Window, Zone
from sojourn_probes.match import Customers, Match
from sojourn_probes.model import Model
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps import KINDS
from sojourn_probes.steps.browser_targets import ByLabel, ByText
from sojourn_probes.units import Duration, Money, Worth

__all__ = ["Backoff", "Customers", "Expectation", "Extract", "Goal", "Journey", "JourneyCustomers", "Match", "Money", "Repeat", "Retries", "Step"]

ID_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,63}$"
NAME_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"

Id = Annotated[str, Field(pattern=ID_PATTERN)]
Name = Annotated[str, Field(pattern=NAME_PATTERN)]
Line = Annotated[str, Field(min_length=1, max_length=200)]
Flag = Annotated[bool, Field(strict=True)]
Place = tuple[int, int]
"""Line and column, from 1."""


class ExpectationParts(Model):
    """The long form of an expectation."""

    source: Annotated[str, Field(description=f"one of {', '.join(SOURCES)}")]
    property: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="the name of a header or cookie, a JSONPath, an XPath, a CSS selector, a fact of tls"
    )
    count: Flag = Field(False, description="compare how many json, xpath or css finds")
    comparison: Annotated[str, Field(pattern=r"^(not )?(==|!=|<=?|>=?|between|contains|matches|in|fits|exists)$")]
    target: JsonValue = Field(
        None, description="what to compare with; two values for between, a list for in, a JSON Schema or its file for fits, nothing for exists"
    )


def _expectation(value: Any) -> Expectation:
    if isinstance(value, Expectation):
        return value
    try:
        if isinstance(value, str):
            return parse(value)
        if isinstance(value, dict):
            _refuse_accidental_map(value)
            return from_parts(ExpectationParts.model_validate(value).model_dump(exclude_unset=True))
    except ExpectationError as fault:
        raise PydanticCustomError("expectation", "{message}", {"message": str(fault), "offset": fault.offset}) from None
    raise PydanticCustomError("expectation", "an expectation is wanted here, such as status == 200", {"offset": 0})


def _refuse_accidental_map(value: dict[str, Any]) -> None:
    """Without quotes, YAML reads `body contains "a: b"` as a map."""
    if len(value) != 1:
        return
    key, item = next(iter(value.items()))
    if isinstance(key, str) and key.split(" ")[0].partition(".")[0] in {*SOURCES, "not"} and " " in key:
        line = f"{key}: {'' if item is None else item}".replace("'", "''")
        raise ExpectationError(f"YAML reads this as a map because of the ': ' in it; put the whole line in single quotes: '{line}'")


ExpectationField = Annotated[
    Expectation,
    PlainValidator(_expectation, json_schema_input_type=Annotated[str, Field(min_length=1, max_length=2000)] | ExpectationParts),
    PlainSerializer(lambda expectation: expectation.text, return_type=str),
]


def _condition(value: Any) -> Any:
    if isinstance(value, Condition):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("expectation", "a condition is wanted here, such as '${{vars.lang}} == de'", {"offset": 0})
    try:
        return parse_condition(value)
    except ExpectationError as fault:
        raise PydanticCustomError("expectation", "{message}", {"message": str(fault), "offset": fault.offset}) from None


ConditionField = Annotated[
    Condition,
    PlainValidator(_condition, json_schema_input_type=Annotated[str, Field(pattern=r"^\s*(not\s+)?\$\{", max_length=2000)]),
    PlainSerializer(lambda condition: condition.text, return_type=str),
]


Conditions = Annotated[tuple[ConditionField, ...], Field(min_length=1)]


class Repeat(Model):
    """Try a step again until something holds."""

    until: Annotated[tuple[ExpectationField, ...], Field(min_length=1)] = Field(description="all must hold; the grammar of expect")
    within: Annotated[Duration, Field(gt=0, le=600)] = Field(30.0, description="when it is given up")
    every: Annotated[Duration, Field(ge=0.05, le=60)] = Field(1.0, description="how long to wait before the next try")
    at_most: Annotated[int, Field(strict=True, ge=2, le=1000)] | None = Field(None, description="tries, at most; default as many as fit")


class Backoff(Model):
    """How long to wait before the next attempt."""

    first: Annotated[Duration, Field(ge=0, le=60)] = Field(1.0, description="before the second attempt")
    growth: Literal["fixed", "linear", "exponential"] = Field(
        "fixed", description="fixed: the same each time; linear: 1, 2, 3 times; exponential: 1, 2, 4 times"
    )
    most: Annotated[Duration, Field(gt=0, le=300)] = Field(60.0, description="never longer than this")
    jitter: Flag = Field(True, description="take between half and all of it, by chance, so that agents do not come together")

    def seconds(self, attempt: int, chance: float) -> float:
        """How long to wait after `attempt` (from 1) failed; `chance` is between 0 and 1."""
        factor: int = {"fixed": 1, "linear": attempt, "exponential": 2 ** (attempt - 1)}[self.growth]
        whole = min(self.first * factor, self.most)
        return whole * (0.5 + chance / 2) if self.jitter else whole

    @property
    def longest(self) -> tuple[float, ...]:
        """How long each wait can be at most, for up to five retries."""
        return tuple(self.model_copy(update={"jitter": False}).seconds(attempt, 0) for attempt in range(1, 6))


def _backoff(value: Any) -> Any:
    return {"first": value, "jitter": False} if isinstance(value, str | int | float) and not isinstance(value, bool) else value


class Retries(Model):
    """More attempts after a failed one."""

    max: Annotated[int, Field(strict=True, ge=0, le=5)] = Field(0, description="how many more attempts, at most")
    only_on: tuple[FailureKind, ...] = Field((), description="retry only after failures of these kinds; default all but secret and config")
    backoff: Annotated[Backoff, BeforeValidator(_backoff, json_schema_input_type=Annotated[Duration, Field(ge=0, le=60)] | Backoff)] = Field(
        default_factory=lambda: Backoff.model_construct(first=0.0, growth="fixed", most=60.0, jitter=False),
        description="how long to wait before the next attempt",
    )


def _retries(value: Any) -> Any:
    return {"max": value} if isinstance(value, int) and not isinstance(value, bool) else value


class Goal(Model):
    """What a customer gets done at the end, and what it is worth to the company."""

    event: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,100}$", description="the conversion's name")]
    worth: Worth | None = Field(None, description="such as 62 EUR; a real order's amount wins")


class JourneyCustomers(Model):
    """Where this journey's customers are seen."""

    app: Annotated[str, Field(min_length=1, max_length=100, description="the app the beacons come from")]


class Extract(Model):
    """Where to take a value from: an http answer (json, xpath, css, header, regex, cookie) or a page (text, value, attribute, url, evaluate, regex, cookie)."""

    json_path: Annotated[str, Field(pattern=r"^\$")] | None = Field(None, alias="json", description="a JSONPath into the body")
    xpath: Annotated[str, Field(min_length=1)] | None = Field(None, description="an XPath into an HTML or XML body, such as //input[@name='csrf']/@value")
    css: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="a CSS selector, with ::attr(name) for an attribute: input[name=csrf]::attr(value)"
    )
    header: Annotated[str, Field(min_length=1, description="name of a header")] | None = None
    regex: (
        Annotated[str, Field(min_length=1, description="regular expression over the body or the page's text; its first group, else the whole match")] | None
    ) = None
    cookie: Annotated[str, Field(min_length=1, description="name of a cookie the server set")] | None = None
    text: ByText | None = Field(None, description="what a thing on the page shows; short: a part of it. With regex only what that matches")
    value: ByLabel | None = Field(None, description="what a form field holds; short: its label")
    attribute: Annotated[str, Field(min_length=1, description="an attribute of the thing named under of, such as href")] | None = None
    of: ByText | None = Field(None, description="the thing that has the attribute")
    url: Annotated[str, Field(min_length=1, description="regular expression over the page's address; its first group, else the whole match")] | None = None
    evaluate: Annotated[str, Field(min_length=1, max_length=10_000, description="a JavaScript expression, evaluated in the page")] | None = None
    secret: Flag | None = Field(None, description="keep the value out of every output; default true for cookie, else false")

    @model_validator(mode="after")
    def _one_way(self) -> "Extract":
        ways = (self.json_path, self.xpath, self.css, self.header, self.cookie, self.text, self.value, self.attribute, self.url, self.evaluate)
        given = sum(way is not None for way in ways)
        narrowed = self.regex is not None and (self.text or self.value or self.attribute or self.evaluate) is not None
        if given + (self.regex is not None) - narrowed != 1:
            raise ValueError("say exactly one of json, xpath, css, header, regex, cookie, or of a page text, value, attribute, url, evaluate")
        if (self.attribute is None) != (self.of is None):
            raise ValueError("attribute and of go together, such as {attribute: href, of: {role: link, name: Invoice}}")
        return self

    @property
    def on_page(self) -> bool:
        """Whether the page must be asked while it is there."""
        return any(way is not None for way in (self.text, self.value, self.attribute, self.url, self.evaluate))

    @property
    def is_secret(self) -> bool:
        """Whether the value must be kept out of outputs."""
        return self.cookie is not None if self.secret is None else self.secret


def _listed(value: Any) -> Any:
    return value if isinstance(value, list | tuple) else (value,)


class StepBase(Model):
    """What every step has, whatever its kind."""

    not_built: ClassVar[frozenset[str]] = frozenset({"dns", "grpc", "ws", "side_effects", "overrides", "group", "depends_on"})

    id: Id = Field(description="stable; history and ${steps.<id>.…} hang on it")
    name: Line = Field("", description="what people call it; default the id")
    expect: tuple[ExpectationField, ...] = Field((), description="each fails the step when it does not hold")
    degraded_if: tuple[ExpectationField, ...] = Field((), description="each makes the step degraded (slow) when it holds; the same grammar")
    extract: dict[Name, Extract] = Field({}, description="values for later steps, as ${steps.<id>.<name>}")
    when: Annotated[Conditions, BeforeValidator(_listed, json_schema_input_type=ConditionField | Conditions)] = Field(
        (), description="run this step only if this holds, such as '${steps.login.mfa} == true'; of a list, all"
    )
    repeat: Repeat | None = Field(None, description="try the step again until something holds: {until: [json $.state == done], within: 30s, every: 1s}")
    always_run: Flag = Field(False, description="run this step after a failure too, in its own time")
    continue_on_error: Flag = Field(False, description="a failure of this step makes the run degraded and lets the next steps run")
    timeout: Annotated[Duration, Field(gt=0, le=600)] | None = Field(None, description="of this step; the attempt's deadline holds too")
    customers: Customers | None = Field(None, description="how the same step shows in real traffic")


if TYPE_CHECKING:
    StepKinds = StepBase
    Defaults = Model
else:
    # The kinds' own keys come from the one list, so that a new kind is not written down here too.
    StepKinds = create_model(
        "StepKinds",
        __base__=StepBase,
        **{kind: (part | None, Field(None, description=f"probe this step by {kind}")) for kind, part in KINDS.items()},
    )
    Defaults = create_model(
        "Defaults",
        __base__=Model,
        **{kind: (part.Defaults | None, Field(None, description=f"for {kind} steps")) for kind, part in KINDS.items() if hasattr(part, "Defaults")},
    )


class Step(StepKinds):
    """One part of a journey: how to probe it and how to recognise customers in it. Each step kind is a key; `part` is what it says."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds given; more than one is refused by `rules.py`."""
        return tuple(kind for kind in KINDS if getattr(self, kind) is not None)

    @property
    def kind(self) -> str | None:
        """How the step is probed; None when it only shows in customers."""
        return next(iter(self.kinds), None)

    @property
    def part(self) -> Any:
        """What the step says under its kind, an instance of the kind's model."""
        return None if self.kind is None else getattr(self, self.kind)

    @property
    def title(self) -> str:
        """What people call the step: its name, else its id."""
        return self.name or self.id


class StepOverride(Model):
    """What a step says differently at one location."""

    expect: tuple[ExpectationField, ...] | None = Field(None, description="in place of the step's own list")
    degraded_if: tuple[ExpectationField, ...] | None = Field(None, description="in place of the step's own list")
    timeout: Annotated[Duration, Field(gt=0, le=600)] | None = Field(None, description="of this step")


class Override(Model):
    """What a journey says differently at one location. Lists given here stand in place of the journey's own, `vars` are added to them."""

    base_url: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(None, description="the site as seen from there")
    interval: Annotated[Duration, Field(ge=1, le=7 * 86400)] | None = Field(None, description="how often the agent there walks it")
    timeout: Annotated[Duration, Field(gt=0, le=600)] | None = Field(None, description="of one attempt")
    retries: Annotated[Retries, BeforeValidator(_retries, json_schema_input_type=Annotated[int, Field(ge=0, le=5)] | Retries)] | None = Field(
        None, description="how many more attempts after a failed one"
    )
    vars: dict[Name, JsonValue] = Field({}, description="values for ${vars.<name>}")
    steps: dict[Id, StepOverride] = Field({}, description="thresholds by step: {pay: {degraded_if: [total > 2s]}}")


class Journey(Model):
    """Something a customer tries to get done, as named steps. Durations are in seconds."""

    not_built: ClassVar[frozenset[str]] = frozenset({"alert", "alerts", "owner_contact"})

    id: Id = Field(description="stable; history hangs on it")
    name: Line = Field("", description="what people call it; default the id")
    description: Annotated[str, Field(max_length=2000)] = Field("", description="what a customer does here")
    lifecycle: Annotated[str, Field(max_length=64)] | None = Field(None, description="onboarding, adoption, support, renewal, expansion, or a word of yours")
    owner: Line | None = Field(None, description="who looks after it")
    runbook: Annotated[str, Field(max_length=2000)] | None = Field(None, description="where to read what to do when it fails")
    base_url: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(
        None, description="urls of steps are relative to it; its origin is the journey's own"
    )
    enabled: Flag = Field(True, description="false: no agent walks it; customers are recognised all the same")
    tags: Annotated[tuple[Id, ...], Field(max_length=20)] = Field((), description="words to choose journeys by")
    labels: dict[Name, Line] = Field({}, description="facts that go along with every run, such as {tier: gold}")
    interval: Annotated[Duration, Field(ge=1, le=7 * 86400)] = Field(60.0, description="how often an agent walks it")
    schedule: Cron | None = Field(None, description='in place of interval: a cron expression, such as "*/5 8-18 * * 1-5"')
    timezone: Zone = Field("UTC", description="of schedule, maintenance and dates, such as Europe/Berlin")
    maintenance: Annotated[tuple[Window, ...], Field(max_length=50)] = Field((), description="times at which it is not walked")
    depends_on: tuple[Id, ...] = Field((), description="journeys; while the newest run of one failed, this one is skipped")
    side_effects: Literal["order"] | None = Field(None, description="order: walking it makes real orders; it needs a cleanup step and a probe key")
    timeout: Annotated[Duration, Field(gt=0, le=600)] = Field(30.0, description="of one attempt")
    retries: Annotated[Retries, BeforeValidator(_retries, json_schema_input_type=Annotated[int, Field(ge=0, le=5)] | Retries)] = Field(
        default_factory=lambda: Retries(), description="how many more attempts after a failed one"
    )
    locations: tuple[Id, ...] = Field((), description="agents that walk it, by their location; default all")
    goal: Goal | None = Field(None, description="what a customer gets done at the end")
    customers: JourneyCustomers | None = Field(None, description="the app in which customers are seen, if there are several")
    vars: dict[Name, JsonValue] = Field({}, description="values for ${vars.<name>}")
    defaults: Defaults = Field(default_factory=Defaults, description="what steps take when they do not say otherwise, by kind")
    overrides: dict[Id, Override] = Field({}, description="what is different at a location: {us: {timeout: 40s, steps: {pay: {degraded_if: [total > 3s]}}}}")
    setup: Annotated[tuple[Step, ...], Field(max_length=20)] = Field(
        (), description="steps before the journey that no customer takes, such as making a test account"
    )
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=100, description="its parts, in their order")]
    cleanup: Annotated[tuple[Step, ...], Field(max_length=20)] = Field((), description="steps after the journey that always run, such as cancelling the order")

    _version: str = PrivateAttr("")
    _source: Path | None = PrivateAttr(None)
    _places: dict[tuple[str | int, ...], Place] = PrivateAttr(default_factory=dict)
    _origin: dict[tuple[str | int, ...], str] = PrivateAttr(default_factory=dict)

    @model_validator(mode="wrap")
    @classmethod
    def _remember_content(cls, data: Any, handler: ModelWrapValidatorHandler["Journey"]) -> "Journey":
        journey = handler(data)
        if isinstance(data, dict):
            journey._version = content_hash(data)
        return journey

    @property
    def title(self) -> str:
        """What people call the journey: its name, else its id."""
        return self.name or self.id

    @property
    def version(self) -> str:
        """Hash of the journey's content; comments and layout do not change it."""
        return self._version

    @property
    def folder(self) -> Path:
        """The folder that file names in the journey are relative to."""
        return Path() if self._source is None else self._source.parent

    @property
    def source(self) -> Path | None:
        """The file the journey was read from."""
        return self._source

    @property
    def has_probes(self) -> bool:
        """Whether any step can be walked."""
        return any(step.kind for step in self.steps)

    @property
    def walked(self) -> tuple[Step, ...]:
        """The steps a probe walks, in their order: setup, the journey's own, cleanup. Those of cleanup always run."""
        last = tuple(step if step.always_run else step.model_copy(update={"always_run": True}) for step in self.cleanup)
        return tuple(step for step in (*self.setup, *self.steps, *last) if step.kind is not None)

    def at(self, location: str) -> "Journey":
        """The journey as it is walked at `location`; its id and version stay the same."""
        override = self.overrides.get(location)
        if override is None:
            return self
        changed: dict[str, Any] = {
            name: getattr(override, name) for name in ("base_url", "interval", "timeout", "retries") if getattr(override, name) is not None
        }
        if override.vars:
            changed["vars"] = {**self.vars, **override.vars}
        if override.steps:
            changed |= {part: tuple(_overridden(step, override.steps) for step in getattr(self, part)) for part in ("setup", "steps", "cleanup")}
        return self.model_copy(update=changed)

    def silent_for(self, now: float) -> float:
        """Seconds without a run that are no cause for doubt at `now` (seconds since the epoch)."""
        if self.schedule is None:
            return 1.5 * self.interval
        last = schedule.preceding(self.schedule, self.timezone, now)
        patience = 60.0 + self.timeout * (1 + self.retries.max)
        # A run that is due just now may still be under way: then the one before it counts.
        due = last if now - last > patience else schedule.preceding(self.schedule, self.timezone, last)
        return now - due + 1.0

    def place_of(self, path: tuple[str | int, ...]) -> Place:
        """Line and column of the value at `path` in the file, or of what it is in; (1, 1) when it came from no file."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, (1, 1))

    def file_of(self, path: tuple[str | int, ...]) -> str:
        """The file that the value at `path` stands in: the journey's own, or the folder's `defaults.yaml`."""
        while path and path not in self._places:
            path = path[:-1]
        return self._origin.get(path, str(self._source or self.id))

    def read_from(self, source: Path, places: dict[tuple[str | int, ...], Place], origin: dict[tuple[str | int, ...], str]) -> None:
        """Remember the file, the places of its values, and the file of those that came from another (called by `load.py`)."""
        self._source, self._places, self._origin = source, places, origin


def _overridden(step: Step, changes: dict[str, StepOverride]) -> Step:
    override = changes.get(step.id)
    if override is None:
        return step
    return step.model_copy(update={name: value for name in StepOverride.model_fields if (value := getattr(override, name)) is not None})


def content_hash(data: Any) -> str:
    """12 hex digits of the SHA-256 of `data` as canonical JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:12]
