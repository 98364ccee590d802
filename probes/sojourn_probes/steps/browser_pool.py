"""The warm browser of a process: fresh contexts for attempts, a fresh browser after some runs or MiB, a dead one when it hangs.

One serves all journeys, but for those that trust authorities of their own: each set of these has a browser to itself.
"""

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sojourn_probes.chromium import BrowserMissing, Choice, candidates
from sojourn_probes.steps.browser_devices import device_options
from sojourn_probes.steps.browser_process import CLOSE_SECONDS, Running, start, still_answers, sweep

if TYPE_CHECKING:
    from playwright.async_api import BrowserContext

RECYCLE_AFTER: Final = 100
"""Contexts a browser serves before a fresh one takes its place; Chromium's memory grows slowly."""
RECYCLE_MEMORY: Final = 1 << 30
"""Bytes of all processes of a browser beyond which a fresh one takes its place."""
MOST_BROWSERS: Final = 3
"""Browsers kept warm at once; the one not used for longest goes first."""

MISSING_EXTRA: Final = "browser steps need Playwright, which is not installed; run pip install 'sojourn[browser]'"


@dataclass(frozen=True, slots=True)
class Lent:
    """A context, and the folder where files in the making belong."""

    context: "BrowserContext"
    private: str


class BrowserPool:
    """Hands out browser contexts. `choices` lists the browsers to try; after `recycle_after` contexts or beyond `recycle_memory` bytes
    a fresh browser serves. `headed` opens a visible window.

    Started when first needed; `aclose` ends everything it started.
    """

    def __init__(
        self,
        choices: Callable[[], Iterator[Choice]] = candidates,
        recycle_after: int = RECYCLE_AFTER,
        recycle_memory: int = RECYCLE_MEMORY,
        *,
        headed: bool = False,
    ) -> None:
        self._choices, self._recycle_after, self._recycle_memory, self._headed = choices, recycle_after, recycle_memory, headed
        self._lock = asyncio.Lock()
        self._warm: dict[str, Running] = {}
        self._launching: dict[str, asyncio.Task[Running]] = {}
        self._ending: set[asyncio.Task[None]] = set()
        self._swept = False

    @contextlib.asynccontextmanager
    async def context(self, product: str = "", device: str | None = None, trust: bytes = b"", **options: Any) -> AsyncIterator[Lent]:
        """A fresh context, closed at the end; when it cannot be closed the whole browser is killed.

        `product` goes behind Chrome's name in the User-Agent; `device` is one of Playwright's, `trust` a PEM of authorities;
        `options` are those of Playwright's `new_context` and win over the device's.
        Raises `BrowserMissing` when no browser starts, `NotTrusted`, `Unusable`, and Playwright's `Error` when the browser is lost meanwhile.
        """
        running = await self._ready(trust)
        running.users += 1
        try:
            context = await self._open(running, **self._described(running, product, device) | options)
            try:
                yield Lent(context, str(running.private))
            finally:
                await self._close(context, running)
        finally:
            running.users -= 1
            if not running.retired and not running.ending:
                running.retired = await asyncio.to_thread(running.memory) > self._recycle_memory
            if running.retired and not running.users:
                self._end(running)

    async def aclose(self) -> None:
        """End the browsers and wait for those that are ending."""
        for key, launching in list(self._launching.items()):
            await asyncio.wait([launching])
            if not launching.cancelled() and launching.exception() is None:
                self._warm[key] = launching.result()
        self._launching.clear()
        for running in self._warm.values():
            self._end(running)
        self._warm.clear()
        if self._ending:
            await asyncio.wait(self._ending)

    @staticmethod
    def _described(running: Running, product: str, device: str | None) -> dict[str, Any]:
        """What the device is, if it is a named one, with us in its User-Agent."""
        found = {} if device is None else device_options(device, running.playwright.devices)
        agent = found.pop("user_agent", None) or _as_chrome(running.browser.version)
        return {**found, "user_agent": f"{agent} {product}".strip()}

    async def _open(self, running: Running, **options: Any) -> "BrowserContext":
        """A new context. When whoever wants it gives up, it is closed once it is there, and the browser is asked whether it still lives."""
        opening = asyncio.create_task(running.browser.new_context(**options))
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            running.doubt = running.doubt or self._aside(still_answers(running))
            self._aside(_close_late(opening))
            raise

    async def _ready(self, trust: bytes) -> Running:
        key = hashlib.sha256(trust).hexdigest() if trust else ""
        async with self._lock:
            running = self._warm.get(key)
            if running is not None and running.doubt is not None:
                await asyncio.shield(running.doubt)
                running.doubt = None
            if running is not None and running.served >= self._recycle_after:
                running.retired = True
            if running is not None and not running.browser.is_connected():
                running.kill()
            if running is None or running.retired:
                if running is not None and not running.users:
                    self._end(running)
                self._warm.pop(key, None)
                running = await self._launched(key, trust)
            running.served += 1
            running.used = asyncio.get_running_loop().time()
            return running

    async def _launched(self, key: str, trust: bytes) -> Running:
        self._make_room()
        # In a task of its own: an attempt whose time is up must not leave half a browser behind.
        if key not in self._launching:
            self._launching[key] = asyncio.create_task(self._launch(trust))
        launching = self._launching[key]
        try:
            running = await asyncio.shield(launching)
        finally:
            if launching.done():
                self._launching.pop(key, None)
        self._warm[key] = running
        return running

    def _make_room(self) -> None:
        """End the browser not used for longest when there are as many as may be."""
        idle = sorted((running.used, key) for key, running in self._warm.items() if not running.users)
        if len(self._warm) >= MOST_BROWSERS and idle:
            self._end(self._warm.pop(idle[0][1]))

    async def _launch(self, trust: bytes) -> Running:
        try:
            from playwright.async_api import Error
        except ModuleNotFoundError:
            raise BrowserMissing(MISSING_EXTRA) from None
        if not self._swept:
            self._swept = True
            await asyncio.to_thread(sweep)
        tried: list[str] = []
        for choice in self._choices():
            try:
                return await start(choice, trust, headed=self._headed)
            except Error:
                tried.append(choice.path)
        if tried:
            raise BrowserMissing(f"{' and '.join(tried)} did not start; python -m sojourn_probes.chromium --ensure says why and finds another")
        raise BrowserMissing("no Chromium or Chrome found; python -m sojourn_probes.chromium --ensure fetches one")

    async def _close(self, context: "BrowserContext", running: Running) -> None:
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await context.close()
        except (TimeoutError, Error):
            running.kill()
        except BaseException:
            running.kill()
            raise

    def _end(self, running: Running) -> None:
        """Close `running`, which nobody uses any more; once."""
        if not running.ending:
            running.ending = running.retired = True
            self._aside(running.close())

    def _aside(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)
        return task


async def _close_late(opening: "asyncio.Task[BrowserContext]") -> None:
    from playwright.async_api import Error

    with contextlib.suppress(Error, TimeoutError):
        async with asyncio.timeout(2 * CLOSE_SECONDS):
            await (await opening).close()


def _as_chrome(version: str) -> str:
    """What Chrome of that version says: sites treat `HeadlessChrome` otherwise than their customers' browsers."""
    return f"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version.partition('.')[0]}.0.0.0 Safari/537.36"
