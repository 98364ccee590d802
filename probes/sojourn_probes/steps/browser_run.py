"""Walks a `browser` step: its actions in their order, in one warm Chromium, with what the page did recorded."""

import asyncio
import contextlib
from typing import Any

from sojourn_probes.chromium import BrowserMissing
from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.browser import BrowserPart
from sojourn_probes.steps.browser_actions import do
from sojourn_probes.steps.browser_devices import Unusable
from sojourn_probes.steps.browser_doing import ActionFailed, Doing, kept_back
from sojourn_probes.steps.browser_evidence import gather, wanted
from sojourn_probes.steps.browser_extract import extracted
from sojourn_probes.steps.browser_page import Walk, walk_of
from sojourn_probes.steps.browser_pool import MISSING_EXTRA
from sojourn_probes.steps.browser_trust import NotTrusted
from sojourn_probes.steps.browser_vitals import MAX_TEXT


class Runner:
    """Walks one `browser` step. Context, cookies and page live as long as the attempt, the browser as long as the process."""

    async def run(self, part: BrowserPart, context: StepContext) -> Observation:
        """Do the actions of `part` and say what was seen."""
        clock = context.clock
        # A little is kept back for the evidence, which must be there before the step's deadline cancels us.
        ends = asyncio.get_running_loop().time() + context.timeout - kept_back(context.timeout)
        seen = Observation(clock.now_ns(), clock.now_ns())
        context.kept["partial"] = seen
        try:
            from playwright.async_api import Error
        except ModuleNotFoundError:
            seen.failure = Failure(FailureKind.BROWSER, MISSING_EXTRA)
            return seen
        try:
            walk = await walk_of(context, part.settings)
            # What starting the browser took is not the site's time.
            seen.started_ns = clock.now_ns()
            await walk.begin(context, seen.console, seen.exchanges)
            await self._act(part, Doing(walk, context, ends), seen)
        except Unusable as fault:
            seen.failure = fault.failure
        except NotTrusted as fault:
            seen.failure = Failure(FailureKind.CONFIG, str(fault))
        except BrowserMissing as fault:
            seen.failure = Failure(FailureKind.BROWSER, str(fault))
        except Error as fault:
            seen.failure = Failure(FailureKind.BROWSER, f"the browser was lost: {(context.redact.text(str(fault)).splitlines() or [''])[0][:200]}")
        if seen.failure is not None and seen.failure.kind is FailureKind.BROWSER:
            seen.ended_ns = clock.now_ns()
        context.kept.pop("partial", None)
        return seen

    async def _act(self, part: BrowserPart, doing: Doing, seen: Observation) -> None:
        walk, context = doing.walk, doing.context
        done = 0
        try:
            for action in part.actions:
                seen.waiting = f"action {done + 1} of {len(part.actions)}, {action.verb}, was not done"
                await do(doing, action)
                done += 1
        except ActionFailed as fault:
            # A goto that fails says itself what its request ran into.
            trouble = "" if part.actions[done].goto is not None else walk.network.trouble()
            where = f"action {done + 1} of {len(part.actions)}, {fault}"
            seen.failure = Failure(fault.kind, context.redact.text(f"{where}; {trouble}" if trouble else where))
        else:
            # The browser's own page about a site that does not answer is no page of the site's.
            if (lost := walk.network.lost()) is not None and walk.page.url.startswith("chrome-error:"):
                url = context.redact.url(lost.request["request"]["url"])
                seen.failure = Failure(lost.error or FailureKind.CONNECT, f"the step ended on an error page of the browser: {url}: {lost.code}")
        finally:
            seen.ended_ns = context.clock.now_ns()
        seen.waiting = ""
        await self._look(doing, seen)
        await self._leave(walk, context, seen, part)

    async def _look(self, doing: Doing, seen: Observation) -> None:
        """Facts and vitals of the page as it is now. A page that no longer answers has none."""
        from playwright.async_api import Error

        walk: Walk = doing.walk
        page: Any = walk.page
        if (aside := walk.aside(page)) is None:
            return
        with contextlib.suppress(Error, TimeoutError):
            async with asyncio.timeout(1.0 if seen.failure is not None else 5.0):
                seen.facts["url"] = page.url
                (seen.vitals, shown), cookies, _ = await asyncio.gather(
                    walk.vitals.read(aside), walk.cookies.take(walk.context, page.url), walk.network.finish_step()
                )
                seen.facts["url"] = page.url
                seen.facts |= shown | {"cookies": cookies}
                seen.facts["requests"] = walk.network.requests
                seen.note = walk.network.dropped()
                if (document := walk.network.document(page.url)) is not None:
                    # Whether it is the site's own page is judged by its source, which is fetched only when something went wrong.
                    seen.facts["document"] = document | {"body": (await page.content())[:MAX_TEXT] if seen.failure is not None else ""}
                if seen.failure is None:
                    seen.facts["extracted"] = await extracted(doing, doing.context.extract)

    async def _leave(self, walk: Walk, context: StepContext, seen: Observation, part: BrowserPart) -> None:
        """The evidence of a step that failed, or what is always wanted; and how to get that of one that turns out to have failed."""
        console = list(seen.console)
        failed = seen.failure is not None
        evidence = part.settings.evidence
        seen.evidence = await gather(walk, context, console, wanted(evidence, failed))
        if not failed:

            async def late() -> dict[str, str]:
                kinds = [kind for kind in wanted(evidence, True) if kind not in seen.evidence]
                return seen.evidence | await gather(walk, context, console, kinds)

            seen.gather = late
