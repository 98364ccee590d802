"""What stands behind each verb of a `browser` step: one small model each. The verbs themselves are listed in `browser.py`."""

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BeforeValidator, Field, JsonValue, model_validator

from sojourn_probes.model import Model
from sojourn_probes.own_file import File, PythonFile
from sojourn_probes.steps.browser_targets import Count, Flag, Target, Wait

EXPECT_SECONDS: Final = 5.0
"""How long `expect` waits for what it wants when it has no `timeout` (Playwright's own default)."""

MAX_SCRIPT: Final = 10_000
"""Characters of JavaScript in the file; more belongs into a `script`."""


JavaScript = Annotated[str, Field(min_length=1, max_length=MAX_SCRIPT)]
"""A JavaScript expression; a promise is awaited."""


class Goto(Model):
    """Open a page. `url` is relative to the journey's base_url."""

    url: str = Field(min_length=1, description="the page, relative to base_url or absolute")
    wait: Literal["load", "domcontentloaded", "commit"] = Field("load", description="what counts as arrived")
    any_status: Flag = Field(False, description="true takes an answer of 400 and above for a page like any other")


class Fill(Target):
    """Put `value` into a form field, replacing what is there."""

    value: str = Field(description="what to put in")


class Press(Target):
    """Press a key, such as Enter or Control+A, in the target or else where the focus is."""

    key: str = Field(min_length=1, description="the key, such as Enter or Control+A")

    def _needs_target(self) -> bool:
        return False


class Select(Target):
    """Choose an option of a drop-down by its value or, with `option`, by what it shows."""

    value: str | None = Field(None, description="the option's value")
    option: str | None = Field(None, description="what the option shows")

    @model_validator(mode="after")
    def _one_choice(self) -> Self:
        if (self.value is None) == (self.option is None):
            raise ValueError("takes either value or option")
        return self


class Check(Target):
    """Tick a box or radio button, or with `on: false` untick it. (YAML 1.2: `on` is a plain key.)"""

    on: Flag = Field(True, description="false unticks it")


class Upload(Target):
    """Give files to a file field, or to the chooser that a button opens."""

    file: File | None = Field(None, description="the file, beside the journey")
    files: Annotated[tuple[File, ...], Field(min_length=1, max_length=20)] | None = Field(None, description="several files, beside the journey")

    @model_validator(mode="after")
    def _some(self) -> Self:
        if (self.file is None) == (self.files is None):
            raise ValueError("takes either file or files")
        return self

    @property
    def all_files(self) -> tuple[str, ...]:
        """Every file to give."""
        return self.files or (() if self.file is None else (self.file,))


class WaitFor(Target):
    """Wait until something is there, is gone (`state: hidden`), or the address matches `url` (`*` within a segment, `**` across)."""

    state: Literal["visible", "hidden"] = Field("visible", description="hidden waits until it is gone")
    url: str | None = Field(None, description="a path such as /thanks/*, or a whole address with * in it")
    timeout: Wait | None = Field(None, description="how long to wait; default all the time the step has")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        if self.names_something() == (self.url is not None):
            raise ValueError("takes either a url or one thing on the page")
        return self

    def _needs_target(self) -> bool:
        return False


class Expect(Target):
    """Want something of the page or of one thing on it; the step fails with kind `expectation` when it is not so in time."""

    state: Literal["visible", "hidden", "enabled", "disabled", "checked", "unchecked"] = Field("visible", description="hidden wants it gone")
    value: str | None = Field(None, description="what a form field must hold")
    contains: str | None = Field(None, description="text that must be in it; with exact, its whole text")
    count: Count | None = Field(None, description="how many there must be")
    url: str | None = Field(None, description="a path such as /thanks/*, or a whole address with * in it")
    title: str | None = Field(None, description="the page's title, or with exact: false a part of it")
    timeout: Wait | None = Field(None, description="how long to wait for it; default 5s")

    @model_validator(mode="after")
    def _one_thing(self) -> Self:
        of_page = [key for key in ("url", "title") if getattr(self, key) is not None]
        of_thing = [key for key in ("value", "contains", "count") if getattr(self, key) is not None]
        if len(of_page) + self.names_something() != 1:
            raise ValueError("takes one thing on the page, a url or a title")
        if of_page and (of_thing or "state" in self.model_fields_set):
            raise ValueError(f"{[*of_thing, 'state'][0]} goes with one thing on the page, not with {of_page[0]}")
        if len(of_thing) > 1 or (of_thing and "state" in self.model_fields_set):
            raise ValueError(f"{' and '.join([*of_thing, 'state'][:2])} are two expectations; make two of it")
        if self.count is not None and self.nth is not None:
            raise ValueError("nth picks one, so there is nothing to count; remove nth or count")
        return self

    def _needs_target(self) -> bool:
        return False


class Scroll(Target):
    """Bring something into view, or go `to` the top or bottom of the page, or `by` pixels with the wheel."""

    to: Literal["top", "bottom"] | None = Field(None, description="an end of the page")
    by: Annotated[int, Field(strict=True, ge=-100_000, le=100_000)] | None = Field(None, description="pixels down, below zero up, as with the wheel")

    @model_validator(mode="after")
    def _one_way_to_scroll(self) -> Self:
        if (self.to is not None) + (self.by is not None) + self.names_something() != 1:
            raise ValueError("takes one thing on the page, to: top or bottom, or by: pixels")
        return self

    def _needs_target(self) -> bool:
        return False


def short_scroll(value: Any) -> Any:
    """`top` and `bottom` are the ends of the page, any other text is something to bring into view."""
    return {"to" if value in ("top", "bottom") else "text": value} if isinstance(value, str) else value


class Evaluate(Model):
    """A JavaScript expression in the page. Alone it must not throw; with `equals` its JSON value must be that one."""

    js: JavaScript = Field(description="the expression; arg is what stands under arg")
    arg: JsonValue = Field(None, description="a value the expression sees as arg; names are filled here, never in js")
    equals: JsonValue = Field(None, description="the JSON value wanted")

    @property
    def wants(self) -> bool:
        """Whether a value is expected, `null` included."""
        return "equals" in self.model_fields_set


class Script(Model):
    """A Python file beside the journey with `async def run(page, names)`; `page` is Playwright's, `names.fill("${vars.x}")` resolves names."""

    file: PythonFile = Field(description="the file, beside the journey")


class Tab(Model):
    """Go on in another tab: the first, the last opened, or with `close` end this one and go back to where it was opened."""

    go: Literal["first", "last", "close"] = Field(description="first, last, or close for ending this tab and going back")


def short_tab(value: Any) -> Any:
    """The short form is the word alone."""
    return {"go": value} if isinstance(value, str) else value


TabForm = Annotated[Tab, BeforeValidator(short_tab, json_schema_input_type=Literal["first", "last", "close"] | Tab)]
"""Where to go on, as one word."""
