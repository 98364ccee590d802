"""Actions that change where the next ones act: `frame`, `new_tab`, `tab`."""

from collections.abc import Awaitable, Callable

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.browser import Action, Frame, NewTab
from sojourn_probes.steps.browser_doing import ActionFailed, Doing
from sojourn_probes.steps.browser_verbs import Tab
from sojourn_probes.units import show_duration

Do = Callable[[Doing, Action], Awaitable[None]]


async def frame(doing: Doing, form: Frame, do: Do) -> None:
    """Do the actions of `form` inside a frame."""
    fill, root = doing.context.names.fill_text, doing.root
    if form.title is not None:
        inside = root.get_by_title(fill(form.title)).content_frame
    elif form.frame_name is not None:
        name = fill(form.frame_name).replace("\\", "\\\\").replace('"', '\\"')
        inside = root.frame_locator(f'iframe[name="{name}"], frame[name="{name}"]')
    else:
        inside = root.frame_locator(fill(form.css or ""))
    within = doing.inside(inside)
    for number, action in enumerate(form.actions, 1):
        try:
            await do(within, action)
        except ActionFailed as fault:
            raise ActionFailed(fault.kind, f"in {fill(form.says())}, action {number} there, {fault}") from None


async def new_tab(doing: Doing, form: NewTab, do: Do) -> None:
    """Do what opens a tab, and go on in it."""
    from playwright.async_api import TimeoutError  # noqa: A004 - Playwright's own

    before = doing.page
    if form.goto is not None:
        doing.walk.show(await doing.walk.context.new_page(), before)
        await doing.walk.equipped(doing.page)
        await do(doing, Action(goto=form.goto))
        return
    seconds = doing.left(form.timeout)
    opening = Action(click=form.click) if form.click is not None else Action(press=form.press)
    try:
        async with doing.walk.context.expect_page(timeout=seconds * 1000) as opened:
            await do(doing, opening)
        page = await opened.value
    except TimeoutError:
        raise ActionFailed(FailureKind.TIMEOUT, f"new_tab: no tab opened within {show_duration(seconds)}") from None
    doing.walk.show(page, before)
    await doing.walk.equipped(page)
    try:
        await page.wait_for_load_state(timeout=doing.left() * 1000)
    except TimeoutError:
        raise ActionFailed(FailureKind.TIMEOUT, f"new_tab: {doing.context.redact.url(page.url)} not loaded within {show_duration(seconds)}") from None


async def tab(doing: Doing, form: Tab, do: Do) -> None:
    """Go on in the first tab, the last, or after closing this one in the one it was opened from."""
    walk = doing.walk
    pages = walk.context.pages
    if form.go == "close":
        if len(pages) < 2 and not doing.page.is_closed():
            raise ActionFailed(FailureKind.SCRIPT, "tab close: this is the only tab; remove it or open another first")
        await walk.close_tab()
    elif not pages:
        raise ActionFailed(FailureKind.SCRIPT, f"tab {form.go}: every tab is closed; open one with new_tab: {{goto: …}}")
    else:
        walk.show(pages[0 if form.go == "first" else -1])
    await walk.page.bring_to_front()
