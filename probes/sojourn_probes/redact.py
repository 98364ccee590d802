"""Keeps secrets out of everything that is shown, stored or sent as telemetry."""

import base64
import html
import json
import re
from typing import Any, Final, Protocol

from sojourn_probes.secrets import Secret

REDACTED: Final = "[redacted]"
"""What stands in a secret's place."""

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_MIN_BASE64_CORE: Final = 8
_MIN_BASE64_RAW: Final = 6
_MIN_HEX_RAW: Final = 4
_WIDEST: Final = 6
"""Characters that a byte of a secret takes at most, in any of its shapes (`&quot;`)."""


class KnowsSecrets(Protocol):
    """Whoever can say which secrets were given out so far: a `SecretStore`."""

    def known(self) -> tuple[Secret, ...]:
        """Every secret given out so far."""
        ...


class Redactor:
    """Replaces each known secret, and its URL-quoted, base64, hex, JSON- and HTML-escaped forms, by `[redacted]`."""

    def __init__(self, secrets: KnowsSecrets) -> None:
        self._secrets = secrets
        self._seen: tuple[Secret, ...] | None = None
        self._pattern: re.Pattern[str] | None = None

    def text(self, text: str) -> str:
        """`text` without any secret given out so far."""
        pattern = self._current()
        return text if pattern is None else pattern.sub(REDACTED, text)

    def beginning(self, data: bytes | bytearray) -> str:
        """The text of `data`, whose end was cut off: what may be the beginning of a secret is left out there."""
        redacted = self.text(data.decode("utf-8", "replace"))
        return redacted[: max(0, len(redacted) - self._longest())] or REDACTED

    def end(self, data: bytes | bytearray, most: int) -> str:
        """The last `most` characters of the text of `data`, without what may be the rest of a secret before them."""
        longest = self._longest()
        window = most * 4 + longest
        redacted = self.text(bytes(data[-window:]).decode("utf-8", "replace"))
        if len(data) > window:
            redacted = redacted[longest:] or REDACTED
        return redacted[-most:]

    def _longest(self) -> int:
        return max((len(secret.reveal().encode("utf-8", "surrogatepass")) for secret in self._secrets.known()), default=0) * _WIDEST

    def url(self, url: str) -> str:
        """`url` without secrets and without user and password before the host."""
        return _USERINFO.sub(f"{REDACTED}@", self.text(url))

    def value(self, value: Any) -> Any:
        """`value` with every text in its dicts and lists redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return type(value)(self.value(item) for item in value)
        return value

    def _current(self) -> re.Pattern[str] | None:
        known = self._secrets.known()
        if known is not self._seen:
            # The longest first: one secret may be a part of another.
            values = sorted((secret.reveal() for secret in known), key=lambda value: (-len(value), value))
            self._pattern = re.compile("|".join(_pattern_of(value) for value in values)) if values else None
            self._seen = known
        return self._pattern


def _pattern_of(value: str) -> str:
    """A pattern for every shape in which `value` may turn up: any mixture of plain, escaped and quoted characters, and base64."""
    raw = value.encode("utf-8", "surrogatepass")
    spelt = "".join(_spellings(sign) for sign in value)
    coded = sorted(_base64_forms(raw), key=lambda form: (-len(form), form))
    if len(raw) >= _MIN_HEX_RAW:
        spelt += f"|{raw.hex()}"
    # Hosts are written small by everybody, so letters match in either case; base64 does not.
    return "|".join([f"(?i:{spelt})", *(re.escape(form) for form in coded)])


def _spellings(sign: str) -> str:
    """One character as itself, as URLs write it (even twice quoted), and escaped as in JSON, HTML or Python."""
    quoted = "".join(f"%(?:25)*{byte:02x}" for byte in sign.encode("utf-8", "surrogatepass"))
    ways = {sign, html.escape(sign), html.escape(sign, quote=False), json.dumps(sign)[1:-1], repr(sign)[1:-1]}
    ways |= {"+"} if sign == " " else {"\\" + sign} if sign in "'\"/" else set()
    ways |= {f"&#{ord(sign)};", f"&#x{ord(sign):x};"} if not sign.isalnum() else set()
    return "(?:" + "|".join([*(re.escape(way) for way in sorted(ways, key=lambda way: (-len(way), way))), quoted]) + ")"


def _base64_forms(raw: bytes) -> set[str]:
    """Base64 of `raw` alone and, from what does not depend on the neighbours, inside a longer text such as `user:secret`."""
    forms = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        forms |= {whole, whole.rstrip("=")} if len(raw) >= _MIN_BASE64_RAW else {whole}
        for offset in (0, 1, 2):
            first = -(-offset * 8 // 6)
            last = (offset + len(raw)) * 8 // 6
            core = encode(b"\0" * offset + raw + b"\0\0").decode()[first:last]
            if len(core) >= _MIN_BASE64_CORE:
                forms.add(core)
    return forms
