"""How the browser's requests to own origins are signed in: a token, fetched as http steps fetch it and shared with them, or a signature each."""

from typing import Any

import httpx2

from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.auth import Auth
from sojourn_probes.steps.auth_aws import NO_BOTOCORE, Signer, aws_signer
from sojourn_probes.steps.auth_run import SignIn
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.browser_devices import Unusable
from sojourn_probes.steps.browser_settings import BrowserDefaults
from sojourn_probes.steps.http import HttpPart


def signer(settings: BrowserDefaults, step: StepContext) -> Signer | None:
    """What signs each request to own origins; None when none is to be signed. Raises `Unusable` and `NameMissing`."""
    if settings.auth is None or settings.auth.sigv4 is None:
        return None
    try:
        return aws_signer(settings.auth.sigv4, step.names)
    except ImportError:
        raise Unusable(NO_BOTOCORE, Failure(FailureKind.AGENT, NO_BOTOCORE)) from None


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
