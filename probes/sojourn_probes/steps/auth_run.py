"""Signs requests in as `auth:` says. Tokens are kept between runs until they run out; each fetching of one is an exchange of its own."""

import hashlib
import json
from base64 import b64encode
from typing import Any, Final
from urllib.parse import quote_plus

import httpx2

from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.auth import Auth, OAuth2, SigV4
from sojourn_probes.steps.auth_aws import NO_BOTOCORE, aws_signer
from sojourn_probes.steps.base import Observation, StepContext
from sojourn_probes.steps.http import HttpPart
from sojourn_probes.steps.http_connect import Connections
from sojourn_probes.steps.http_exchange import Answer, Exchanger
from sojourn_probes.steps.http_request import user_agent

SPARE_SECONDS: Final = 30.0
"""How long before its end a token is no longer used; of one that lives shortly, a tenth of its life."""

UNSAID_SECONDS: Final = 300.0
"""How long a token is used whose end the server does not say."""

MOST_TOKENS: Final = 256
"""Tokens kept at most."""

MAX_ANSWER: Final = 1_000_000
"""Bytes the answer with a token may have."""

_TOOL: Final = "oauth2_tokens"


class SignIn:
    """How the requests of one step are signed in. `way` says how connections to a token server are made (its `tls`, `proxy` …)."""

    def __init__(self, auth: Auth | None, context: StepContext, seen: Observation, way: HttpPart) -> None:
        self.auth, self.context, self.seen, self.way = auth, context, seen, way
        self._from_before = False

    async def sign(self, request: httpx2.Request) -> bool:
        """Put into the headers of `request` what it takes; False, and a failure in `seen`, when that cannot be had. Raises `NameMissing`."""
        auth, names = self.auth, self.context.names
        if auth is None:
            return True
        if auth.sigv4 is not None:
            return self._sign_for_aws(auth.sigv4, request)
        if auth.oauth2 is not None:
            token = await self._token(auth.oauth2)
            if token is None:
                return False
            request.headers["authorization"] = f"Bearer {token}"
        elif auth.bearer is not None:
            request.headers["authorization"] = f"Bearer {names.fill_text(auth.bearer)}"
        else:
            request.headers["authorization"] = basic(names.fill_text(auth.user or ""), names.fill_text(auth.password or ""))
        return True

    def forget(self) -> bool:
        """Forget a token that was refused. True when it was one from before, so that a new one is worth a try."""
        if self.auth is None or self.auth.oauth2 is None or not self._from_before:
            return False
        _tokens(self.context).pop(self._key(self.auth.oauth2), None)
        self._from_before = False
        return True

    @property
    def signs_each(self) -> bool:
        """Whether each hop needs a signature of its own."""
        return self.auth is not None and self.auth.sigv4 is not None

    async def _token(self, oauth2: OAuth2) -> str | None:
        tokens, key = _tokens(self.context), self._key(oauth2)
        now = self.context.clock.now_ns() / 1e9
        known = tokens.get(key)
        self._from_before = known is not None and now < known[1]
        if known is not None and self._from_before:
            token = known[0]
        else:
            fetched = await self._fetch(oauth2)
            if fetched is None:
                return None
            token, lives = fetched
            while len(tokens) >= MOST_TOKENS:
                tokens.pop(next(iter(tokens)))
            tokens[key] = (token, now + lives - min(SPARE_SECONDS, lives / 10))
        self.context.names.keep_secret("auth.oauth2", token)
        return token

    async def _fetch(self, oauth2: OAuth2) -> tuple[str, float] | None:
        """A new token and how long it lives; None, and a failure, when there is none."""
        names = self.context.names
        connections = Connections()
        # Redirects are not followed: id and secret go where the journey says and nowhere else.
        exchanger = Exchanger(self.way.model_copy(update={"max_body": MAX_ANSWER}), self.context, self.seen, connections)
        try:
            request = self._asking(oauth2)
            answer = await exchanger.once(request, counted=False)
        except (httpx2.InvalidURL, ValueError) as fault:
            self.seen.failure = Failure(FailureKind.CONFIG, self.context.redact.text(f"auth.oauth2: the token cannot be asked for: {fault}"))
            return None
        finally:
            await connections.aclose()
        if answer is None:
            return None
        found, failure = _token_in(answer, exchanger.where(request))
        if failure is not None:
            self.seen.failure = Failure(failure.kind, self.context.redact.text(failure.message))
            return None
        names.keep_secret("auth.oauth2", found[0])
        return found

    def _asking(self, oauth2: OAuth2) -> httpx2.Request:
        names = self.context.names
        form = {"grant_type": "client_credentials"}
        form |= {key: names.fill_text(value) for key in ("scope", "audience") if (value := getattr(oauth2, key)) is not None}
        who, secret = names.fill_text(oauth2.client_id), names.fill_text(oauth2.client_secret)
        headers = {"user-agent": user_agent(), "accept": "application/json", "content-type": "application/x-www-form-urlencoded"}
        if oauth2.style == "header":
            # RFC 6749 §2.3.1: both are form-encoded before they go into the header.
            headers["authorization"] = basic(quote_plus(who), quote_plus(secret))
        else:
            form |= {"client_id": who, "client_secret": secret}
        url = httpx2.URL(names.fill_text(oauth2.token_url).strip())
        if url.scheme not in ("http", "https") or not url.host:
            raise ValueError(f"{str(url)!r} is no address")
        return httpx2.Request("POST", url, headers=headers, content=str(httpx2.QueryParams(form)).encode())

    def _key(self, oauth2: OAuth2) -> str:
        """All that the token depends on, hashed: a rotated secret gets a token of its own, and no secret lies in the key."""
        names = self.context.names
        said = [None if value is None else names.fill_text(value) for value in oauth2.model_dump().values()]
        return hashlib.sha256(json.dumps(said).encode()).hexdigest()

    def _sign_for_aws(self, keys: SigV4, request: httpx2.Request) -> bool:
        try:
            signed = aws_signer(keys, self.context.names)
        except ImportError:
            self.seen.failure = Failure(FailureKind.AGENT, NO_BOTOCORE)
            return False
        request.headers.update(signed(request.method, str(request.url.copy_with(fragment=None)), dict(request.headers), request.content))
        return True


def basic(user: str, password: str) -> str:
    """The value of an Authorization header for a user and password."""
    return f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"


def _tokens(context: StepContext) -> dict[str, tuple[str, float]]:
    tokens: dict[str, tuple[str, float]] = context.tools.setdefault(_TOOL, {})
    return tokens


def _token_in(answer: Answer, where: str) -> tuple[tuple[str, float], Failure | None]:
    """The token in an answer and its life in seconds, or what is wrong with the answer."""
    none = ("", 0.0)
    try:
        said: Any = json.loads(answer.body.content)
    except ValueError:
        said = None
    said = said if isinstance(said, dict) else {}
    if answer.status != 200:
        why = f" ({str(said['error'])[:200]})" if isinstance(said.get("error"), str) else ""
        return none, Failure(FailureKind.STATUS, f"no token: {answer.status}{why} from {where}; see client_id, client_secret and scope of auth.oauth2")
    token = said.get("access_token")
    if not isinstance(token, str) or not token.isascii() or not token.isprintable():
        return none, Failure(FailureKind.CONTENT, f"no token: the answer of {where} has no access_token")
    lives = said.get("expires_in")
    try:
        seconds = float(lives) if isinstance(lives, int | float | str) and not isinstance(lives, bool) else UNSAID_SECONDS
    except ValueError:
        seconds = UNSAID_SECONDS
    return (token, max(0.0, seconds)), None
