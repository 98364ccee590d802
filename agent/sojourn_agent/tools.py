"""What outlives runs and is made only when a journey needs it: the warm browser, shared TLS contexts."""

import importlib
import logging
from collections.abc import Iterable, Mapping
from typing import Any

from sojourn_probes.errors import SojournError
from sojourn_probes.journey import Journey

log = logging.getLogger(__name__)


def make_tools(browser: Mapping[str, int] | None = None) -> dict[str, Any]:
    """The tools runners share: each puts in what it needs when it first needs it. `browser` says when the warm browser is replaced."""
    return {"browser_limits": dict(browser)} if browser else {}


async def close_tools(tools: dict[str, Any]) -> None:
    """Close what runners left open between runs."""
    for name, tool in tools.items():
        close = getattr(tool, "aclose", None) or getattr(tool, "close", None)
        if close is None:
            continue
        try:
            await close()
        except Exception:
            log.exception("%s did not close cleanly", name)


def require_browser(journeys: Iterable[Journey], environ: Mapping[str, str]) -> str | None:
    """Path of the browser that `journeys` will use, None when none of them has a browser step.

    Raises a `SojournError` that says the cure when one is needed and there is none."""
    if not any(step.kind == "browser" for journey in journeys for step in journey.walked):
        return None
    # Only a journey with browser steps loads what drives one.
    from sojourn_probes import chromium

    return chromium.find(environ).path


def require_keys(journeys: Iterable[Journey], keys: Mapping[str, bytes]) -> None:
    """A journey that makes real orders must mark them. Raises a `SojournError` that says the cure when no key could."""
    ordering = next((journey for journey in journeys if journey.side_effects is not None), None)
    if ordering is not None and not keys:
        raise SojournError(
            f"journey {ordering.id} makes real orders (side_effects: order), and nothing would mark them as a probe's; add probe_keys: to agent.yaml"
        )


def warm_up(journeys: Iterable[Journey]) -> None:
    """Import the runners that `journeys` need, so that the first run does not wait for it and is not measured with it."""
    for kind in {step.kind for journey in journeys for step in journey.walked}:
        try:
            importlib.import_module(f"sojourn_probes.steps.{kind}_run")
        except ImportError:
            log.warning("%s steps cannot be walked here; their runs will say why", kind)
