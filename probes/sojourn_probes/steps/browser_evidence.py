"""What a failed browser step leaves behind: a screenshot without secrets, and the console."""

import asyncio
import re
from contextlib import suppress
from typing import Any, Final

from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_page import Walk

SCREENSHOT_SECONDS: Final = 5.0
_MARK: Final = "data-sojourn-mask"

_TEXTS: Final = """() => {
  const texts = [];
  [...document.querySelectorAll('body *')].slice(0, 20000).forEach((element, index) => {
    let text = typeof element.value === 'string' ? element.value : '';
    for (const node of element.childNodes) if (node.nodeType === 3) text += node.data;
    text += element.getAttribute('placeholder') || '';
    if (text.trim()) texts.push([index, text.slice(0, 4000)]);
  });
  return texts.slice(0, 8000);
}"""
_MASK: Final = """([indexes, name]) => {
  const all = document.querySelectorAll('body *');
  indexes.forEach((index) => all[index] && all[index].setAttribute(name, ''));
}"""
_UNMASK: Final = "(name) => document.querySelectorAll(`[${name}]`).forEach((element) => element.removeAttribute(name))"
_ODD = re.compile(r"[^A-Za-z0-9._-]")


async def gather(walk: Walk, context: StepContext, console: list[str]) -> dict[str, str]:
    """Write what there is to `evidence_folder` and return kind → id (the file's name). Nothing without a folder or a live page."""
    if context.evidence_folder is None:
        return {}
    from playwright.async_api import Error

    name = _ODD.sub("_", f"{context.run_id}-{context.attempt}-{context.step_id}")
    evidence: dict[str, str] = {}
    with suppress(Error, TimeoutError):
        async with asyncio.timeout(SCREENSHOT_SECONDS):
            picture = await _screenshot(walk, context)
        await asyncio.to_thread((context.evidence_folder / f"{name}-screenshot.png").write_bytes, picture)
        evidence["screenshot"] = f"{name}-screenshot.png"
    if console:
        text = "".join(f"{context.redact.text(line)}\n" for line in console)
        await asyncio.to_thread((context.evidence_folder / f"{name}-console.txt").write_text, text)
        evidence["console"] = f"{name}-console.txt"
    return evidence


async def _screenshot(walk: Walk, context: StepContext) -> bytes:
    """The page with black boxes over password fields, fields filled from secrets, and any text in which a secret shows.

    Pictures and canvases are not looked into. When the page cannot be searched there is no screenshot rather than an open one."""
    frames = walk.page.frames
    for frame in frames:
        texts: list[list[Any]] = await frame.evaluate(_TEXTS)
        secret = [index for index, text in texts if context.redact.text(text) != text]
        if secret:
            await frame.evaluate(_MASK, [secret, _MARK])
    masks = [found for frame in frames for found in (frame.locator(f"[{_MARK}]"), frame.locator("input[type=password]"))]
    try:
        return await walk.page.screenshot(mask=[*walk.secret_fields, *masks], mask_color="#000000", animations="disabled", timeout=SCREENSHOT_SECONDS * 1000)
    finally:
        for frame in frames:
            await frame.evaluate(_UNMASK, _MARK)
