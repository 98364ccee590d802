"""What a `browser` step may say: a list of actions, each a mapping with one key. The runner is `browser_run.py`.

Every action has a short form (a string) for its usual case; the long form names what it means. Targets are in
`browser_targets.py`, what stands behind a verb in `browser_verbs.py`, what holds for all browser steps in `browser_settings.py`.
"""

from typing import Annotated, Any, ClassVar, Self

from pydantic import BeforeValidator, ConfigDict, Field, PrivateAttr, RootModel, model_validator

from sojourn_probes.model import Model
from sojourn_probes.steps import browser_verbs as verbs
from sojourn_probes.steps.browser_settings import BrowserDefaults
from sojourn_probes.steps.browser_targets import Button, ByText, Target, Wait, short
from sojourn_probes.units import Size


class Frame(Model):
    """Actions inside a frame of the page, such as a payment form of somebody else's."""

    title: str | None = Field(None, description="the frame's title")
    frame_name: str | None = Field(None, alias="name", description="the frame's name")
    css: str | None = Field(None, description="CSS selector of the frame's element")
    actions: "Annotated[tuple[Action, ...], Field(min_length=1, max_length=100)]" = Field(description="what to do inside")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.title, self.frame_name, self.css)) != 1:
            raise ValueError("name the frame by one of title, name, css")
        for action in self.actions:
            if action.verb in ("goto", "new_tab", "tab"):
                raise ValueError(f"{action.verb} changes the page and cannot stand inside a frame; put it beside the frame")
        return self

    def says(self) -> str:
        """The frame in words."""
        way = next(way for way in ("title", "frame_name", "css") if getattr(self, way) is not None)
        return f"frame {way.removeprefix('frame_')} '{getattr(self, way)}'"


class NewTab(Model):
    """The action that opens a tab; what follows happens there, until `tab:` says otherwise."""

    click: Button | None = Field(None, description="what opens it; short: the name of a button")
    press: Annotated[verbs.Press, BeforeValidator(short("key"), json_schema_input_type=str | verbs.Press)] | None = Field(
        None, description="the key that opens it"
    )
    goto: Annotated[verbs.Goto, BeforeValidator(short("url"), json_schema_input_type=str | verbs.Goto)] | None = Field(
        None, description="open an empty tab and this page in it"
    )
    timeout: Wait | None = Field(None, description="how long the tab may take to open; default all the time the step has")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.click, self.press, self.goto)) != 1:
            raise ValueError("takes one action that opens the tab: click, press or goto")
        return self


class Download(Model):
    """A click that downloads a file. Its name and size are looked at, and it is thrown away."""

    click: Button = Field(description="what starts it; short: the name of a button")
    file: str | None = Field(None, min_length=1, max_length=200, description="what the file must be called; * stands for anything")
    min_size: Size = Field(1, description="smallest size taken; default anything but an empty file")
    max_size: Size = Field(50 * 1000**2, description="largest size taken; default 50 MB")
    timeout: Wait | None = Field(None, description="how long it may take; default all the time the step has")

    @model_validator(mode="after")
    def _sizes_in_order(self) -> Self:
        if self.min_size > self.max_size:
            raise ValueError("min_size is larger than max_size; swap them")
        return self


def _short(key: str, form: type[Model]) -> BeforeValidator:
    needed = any(getattr(rule, "min_length", 0) for rule in form.model_fields[key].metadata)
    return BeforeValidator(short(key), json_schema_input_type=(Annotated[str, Field(min_length=1)] if needed else str) | form)


class Action(Model):
    """One action: a mapping with exactly one of these keys."""

    goto: Annotated[verbs.Goto, _short("url", verbs.Goto)] | None = Field(None, description="open a page; short: its url")
    click: Button | None = Field(None, description="short: the name of a button")
    fill: verbs.Fill | None = Field(None, description="put a value into a form field")
    press: Annotated[verbs.Press, _short("key", verbs.Press)] | None = Field(None, description="short: the key")
    select: verbs.Select | None = Field(None, description="choose an option of a drop-down")
    check: Annotated[verbs.Check, _short("label", verbs.Check)] | None = Field(None, description="tick a box; short: the label")
    hover: ByText | None = Field(None, description="move the mouse over it; short: the text")
    upload: verbs.Upload | None = Field(None, description="give files to a file field")
    wait_for: Annotated[verbs.WaitFor, _short("text", verbs.WaitFor)] | None = Field(None, description="short: the text")
    expect: Annotated[verbs.Expect, _short("text", verbs.Expect)] | None = Field(None, description="short: the text")
    scroll: Annotated[verbs.Scroll, BeforeValidator(verbs.short_scroll, json_schema_input_type=str | verbs.Scroll)] | None = Field(
        None, description="short: top, bottom, or the text to bring into view"
    )
    frame: Frame | None = Field(None, description="actions inside a frame")
    new_tab: NewTab | None = Field(None, description="the action that opens a tab, and go on in it")
    tab: verbs.TabForm | None = Field(None, description="go on in another tab; short: first, last or close")
    download: Download | None = Field(None, description="a click that downloads a file; it is looked at and thrown away")
    evaluate: Annotated[verbs.Evaluate, _short("js", verbs.Evaluate)] | None = Field(None, description="a JavaScript expression; short: the expression")
    script: Annotated[verbs.Script, _short("file", verbs.Script)] | None = Field(None, description="Playwright in Python; short: the file")

    @model_validator(mode="before")
    @classmethod
    def _is_an_action(cls, value: Any) -> Any:
        if isinstance(value, cls) or (isinstance(value, dict) and len(value) == 1):
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


Frame.model_rebuild()


def _some(value: Any) -> Any:
    if not isinstance(value, list | tuple) or not value:
        raise ValueError("wants a list of actions, at least one, such as `- goto: /`")
    return value


class BrowserPart(RootModel[Annotated[tuple[Action, ...], BeforeValidator(_some, json_schema_input_type=Annotated[list[Action], Field(min_length=1)])]]):
    """The `browser:` part of a step: its actions in their order, at least one."""

    model_config = ConfigDict(frozen=True)
    Defaults: ClassVar[type[Model]] = BrowserDefaults

    _settings: BrowserDefaults = PrivateAttr(default_factory=BrowserDefaults)

    @property
    def actions(self) -> tuple[Action, ...]:
        """The actions in their order."""
        return self.root

    @property
    def settings(self) -> BrowserDefaults:
        """What holds for all browser steps of the journey."""
        return self._settings

    def merged(self, defaults: Any) -> "BrowserPart":
        """This part with the journey's `defaults: {browser: …}`."""
        part = self.model_copy()
        if isinstance(defaults, BrowserDefaults):
            part._settings = defaults
        return part

    def first_url(self) -> str | None:
        """Where the step goes first, not yet filled; None when it stays where an earlier step left off."""
        urls = (action.goto or (action.new_tab and action.new_tab.goto) for action in self.root)
        return next((goto.url for goto in urls if goto), None)


__all__ = ["Action", "BrowserDefaults", "BrowserPart", "Download", "Frame", "NewTab", "Target"]
