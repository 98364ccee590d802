"""What a `browser` step may say: a list of actions, each a mapping with one key. The runner is `browser_run.py`.

Things on the page are named the way a customer sees them (role, label, text); `css` is there for what has no name.
Every action has a short form (a string) for its usual case; the long form names what it means.
"""

from collections.abc import Callable
from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, RootModel, model_validator

from sojourn_probes.model import Model
from sojourn_probes.units import Duration

WAYS: Final = ("role", "label", "text", "placeholder", "test_id", "css")
"""The ways to point at something on a page; a target uses exactly one."""

EXPECT_SECONDS: Final = 5.0
"""How long `expect` waits for what it wants when it has no `timeout` (Playwright's own default)."""


def _in_bounds(seconds: float) -> float:
    if not 0 < seconds <= 600:
        raise ValueError("must be more than 0s and at most 10m")
    return seconds


Wait = Annotated[Duration, AfterValidator(_in_bounds)]
"""How long to wait: seconds, written with a unit, at most ten minutes."""
Flag = Annotated[bool, Field(strict=True)]


class Target(Model):
    """One thing on the page, named in exactly one way. `name` belongs to `role`; `nth` picks among several, from 0."""

    role: str | None = Field(None, description="ARIA role, such as button, link, heading")
    name: str | None = Field(None, description="accessible name; only together with role")
    label: str | None = Field(None, description="label of a form field")
    text: str | None = Field(None, description="visible text, or part of it")
    placeholder: str | None = Field(None, description="placeholder of a form field")
    test_id: str | None = Field(None, description="value of data-testid")
    css: str | None = Field(None, description="CSS selector; the last resort")
    exact: Flag = Field(False, description="whole text, case included, instead of a part of it")
    nth: Annotated[int, Field(strict=True)] | None = Field(None, ge=0, description="which one, from 0, when there are several")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        used = [way for way in WAYS if getattr(self, way) is not None]
        if len(used) > 1:
            raise ValueError(f"{' and '.join(used)} are two ways to name one thing; keep one")
        if not used and self._needs_target():
            raise ValueError(f"does not say what is meant; name it by one of {', '.join(WAYS)}")
        if self.name is not None and self.role is None:
            raise ValueError("name goes with role, such as {role: button, name: Pay}")
        return self

    def _needs_target(self) -> bool:
        return True

    def names_something(self) -> bool:
        """Whether it points at one thing, instead of at the page as it is."""
        return any(getattr(self, way) is not None for way in WAYS)

    def says(self) -> str:
        """The target in words for a message, such as `button 'Pay'` or `label 'Card number'`."""
        if self.role is not None:
            return self.role if self.name is None else f"{self.role} '{self.name}'"
        way = next((way for way in WAYS if getattr(self, way) is not None), None)
        return "the page" if way is None else f"{way} '{getattr(self, way)}'"


class Goto(Model):
    """Open a page. `url` is relative to the journey's base_url."""

    url: str = Field(min_length=1)
    wait: Literal["load", "domcontentloaded", "commit"] = Field("load", description="what counts as arrived")
    any_status: Flag = Field(False, description="true takes an answer of 400 and above for a page like any other")


class Fill(Target):
    """Put `value` into a form field, replacing what is there."""

    value: str


class Press(Target):
    """Press a key, such as Enter or Control+A, in the target or else where the focus is."""

    key: str = Field(min_length=1)

    def _needs_target(self) -> bool:
        return False


class Select(Target):
    """Choose an option of a drop-down by its value or, with `option`, by what it shows."""

    value: str | None = None
    option: str | None = None

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.value is None) == (self.option is None):
            raise ValueError("takes either value or option")
        return self


class Check(Target):
    """Tick a box or radio button, or with `on: false` untick it. (YAML 1.2: `on` is a plain key.)"""

    on: Flag = True


class WaitFor(Target):
    """Wait until something is there, is gone (`state: hidden`), or the address matches `url` (`*` within a segment, `**` across)."""

    state: Literal["visible", "hidden"] = "visible"
    url: str | None = None
    timeout: Wait | None = None

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if self.names_something() == (self.url is not None):
            raise ValueError("takes either a url or one thing on the page")
        return self

    def _needs_target(self) -> bool:
        return False


class Expect(Target):
    """Want something to be there, or with `state: hidden` not; the step fails with kind `expectation` when it is not so in time."""

    state: Literal["visible", "hidden"] = "visible"
    value: str | None = Field(None, description="what a form field must hold")
    timeout: Wait | None = Field(None, description="how long to wait for it; default 5s")


class Script(Model):
    """A Python file beside the journey with `async def run(page, names)`; `page` is Playwright's, `names.fill("${vars.x}")` resolves names."""

    file: str

    @model_validator(mode="after")
    def _beside_the_journey(self) -> Self:
        path = PurePosixPath(self.file)
        if path.suffix != ".py" or path.is_absolute() or ".." in path.parts:
            raise ValueError(f"{self.file!r} must be a .py file in the journey's folder or below it")
        return self


def _short(key: str) -> Callable[[Any], Any]:
    """A validator that turns the short form (a string) into the long one."""

    def widen(value: Any) -> Any:
        return {key: value} if isinstance(value, str) else value

    return widen


def _short_button(value: Any) -> Any:
    return {"role": "button", "name": value} if isinstance(value, str) else value


_GOTO = BeforeValidator(_short("url"), json_schema_input_type=str | Goto)
_KEY = BeforeValidator(_short("key"), json_schema_input_type=str | Press)
_BUTTON = BeforeValidator(_short_button, json_schema_input_type=str | Target)
_LABEL = BeforeValidator(_short("label"), json_schema_input_type=str | Check)
_HOVERED = BeforeValidator(_short("text"), json_schema_input_type=str | Target)
_AWAITED = BeforeValidator(_short("text"), json_schema_input_type=str | WaitFor)
_EXPECTED = BeforeValidator(_short("text"), json_schema_input_type=str | Expect)
_FILE = BeforeValidator(_short("file"), json_schema_input_type=str | Script)


class Action(Model):
    """One action: a mapping with exactly one of these keys."""

    goto: Annotated[Goto, _GOTO] | None = Field(None, description="open a page; short: its url")
    click: Annotated[Target, _BUTTON] | None = Field(None, description="short: the name of a button")
    fill: Fill | None = None
    press: Annotated[Press, _KEY] | None = Field(None, description="short: the key")
    select: Select | None = None
    check: Annotated[Check, _LABEL] | None = Field(None, description="short: the label")
    hover: Annotated[Target, _HOVERED] | None = Field(None, description="short: the text")
    wait_for: Annotated[WaitFor, _AWAITED] | None = Field(None, description="short: the text")
    expect: Annotated[Expect, _EXPECTED] | None = Field(None, description="short: the text")
    script: Annotated[Script, _FILE] | None = Field(None, description="short: the file")

    @model_validator(mode="before")
    @classmethod
    def _is_an_action(cls, value: Any) -> Any:
        if isinstance(value, dict) and len(value) == 1:
            return value
        seen = f"{' and '.join(str(key) for key in value)} together" if isinstance(value, dict) and value else repr(value)
        raise ValueError(f"{seen} is not one action; an action is one of {', '.join(cls.model_fields)}, such as `- click: Pay`")

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if all(getattr(self, name) is None for name in type(self).model_fields):
            raise ValueError("the action has no value; give it what it acts on, such as `- click: Pay`")
        return self

    @property
    def verb(self) -> str:
        """The key that was used, such as `click`."""
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)

    @property
    def form(self) -> Any:
        """What stands behind the key, in its long form."""
        return getattr(self, self.verb)


def _some(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("wants a list of actions, at least one, such as `- goto: /`")
    return value


class BrowserPart(RootModel[Annotated[tuple[Action, ...], BeforeValidator(_some, json_schema_input_type=Annotated[list[Action], Field(min_length=1)])]]):
    """The `browser:` part of a step: its actions in their order, at least one."""

    model_config = ConfigDict(frozen=True)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions in their order."""
        return self.root

    def first_url(self) -> str | None:
        """Where the step goes first, not yet filled; None when it stays where an earlier step left off."""
        return next((action.goto.url for action in self.root if action.goto is not None), None)
