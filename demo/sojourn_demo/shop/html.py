"""Turns the page templates into HTML. Every value is escaped unless it is `Markup` that this module made."""

from collections.abc import Mapping
from functools import cache
from html import escape
from importlib.resources import files
from string import Template


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


@cache
def _template(name: str) -> Template:
    return Template((files("sojourn_demo.shop") / "pages" / f"{name}.html").read_text(encoding="utf-8"))


def fill(name: str, values: Mapping[str, object]) -> Markup:
    """Fill the template `pages/{name}.html`. Raises KeyError when a value is missing."""
    return Markup(_template(name).substitute({key: value if isinstance(value, Markup) else escape(str(value)) for key, value in values.items()}))


def join(parts: list[Markup]) -> Markup:
    """Several pieces of HTML one after the other."""
    return Markup("\n".join(parts))
