"""How things on a page are named: the way a customer sees them (role, label, text); `css` is there for what has no name."""

from collections.abc import Callable
from typing import Annotated, Any, Final, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sojourn_probes.model import Model
from sojourn_probes.units import Duration

WAYS: Final = ("role", "label", "text", "placeholder", "test_id", "css")
"""The ways to point at something on a page; a target uses exactly one."""


def _in_bounds(seconds: float) -> float:
    if not 0 < seconds <= 600:
        raise ValueError("must be more than 0s and at most 10m")
    return seconds


Wait = Annotated[Duration, AfterValidator(_in_bounds)]
"""How long to wait: seconds, written with a unit, at most ten minutes."""
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0)]


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
    nth: Count | None = Field(None, description="which one, from 0, when there are several")
    within: "Target | None" = Field(None, description="look only inside this other thing, such as one row of a list")

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

    @property
    def way(self) -> str | None:
        """Which of `WAYS` is used; None when it points at the page as it is."""
        return next((way for way in WAYS if getattr(self, way) is not None), None)

    def names_something(self) -> bool:
        """Whether it points at one thing, instead of at the page as it is."""
        return self.way is not None

    def says(self) -> str:
        """The target in words for a message, such as `button 'Pay'` or `label 'Card number' within css '.row'`."""
        inside = "" if self.within is None else f" within {self.within.says()}"
        if self.role is not None:
            return f"{self.role} '{self.name}'{inside}" if self.name is not None else f"{self.role}{inside}"
        return "the page" if self.way is None else f"{self.way.replace('_', ' ')} '{getattr(self, self.way)}'{inside}"


def short(key: str) -> Callable[[Any], Any]:
    """A validator that turns the short form (a string) into the long one, where it stands under `key`."""

    def widen(value: Any) -> Any:
        return {key: value} if isinstance(value, str) else value

    return widen


def short_button(value: Any) -> Any:
    """The short form of what is clicked is the name of a button."""
    return {"role": "button", "name": value} if isinstance(value, str) else value


ByText = Annotated[Target, BeforeValidator(short("text"), json_schema_input_type=str | Target)]
"""A target whose short form is its text."""
ByLabel = Annotated[Target, BeforeValidator(short("label"), json_schema_input_type=str | Target)]
"""A target whose short form is its label."""
Button = Annotated[Target, BeforeValidator(short_button, json_schema_input_type=str | Target)]
"""A target whose short form is the name of a button."""
