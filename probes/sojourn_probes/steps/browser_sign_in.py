"""A token for the browser's requests to own origins, fetched as http steps fetch it and shared with them."""

from typing import Any

import httpx2

from sojourn_probes.steps.auth import Auth
from sojourn_probes.steps.auth_run import SignIn
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.browser_devices import Unusable
from sojourn_probes.steps.browser_settings import BrowserDefaults
from sojourn_probes.steps.http import HttpPart


async def token_header(settings: BrowserDefaults, step: StepContext) -> str | None:
    """The `Authorization` header of a token that has to be fetched; None when none is wanted. Raises `Unusable` when it cannot be had."""
    if settings.auth is None or settings.auth.oauth2 is None:
        return None
    now = step.clock.now_ns()
    seen = Observation(now, now)
    part: dict[str, Any] = {"url": "/"}
    if settings.tls is not None:
        part["tls"] = settings.tls.model_dump(include={"verify", "ca_file"}, exclude_none=True)
    sign_in = SignIn(Auth(oauth2=settings.auth.oauth2), step, seen, HttpPart.model_validate(part))
    request = httpx2.Request("GET", "http://own.invalid/")
    if not await sign_in.sign(request):
        raise Unusable("no token", seen.failure)
    return str(request.headers["authorization"])
