"""Values that a browser step takes from the page for later steps."""

import asyncio
import contextlib
from collections.abc import Mapping
from typing import Any

from sojourn_probes.steps.browser_doing import ActionFailed, Doing, locate
from sojourn_probes.steps.browser_wants import value_of

MAX_TEXT = 10_000
"""Characters taken of one value."""


async def extracted(doing: Doing, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What can be had of `wanted` (name → `journey.Extract`), by name; what is not there is left out. `regex` is not applied yet."""
    from playwright.async_api import Error

    found: dict[str, Any] = {}
    for name, source in wanted.items():
        # An expression that fails and a thing that is not there are both told by the one who misses the value.
        with contextlib.suppress(Error, TimeoutError, ActionFailed):
            async with asyncio.timeout(doing.left(5.0)):
                if (value := await _one(doing, source)) is not None:
                    found[name] = value[:MAX_TEXT] if isinstance(value, str) else value
    return found


async def _one(doing: Doing, source: Any) -> Any:
    if source.evaluate is not None:
        return await value_of(doing, source.evaluate, "extract")
    if source.url is not None:
        return doing.page.url
    target = source.text or source.value or source.of
    if target is None:
        return None
    found = locate(target, doing.page, doing.context.names.fill_text)
    most = doing.left(1.5) * 1000
    if source.text is not None:
        return await found.inner_text(timeout=most)
    if source.value is not None:
        return await found.input_value(timeout=most)
    return await found.get_attribute(source.attribute, timeout=most)
