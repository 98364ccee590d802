"""What may leave the browser, and with which headers: decided for each hop over the DevTools domain `Fetch`.

Not by Playwright's `route` and `extra_http_headers`, because headers set there go along on a redirect to somebody else's origin,
and credentials given there are offered to everybody who asks.
"""

import contextlib
from base64 import b64decode
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from sojourn_probes.ids import new_span_id
from sojourn_probes.semconv import PROBE_HEADER
from sojourn_probes.steps.auth_aws import Signer
from sojourn_probes.steps.base import StepContext
from sojourn_probes.steps.browser_settings import BrowserDefaults

if TYPE_CHECKING:
    from playwright.async_api import CDPSession

_MAX_SENT: Final = 2000


@dataclass(frozen=True, slots=True)
class Rules:
    """What the journey says about requests, its names filled."""

    headers: dict[str, str]
    user: str | None = None
    password: str | None = None
    sign: Signer | None = None
    block: tuple[str, ...] = ()
    third_parties: bool | tuple[str, ...] = True

    @classmethod
    def of(cls, settings: BrowserDefaults, fill: Callable[[str], str], sign: Signer | None = None) -> "Rules":
        """The rules of `settings`; `sign` signs requests where the journey wants that. Raises `NameMissing`."""
        headers = {name: fill(value) for name, value in settings.headers.items()}
        auth = settings.auth
        if auth is not None and auth.bearer is not None:
            headers["authorization"] = f"Bearer {fill(auth.bearer)}"
        basic = auth is not None and auth.user is not None and auth.password is not None
        return cls(
            headers,
            user=fill(auth.user) if basic else None,  # type: ignore[union-attr, arg-type]  # basic says they are there
            password=fill(auth.password) if basic else None,  # type: ignore[union-attr, arg-type]
            sign=sign,
            block=tuple(host.lower() for host in settings.block),
            third_parties=settings.third_parties if isinstance(settings.third_parties, bool) else tuple(host.lower() for host in settings.third_parties),
        )

    def blocks(self, host: str, own_hosts: tuple[str, ...]) -> bool:
        """Whether a request to `host` must not be made."""
        if any(_fits(host, pattern) for pattern in self.block):
            return True
        if self.third_parties is True or any(host == own or host.endswith(f".{own.removeprefix('www.')}") for own in own_hosts):
            return False
        return self.third_parties is False or not any(_fits(host, pattern) for pattern in self.third_parties)


async def _body(cdp: "CDPSession", event: dict[str, Any]) -> bytes:
    """What a paused request sends; DevTools leaves a long body out of the event."""
    from playwright.async_api import Error

    request = event["request"]
    if entries := request.get("postDataEntries"):
        return b"".join(b64decode(entry.get("bytes", "")) for entry in entries)
    if not request.get("hasPostData"):
        return b""
    with contextlib.suppress(Error):
        answer = await cdp.send("Network.getRequestPostData", {"requestId": event.get("networkId", "")})
        return str(answer.get("postData", "")).encode()
    return str(request.get("postData", "")).encode()


def _is_signature(name: str) -> bool:
    return name == "authorization" or name.startswith("x-amz-")


def _fits(host: str, pattern: str) -> bool:
    """`*.ads.example` is everything below ads.example and itself."""
    if pattern.startswith("*."):
        return host == pattern[2:] or host.endswith(pattern[1:])
    return host == pattern


class Gate:
    """Lets requests of one attempt through. `sent` remembers which span a request's `traceparent` named."""

    def __init__(self, context: StepContext, rules: Rules) -> None:
        self.context, self.rules = context, rules
        self.sent: dict[str, str] = {}
        self.blocked: set[str] = set()
        self._asked: set[str] = set()

    def is_own(self, url: str) -> bool:
        """Whether `url` is on one of the journey's own origins."""
        parts = urlsplit(url)
        return f"{parts.scheme}://{parts.netloc}" in self.context.own_origins

    async def attach(self, cdp: "CDPSession", spawn: Callable[[Any], None]) -> None:
        """Stand before the requests of the page behind `cdp`."""
        cdp.on("Fetch.requestPaused", lambda event: spawn(self._let_go(cdp, event)))
        if self.rules.user is not None:
            cdp.on("Fetch.authRequired", lambda event: spawn(self._sign_in(cdp, event)))
        patterns = [{"urlPattern": "http*", "requestStage": "Request"}]
        await cdp.send("Fetch.enable", {"patterns": patterns, "handleAuthRequests": self.rules.user is not None})

    async def _let_go(self, cdp: "CDPSession", event: dict[str, Any]) -> None:
        from playwright.async_api import Error

        request = event["request"]
        own_hosts = tuple(urlsplit(origin).hostname or "" for origin in self.context.own_origins)
        if own_hosts and self.rules.blocks(urlsplit(request["url"]).hostname or "", own_hosts):
            self._remember_blocked(event.get("networkId", ""))
            with contextlib.suppress(Error):
                await cdp.send("Fetch.failRequest", {"requestId": event["requestId"], "errorReason": "BlockedByClient"})
            return
        headers = self._headers(request, event.get("networkId", ""))
        if self.rules.sign is not None and self.is_own(request["url"]):
            signed = self.rules.sign(request["method"], request["url"].partition("#")[0], headers, await _body(cdp, event))
            headers = {name: value for name, value in headers.items() if name.lower() not in {one.lower() for one in signed}} | signed
        # The page may be gone by now, which is nobody's fault.
        with contextlib.suppress(Error):
            await cdp.send("Fetch.continueRequest", {"requestId": event["requestId"], "headers": [{"name": k, "value": v} for k, v in headers.items()]})

    def _headers(self, request: dict[str, Any], network_id: str) -> dict[str, str]:
        headers = {name: value for name, value in request["headers"].items() if name.lower() != PROBE_HEADER}
        if self.is_own(request["url"]):
            names = {name.lower(): name for name in headers}
            if "traceparent" not in names:
                span = new_span_id()
                headers["traceparent"] = f"00-{self.context.trace_id}-{span}-01"
                self._remember(network_id, span)
            elif network_id not in self.sent:
                self._remember(network_id, "")
            for name, value in self.rules.headers.items():
                # A page that signs in by itself knows better.
                if name.lower() != "authorization" or "authorization" not in names:
                    headers.pop(names.get(name.lower(), name), None)
                    headers[name] = value
            if self.context.mark is not None:
                headers[PROBE_HEADER] = self.context.mark
        elif network_id in self.sent:
            # A hop of ours that leads to somebody else: our trace and our headers are none of their business.
            ours = {"traceparent"} if self.sent[network_id] else set()
            ours |= {name.lower() for name in self.rules.headers}
            headers = {name: value for name, value in headers.items() if name.lower() not in ours and not (self.rules.sign and _is_signature(name.lower()))}
        return headers

    async def _sign_in(self, cdp: "CDPSession", event: dict[str, Any]) -> None:
        """Answer a server's question for user and password: once, own origins only, and never a proxy's."""
        from playwright.async_api import Error

        ident, challenge = event["requestId"], event.get("authChallenge", {})
        answer = {"response": "Default"}
        if challenge.get("source") != "Proxy" and self.is_own(event["request"]["url"]) and ident not in self._asked:
            answer = {"response": "ProvideCredentials", "username": self.rules.user or "", "password": self.rules.password or ""}
        self._asked.add(ident)
        with contextlib.suppress(Error):
            await cdp.send("Fetch.continueWithAuth", {"requestId": ident, "authChallengeResponse": answer})

    def _remember(self, network_id: str, span: str) -> None:
        if len(self.sent) > _MAX_SENT:
            self.sent.clear()
        self.sent[network_id] = span

    def _remember_blocked(self, network_id: str) -> None:
        if len(self.blocked) > _MAX_SENT:
            self.blocked.clear()
        self.blocked.add(network_id)
