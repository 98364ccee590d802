"""What a browser step leaves behind: screenshot, HAR, DOM, console and, by choice, Playwright's trace; bounded, and without secrets."""

import asyncio
import importlib.metadata
import json
import logging
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_har import har
from sojourn_probes.steps.browser_page import Walk
from sojourn_probes.steps.browser_picture import dom, screenshot
from sojourn_probes.steps.browser_settings import Evidence
from sojourn_probes.steps.browser_trace import cleaned, record, without

SECONDS: Final = 5.0
"""What each piece of evidence may take."""
MAX_BYTES: Final = 10 * 1000**2
"""Bytes of one piece of evidence; a larger one is not kept."""
MIN_COOKIE: Final = 6
"""A cookie with a shorter value is a setting and no secret, and could not be taken out of a page without spoiling it."""
log = logging.getLogger(__name__)
_ODD = re.compile(r"[^A-Za-z0-9._-]")


def wanted(evidence: Evidence, failed: bool) -> list[str]:
    """The kinds to gather, by when the journey wants each."""
    kinds = [kind for kind in KINDS if kind != "console" and getattr(evidence, kind) in (("on_failure", "always") if failed else ("always",))]
    return [*kinds, "console"] if failed else kinds


async def gather(walk: Walk, context: StepContext, console: list[str], kinds: list[str]) -> dict[str, str]:
    """Write what there is of `kinds` to `evidence_folder` and return kind → id (the file's name). Nothing without a folder."""
    if context.evidence_folder is None:
        return {}
    from playwright.async_api import Error

    name = _ODD.sub("_", f"{context.run_id}-{context.attempt}-{context.step_id}")
    evidence: dict[str, str] = {}
    for kind in kinds:
        make, suffix = KINDS[kind]
        path = context.evidence_folder / f"{name}-{kind}.{suffix}"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(Error, TimeoutError):
                async with asyncio.timeout(SECONDS):
                    await make(walk, context, console, path)
        except OSError as fault:
            log.warning("the %s of a failed step could not be kept in %s: %s", kind, path.parent, fault.strerror or fault)
            continue
        if path.exists():
            if path.stat().st_size > MAX_BYTES:
                path.unlink()
            else:
                evidence[kind] = path.name
    return evidence


async def _screenshot(walk: Walk, context: StepContext, console: list[str], path: Path) -> None:
    if (picture := await screenshot(walk, context.redact)) is not None:
        await asyncio.to_thread(path.write_bytes, picture)


async def _har(walk: Walk, context: StepContext, console: list[str], path: Path) -> None:
    try:
        version = importlib.metadata.version("sojourn")
    except importlib.metadata.PackageNotFoundError:
        version = "0"
    records = list(walk.network.records)
    if records:
        await asyncio.to_thread(lambda: path.write_text(json.dumps(har(records, f"{context.journey_id} {context.step_id}", context.redact, version), indent=1)))


async def _dom(walk: Walk, context: StepContext, console: list[str], path: Path) -> None:
    text = without(await _unknown_secrets(walk, context), context.redact.text(await dom(walk, context.redact)))
    await asyncio.to_thread(path.write_text, text)


async def _trace(walk: Walk, context: StepContext, console: list[str], path: Path) -> None:
    if walk.tracing and (raw := await record(walk)) is not None:
        await asyncio.to_thread(cleaned, raw, context.redact, await _unknown_secrets(walk, context), path)


async def _unknown_secrets(walk: Walk, context: StepContext) -> list[str]:
    """What signs in although the journey knows nothing of it: the values of cookies, and the mark of our probe."""
    values = [str(cookie["value"]) for cookie in await walk.context.cookies()]
    return [value for value in (*values, context.mark or "") if len(value) >= MIN_COOKIE]


async def _console(walk: Walk, context: StepContext, console: list[str], path: Path) -> None:
    if console:
        await asyncio.to_thread(path.write_text, "".join(f"{context.redact.text(line)}\n" for line in console))


KINDS: Final[dict[str, tuple[Callable[[Walk, StepContext, list[str], Path], Awaitable[None]], str]]] = {
    "screenshot": (_screenshot, "png"),
    "console": (_console, "txt"),
    "har": (_har, "har"),
    "dom": (_dom, "html"),
    "trace": (_trace, "zip"),
}
"""Kind → how it is made, and what its file's name ends with."""
