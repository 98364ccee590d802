"""How each action is done. `ACTIONS` is the one list; a failing action raises `ActionFailed`."""

import asyncio
import importlib.util
import inspect
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

from sojourn_probes.errors import NameMissing
from sojourn_probes.match import Match
from sojourn_probes.names import mentions_secret
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps import browser as said
from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_faults import code_in, kind_of_code
from sojourn_probes.steps.browser_page import Walk
from sojourn_probes.units import show_duration

if TYPE_CHECKING:
    from playwright.async_api import Locator


class ActionFailed(Exception):  # noqa: N818 - a finding about the site
    """An action that could not be done or an expectation not met."""

    def __init__(self, kind: FailureKind, message: str) -> None:
        self.kind = kind
        super().__init__(message)


@dataclass(slots=True)
class Doing:
    """One step's actions under way. `ends` is the loop time by which all must be done."""

    walk: Walk
    context: StepContext
    ends: float

    async def do(self, action: said.Action) -> None:
        """Do one action. Raises `ActionFailed`, `NameMissing`, and Playwright's `Error` when the browser itself is lost."""
        await ACTIONS[action.verb](self, action.form)

    def left(self, most: float = float("inf")) -> float:
        """Seconds there are for the next wait, at most `most`; never 0, which Playwright takes for no limit."""
        return max(0.001, min(most, self.ends - asyncio.get_running_loop().time()))

    def locate(self, target: said.Target) -> "Locator":
        """Playwright's locator of `target`, its names filled."""
        fill, page, exact = self.context.names.fill_text, self.walk.page, target.exact
        if target.role is not None:
            found = page.get_by_role(target.role, name=None if target.name is None else fill(target.name), exact=exact)  # type: ignore[arg-type]  # an unknown role finds nothing
        elif target.label is not None:
            found = page.get_by_label(fill(target.label), exact=exact)
        elif target.text is not None:
            found = page.get_by_text(fill(target.text), exact=exact)
        elif target.placeholder is not None:
            found = page.get_by_placeholder(fill(target.placeholder), exact=exact)
        elif target.test_id is not None:
            found = page.get_by_test_id(fill(target.test_id))
        else:
            found = page.locator(fill(target.css or "body"))
        return found if target.nth is None else found.nth(target.nth)

    async def on(self, verb: str, target: said.Target, act: Callable[["Locator", float], Awaitable[Any]]) -> None:
        """Do `act(locator, milliseconds)` to the one thing `target` names."""
        from playwright.async_api import Error, TimeoutError  # noqa: A004 - Playwright's own

        locator, seconds = self.locate(target), self.left()
        try:
            await act(locator, seconds * 1000)
        except TimeoutError:
            raise ActionFailed(FailureKind.TIMEOUT, f"{verb} {target.says()}: not possible within {show_duration(seconds)}") from None
        except Error as fault:
            await self._explain(f"{verb} {target.says()}", locator, fault)

    async def _explain(self, what: str, locator: "Locator", fault: Exception) -> None:
        """Tell an unclear target from a lost browser; always raises."""
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(self.left(2)):
                several = await locator.count()
        except (Error, TimeoutError):
            raise fault from None
        if several > 1:
            raise ActionFailed(FailureKind.SCRIPT, f"{what}: there are {several} of it; say which with nth, or name it more exactly") from None
        raise ActionFailed(FailureKind.SCRIPT, f"{what}: {_first_line(fault)}") from None


async def _goto(doing: Doing, form: said.Goto) -> None:
    from playwright.async_api import Error, TimeoutError  # noqa: A004 - Playwright's own

    url, seconds = urljoin(doing.context.base_url, doing.context.names.fill_text(form.url)), doing.left()
    shown = doing.context.redact.url(url)
    try:
        answer = await doing.walk.page.goto(url, wait_until=form.wait, timeout=seconds * 1000)
    except TimeoutError:
        raise ActionFailed(FailureKind.TIMEOUT, f"goto {shown}: not loaded within {show_duration(seconds)}") from None
    except Error as fault:
        code = code_in(str(fault))
        if code is not None:
            raise ActionFailed(kind_of_code(code), f"goto {shown}: {code}") from None
        if doing.walk.page.is_closed():
            raise
        raise ActionFailed(FailureKind.CONFIG, f"goto {shown}: {_first_line(fault)}") from None
    if answer is not None and answer.status >= 400 and not form.any_status:
        raise ActionFailed(FailureKind.STATUS, f"goto {shown}: answered {answer.status}")


async def _click(doing: Doing, form: said.Target) -> None:
    await doing.on("click", form, lambda locator, ms: locator.click(timeout=ms))


async def _fill(doing: Doing, form: said.Fill) -> None:
    value = doing.context.names.fill_text(form.value)
    if mentions_secret(form.value):
        doing.walk.secret_fields.append(doing.locate(form))
    await doing.on("fill", form, lambda locator, ms: locator.fill(value, timeout=ms))


async def _press(doing: Doing, form: said.Press) -> None:
    from playwright.async_api import Error

    key = doing.context.names.fill_text(form.key)
    if form.names_something():
        await doing.on(f"press {form.key} in", form, lambda locator, ms: locator.press(key, timeout=ms))
        return
    try:
        await doing.walk.page.keyboard.press(key)
    except Error as fault:
        if doing.walk.page.is_closed():
            raise
        raise ActionFailed(FailureKind.SCRIPT, f"press {form.key}: {_first_line(fault)}") from None


async def _select(doing: Doing, form: said.Select) -> None:
    fill = doing.context.names.fill_text
    wanted = {"value": fill(form.value)} if form.value is not None else {"label": fill(form.option or "")}
    await doing.on("select in", form, lambda locator, ms: locator.select_option(timeout=ms, **wanted))  # type: ignore[arg-type]  # one of the two


async def _check(doing: Doing, form: said.Check) -> None:
    await doing.on("check", form, lambda locator, ms: locator.set_checked(form.on, timeout=ms))


async def _hover(doing: Doing, form: said.Target) -> None:
    await doing.on("hover over", form, lambda locator, ms: locator.hover(timeout=ms))


async def _wait_for(doing: Doing, form: said.WaitFor) -> None:
    from playwright.async_api import TimeoutError  # noqa: A004 - Playwright's own

    if form.url is None:
        await _until(doing, "wait_for", form, form.state, form.timeout, FailureKind.TIMEOUT)
        return
    wanted, seconds = doing.context.names.fill_text(form.url), doing.left(form.timeout or float("inf"))
    try:
        await doing.walk.page.wait_for_url(_address(wanted), timeout=seconds * 1000, wait_until="commit")
    except TimeoutError:
        there = doing.context.redact.url(doing.walk.page.url)
        raise ActionFailed(FailureKind.TIMEOUT, f"wait_for url {wanted}: still at {there} after {show_duration(seconds)}") from None


def _address(wanted: str) -> Callable[[str], bool]:
    """A path pattern as in `customers:`, or a whole address, in which `*` stands for anything."""
    if wanted.startswith("/"):
        page = Match(page=wanted)
        return lambda url: page.matches_path(urlsplit(url).path)
    whole = re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", wanted)))
    return lambda url: whole.fullmatch(url) is not None


async def _expect(doing: Doing, form: said.Expect) -> None:
    await _until(doing, "expect", form, form.state, form.timeout or said.EXPECT_SECONDS, FailureKind.EXPECTATION)
    if form.value is None:
        return
    wanted = doing.context.names.fill_text(form.value)
    actual = ""

    async def holds(locator: "Locator", ms: float) -> None:
        nonlocal actual
        actual = await locator.input_value(timeout=ms)

    await doing.on("expect value of", form, holds)
    if actual != wanted:
        raise ActionFailed(FailureKind.EXPECTATION, f"expect {form.says()}: holds {actual[:200]!r}, not {wanted[:200]!r}")


async def _until(doing: Doing, verb: str, target: said.Target, state: Any, most: float | None, kind: FailureKind) -> None:
    """Wait until any of what `target` names is visible, or none of it is."""
    from playwright.async_api import TimeoutError  # noqa: A004 - Playwright's own

    seconds = doing.left(most or float("inf"))
    found = doing.locate(target)
    found = found if target.nth is not None else found.filter(visible=True).first
    try:
        await found.wait_for(state=state, timeout=seconds * 1000)
    except TimeoutError:
        still = "not there" if state == "visible" else "still there"
        raise ActionFailed(kind, f"{verb} {target.says()}: {still} after {show_duration(seconds)}") from None


async def _script(doing: Doing, form: said.Script) -> None:
    """Run the file's `async def run(page, names)`. It runs in this process and is trusted as the journey file is."""
    path = doing.context.folder / form.file
    try:
        spec = importlib.util.spec_from_file_location(f"sojourn_script_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        run = getattr(module, "run", None)
        if not inspect.iscoroutinefunction(run):
            raise ActionFailed(FailureKind.CONFIG, f"script {form.file}: has no async def run(page, names)")
        await run(doing.walk.page, doing.context.names)
    except (ActionFailed, NameMissing):
        raise
    except FileNotFoundError:
        raise ActionFailed(FailureKind.CONFIG, f"script {form.file}: there is no such file in {doing.context.folder}") from None
    except AssertionError as fault:
        raise ActionFailed(FailureKind.EXPECTATION, f"script {form.file}: {_first_line(fault) or 'an assertion does not hold'}") from None
    except Exception as fault:  # noqa: BLE001 - whatever an author's script does wrong is a result
        raise ActionFailed(FailureKind.SCRIPT, f"script {form.file}: {type(fault).__name__}: {_first_line(fault)}") from None


def _first_line(fault: Exception) -> str:
    return (str(fault).strip().splitlines() or [""])[0][:300]


ACTIONS: Final[dict[str, Callable[[Doing, Any], Awaitable[None]]]] = {
    "goto": _goto,
    "click": _click,
    "fill": _fill,
    "press": _press,
    "select": _select,
    "check": _check,
    "hover": _hover,
    "wait_for": _wait_for,
    "expect": _expect,
    "script": _script,
}
"""Verb → how it is done."""
