"""The one warm browser of a process: fresh contexts for attempts, a fresh browser after some runs, a dead one when it hangs.

Playwright starts Chromium in a process group of its own but does not say which; a switch only we use finds it in /proc.
"""

import asyncio
import contextlib
import os
import signal
import uuid
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from sojourn_probes.chromium import BrowserMissing, Choice, candidates

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Playwright

RECYCLE_AFTER: Final = 100
"""Contexts a browser serves before a fresh one takes its place; Chromium's memory grows slowly."""
CLOSE_SECONDS: Final = 4.0
"""What closing may take before the process group is killed."""
LAUNCH_SECONDS: Final = 30.0

MISSING_EXTRA: Final = "browser steps need Playwright, which is not installed; run pip install 'sojourn[browser]'"


@dataclass(slots=True, eq=False)
class _Warm:
    """One running browser with its driver."""

    playwright: "Playwright"
    browser: "Browser"
    group: int | None
    driver: int | None
    served: int = 0
    users: int = 0
    retired: bool = False
    ending: bool = False
    doubt: "asyncio.Task[None] | None" = None

    def kill(self) -> None:
        """End the browser at once. Works on a stopped process too; the driver sees it go and ends its side."""
        self.retired = True
        if self.group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)

    def _kill_all(self) -> None:
        self.kill()
        if self.driver is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.driver, signal.SIGKILL)

    async def close(self) -> None:
        """End both in an orderly way, and by force when that takes too long."""
        self.retired = True
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.browser.close()
                await self.playwright.stop()
        except (TimeoutError, Error):
            self._kill_all()
        except BaseException:
            self._kill_all()
            raise


class BrowserPool:
    """Hands out browser contexts. `choices` lists the browsers to try, `recycle_after` is how many contexts one serves,
    `headed` opens a visible window.

    Started when first needed; `aclose` ends everything it started.
    """

    def __init__(self, choices: Callable[[], Iterator[Choice]] = candidates, recycle_after: int = RECYCLE_AFTER, *, headed: bool = False) -> None:
        self._choices, self._recycle_after, self._headed = choices, recycle_after, headed
        self._lock = asyncio.Lock()
        self._warm: _Warm | None = None
        self._launching: asyncio.Task[_Warm] | None = None
        self._ending: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def context(self, product: str = "", **options: Any) -> AsyncIterator["BrowserContext"]:
        """A fresh context, closed at the end; when it cannot be closed the whole browser is killed.

        `product` goes behind Chrome's name in the User-Agent; `options` are those of Playwright's `new_context`.
        Raises `BrowserMissing` when no browser starts, Playwright's `Error` when the browser is lost meanwhile.
        """
        warm = await self._ready()
        warm.users += 1
        try:
            context = await self._open(warm, user_agent=f"{_as_chrome(warm.browser.version)} {product}".strip(), **options)
            try:
                yield context
            finally:
                await self._close(context, warm)
        finally:
            warm.users -= 1
            if warm.retired and not warm.users:
                self._end(warm)

    async def aclose(self) -> None:
        """End the browser and wait for those that are ending."""
        if self._launching is not None:
            await asyncio.wait([self._launching])
            if not self._launching.cancelled() and self._launching.exception() is None:
                self._warm = self._launching.result()
            self._launching = None
        if self._warm is not None:
            warm, self._warm = self._warm, None
            self._end(warm)
        if self._ending:
            await asyncio.wait(self._ending)

    async def _open(self, warm: _Warm, **options: Any) -> "BrowserContext":
        """A new context. When whoever wants it gives up, it is closed once it is there, and the browser is asked whether it still lives."""
        opening = asyncio.create_task(warm.browser.new_context(**options))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            warm.doubt = warm.doubt or self._aside(_still_answers(warm))
            self._aside(_close_late(opening))
            raise

    async def _ready(self) -> _Warm:
        async with self._lock:
            warm = self._warm
            if warm is not None and warm.doubt is not None:
                await asyncio.shield(warm.doubt)
                warm.doubt = None
            if warm is not None and warm.served >= self._recycle_after:
                warm.retired = True
            if warm is not None and not warm.browser.is_connected():
                warm.kill()
            if warm is None or warm.retired:
                if warm is not None and not warm.users:
                    self._end(warm)
                self._warm = None
                # In a task of its own: an attempt whose time is up must not leave half a browser behind.
                self._launching = self._launching or asyncio.create_task(self._launch())
                launching = self._launching
                try:
                    warm = await asyncio.shield(launching)
                finally:
                    if launching.done():
                        self._launching = None
                self._warm = warm
            warm.served += 1
            return warm

    async def _launch(self) -> _Warm:
        try:
            from playwright.async_api import Error, async_playwright
        except ModuleNotFoundError:
            raise BrowserMissing(MISSING_EXTRA) from None
        tried: list[str] = []
        for choice in self._choices():
            token = f"--sojourn-browser={uuid.uuid4().hex}"
            playwright = await async_playwright().start()
            try:
                browser = await playwright.chromium.launch(
                    executable_path=choice.path,
                    headless=not self._headed,
                    args=[*choice.args, token],
                    timeout=LAUNCH_SECONDS * 1000,
                    chromium_sandbox="--no-sandbox" not in choice.args,
                    handle_sigint=False,
                    handle_sigterm=False,
                    handle_sighup=False,
                )
            except Error:
                tried.append(choice.path)
                await playwright.stop()
                continue
            except BaseException:
                await playwright.stop()
                raise
            process = _process_with(token)
            return _Warm(playwright, browser, *_group_and_parent(process))
        if tried:
            raise BrowserMissing(f"{' and '.join(tried)} did not start; python -m sojourn_probes.chromium --ensure says why and finds another")
        raise BrowserMissing("no Chromium or Chrome found; python -m sojourn_probes.chromium --ensure fetches one")

    async def _close(self, context: "BrowserContext", warm: _Warm) -> None:
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await context.close()
        except (TimeoutError, Error):
            warm.kill()
        except BaseException:
            warm.kill()
            raise

    def _end(self, warm: _Warm) -> None:
        """Close `warm`, which nobody uses any more; once."""
        if not warm.ending:
            warm.ending = warm.retired = True
            self._aside(warm.close())

    def _aside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task


async def _still_answers(warm: _Warm) -> None:
    """Kill a browser that cannot even say its version."""
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            session = await warm.browser.new_browser_cdp_session()
            await session.send("Browser.getVersion")
            await session.detach()
    except (TimeoutError, Error):
        warm.kill()


async def _close_late(opening: "asyncio.Task[BrowserContext]") -> None:
    from playwright.async_api import Error

    with contextlib.suppress(Error, TimeoutError):
        async with asyncio.timeout(2 * CLOSE_SECONDS):
            await (await opening).close()


def _as_chrome(version: str) -> str:
    """What Chrome of that version says: sites treat `HeadlessChrome` otherwise than their customers' browsers."""
    return f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version.partition('.')[0]}.0.0.0 Safari/537.36"


def _process_with(token: str) -> int | None:
    """The process that was started with `token` among its arguments and is no child of another such."""
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if token.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found[int(folder.name)] = _parent(int(folder.name))
    return next((pid for pid, parent in found.items() if parent not in found), None)


def _parent(pid: int) -> int:
    # After the command, which is in brackets and may hold anything: state, parent, group (proc(5)).
    return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])


def _group_and_parent(pid: int | None) -> tuple[int | None, int | None]:
    """The process group to kill, never our own, and the driver that started it."""
    if pid is None:
        return None, None
    try:
        group, driver = os.getpgid(pid), _parent(pid)
    except (OSError, ValueError):
        return None, None
    return group if group != os.getpgrp() else None, driver if driver > 1 and driver != os.getpid() else None
