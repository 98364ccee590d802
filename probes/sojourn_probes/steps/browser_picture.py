"""The page as it looks and as HTML, without what is secret on it."""

from typing import Any, Final

from sojourn_probes.redact import Redactor
from sojourn_probes.steps.browser_page import Walk

SECONDS: Final = 5.0
MAX_DOM: Final = 2_000_000
"""Characters of HTML kept of a page and its frames together."""
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
_HTML: Final = """(most) => {
  const copy = document.documentElement.cloneNode(true);
  copy.querySelectorAll('input[type=password]').forEach((field) => field.removeAttribute('value'));
  copy.querySelectorAll('meta[name*=csrf i], input[name*=csrf i]').forEach((field) => { field.removeAttribute('content'); field.removeAttribute('value'); });
  return copy.outerHTML.slice(0, most);
}"""


async def screenshot(walk: Walk, redact: Redactor) -> bytes:
    """The page with black boxes over password fields, fields filled from secrets, and any text in which a secret shows.

    Pictures and canvases are not looked into. When the page cannot be searched there is no screenshot rather than an open one."""
    frames = walk.page.frames
    for frame in frames:
        texts: list[list[Any]] = await frame.evaluate(_TEXTS)
        secret = [index for index, text in texts if redact.text(text) != text]
        if secret:
            await frame.evaluate(_MASK, [secret, _MARK])
    masks = [found for frame in frames for found in (frame.locator(f"[{_MARK}]"), frame.locator("input[type=password]"))]
    filled = [field for field in walk.secret_fields if field.page == walk.page]
    try:
        return await walk.page.screenshot(mask=[*filled, *masks], mask_color="#000000", animations="disabled", timeout=SECONDS * 1000)
    finally:
        for frame in frames:
            await frame.evaluate(_UNMASK, _MARK)


async def dom(walk: Walk) -> str:
    """The HTML of the page and of its frames, each under a line that says whose it is; what stands in password fields is left out."""
    parts: list[str] = []
    left = MAX_DOM
    for frame in walk.page.frames[:20]:
        if left <= 0:
            break
        html: str = await frame.evaluate(_HTML, left)
        left -= len(html)
        address = frame.url.replace("--", "- -")
        parts.append(f"<!-- {'page' if frame is walk.page.main_frame else 'frame'} {address} -->\n<!doctype html>\n{html}\n")
    return "".join(parts)
