"""Walks a journey given as YAML text."""

import textwrap
import time
from pathlib import Path
from typing import Any

from sojourn_probes.ids import new_run_id
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_text
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.run import run
from sojourn_probes.secrets import SecretStore


def journey(text: str, path: Path = Path("journey.yaml")) -> Journey:
    """The journey in `text`; its common indentation is taken off."""
    return load_text(textwrap.dedent(text), path)


async def walk(text: str, *, environ: dict[str, str] | None = None, path: Path = Path("journey.yaml"), **more: Any) -> Any:
    """The `RunResult` of the journey in `text`, with `environ` as the environment. Typed Any: a test says what it expects by asserting."""
    found = journey(text, path)
    store = SecretStore(environ or {})
    location = more.get("location", "local")
    names = Names(found.at(location).vars, environ or {}, store, new_run_id(time.time()), location=location, timezone=found.timezone)
    return await run(found, names=names, redact=Redactor(store), **more)
