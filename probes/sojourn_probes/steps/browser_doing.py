"""One step's actions under way: where they act, how much time there is, and how a failing one is told."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, NoReturn, Union

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_nearest import instead
from sojourn_probes.steps.browser_page import Walk
from sojourn_probes.steps.browser_targets import Target
from sojourn_probes.units import show_duration

if TYPE_CHECKING:
    from playwright.async_api import FrameLocator, Locator, Page


KEPT_SECONDS: Final = 3.0
"""How much of a step's time is kept, at most, for saying what went wrong, and for its evidence."""
LOOKING_SECONDS: Final = 2.0
"""How long is looked for why something was not possible, and then for what the page shows instead; on a busy host each takes its time."""


def kept_back(timeout: float) -> float:
    """Seconds of a step's time that are kept for saying what went wrong, and for its evidence, before the deadline cancels it."""
    return min(KEPT_SECONDS, 0.2 * timeout)


class ActionFailed(Exception):  # noqa: N818 - a finding about the site
    """An action that could not be done or an expectation not met."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        self.kind = kind
        super().__init__(message)


@dataclass(slots=True)
class Doing:
    """One step's actions under way. `ends` is the loop time by which all must be done; `frame` is the frame they act in, if any."""

    walk: Walk
    context: StepContext
    ends: float
    frame: "FrameLocator | None" = None

    @property
    def page(self) -> "Page":
        """The tab on show."""
        return self.walk.page

    @property
    def lost(self) -> bool:
        """Whether the tab on show is closed, or its page has crashed."""
        return self.page.is_closed() or self.page in self.walk.crashed

    @property
    def root(self) -> Union["Page", "FrameLocator"]:
        """Where targets are looked for."""
        return self.page if self.frame is None else self.frame

    def inside(self, frame: "FrameLocator") -> "Doing":
        """The same, inside a frame."""
        return replace(self, frame=frame)

    def left(self, most: float | None = None) -> float:
        """Seconds there are for the next wait, at most `most`; never 0, which Playwright takes for no limit."""
        whole = self.ends - asyncio.get_running_loop().time()
        return max(0.001, whole if most is None else min(most, whole))

    @property
    def spare(self) -> float:
        """Seconds until the step's own deadline, which is a little later than `ends`."""
        return self.ends + kept_back(self.context.timeout) - asyncio.get_running_loop().time()

    @property
    def looking(self) -> float:
        """Seconds there are for one more look at the page before the step's own deadline."""
        return max(0.3, min(LOOKING_SECONDS, self.spare - 0.3))

    def locate(self, target: Target) -> "Locator":
        """Playwright's locator of `target`, its names filled."""
        return locate(target, self.root, self.context.names.fill_text)

    def first_line(self, fault: BaseException) -> str:
        """The first line of an error's text, which Playwright follows with a log, without secrets."""
        return (self.context.redact.text(str(fault)).strip().splitlines() or [""])[0][:300]

    def says(self, target: Target) -> str:
        """The target in words, its names filled and secrets taken out."""
        return self.context.redact.text(self.context.names.fill_text(target.says()))

    async def on(self, verb: str, target: Target, act: Callable[["Locator", float], Awaitable[Any]], most: float | None = None) -> None:
        """Do `act(locator, milliseconds)` to the one thing `target` names."""
        from playwright.async_api import Error, TimeoutError  # noqa: A004 - Playwright's own

        locator, seconds = self.locate(target), self.left(most)
        try:
            await act(locator, seconds * 1000)
        except TimeoutError:
            raise ActionFailed(FailureKind.TIMEOUT, f"{verb} {self.says(target)}: {await self._why_not(target, locator, seconds)}") from None
        except Error as fault:
            await self.explain(f"{verb} {self.says(target)}", locator, fault)

    async def _why_not(self, target: Target, locator: "Locator", seconds: float) -> str:
        """Whether it is not there, cannot be seen, cannot be used, or is covered."""
        from playwright.async_api import Error

        within = show_duration(seconds)
        try:
            async with asyncio.timeout(self.looking):
                there = await locator.count()
            if not there:
                # On a busy host looking around takes its time; it has a limit of its own.
                return f"not there within {within}{await self.instead_of(target)}"
            async with asyncio.timeout(self.looking):
                if not await locator.is_visible():
                    return f"there but hidden for {within}; do first what makes it visible"
                if not await locator.is_enabled():
                    return f"there but disabled for {within}; do first what enables it"
        except (Error, TimeoutError):
            return f"not possible within {within}"
        return f"there but not possible within {within}; something covers it or keeps moving it"

    async def instead_of(self, target: Target) -> str:
        """What the page shows that `target` may have meant, to be added to a sentence; empty when nobody can say."""
        wanted = self.context.names.fill_text(target.name or getattr(target, target.way or "css") or "")
        return await instead(target, wanted, self.root, self.context.redact.text, self.looking)

    async def explain(self, what: str, locator: "Locator", fault: Exception) -> NoReturn:
        """Tell an unclear target from a lost browser; always raises."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(self.left(2)):
                several = await locator.count()
        except (Error, TimeoutError):
            if not self.lost and self.walk.alive():
                raise ActionFailed(FailureKind.SCRIPT, f"{what}: {self.first_line(fault)}") from None
            raise fault from None
        if several > 1:
            raise ActionFailed(FailureKind.SCRIPT, f"{what}: there are {several} of it; say which with nth, or name it more exactly") from None
        raise ActionFailed(FailureKind.SCRIPT, f"{what}: {self.first_line(fault)}") from None


def locate(target: Target, root: Any, fill: Callable[[str], str]) -> "Locator":
    """Playwright's locator of `target` below `root`; `fill` fills its names."""
    if target.within is not None:
        root = locate(target.within, root, fill)
    exact = target.exact
    found: Locator
    if target.role is not None:
        found = root.get_by_role(fill(target.role), name=None if target.name is None else fill(target.name), exact=exact)
    elif target.label is not None:
        found = root.get_by_label(fill(target.label), exact=exact)
    elif target.text is not None:
        found = root.get_by_text(fill(target.text), exact=exact)
    elif target.placeholder is not None:
        found = root.get_by_placeholder(fill(target.placeholder), exact=exact)
    elif target.test_id is not None:
        found = root.get_by_test_id(fill(target.test_id))
    else:
        found = root.locator(fill(target.css or "body"))
    return found if target.nth is None else found.nth(target.nth)
