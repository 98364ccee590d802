"""Actions with files: `upload` gives files to the page, `download` takes one, looks at it and throws it away."""

import asyncio
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.browser import Download
from sojourn_probes.steps.browser_doing import ActionFailed, Doing
from sojourn_probes.steps.browser_verbs import Upload
from sojourn_probes.units import show_duration, show_size

if TYPE_CHECKING:
    from playwright.async_api import Download as Downloading
    from playwright.async_api import Locator

MAX_UPLOAD: Final = 50 * 1000**2
"""Bytes of all files of one upload."""
_LOOK: Final = 0.1

_TAKES_FILES: Final = """(element) => {
  const field = element instanceof HTMLLabelElement ? element.control : element;
  return field instanceof HTMLInputElement && field.type === 'file';
}"""


async def upload(doing: Doing, form: Upload) -> None:
    """Give files to a file field; to anything else by clicking it and answering the chooser it opens."""
    files = await asyncio.to_thread(_files, doing, form)

    async def give(locator: "Locator", ms: float) -> None:
        if await locator.evaluate(_TAKES_FILES, timeout=ms):
            await locator.set_input_files(files, timeout=ms)
            return
        async with doing.page.expect_file_chooser(timeout=ms) as chooser:
            await locator.click(timeout=ms)
        await (await chooser.value).set_files(files, timeout=ms)

    await doing.on("upload to", form, give)


def _files(doing: Doing, form: Upload) -> list[Path]:
    paths = [doing.context.folder / file for file in form.all_files]
    for file, path in zip(form.all_files, paths, strict=True):
        if not path.is_file():
            raise ActionFailed(FailureKind.CONFIG, f"upload {file}: there is no such file in {doing.context.folder}")
    if sum(path.stat().st_size for path in paths) > MAX_UPLOAD:
        raise ActionFailed(FailureKind.CONFIG, f"upload {form.all_files[0]}: more than {show_size(MAX_UPLOAD)} together; take smaller files")
    return paths


async def download(doing: Doing, form: Download) -> None:
    """Click, wait for the file, hold its name and size against what is wanted. It is gone afterwards, whatever came of it."""
    from playwright.async_api import Error, TimeoutError  # noqa: A004 - Playwright's own

    seconds = doing.left(form.timeout)
    what = f"download by {doing.says(form.click)}"
    doing.walk.taking, doing.walk.received = True, 0.0
    try:
        async with doing.page.expect_download(timeout=seconds * 1000) as begun:
            await doing.on("download by", form.click, lambda locator, ms: locator.click(timeout=ms), form.timeout)
        found = await begun.value
    except TimeoutError:
        raise ActionFailed(FailureKind.TIMEOUT, f"{what}: no download began within {show_duration(seconds)}") from None
    finally:
        doing.walk.taking = False
    try:
        await _judge(found, form, what, seconds, doing)
    finally:
        with contextlib.suppress(Error):
            await found.cancel()
            await found.delete()


async def _arrived(found: "Downloading", form: Download, what: str, doing: Doing) -> Path:
    """The whole file; one that has grown too large is not waited for."""
    path = asyncio.ensure_future(found.path())
    try:
        while not (await asyncio.wait([path], timeout=_LOOK))[0]:
            if doing.walk.received > form.max_size:
                raise ActionFailed(FailureKind.EXPECTATION, f"{what}: more than {show_size(form.max_size)} and not yet all of it")
        return await path
    finally:
        path.cancel()


async def _judge(found: "Downloading", form: Download, what: str, seconds: float, doing: Doing) -> None:
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(doing.left(form.timeout)):
            path = await _arrived(found, form, what, doing)
    except TimeoutError:
        raise ActionFailed(FailureKind.TIMEOUT, f"{what}: not all there within {show_duration(seconds)}") from None
    except Error as fault:
        raise ActionFailed(FailureKind.CONTENT, f"{what}: broke off ({await found.failure() or doing.first_line(fault)})") from None
    name, size = found.suggested_filename, path.stat().st_size
    wanted = None if form.file is None else doing.context.names.fill_text(form.file)
    if wanted is not None and not re.fullmatch(".*".join(re.escape(part) for part in wanted.split("*")), name):
        raise ActionFailed(FailureKind.EXPECTATION, f"{what}: the file is called '{name}', not '{wanted}'")
    if not form.min_size <= size <= form.max_size:
        bound = f"less than {show_size(form.min_size)}" if size < form.min_size else f"more than {show_size(form.max_size)}"
        raise ActionFailed(FailureKind.EXPECTATION, f"{what}: '{name}' has {show_size(size)}, {bound}")
