"""What a journey file says of one step, whatever its kind; the kinds' own parts are under `steps/`."""

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, create_model, model_validator

from sojourn_probes.expectation_field import ConditionField, Conditions, ExpectationField
from sojourn_probes.match import Customers
from sojourn_probes.model import Model
from sojourn_probes.naming import Flag, Id, Line, Name
from sojourn_probes.steps import KINDS
from sojourn_probes.steps.browser_targets import ByLabel, ByText
from sojourn_probes.units import Duration


class Repeat(Model):
    """Try a step again until something holds."""

    until: Annotated[tuple[ExpectationField, ...], Field(min_length=1)] = Field(description="all must hold; the grammar of expect")
    within: Annotated[Duration, Field(gt=0, le=600)] = Field(30.0, description="when it is given up")
    every: Annotated[Duration, Field(ge=0.05, le=60)] = Field(1.0, description="how long to wait before the next try")
    at_most: Annotated[int, Field(strict=True, ge=2, le=1000)] | None = Field(None, description="tries, at most; default as many as fit")


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

    not_built: ClassVar[frozenset[str]] = frozenset({"side_effects", "overrides", "group", "depends_on"})

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

    @cached_property
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
