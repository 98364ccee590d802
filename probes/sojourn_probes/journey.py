"""What a journey file says, as frozen models. Loading files is in `load.py`, what spans several keys in `rules.py` and `journey_rules.py`."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, Field, JsonValue, ModelWrapValidatorHandler, PrivateAttr, model_validator

from sojourn_probes import schedule
from sojourn_probes.addresses import origin_of
from sojourn_probes.expectation_field import ExpectationField
from sojourn_probes.maintenance import Cron, Window, Zone
from sojourn_probes.model import Model
from sojourn_probes.naming import Flag, Id, Line, Name
from sojourn_probes.retries import Retries, RetriesField
from sojourn_probes.step import Defaults, Step
from sojourn_probes.units import Duration, Worth

Place = tuple[int, int]
"""Line and column, from 1."""


def _origin(text: str) -> str:
    """In the form that addresses are compared in."""
    plain = text.replace("://*.", "://", 1)
    origin = origin_of(plain)
    if origin is None or "*" in plain or plain.lower().rstrip("/") not in (origin, f"{origin}:80", f"{origin}:443"):
        raise ValueError(f"{text!r} is no origin; write scheme and host alone, such as https://api.shop.example")
    return origin if plain == text else origin.replace("://", "://*.", 1)


OwnOrigin = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_origin)]


class Goal(Model):
    """What a customer gets done at the end, and what it is worth to the company."""

    event: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,100}$", description="the conversion's name")]
    worth: Worth | None = Field(None, description="such as 62 EUR; a real order's amount wins")


class JourneyCustomers(Model):
    """Where this journey's customers are seen, and whose failures stop them."""

    app: Annotated[str, Field(min_length=1, max_length=100)] | None = Field(None, description="the app the beacons come from; default any")
    origins: Annotated[tuple[OwnOrigin, ...], Field(max_length=50)] = Field(
        (), description="further origins whose failed requests hurt customers, such as https://api.shop.example or https://*.shop.example"
    )

    @model_validator(mode="after")
    def _says_something(self) -> "JourneyCustomers":
        if self.app is None and not self.origins:
            raise ValueError("say app: or origins:, or both")
        return self


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
    retries: RetriesField | None = Field(None, description="how many more attempts after a failed one")
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
    retries: RetriesField = Field(default_factory=lambda: Retries(), description="how many more attempts after a failed one")
    locations: tuple[Id, ...] = Field((), description="agents that walk it, by their location; default all")
    goal: Goal | None = Field(None, description="what a customer gets done at the end")
    customers: JourneyCustomers | None = Field(None, description="the app in which customers are seen, if there are several, and whose failures stop them")
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
        """Hash of the journey's content, that of scripts, bodies and schemas it names included; comments and layout do not change it."""
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

    def made_of(self, contents: Mapping[str, str]) -> None:
        """Let the version depend on files it names, given by name and digest (called by `load.py`)."""
        if contents:
            self._version = content_hash([self._version, contents])


def _overridden(step: Step, changes: dict[str, StepOverride]) -> Step:
    override = changes.get(step.id)
    if override is None:
        return step
    return step.model_copy(update={name: value for name in StepOverride.model_fields if (value := getattr(override, name)) is not None})


def content_hash(data: Any) -> str:
    """12 hex digits of the SHA-256 of `data` as canonical JSON."""
    return hashlib.sha256(json.dumps(data, sort_keys=True, default=str, ensure_ascii=False).encode("utf-8", "surrogatepass")).hexdigest()[:12]
