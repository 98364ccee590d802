"""What a journey file says, as frozen models. Loading files is in `load.py`, what spans several keys in `rules.py`."""

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Final

from pydantic import BeforeValidator, Field, JsonValue, ModelWrapValidatorHandler, PlainSerializer, PlainValidator, PrivateAttr, create_model, model_validator
from pydantic_core import PydanticCustomError

from sojourn_probes.expectation import SOURCES, Expectation, ExpectationError
from sojourn_probes.expectation_parse import from_parts, parse
from sojourn_probes.match import Customers, Match
from sojourn_probes.model import Model
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps import KINDS
from sojourn_probes.units import Duration, Money, Worth

__all__ = ["Customers", "Expectation", "Extract", "Goal", "Journey", "JourneyCustomers", "Match", "Money", "Retries", "Step"]

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


class Retries(Model):
    """More attempts after a failed one."""

    max: Annotated[int, Field(strict=True, ge=0, le=5)] = Field(0, description="how many more attempts, at most")
    only_on: tuple[FailureKind, ...] = Field((), description="retry only after failures of these kinds; default all but secret and config")
    backoff: Annotated[Duration, Field(ge=0, le=60)] = Field(0.0, description="how long to wait before the next attempt")


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
    """Where to take a value from; exactly one of json, xpath, css, header, regex, cookie."""

    json_path: Annotated[str, Field(pattern=r"^\$")] | None = Field(None, alias="json", description="a JSONPath into the body")
    xpath: Annotated[str, Field(min_length=1)] | None = Field(None, description="an XPath into an HTML or XML body, such as //input[@name='csrf']/@value")
    css: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="a CSS selector, with ::attr(name) for an attribute: input[name=csrf]::attr(value)"
    )
    header: Annotated[str, Field(min_length=1, description="name of a header")] | None = None
    regex: Annotated[str, Field(min_length=1, description="regular expression over the body; its first group, else the whole match")] | None = None
    cookie: Annotated[str, Field(min_length=1, description="name of a cookie the server set")] | None = None
    secret: Flag | None = Field(None, description="keep the value out of every output; default true for cookie, else false")

    @model_validator(mode="after")
    def _one_source(self) -> "Extract":
        if sum(value is not None for value in (self.json_path, self.xpath, self.css, self.header, self.regex, self.cookie)) != 1:
            raise ValueError("say exactly one of json, xpath, css, header, regex, cookie")
        return self

    @property
    def is_secret(self) -> bool:
        """Whether the value must be kept out of outputs."""
        return self.cookie is not None if self.secret is None else self.secret


class StepBase(Model):
    """What every step has, whatever its kind."""

    not_built: ClassVar[frozenset[str]] = frozenset(
        {"when", "wait", "dns", "grpc", "ws", "continue_on_error", "side_effects", "overrides", "repeat", "group", "depends_on"}
    )

    id: Id = Field(description="stable; history and ${steps.<id>.…} hang on it")
    name: Line = Field("", description="what people call it; default the id")
    expect: tuple[ExpectationField, ...] = Field((), description="each fails the step when it does not hold")
    degraded_if: tuple[ExpectationField, ...] = Field((), description="each makes the step degraded (slow) when it holds; the same grammar")
    extract: dict[Name, Extract] = Field({}, description="values for later steps, as ${steps.<id>.<name>}")
    always_run: Flag = Field(False, description="run this step after a failure too, in its own time")
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


class Journey(Model):
    """Something a customer tries to get done, as named steps. Durations are in seconds."""

    not_built: ClassVar[frozenset[str]] = frozenset(
        {"schedule", "timezone", "depends_on", "overrides", "maintenance", "side_effects", "alert", "alerts", "tags", "labels", "enabled", "owner_contact"}
    )

    id: Id = Field(description="stable; history hangs on it")
    name: Line = Field("", description="what people call it; default the id")
    description: Annotated[str, Field(max_length=2000)] = Field("", description="what a customer does here")
    lifecycle: Annotated[str, Field(max_length=64)] | None = Field(None, description="onboarding, adoption, support, renewal, expansion, or a word of yours")
    owner: Line | None = Field(None, description="who looks after it")
    runbook: Annotated[str, Field(max_length=2000)] | None = Field(None, description="where to read what to do when it fails")
    base_url: Annotated[str, Field(min_length=1, max_length=2000)] | None = Field(
        None, description="urls of steps are relative to it; its origin is the journey's own"
    )
    interval: Annotated[Duration, Field(ge=1, le=7 * 86400)] = Field(60.0, description="how often an agent walks it")
    timeout: Annotated[Duration, Field(gt=0, le=600)] = Field(30.0, description="of one attempt")
    retries: Annotated[Retries, BeforeValidator(_retries, json_schema_input_type=Annotated[int, Field(ge=0, le=5)] | Retries)] = Field(
        default_factory=lambda: Retries(), description="how many more attempts after a failed one"
    )
    locations: tuple[Id, ...] = Field((), description="agents that walk it, by their location; default all")
    goal: Goal | None = Field(None, description="what a customer gets done at the end")
    customers: JourneyCustomers | None = Field(None, description="the app in which customers are seen, if there are several")
    vars: dict[Name, JsonValue] = Field({}, description="values for ${vars.<name>}")
    defaults: Defaults = Field(default_factory=Defaults, description="what steps take when they do not say otherwise, by kind")
    steps: Annotated[tuple[Step, ...], Field(min_length=1, max_length=100)]

    _version: str = PrivateAttr("")
    _source: Path | None = PrivateAttr(None)
    _places: dict[tuple[str | int, ...], Place] = PrivateAttr(default_factory=dict)

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

    def place_of(self, path: tuple[str | int, ...]) -> Place:
        """Line and column of the value at `path` in the file, or of what it is in; (1, 1) when it came from no file."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, (1, 1))

    def read_from(self, source: Path, places: dict[tuple[str | int, ...], Place]) -> None:
        """Remember the file and the places of its values (called by `load.py`)."""
        self._source, self._places = source, places


def content_hash(data: Any) -> str:
    """12 hex digits of the SHA-256 of `data` as canonical JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:12]
