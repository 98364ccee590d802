"""What a page shows instead of the thing an action looked for: the nearest accessible names, for the sentence of a failure."""

import asyncio
import difflib
import re
from collections.abc import Callable
from typing import Any, Final

from sojourn_probes.steps.browser_targets import Target

_SHOWN: Final = 3
_NAMED = re.compile(r"^\s*- '?([a-z]+) \"((?:[^\"\\]|\\.)*)\"")
_TEXT = re.compile(r"^\s*- '?([a-z]+)(?: \[[^\]]*\])*: \"?(.*?)[\"']*$")
_FIELDS: Final = frozenset({"textbox", "searchbox", "combobox", "listbox", "checkbox", "radio", "switch", "spinbutton", "slider"})
_ATTRIBUTES: Final = {"placeholder": "placeholder", "test_id": "data-testid"}
_VALUES: Final = "(all, name) => all.slice(0, 500).map((element) => element.getAttribute(name)).filter(Boolean)"


async def instead(target: Target, wanted: str, root: Any, redact: Callable[[str], str], seconds: float) -> str:
    """`; the page shows …; name …` for `target`, which was not found below `root`. Empty when the page does not say within `seconds`."""
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(seconds):
            names = await _names(target, root, redact)
    except (Error, TimeoutError):
        return ""
    if target.way == "css":
        return "; nothing on the page matches it, so correct the selector or wait for what comes first"
    if not names:
        return f"; the page shows no {_kind(target)} at all"
    near = _near(wanted, names, strict=target.way == "text")
    if not near:
        return ""
    return f"; the page shows {' and '.join(near)}: name what is there, or wait for what comes first"


async def _names(target: Target, root: Any, redact: Callable[[str], str]) -> dict[str, str]:
    """Words by bare name: what stands on the page of the kind that was looked for."""
    attribute = _ATTRIBUTES.get(target.way or "")
    if attribute is not None:
        values = await root.locator(f"[{attribute}]").evaluate_all(_VALUES, attribute)
        return {value: f"{_kind(target)} '{value[:80]}'" for value in map(redact, values)}
    if target.way == "css":
        return {}
    return dict(found for line in redact(await root.locator("body").aria_snapshot()).splitlines() if (found := _read(line, target)) is not None)


def _read(line: str, target: Target) -> tuple[str, str] | None:
    found = _NAMED.match(line) or (_TEXT.match(line) if target.way == "text" else None)
    if found is None or not found.group(2):
        return None
    role, name = found.group(1), found.group(2)[:200].replace('\\"', '"')
    if (target.way == "role" and role != target.role) or (target.way == "label" and role not in _FIELDS):
        return None
    return name, f"{_kind(target) if target.way in ('label', 'text') else role} '{name[:80]}'"


def _kind(target: Target) -> str:
    return str(target.role if target.way == "role" else (target.way or "").replace("_", " "))


def _near(wanted: str, names: dict[str, str], *, strict: bool) -> list[str]:
    """The words for the names most like `wanted`; the first of all when none is like it, except for free text."""
    small = {name.lower(): words for name, words in reversed(names.items())}
    close = difflib.get_close_matches(wanted.lower(), small, n=_SHOWN, cutoff=0.5)
    return [small[name] for name in close] or ([] if strict else list(names.values())[:_SHOWN])
