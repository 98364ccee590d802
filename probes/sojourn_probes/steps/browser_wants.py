"""Actions that wait for something or want something to be so: `wait_for`, `expect`, `evaluate`."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sojourn_probes.match import Match
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps import browser_verbs as said
from sojourn_probes.steps.browser_doing import ActionFailed, Doing
from sojourn_probes.steps.browser_targets import Target
from sojourn_probes.units import show_duration

if TYPE_CHECKING:
    from playwright.async_api import Locator

MAX_JSON: Final = 64 * 1024
"""Characters of JSON that an expression may yield; it is measured in the page, before it is sent."""

_BOUNDED: Final = """async (arg) => {
  const value = await (EXPRESSION);
  const text = JSON.stringify(value === undefined ? null : value);
  return text === undefined ? {odd: typeof value} : text.length > LIMIT ? {size: text.length} : {text};
}"""


async def wait_for(doing: Doing, form: said.WaitFor) -> None:
    """Wait until something is there or gone, or the address matches."""
    if form.url is None:
        await _until(doing, "wait_for", form, form.state, form.timeout, FailureKind.TIMEOUT)
    else:
        await _url(doing, "wait_for", form.url, form.timeout, FailureKind.TIMEOUT)


async def expect(doing: Doing, form: said.Expect) -> None:
    """Want something of the page or of a thing on it."""
    most = form.timeout or said.EXPECT_SECONDS
    if form.url is not None:
        await _url(doing, "expect", form.url, most, FailureKind.EXPECTATION)
    elif form.title is not None:
        await _title(doing, form, most)
    elif form.value is not None or form.contains is not None:
        await _holds(doing, form, most)
    elif form.count is not None:
        await _count(doing, form, most)
    elif form.state in ("visible", "hidden"):
        await _until(doing, "expect", form, form.state, most, FailureKind.EXPECTATION)
    else:
        await _state(doing, form, most)


async def _until(doing: Doing, verb: str, target: Target, state: Any, most: float | None, kind: FailureKind) -> None:
    """Wait until any of what `target` names is visible, or none of it is."""
    from playwright.async_api import Error, TimeoutError  # noqa: A004 - Playwright's own

    seconds, located = doing.left(most), doing.locate(target)
    found = located if target.nth is not None else located.filter(visible=True).first
    try:
        await found.wait_for(state=state, timeout=seconds * 1000)
    except TimeoutError:
        still = (
            f"not there after {show_duration(seconds)}{await doing.instead_of(target)}" if state == "visible" else f"still there after {show_duration(seconds)}"
        )
        raise ActionFailed(kind, f"{verb} {doing.says(target)}: {still}") from None
    except Error as fault:
        await doing.explain(f"{verb} {doing.says(target)}", located, fault)


async def _url(doing: Doing, verb: str, wanted: str, most: float | None, kind: FailureKind) -> None:
    from playwright.async_api import TimeoutError  # noqa: A004 - Playwright's own

    wanted, seconds = doing.context.names.fill_text(wanted), doing.left(most)
    try:
        await doing.page.wait_for_url(_address(wanted), timeout=seconds * 1000, wait_until="commit")
    except TimeoutError:
        there = doing.context.redact.url(doing.page.url)
        raise ActionFailed(kind, f"{verb} url {wanted}: still at {there} after {show_duration(seconds)}") from None


def _address(wanted: str) -> Callable[[str], bool]:
    """A path pattern as in `customers:`, or a whole address, in which `*` stands for anything."""
    if wanted.startswith("/"):
        page = Match(page=wanted)
        return lambda url: page.matches_path(urlsplit(url).path)
    whole = re.compile(".*".join(re.escape(part) for part in re.split(r"\*+", wanted)))
    return lambda url: whole.fullmatch(url) is not None


async def _title(doing: Doing, form: said.Expect, most: float) -> None:
    from playwright.async_api import expect as want

    wanted, seconds = doing.context.names.fill_text(form.title or ""), doing.left(most)
    pattern = re.compile(re.escape(wanted), re.IGNORECASE)
    try:
        await want(doing.page).to_have_title(wanted if form.exact else pattern, timeout=seconds * 1000)
    except AssertionError:
        there = await doing.page.title()
        raise ActionFailed(
            FailureKind.EXPECTATION, f"expect title '{wanted}': still {doing.context.redact.text(there)[:200]!r} after {show_duration(seconds)}"
        ) from None


async def _asserted(doing: Doing, form: said.Expect, most: float, want: Callable[[Any, float], Awaitable[None]], tell: Callable[[Any], Awaitable[str]]) -> None:
    """Hold `want(assertions, milliseconds)`; when it does not, `tell(locator)` says what is so instead."""
    from playwright.async_api import Error
    from playwright.async_api import expect as assertions

    found, seconds = doing.locate(form), doing.left(most)
    what = f"expect {doing.says(form)}"
    try:
        await want(assertions(found), seconds * 1000)
    except AssertionError:
        try:
            async with asyncio.timeout(1):
                there = await found.count()
                if there > 1 and form.count is None:
                    raise ActionFailed(FailureKind.SCRIPT, f"{what}: there are {there} of it; say which with nth, or name it more exactly")
                if not there and form.count is None:
                    raise ActionFailed(FailureKind.EXPECTATION, f"{what}: not there after {show_duration(seconds)}{await doing.instead_of(form)}")
                said_instead = await tell(found)
        except (Error, TimeoutError) as fault:
            said_instead = f"not so after {show_duration(seconds)} ({doing.first_line(fault)})"
        raise ActionFailed(FailureKind.EXPECTATION, f"{what}: {said_instead}") from None
    except Error as fault:
        await doing.explain(what, found, fault)


async def _holds(doing: Doing, form: said.Expect, most: float) -> None:
    wanted = doing.context.names.fill_text(form.value if form.value is not None else form.contains or "")

    async def want(assertions: Any, ms: float) -> None:
        if form.value is not None:
            await assertions.to_have_value(wanted, timeout=ms)
        elif form.exact:
            await assertions.to_have_text(wanted, timeout=ms, use_inner_text=True)
        else:
            await assertions.to_contain_text(wanted, timeout=ms, use_inner_text=True, ignore_case=True)

    async def tell(found: "Locator") -> str:
        actual = await (found.input_value(timeout=1000) if form.value is not None else found.inner_text(timeout=1000))
        return f"holds {doing.context.redact.text(' '.join(actual.split()))[:200]!r}, not {doing.context.redact.text(wanted)[:200]!r}"

    await _asserted(doing, form, most, want, tell)


async def _count(doing: Doing, form: said.Expect, most: float) -> None:
    async def tell(found: "Locator") -> str:
        return f"there are {await found.count()} of it, not {form.count}"

    await _asserted(doing, form, most, lambda assertions, ms: assertions.to_have_count(form.count, timeout=ms), tell)


async def _state(doing: Doing, form: said.Expect, most: float) -> None:
    async def want(assertions: Any, ms: float) -> None:
        if form.state in ("enabled", "disabled"):
            await assertions.to_be_enabled(enabled=form.state == "enabled", timeout=ms)
        else:
            await assertions.to_be_checked(checked=form.state == "checked", timeout=ms)

    async def tell(found: "Locator") -> str:
        return f"not {form.state}"

    await _asserted(doing, form, most, want, tell)


async def evaluate(doing: Doing, form: said.Evaluate) -> None:
    """Evaluate an expression and, if asked, want its value."""
    shown = doing.context.redact.text(" ".join(form.js.split()))[:80]
    value = await value_of(doing, form.js, f"evaluate {shown}", doing.context.names.fill(form.arg))
    if form.wants and not _same(value, wanted := doing.context.names.fill(form.equals)):
        raise ActionFailed(
            FailureKind.EXPECTATION, f"evaluate {shown}: gives {_short(doing.context.redact.value(value))}, not {_short(doing.context.redact.value(wanted))}"
        )


async def value_of(doing: Doing, js: str, what: str, arg: Any = None) -> Any:
    """The JSON value of a JavaScript expression in the page or frame; `what` begins the sentence of a failure."""
    from playwright.async_api import Error

    code = _BOUNDED.replace("LIMIT", str(MAX_JSON)).replace("EXPRESSION", js)
    seconds = doing.left()
    try:
        async with asyncio.timeout(seconds):
            if doing.frame is None:
                answer = await doing.page.evaluate(code, arg)
            else:
                answer = await doing.frame.locator("html").evaluate(f"(element, arg) => ({code})(arg)", arg)
    except TimeoutError:
        raise ActionFailed(FailureKind.TIMEOUT, f"{what}: no value within {show_duration(seconds)}") from None
    except Error as fault:
        if doing.lost:
            raise
        raise ActionFailed(
            FailureKind.SCRIPT, f"{what}: {doing.first_line(fault).removeprefix('Page.evaluate: ').removeprefix('Locator.evaluate: ')}"
        ) from None
    if "text" not in answer:
        why = f"gives {answer['size']} characters of JSON, more than {MAX_JSON}" if "size" in answer else f"gives a {answer['odd']}, which is no JSON value"
        raise ActionFailed(FailureKind.SCRIPT, f"{what}: {why}; take less of it")
    return json.loads(answer["text"])


def _same(actual: Any, wanted: Any) -> bool:
    """Equal as JSON: true is not 1, but 3.0 is 3."""
    if isinstance(actual, dict) and isinstance(wanted, dict):
        return actual.keys() == wanted.keys() and all(_same(actual[key], wanted[key]) for key in actual)
    if isinstance(actual, list) and isinstance(wanted, list):
        return len(actual) == len(wanted) and all(_same(a, b) for a, b in zip(actual, wanted, strict=True))
    return isinstance(actual, bool) == isinstance(wanted, bool) and bool(actual == wanted)


def _short(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 200 else f"{text[:199]}…"
