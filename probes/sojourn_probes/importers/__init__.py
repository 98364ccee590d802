"""The one list of formats that `sojourn import` reads. A format's reader is `importers/<format>.py` with `read(text, work)`, found by its name."""

import importlib
from pathlib import Path
from typing import Final

from sojourn_probes.importers.draft import Work
from sojourn_probes.importers.source import MAX_BYTES, ImportFault

FORMATS: Final[dict[str, str]] = {
    "har": "a browser's recording of its network traffic",
    "postman": "a Postman collection, v2.0 or v2.1",
    "openapi": "an OpenAPI 3 description, JSON or YAML",
    "curl": "one or several curl commands",
    "playwright": "a Playwright script in Python, JavaScript or TypeScript, such as codegen writes",
    "gatus": "a Gatus configuration",
    "blackbox": "modules of the Prometheus blackbox exporter",
    "heartbeat": "monitors of Elastic Heartbeat",
    "checkly": "Checkly constructs (TypeScript), or checks as JSON",
}
"""Format → what it is."""


def read_text(text: str, work: Work) -> None:
    """Import `text` into `work`. Raises `ImportFault` when it is nothing of that format."""
    try:
        importlib.import_module(f"sojourn_probes.importers.{work.format}").read(text, work)
    except ImportFault as fault:
        place = f"{work.source}:{fault.line}" if fault.line else work.source
        raise ImportFault(f"{place}: {fault}", fault.line) from None


def text_of_file(path: Path) -> str:
    """The text of a file to import. Raises `ImportFault`."""
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise ImportFault(f"{path}: is not there; name a file, or - for standard input") from None
    except IsADirectoryError:
        raise ImportFault(f"{path}: is a folder; name a file in it") from None
    except OSError as fault:
        raise ImportFault(f"{path}: cannot be read: {fault.strerror}") from None
    return decoded(raw, str(path))


def decoded(raw: bytes, source: str) -> str:
    """`raw` as text, within bounds. Raises `ImportFault`."""
    if len(raw) > MAX_BYTES:
        raise ImportFault(f"{source}: is larger than {MAX_BYTES // 1024**2} MiB; export less of it")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ImportFault(f"{source}: is not UTF-8; save it as UTF-8") from None
