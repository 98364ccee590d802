"""How each action is done. `ACTIONS` is the one list; a failing action raises `ActionFailed`."""

import importlib.util
import inspect
import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin

from sojourn_probes.addresses import origin_of
from sojourn_probes.errors import NameMissing
from sojourn_probes.names import mentions_secret
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps import browser as said
from sojourn_probes.steps import browser_verbs as verbs
from sojourn_probes.steps.browser_doing import ActionFailed, Doing
from sojourn_probes.steps.browser_faults import code_in, kind_of_code
from sojourn_probes.steps.browser_files import download, upload
from sojourn_probes.steps.browser_places import frame, new_tab, tab
from sojourn_probes.steps.browser_wants import evaluate, expect, wait_for
from sojourn_probes.units import show_duration

if TYPE_CHECKING:
    from playwright.async_api import Response

_CERTIFICATE_FAULT: Final = "Playwright client-certificate error:"


async def do(doing: Doing, action: said.Action) -> None:
    """Do one action. Raises `ActionFailed`, `NameMissing`, and Playwright's `Error` when the browser itself is lost."""
    from playwright.async_api import Error, TimeoutError  # noqa: A004 - Playwright's own

    try:
        await ACTIONS[action.verb](doing, action.form)
    except TimeoutError:
        raise ActionFailed(FailureKind.TIMEOUT, f"{action.verb}: not possible in the time the step has") from None
    except Error as fault:
        if doing.lost or not doing.walk.alive():
            raise
        # The page went somewhere where nobody answers, or the action cannot be done to it.
        code = code_in(str(fault))
        kind = FailureKind.SCRIPT if code is None else kind_of_code(code)
        raise ActionFailed(kind, f"{action.verb}: {code or doing.first_line(fault)}") from None


async def _goto(doing: Doing, form: verbs.Goto) -> None:
    from playwright.async_api import Error, TimeoutError  # noqa: A004 - Playwright's own

    url, seconds = urljoin(doing.context.base_url, doing.context.names.fill_text(form.url)), doing.left()
    shown = doing.context.redact.url(url)
    try:
        answer = await doing.page.goto(url, wait_until=form.wait, timeout=seconds * 1000)
    except TimeoutError:
        raise ActionFailed(FailureKind.TIMEOUT, f"goto {shown}: not loaded within {show_duration(seconds)}") from None
    except Error as fault:
        if doing.page in doing.walk.crashed:
            raise
        code, answered = code_in(str(fault)), doing.walk.network.answered(url)
        if code in (None, "ERR_ABORTED") and answered is not None and answered < 400:
            why = f"answered {answered} with nothing to show, or the page went on elsewhere meanwhile"
            raise ActionFailed(FailureKind.CONTENT, f"goto {shown}: {why}; take a file with download, other answers with an http step") from None
        if code is not None:
            refused = code == "ERR_INVALID_AUTH_CREDENTIALS"
            own = doing.walk.network.gate.is_own(url)
            why = f"answered 401{': it does not take the user and password under auth' if own else ''}" if refused else code
            raise ActionFailed(kind_of_code(code), f"goto {shown}: {why}") from None
        if doing.lost:
            raise
        kind = FailureKind.CONFIG if origin_of(url) is None else FailureKind.SCRIPT
        raise ActionFailed(kind, f"goto {shown}: {doing.first_line(fault)}") from None
    if answer is not None and answer.status == 503 and (refused_for := await _certificate_fault(doing, answer)) is not None:
        raise ActionFailed(FailureKind.TLS, f"goto {shown}: {refused_for}")
    if answer is not None and answer.status >= 400 and not form.any_status:
        raise ActionFailed(FailureKind.STATUS, f"goto {shown}: answered {answer.status}")


async def _certificate_fault(doing: Doing, answer: "Response") -> str | None:
    """Where a client certificate is shown, Playwright's driver speaks TLS, and puts what goes wrong into an answer of its own."""
    from playwright.async_api import Error

    tls = doing.walk.settings.tls
    if tls is None or tls.cert_file is None or not doing.walk.network.gate.is_own(answer.url):
        return None
    try:
        text = " ".join(re.sub(r"<[^>]*>", " ", (await answer.text())[:2000]).split())
    except Error:
        return None
    found = text.partition(_CERTIFICATE_FAULT)[2] if text.startswith(_CERTIFICATE_FAULT) else ""
    return f"{found.strip()[:200]}; trust the server's authority under ca_file, and see that it takes the certificate under cert_file" if found else None


async def _click(doing: Doing, form: said.Target) -> None:
    await doing.on("click", form, lambda locator, ms: locator.click(timeout=ms))


async def _fill(doing: Doing, form: verbs.Fill) -> None:
    value = doing.context.names.fill_text(form.value)
    if mentions_secret(form.value) or doing.context.redact.text(value) != value:
        doing.walk.secret_fields.append(doing.locate(form))
    await doing.on("fill", form, lambda locator, ms: locator.fill(value, timeout=ms))


async def _press(doing: Doing, form: verbs.Press) -> None:
    from playwright.async_api import Error

    key = doing.context.names.fill_text(form.key)
    if form.names_something():
        await doing.on(f"press {form.key} in", form, lambda locator, ms: locator.press(key, timeout=ms))
        return
    try:
        await doing.page.keyboard.press(key)
    except Error as fault:
        if doing.lost:
            raise
        raise ActionFailed(FailureKind.SCRIPT, f"press {form.key}: {doing.first_line(fault)}") from None


async def _select(doing: Doing, form: verbs.Select) -> None:
    fill = doing.context.names.fill_text
    wanted = {"value": fill(form.value)} if form.value is not None else {"label": fill(form.option or "")}
    await doing.on("select in", form, lambda locator, ms: locator.select_option(timeout=ms, **wanted))  # type: ignore[arg-type]  # one of the two


async def _check(doing: Doing, form: verbs.Check) -> None:
    await doing.on("check", form, lambda locator, ms: locator.set_checked(form.on, timeout=ms))


async def _hover(doing: Doing, form: said.Target) -> None:
    await doing.on("hover over", form, lambda locator, ms: locator.hover(timeout=ms))


async def _scroll(doing: Doing, form: verbs.Scroll) -> None:
    if form.names_something():
        await doing.on("scroll to", form, lambda locator, ms: locator.scroll_into_view_if_needed(timeout=ms))
    elif form.by is not None:
        await doing.page.mouse.wheel(0, form.by)
    else:
        height = "document.documentElement.scrollHeight" if form.to == "bottom" else "0"
        await doing.root.locator("html").evaluate(f"() => window.scrollTo(0, {height})", timeout=doing.left() * 1000)


async def _script(doing: Doing, form: verbs.Script) -> None:
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
        await run(doing.page, doing.context.names)
    except (ActionFailed, NameMissing):
        raise
    except FileNotFoundError:
        raise ActionFailed(FailureKind.CONFIG, f"script {form.file}: there is no such file in {doing.context.folder}") from None
    except AssertionError as fault:
        raise ActionFailed(FailureKind.EXPECTATION, f"script {form.file}: {doing.first_line(fault) or 'an assertion does not hold'}") from None
    except (Exception, SystemExit) as fault:  # noqa: BLE001 - whatever an author's script does wrong is a result
        raise ActionFailed(FailureKind.SCRIPT, f"script {form.file}: {type(fault).__name__}: {doing.first_line(fault)}") from None


ACTIONS: Final[dict[str, Callable[[Doing, Any], Awaitable[None]]]] = {
    "goto": _goto,
    "click": _click,
    "fill": _fill,
    "press": _press,
    "select": _select,
    "check": _check,
    "hover": _hover,
    "upload": upload,
    "wait_for": wait_for,
    "expect": expect,
    "scroll": _scroll,
    "frame": partial(frame, do=do),
    "new_tab": partial(new_tab, do=do),
    "tab": partial(tab, do=do),
    "download": download,
    "evaluate": evaluate,
    "script": _script,
}
"""Verb → how it is done."""
