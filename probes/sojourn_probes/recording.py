"""Watches a person use a site in a real browser, by Playwright's own recorder, and drafts a journey of it.

The recorder tells each action with the locator it chose. What is typed into a field that is, or ever was, a password
field is known by a listener in the page and becomes a reference; it stays in memory and is never written or shown.
"""

import asyncio
import json
import os
import signal
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sojourn_probes.addresses import origin_of
from sojourn_probes.chromium import candidates
from sojourn_probes.errors import SojournError
from sojourn_probes.importers.browser_draft import Actions
from sojourn_probes.importers.draft import Work, shown_host
from sojourn_probes.importers.lift import escaped, without_userinfo
from sojourn_probes.importers.literal import Call
from sojourn_probes.importers.playwright import expectation, perform
from sojourn_probes.importers.targets import NoTarget

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page, Playwright

MAX_ACTIONS: Final = 1000
MAX_TYPED: Final = 20_000
"""States of secret fields remembered: one for each key that is pressed in them."""
MAX_VALUE: Final = 10_000
PRESS_SECONDS: Final = 1.5
"""A page that comes so soon after Enter was asked for by it."""
_MISSING: Final = "recording needs Playwright, which is not installed; run pip install 'sojourn[browser]'"
_OLD: Final = "the installed Playwright has no recorder that can be listened to; run pip install --upgrade playwright"
_LISTENER: Final = """
(() => {
  const secret = new WeakSet(), typed = window.__sojournTyped;
  const look = (event) => {
    const field = event.composedPath()[0];
    if (!(field instanceof HTMLInputElement)) return;
    const kind = `${field.type} ${field.autocomplete}`.toLowerCase();
    if (/password|one-time-code|cc-number|cc-csc/.test(kind)) secret.add(field);
    if (event.type === 'input' && secret.has(field) && field.value) (typed || window.__sojournTyped)(field.value);
  };
  for (const kind of ['focusin', 'input']) window.addEventListener(kind, look, true);
})();
"""
_WAYS: Final = {"role": "getByRole", "text": "getByText", "label": "getByLabel", "placeholder": "getByPlaceholder", "alt": "getByAltText"} | {
    "title": "getByTitle",
    "test-id": "getByTestId",
    "default": "locator",
}
_KEYS: Final = ((2, "Control"), (1, "Alt"), (4, "Meta"), (8, "Shift"))


@dataclass(slots=True)
class Done:
    """One thing the person did: the recorder's action, its locator, in which tab, and the page it led to."""

    action: dict[str, Any]
    locator: dict[str, Any] | None
    tab: int
    led_to: str = ""
    opens_tab: bool = False


@dataclass(slots=True)
class Seen:
    """Everything that was recorded. `typed` are the values of password fields."""

    done: list[Done] = field(default_factory=list)
    typed: set[str] = field(default_factory=set)

    def heard(self, value: str) -> None:
        """A field that may be secret holds `value`. Any page may say so, and none may fill our memory."""
        if len(self.typed) < MAX_TYPED and len(value) <= MAX_VALUE:
            self.typed.add(value)


class _Listener:
    """What the recorder tells, as Playwright calls it."""

    def __init__(self, seen: Seen, say: Callable[[str], None]) -> None:
        self.seen, self.say = seen, say
        self.tabs: list[Any] = []
        self.led_to = ""
        self.at = 0.0

    def action_added(self, page: Any, data: dict[str, Any], code: str) -> None:
        name = data.get("name")
        if len(self.seen.done) >= MAX_ACTIONS or name in ("openPage", "closePage"):
            return
        done = self._done(page, data, code)
        # The recorder holds a click back for half a second to tell it from a double click; its navigation is known before it.
        if self.led_to and name == "click":
            done.led_to = self.led_to
        elif self.led_to and self.seen.done and name != "navigate":
            self.seen.done[-1].led_to = self.led_to
        self.led_to, self.at = "", time.monotonic()
        self.seen.done.append(done)
        self.say(_shown(done))

    def action_updated(self, page: Any, data: dict[str, Any], code: str) -> None:
        if self.seen.done:
            self.seen.done[-1] = self._done(page, data, code)

    def signal_added(self, page: Any, data: dict[str, Any], code: str) -> None:
        if data.get("name") == "popup" and self.seen.done:
            self.seen.done[-1].opens_tab = True

    def navigated(self, url: str) -> None:
        """The first tab shows another page."""
        last = self.seen.done[-1] if self.seen.done else None
        if last is not None and last.action.get("name") == "press" and time.monotonic() - self.at < PRESS_SECONDS:
            last.led_to = url
        else:
            self.led_to = url

    def _done(self, page: Any, data: dict[str, Any], code: str) -> Done:
        try:
            locator = json.loads(code.partition("\n")[0]).get("locator")
        except ValueError:
            locator = None
        kept = {key: value for key, value in data.items() if key != "ariaSnapshot"}  # it holds what was typed into all fields
        if page not in self.tabs:
            self.tabs.append(page)
        return Done(kept, locator if isinstance(locator, dict) else None, self.tabs.index(page))


async def record(
    url: str, *, headless: bool = False, say: Callable[[str], None] = lambda line: None, drive: "Callable[[Page], Awaitable[None]] | None" = None
) -> Seen:
    """Open `url` and watch until the last window is closed or Ctrl-C is pressed. Raises `SojournError`.

    `drive` uses the page in the person's place and then closes the window. A click less than half a second before that is
    lost: the recorder still waits whether it becomes a double click.
    """
    if not headless:
        require_display()
    try:
        from playwright.async_api import Error, async_playwright
    except ImportError:
        raise SojournError(_MISSING) from None
    seen = Seen()
    over = asyncio.Event()
    loop = asyncio.get_running_loop()
    with suppress(NotImplementedError, RuntimeError, ValueError):
        loop.add_signal_handler(signal.SIGINT, over.set)
    try:
        async with async_playwright() as playwright:
            browser = await _launched(playwright, headless=headless)
            try:
                await _watched(browser, url, seen, over, say, drive)
            except Error as fault:
                if not seen.done:
                    raise SojournError(f"{without_userinfo(url)} cannot be recorded: {_why(str(fault))}") from None
            finally:
                with suppress(Error):
                    await browser.close()
    finally:
        with suppress(NotImplementedError, RuntimeError, ValueError):
            loop.remove_signal_handler(signal.SIGINT)
    return seen


async def _launched(playwright: "Playwright", *, headless: bool) -> "Browser":
    from playwright.async_api import Error

    faults = []
    for choice in candidates():
        try:
            return await playwright.chromium.launch(executable_path=choice.path, args=list(choice.args), headless=headless, handle_sigint=False)
        except Error as fault:
            faults.append(f"{choice.path}: {_why(str(fault))}")
    raise SojournError(f"no browser starts ({'; '.join(faults) or 'none is installed'}); install Chromium, or name one with SOJOURN_CHROMIUM=/path/to/chromium")


async def _watched(
    browser: "Browser", url: str, seen: Seen, over: asyncio.Event, say: Callable[[str], None], drive: "Callable[[Page], Awaitable[None]] | None"
) -> None:
    context = await browser.new_context()
    browser.on("disconnected", lambda _: over.set())
    await context.expose_binding("__sojournTyped", lambda _, value: seen.heard(str(value)))
    await context.add_init_script(_LISTENER)
    listener = _Listener(seen, say)
    inner: Any = getattr(context, "_impl_obj", None)
    if not hasattr(inner, "_start_recording") or not hasattr(inner, "_stop_recording"):
        raise SojournError(_OLD)
    await inner._start_recording({"language": "jsonl"}, listener)
    page = await context.new_page()
    listener.tabs.append(getattr(page, "_impl_obj", page))
    context.on("page", lambda opened: opened.on("close", lambda _: _gone(context, over)))
    page.on("close", lambda _: _gone(context, over))
    page.on("framenavigated", lambda frame: None if frame.parent_frame else listener.navigated(frame.url))
    await page.goto(url, wait_until="commit")
    say("recording; close the browser's window when you are done, or press Ctrl-C here")
    if drive is not None:
        await drive(page)
        await page.close()
    await over.wait()
    if browser.is_connected():
        await inner._stop_recording()


def _gone(context: "BrowserContext", over: asyncio.Event) -> None:
    if not context.pages:
        over.set()


def require_display() -> None:
    """Raises `SojournError` where no window can be opened."""
    if os.name == "posix" and os.uname().sysname == "Linux" and not (os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")):
        raise SojournError(
            "recording opens a window and there is no display ($DISPLAY and $WAYLAND_DISPLAY are not set); "
            "record on a machine with a desktop and copy the file, or run it as: xvfb-run sojourn record …"
        )


def _why(message: str) -> str:
    """The browser's own words, without its call log."""
    line = next((line for line in message.splitlines() if line.strip()), "the browser ended")
    return line.partition(": ")[2][:160] or line[:160]


def drafted(seen: Seen, url: str, work: Work) -> None:
    """Drafts the journey of what was `seen` into `work`; what it cannot say is told."""
    draft = work.draft(shown_host(url) or "recorded")
    actions = Actions(draft, work)
    here = ""
    for number, done in enumerate(seen.done, 1):
        place = f"action {number}"
        try:
            _draft_one(done, actions, place, seen.typed)
        except NoTarget as fault:
            work.lose(place, f"{_shown(done)} was left out: {fault}")
        goes_to = done.led_to or str(done.action.get("url", ""))
        path = without_userinfo(goes_to)
        if done.led_to and path != here and here:
            actions.flush()
            actions.name = f"On /{path.partition('://')[2].partition('/')[2]}"
        here = path or here
    actions.flush()


def _draft_one(done: Done, actions: Actions, place: str, typed: set[str]) -> None:
    action, name = done.action, str(done.action.get("name"))
    if done.tab > 1:
        raise NoTarget("it was done in a third tab, and tabs are the first and the last")
    actions.on("last" if done.tab else "first")
    actions.popup = done.opens_tab
    if name == "navigate":
        address = str(action.get("url", ""))
        if origin_of(address) is None:
            raise NoTarget("the address is neither http nor https")
        actions.goto(escaped(address), place)
        return
    links = links_of(done.locator or {})
    text = str(action.get("text", action.get("value", "")))
    if name == "click":
        options = {"button": action.get("button", "left"), "clickCount": action.get("clickCount", 1), "modifiers": action.get("modifiers", 0)}
        perform([*links, Call("click", [options])], actions, place)
    elif name == "fill":
        perform([*links, Call("fill", [escaped(text)])], actions, place, secret=text in typed)
    elif name == "press":
        held = "".join(f"{key}+" for bit, key in _KEYS if int(action.get("modifiers", 0)) & bit)
        perform([*links, Call("press", [f"{held}{action.get('key', '')}"])], actions, place)
    elif name in ("check", "uncheck"):
        perform([*links, Call(name, [])], actions, place)
    elif name == "select":
        perform([*links, Call("selectOption", [[escaped(str(one)) for one in action.get("options", [])]])], actions, place)
    elif name == "setInputFiles":
        perform([*links, Call("setInputFiles", [[str(one) for one in action.get("files", [])]])], actions, place)
    else:
        _assertion(name, action, links, text, actions)


def _assertion(name: str, action: dict[str, Any], links: list[Call], text: str, actions: Actions) -> None:
    calls = {
        "assertVisible": Call("toBeVisible", []),
        "assertChecked": Call("toBeChecked", []),
        "assertValue": Call("toHaveValue", [escaped(text)]),
        "assertText": Call("toContainText", [escaped(text)]),
    }
    if name not in calls:
        raise NoTarget(f"{name} is nothing a journey can say")
    expectation(links, calls[name], actions, negated=name == "assertChecked" and action.get("checked") is False)


def links_of(locator: dict[str, Any]) -> list[Call]:
    """The recorder's locator as the calls a script would make. Raises `NoTarget`."""
    links: list[Call] = []
    at: Any = locator
    while isinstance(at, dict) and len(links) < 20:
        kind, body = str(at.get("kind", "")), at.get("body")
        options: Any = at.get("options")
        if kind in ("nth", "first", "last"):
            links.append(Call(kind, [int(str(body))] if kind == "nth" and str(body).lstrip("-").isdecimal() else []))
        elif kind == "frame":
            links.append(Call("contentFrame", []))
        elif kind == "frame-locator":
            links.append(Call("frameLocator", [escaped(str(body))]))
        elif kind in _WAYS:
            links.append(Call(_WAYS[kind], [escaped(str(body)), _options(options if isinstance(options, dict) else {})]))
        else:
            raise NoTarget(f"a locator by {kind or 'nothing'} cannot be said; name the thing itself")
        at = at.get("next")
    if not links:
        raise NoTarget("the recorder named nothing on the page")
    return links


def _options(options: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if options.get("exact") is True:
        found["exact"] = True
    if isinstance(options.get("name"), str):
        found["name"] = escaped(options["name"])
    return found


def _shown(done: Done) -> str:
    """An action for a line on the terminal: never what was typed."""
    name = str(done.action.get("name"))
    if name == "navigate":
        return f"goto {without_userinfo(str(done.action.get('url', '')))}"
    try:
        link = links_of(done.locator or {})[0]
    except NoTarget:
        return name
    options = (link.args or [None])[-1]
    label = options.get("name") if isinstance(options, dict) else None
    return f"{name} {label or (link.args or [''])[0]}"[:100]
