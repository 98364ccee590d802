"""Playwright's locators as targets of browser actions."""

import json
import re
from typing import Any, Final

from sojourn_probes.importers.literal import Call, Regex, Unknown

_WAYS: Final = {"label": "label", "text": "text", "placeholder": "placeholder", "testid": "test_id"}
_PICKS: Final = {"first": 0, "nth": None, "last": -1}


class NoTarget(ValueError):  # noqa: N818 - says what is the matter
    """A locator that a target cannot say; the text is why."""


def target_of(links: list[Call]) -> dict[str, Any]:
    """The target that `links`, behind `page`, point at. Raises `NoTarget`."""
    found: dict[str, Any] = {}
    for link in links:
        word = link.name.lower().replace("_", "")
        if word in _PICKS:
            _pick(found, word, link)
            continue
        outer = found
        if word == "locator":
            if link.named or any(isinstance(arg, dict) and arg for arg in link.args or ()):
                raise NoTarget("a locator with a filter cannot be said; name the thing itself")
            found = {"css": _css(_text(link))}
        elif word.startswith("getby"):
            found = _by(word.removeprefix("getby"), link)
        else:
            raise NoTarget(f"{link.name} cannot be said as a target")
        if outer:
            found["within"] = outer
    if not found:
        raise NoTarget("names nothing on the page")
    return found


def _by(way: str, link: Call) -> dict[str, Any]:
    options = {**link.named, **next((arg for arg in link.args or () if isinstance(arg, dict)), {})}
    value = _text(link)
    exact = {"exact": True} if options.get("exact") is True else {}
    if way == "role":
        name = options.get("name")
        if isinstance(name, Regex | Unknown):
            raise NoTarget("a name by regular expression cannot be said; write the name, or part of it")
        more = set(options) - {"name", "exact"}
        if more:
            raise NoTarget(f"the option {sorted(more)[0]} of a role cannot be said")
        return {"role": value, **({} if name is None else {"name": str(name)}), **exact}
    if way in _WAYS:
        return {_WAYS[way]: value, **exact}
    if way in ("alttext", "title"):
        attribute = "alt" if way == "alttext" else "title"
        return {"css": f"[{attribute}{'' if exact else '*'}={json.dumps(value, ensure_ascii=False)}{'' if exact else ' i'}]"}
    raise NoTarget(f"{link.name} cannot be said as a target")


def _pick(found: dict[str, Any], word: str, link: Call) -> None:
    if not found or "nth" in found:
        raise NoTarget(f"{link.name} cannot be said here")
    number = _PICKS[word] if word != "nth" else (link.args or [None])[0]
    if not isinstance(number, int) or number < 0:
        raise NoTarget(f"{link.name} cannot be said; name the thing itself, or count from the first with nth")
    found["nth"] = number


def _text(link: Call) -> str:
    value = (link.args or [link.named.get("selector", link.named.get("text", link.named.get("role")))])[0]
    if not isinstance(value, str):
        raise NoTarget("a regular expression or a variable cannot be said; write the text, or part of it")
    return value


def _css(selector: str) -> str:
    engine = re.match(r"(?:(xpath|text|id|data-testid|internal:[\w-]+|role|_react|_vue)=|//|\.\.)", selector)
    if engine is not None:
        raise NoTarget(f"the selector {selector[:60]!r} is no CSS; name the thing by role, label or text")
    return selector.removeprefix("css=")


def frame_of(links: list[Call]) -> tuple[dict[str, Any] | None, list[Call]]:
    """The frame that `links` go into, if any, and the links inside of it. Raises `NoTarget` for frames within frames."""
    for index, link in enumerate(links):
        word = link.name.lower().replace("_", "")
        inside = word == "contentframe"
        if not inside and word != "framelocator":
            continue
        outer = links[: index + (not inside)]
        if len(outer) != 1 or outer[0].name.lower().replace("_", "") not in ("locator", "framelocator"):
            raise NoTarget("a frame that is not named by one CSS selector cannot be said")
        if frame_of(links[index + 1 :])[0] is not None:
            raise NoTarget("a frame within a frame cannot be said")
        return {"css": _css(_text(outer[0]))}, links[index + 1 :]
    return None, links


def short(action: str, target: dict[str, Any]) -> Any:
    """The short form where there is one."""
    if action == "click" and set(target) == {"role", "name"} and target["role"] == "button":
        return target["name"]
    if action in ("hover", "expect", "wait_for") and set(target) == {"text"}:
        return target["text"]
    return target["label"] if action == "check" and set(target) == {"label"} else target
