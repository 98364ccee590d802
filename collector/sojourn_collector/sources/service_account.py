"""A token of Google's for a service account: a statement signed with its key is exchanged for a token that is good for an hour (RFC 7523)."""

import base64
import json
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from sojourn_collector.sources.body import BodyRefused, json_of
from sojourn_collector.sources.fetching import Bounds, FetchError, fetch
from sojourn_collector.sources.reading import number_at, text_at

SCOPE: Final = "https://www.googleapis.com/auth/androidpublisher"
USUAL: Final = "https://oauth2.googleapis.com/token"
_GOOD_FOR = timedelta(hours=1)
_SPARE = timedelta(minutes=2)


class ServiceAccount:
    """Keeps a token until shortly before it ends. A changed key asks for a new one."""

    def __init__(self) -> None:
        self._known: tuple[str, str, datetime] | None = None

    async def token(self, key: str, bounds: Bounds, now: datetime) -> str:
        """A token by the JSON of the account's key. Raises FetchError."""
        if self._known is not None and self._known[0] == key and now < self._known[2]:
            return self._known[1]
        account = _read(key)
        where = text_at(account, "token_uri") or USUAL
        form = urlencode({"grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "assertion": signed(account, where, now)}).encode()
        answer = await fetch(where, {"accept": "application/json"}, bounds, now.timestamp(), form=form)
        try:
            told = json_of(answer.body)
        except BodyRefused as error:
            raise FetchError("the answer to the service account cannot be read") from error
        token, lasts = text_at(told, "access_token"), number_at(told, "expires_in")
        if not token or not token.isascii() or not token.isprintable():
            raise FetchError("the service account got no token")
        self._known = key, token, now + timedelta(seconds=min(float(lasts or 0), _GOOD_FOR.total_seconds())) - _SPARE
        return token


def _read(key: str) -> dict[str, Any]:
    """Raises FetchError."""
    try:
        account = json.loads(key)
    except ValueError:
        account = None
    if not isinstance(account, dict) or not text_at(account, "client_email") or not text_at(account, "private_key"):
        raise FetchError("service_account is not the JSON of a service account's key; put it there as Google gives it")
    return account


def signed(account: dict[str, Any], where: str, now: datetime) -> str:
    """The statement: who asks whom for what, and until when. Raises FetchError."""
    head = {"alg": "RS256", "typ": "JWT"} | ({"kid": kid} if (kid := text_at(account, "private_key_id")) else {})
    since = int(now.timestamp())
    said = {"iss": text_at(account, "client_email"), "scope": SCOPE, "aud": where, "iat": since, "exp": since + 3600}
    text = f"{_plain(head)}.{_plain(said)}"
    try:
        private = load_pem_private_key(text_at(account, "private_key").encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise FetchError("private_key of the service account is no key; put the JSON there as Google gives it") from error
    if not isinstance(private, rsa.RSAPrivateKey):
        raise FetchError("private_key of the service account is no RSA key; put the JSON there as Google gives it")
    return f"{text}.{_b64(private.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def _plain(value: dict[str, Any]) -> str:
    return _b64(json.dumps(value, separators=(",", ":")).encode())


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
