"""The page as it looks and as HTML, without what is secret on it."""

from typing import Any, Final

from sojourn_probes.redact import Redactor
from sojourn_probes.steps.browser_page import Walk

SECONDS: Final = 5.0
MAX_DOM: Final = 2_000_000
"""Characters of HTML kept of a page and its frames together."""
_TAIL: Final = 10_000
_MARK: Final = "data-sojourn-mask"

MAX_ELEMENTS: Final = 50_000
"""Elements of a frame, and two hundred times as many characters, beyond which it is not searched and there is no screenshot."""
_TRIES: Final = 3

_ALL: Final = """
  const all = [];
  const collect = (root) => {
    for (const element of root.querySelectorAll('*')) {
      all.push(element);
      if (element.shadowRoot) collect(element.shadowRoot);
    }
  };
  all.push(document.body || document.documentElement);
  collect(all[0]);
"""
_TEXTS: Final = (
    """([most, name]) => {"""
    + _ALL
    + """
  if (all.length > most) return null;
  const texts = [];
  let left = most * 200;
  all.forEach((element, index) => {
    let text = typeof element.value === 'string' ? element.value : '';
    for (const node of element.childNodes) if (node.nodeType === 3) text += node.data;
    text += element.getAttribute('placeholder') || '';
    if (text.trim()) texts.push([index, text, element.hasAttribute(name)]);
    left -= text.length;
  });
  return left < 0 ? null : texts;
}"""
)
_MASK: Final = "([indexes, name]) => {" + _ALL + "indexes.forEach((index) => all[index] && all[index].setAttribute(name, '')); }"
_UNMASK: Final = "(name) => {" + _ALL + "all.forEach((element) => element.removeAttribute(name)); }"
_HTML: Final = """(most) => {
  const copy = document.documentElement.cloneNode(true);
  copy.querySelectorAll('input[type=password]').forEach((field) => field.removeAttribute('value'));
  copy.querySelectorAll('meta[name*=csrf i], input[name*=csrf i]').forEach((field) => { field.removeAttribute('content'); field.removeAttribute('value'); });
  return copy.outerHTML.slice(0, most);
}"""


async def screenshot(walk: Walk, redact: Redactor) -> bytes | None:
    """The page with black boxes over password fields, fields filled from secrets, and any text in which a secret shows.

    Pictures, canvases and closed shadow roots are not looked into. A page that cannot be searched, or shows a secret anew whenever its picture is
    taken, has no screenshot rather than an open one.
    """
    frames = walk.page.frames
    try:
        for _ in range(_TRIES):
            if await _unmasked(frames, redact) is None:
                return None
            masks = [found for frame in frames for found in (frame.locator(f"[{_MARK}]"), frame.locator("input[type=password]"))]
            filled = [field for field in walk.secret_fields if field.page == walk.page]
            picture = await walk.page.screenshot(mask=[*filled, *masks], mask_color="#000000", animations="disabled", timeout=SECONDS * 1000)
            # What the page has put there meanwhile may be in the picture.
            if await _unmasked(frames, redact) == 0:
                return picture
        return None
    finally:
        for frame in frames:
            await frame.evaluate(_UNMASK, _MARK)


async def _unmasked(frames: list[Any], redact: Redactor) -> int | None:
    """Mark every element in whose own text a secret shows. How many had no mark yet; None when there is too much to search."""
    fresh = 0
    for frame in frames:
        texts: list[list[Any]] | None = await frame.evaluate(_TEXTS, [MAX_ELEMENTS, _MARK])
        if texts is None:
            return None
        secret = [index for index, text, marked in texts if not marked and redact.text(text) != text]
        if secret:
            await frame.evaluate(_MASK, [secret, _MARK])
        fresh += len(secret)
    return fresh


async def dom(walk: Walk, redact: Redactor) -> str:
    """The HTML of the page and of its frames without secrets, each under a line that says whose it is; what stands in password fields is left out."""
    parts: list[str] = []
    left = MAX_DOM
    for frame in walk.page.frames[:20]:
        if left <= 0:
            break
        html: str = await frame.evaluate(_HTML, left)
        left -= len(html)
        html = redact.text(html)
        if left <= 0:
            # Half a secret at the cut would not be known for one.
            html = html[:-_TAIL]
        address = frame.url.replace("--", "- -")
        parts.append(f"<!-- {'page' if frame is walk.page.main_frame else 'frame'} {address} -->\n<!doctype html>\n{html}\n")
    return "".join(parts)
