"""Playwright's trace of a step, kept by choice and cleaned of secrets before it is anybody's."""

import asyncio
import io
import json
import uuid
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from sojourn_probes.redact import REDACTED, Redactor
from sojourn_probes.steps.browser_har import MASKED

if TYPE_CHECKING:
    from sojourn_probes.steps.browser_page import Walk

MAX_RAW: Final = 200 * 1000**2
"""Bytes of a trace, unpacked, beyond which none is kept: cleaning it would take too long."""


async def record(walk: "Walk") -> bytes | None:
    """The trace since the step began, as Playwright wrote it; None when there is none. Nothing of it stays on disk."""
    path = Path(walk.private) / f"{uuid.uuid4().hex}.zip"
    walk.tracing = False
    try:
        await walk.context.tracing.stop_chunk(path=path)
        return await asyncio.to_thread(_read, path)
    finally:
        await asyncio.to_thread(path.unlink, True)


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.stat().st_size <= MAX_RAW else None


def without(words: list[str], text: str) -> str:
    """`text` without `words`, plain or as URLs write them."""
    for word in words:
        text = text.replace(word, REDACTED).replace(quote(word), REDACTED)
    return text


def cleaned(raw: bytes, redact: Redactor, words: list[str], to: Path) -> bool:
    """Write the trace `raw` to `to` without secrets, `words`, cookies and what signs in. Pictures and other things that are no text are left out.

    Whether it was written: one that would unpack to too much is not.
    """
    with zipfile.ZipFile(io.BytesIO(raw)) as source:
        if sum(entry.file_size for entry in source.infolist()) > MAX_RAW:
            return False
        with zipfile.ZipFile(to, "w", zipfile.ZIP_DEFLATED) as target:
            for entry in source.infolist():
                try:
                    text = source.read(entry).decode("utf-8")
                except UnicodeDecodeError:
                    continue
                lines = entry.filename.endswith((".trace", ".network", ".stacks"))
                target.writestr(entry.filename, without(words, "\n".join(_lines(text, redact)) if lines else redact.text(text)))
    return True


def _lines(text: str, redact: Redactor) -> Iterator[str]:
    for line in text.split("\n"):
        try:
            yield redact.text(json.dumps(_masked(json.loads(line)), ensure_ascii=False)) if line.strip() else ""
        except (ValueError, RecursionError):
            yield redact.text(line)


def _masked(value: Any) -> Any:
    """Without the values of headers and cookies that sign in, wherever they stand in the trace, and of password fields in its pages."""
    if isinstance(value, dict):
        if isinstance(value.get("name"), str) and "value" in value and value["name"].lower() in MASKED:
            return {**value, "value": REDACTED}
        return {key: [] if key == "cookies" else _masked(item) for key, item in value.items()}
    if isinstance(value, list):
        if len(value) > 1 and value[0] == "INPUT" and isinstance(value[1], dict) and str(value[1].get("type", "")).lower() == "password":
            return [value[0], {key: REDACTED if "value" in key.lower() else item for key, item in value[1].items()}, *value[2:]]
        return [_masked(item) for item in value]
    return value
