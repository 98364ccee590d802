"""Takes personal data and secrets out of what pages send: e-mail addresses, card numbers, IBANs, tokens, queries and fragments.

The rules are those of getsentry/relay's defaults that fit free text; they replace the finding and keep the text around it.
"""

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, urljoin, urlsplit

MAX_URL: Final = 1024
"""Characters of a URL that are kept."""

_RULES: Final[tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...]] = (
    (("-----begin",), re.compile(r"-----BEGIN [A-Z ]{3,40}-----[\s\S]{0,20000}?(-----END [A-Z ]{3,40}-----|\Z)"), "[key]"),
    (("://",), re.compile(r"(?<=://)[^/?#\s@]{1,200}@"), ""),
    (("bearer", "basic"), re.compile(r"\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,4000}", re.IGNORECASE), r"\1 [token]"),
    (("eyj",), re.compile(r"\beyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{4,4000}(\.[A-Za-z0-9_-]{0,4000})?"), "[token]"),
    (("sk", "pk", "rk", "gh", "xox", "akia", "sj"), re.compile(r"\b(sk|pk|rk|ghp|gho|xox[abprs]|AKIA|sj)[-_]?[A-Za-z0-9_-]{16,200}"), "[token]"),
    (
        ("pass", "pwd", "secret", "key", "token", "authorization", "credential", "session", "otp"),
        re.compile(
            r"((?:password|passwd|pwd|secret|api[-_]?key|access[-_]?key|(?:[a-z]{0,20}[-_]?)?token|authorization|credentials?|session[-_]?id|otp)"
            r"[\"']?\s{0,5}[:=]\s{0,5}[\"']?)[^\s\"',;&}]{1,2000}",
            re.IGNORECASE,
        ),
        r"\1[token]",
    ),
    (("@", "%40"), re.compile(r"[A-Za-z0-9._%+'-]{1,64}(?:@|%40)[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){1,8}"), "[email]"),
)
"""(words one of which must be there in small letters, what to find, what to put instead). The words keep ordinary texts cheap."""
_DIGITS: Final[tuple[tuple[re.Pattern[str], str], ...]] = (
    (re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?\b"), "[iban]"),
    (re.compile(r"\b[0-9a-f]{40,200}\b", re.IGNORECASE), "[token]"),
)
_LONG_NUMBER = re.compile(r"\d(?:[ -]?[0-9A-Za-z]){7}")
_CARD = re.compile(r"(?<![\d.])\d(?:[ -]?\d){12,18}(?![\d.]*\d)")


def scrub(text: str) -> str:
    """`text` with e-mail addresses, card numbers (Luhn-checked), IBANs, keys and tokens replaced by words in brackets."""
    small = text.lower()
    for words, pattern, instead in _RULES:
        for word in words:
            if word in small:
                text = pattern.sub(instead, text)
                break
    if _LONG_NUMBER.search(text) is None and len(text) < 40:
        return text
    for pattern, instead in _DIGITS:
        text = pattern.sub(instead, text)
    return _CARD.sub(_card, text)


@lru_cache(maxsize=2048)
def split_url(url: str, base: str = "") -> tuple[str, str] | None:
    """The scrubbed URL and its path, or None when `url` is no web address. Query, fragment, user and password are dropped.

    A relative `url` is taken against `base`; without a usable base only the path is known and the first part is empty.
    """
    try:
        parts = urlsplit(urljoin(base[:4096], url[:4096]) if base else url[:4096])
        host, port = parts.hostname, parts.port
    except ValueError:
        return None
    if parts.scheme not in ("http", "https", "") or (parts.scheme and not host) or (not parts.scheme and not url.startswith("/")):
        return None
    path = _path(parts.path)
    if not parts.scheme:
        return "", path
    shown = f"[{host}]" if host and ":" in host else host
    return f"{parts.scheme}://{shown}{'' if port is None else f':{port}'}{path}"[:MAX_URL], path


def _path(path: str) -> str:
    clean = scrub(path or "/")
    if "%" not in clean:
        return clean[:MAX_URL]
    # What a rule would find once unquoted must not slip through quoted.
    return clean[:MAX_URL] if scrub(unquote(clean)) == unquote(clean) else scrub(unquote(clean))[:MAX_URL]


def _card(found: re.Match[str]) -> str:
    digits = [int(digit) for digit in found.group() if digit.isdigit()]
    total = sum(sum(divmod(digit * 2, 10)) if place % 2 else digit for place, digit in enumerate(reversed(digits)))
    return "[card]" if total % 10 == 0 and digits[0] in (2, 3, 4, 5, 6) else found.group()
