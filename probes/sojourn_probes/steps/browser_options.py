"""What a fresh browser context is given: the journey's settings in Playwright's words, names filled, files found."""

from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_devices import Unusable
from sojourn_probes.steps.browser_pool import BrowserPool
from sojourn_probes.steps.browser_settings import BrowserDefaults, BrowserTls

LIMITS: Final = "browser_limits"
"""Under this name of `tools` the agent says when a warm browser is replaced: `recycle_after`, `recycle_memory`."""

VIEWPORT: Final = {"width": 1280, "height": 800}
"""The page's size when neither a viewport nor a device is said."""


def pool_of(step: StepContext) -> BrowserPool:
    """The process's one browser pool, made when first needed."""
    pool = step.tools.get("browser")
    if not isinstance(pool, BrowserPool):
        pool = step.tools["browser"] = BrowserPool(**step.tools.get(LIMITS, {}))
        # The command line closes its tools by this stack, the agent closes each tool itself.
        if isinstance(stack := step.tools.get("stack"), AsyncExitStack):
            stack.push_async_callback(pool.aclose)
    return pool


def options_for(settings: BrowserDefaults, step: StepContext) -> tuple[dict[str, Any], str | None, bytes]:
    """Options for Playwright's `new_context`, the device's name, and the authorities to trust besides. Raises `Unusable` and `NameMissing`."""
    fill = step.names.fill_text
    options: dict[str, Any] = {"service_workers": "block"}
    if settings.viewport is not None:
        options["viewport"] = settings.viewport.model_dump()
    elif settings.device is None:
        options["viewport"] = VIEWPORT
    if settings.locale is not None:
        options["locale"] = fill(settings.locale)
    if settings.timezone is not None:
        options["timezone_id"] = fill(settings.timezone)
    if settings.geolocation is not None:
        options["geolocation"] = settings.geolocation.model_dump()
    if settings.color_scheme is not None:
        options["color_scheme"] = settings.color_scheme
    tls = settings.tls or BrowserTls()
    if not tls.verify:
        options["ignore_https_errors"] = True
    if tls.cert_file is not None:
        certificate = {"certPath": _file("cert_file", tls.cert_file, step), "keyPath": _file("key_file", tls.key_file or tls.cert_file, step)}
        if tls.key_password is not None:
            certificate["passphrase"] = fill(tls.key_password)
        options["client_certificates"] = [{"origin": origin, **certificate} for origin in step.own_origins]
    trust = b"" if tls.ca_file is None else Path(_file("ca_file", tls.ca_file, step)).read_bytes()
    return options, None if settings.device is None else fill(settings.device), trust


def _file(key: str, name: str, step: StepContext) -> str:
    path = step.folder / step.names.fill_text(name)
    if not path.is_file():
        raise Unusable(f"{key}: there is no file {path}; its path is relative to the journey file")
    return str(path)
