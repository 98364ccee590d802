"""A world of our own beside a page's: the same page with JavaScript objects of its own, which nothing the page does to its own can reach."""

import asyncio
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from playwright.async_api import CDPSession, Page

WORLD: Final = "sojourn"
_TRIES: Final = 40
_PAUSE: Final = 0.05
"""Seconds after which a page that went on to another is asked again; with `_TRIES` two seconds of going on."""


class Aside:
    """Our world beside the page behind `cdp`."""

    def __init__(self, page: "Page", cdp: "CDPSession") -> None:
        self._page, self._cdp = page, cdp
        self._frame = ""

    async def keep(self, script: str, binding: str) -> None:
        """Run `script` in our world of every document to come, and of the one that is there; there `binding` is a function that tells us."""
        await asyncio.gather(
            self._find(),
            self._cdp.send("Page.enable"),
            self._cdp.send("Runtime.enable"),
            self._cdp.send("Runtime.addBinding", {"name": binding, "executionContextName": WORLD}),
            self._cdp.send("Page.addScriptToEvaluateOnNewDocument", {"source": script, "worldName": WORLD, "runImmediately": True}),
        )

    async def _find(self) -> None:
        # A tab's outermost frame has the name of its target.
        self._frame = (await self._cdp.send("Target.getTargetInfo"))["targetInfo"]["targetId"]

    async def ask(self, expression: str) -> Any:
        """The value of `expression`, a promise awaited. A page that goes on to another meanwhile is asked again there.

        Raises Playwright's `Error` when the page is gone or goes on without end.
        """
        return await again(self._page, lambda: self._once(expression))

    async def _once(self, expression: str) -> Any:
        from playwright.async_api import Error

        world = await self._cdp.send("Page.createIsolatedWorld", {"frameId": self._frame, "worldName": WORLD})
        asked = {"expression": expression, "contextId": world["executionContextId"], "awaitPromise": True, "returnByValue": True}
        answer = await self._cdp.send("Runtime.evaluate", asked)
        if "exceptionDetails" in answer:
            raise Error(str(answer["exceptionDetails"].get("text", "")))
        return answer["result"].get("value")


async def again(page: "Page", question: Any) -> Any:
    """The answer of `await question()`, asked again where the page went on to another in the middle of it."""
    from playwright.async_api import Error

    for _ in range(_TRIES):
        try:
            return await question()
        except Error:
            if page.is_closed():
                raise
        await asyncio.sleep(_PAUSE)
    return await question()
