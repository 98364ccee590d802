"""Keeps secrets out of everything that is shown, stored or sent as telemetry."""

import base64
import html
import json
import re
from typing import Any, Final, Protocol
from urllib.parse import quote, quote_plus

from sojourn_probes.secrets import Secret

REDACTED: Final = "[redacted]"
"""What stands in a secret's place."""

_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")
_MIN_BASE64_CORE: Final = 8


class KnowsSecrets(Protocol):
    """Whoever can say which secrets were given out so far: a `SecretStore`."""

    def known(self) -> tuple[Secret, ...]:
        """Every secret given out so far."""
        ...


class Redactor:
    """Replaces each known secret, and its URL-quoted, base64, JSON- and HTML-escaped forms, by `[redacted]`."""

    def __init__(self, secrets: KnowsSecrets) -> None:
        self._secrets = secrets
        self._seen: tuple[Secret, ...] | None = None
        self._pattern: re.Pattern[str] | None = None

    def text(self, text: str) -> str:
        """`text` without any secret given out so far."""
        pattern = self._current()
        return text if pattern is None else pattern.sub(REDACTED, text)

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
            forms = {form for secret in known for form in forms_of(secret.reveal())}
            # The longest first: a quoted form must go whole, not leave its tail behind.
            ordered = sorted(forms, key=lambda form: (-len(form), form))
            self._pattern = re.compile("|".join(_either_case(form) for form in ordered)) if ordered else None
            self._seen = known
        return self._pattern


def forms_of(value: str) -> set[str]:
    """The shapes in which `value` may turn up in an output."""
    forms = {value, quote(value), quote(value, safe=""), quote_plus(value), html.escape(value), html.escape(value, quote=False)}
    forms |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1]}
    forms |= _base64_forms(value.encode())
    return {form for form in forms if form}


def _base64_forms(raw: bytes) -> set[str]:
    """Base64 of `raw` alone and, from what does not depend on the neighbours, inside a longer text such as `user:secret`."""
    forms = set()
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        whole = encode(raw).decode()
        forms |= {whole, whole.rstrip("=")} if len(raw) >= MIN_BASE64_RAW else {whole}
        for offset in (0, 1, 2):
            first = -(-offset * 8 // 6)
            last = (offset + len(raw)) * 8 // 6
            core = encode(b"\0" * offset + raw + b"\0\0").decode()[first:last]
            if len(core) >= _MIN_BASE64_CORE:
                forms.add(core)
    return forms


MIN_BASE64_RAW: Final = 6
"""Below this the unpadded base64 form is too short to be told from ordinary text."""


def _either_case(form: str) -> str:
    """A pattern for `form` in which `%2F` also matches `%2f`."""
    return re.sub(r"%([0-9A-Fa-f]{2})", lambda found: f"%(?i:{found.group(1)})", re.escape(form))
