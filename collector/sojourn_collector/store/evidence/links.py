"""Links to evidence: `/evidence/<id>?exp=<seconds since 1970>&sig=<HMAC-SHA256>`. Whoever has one may read that piece until then, without a key."""

import hashlib
import hmac
import re
from collections.abc import Callable
from datetime import datetime

PATH = "/evidence/"
USE = "evidence links"
"""Name of the signing key in the control database."""
ROUND = 300
"""Seconds to which ends are rounded up: the same page a moment later has the same links, and a browser need not fetch a picture again."""
_ID = re.compile(r"[0-9a-f]{32}")
_EXP = re.compile(r"[1-9][0-9]{0,11}")


class EvidenceLinks:
    """Signs and checks. `seconds` is how long a link is good at least; `key` is 32 random bytes."""

    def __init__(self, key: bytes, seconds: float, clock: Callable[[], datetime]) -> None:
        self._key = key
        self._seconds = seconds
        self._clock = clock

    def link(self, ident: str) -> str:
        """A link on our own origin to the piece `ident`."""
        end = int(self._clock().timestamp() + self._seconds)
        end += -end % ROUND
        return f"{PATH}{ident}?exp={end}&sig={self._sign(ident, str(end))}"

    def good(self, ident: str, exp: str, sig: str) -> bool:
        """Whether this link is one of ours and its time is not over."""
        if not _ID.fullmatch(ident) or not _EXP.fullmatch(exp):
            return False
        right = hmac.compare_digest(self._sign(ident, exp).encode(), sig.encode("utf-8", "replace"))
        return right and int(exp) > self._clock().timestamp()

    def _sign(self, ident: str, exp: str) -> str:
        return hmac.new(self._key, f"{ident}.{exp}".encode(), hashlib.sha256).hexdigest()
