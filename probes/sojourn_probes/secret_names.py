"""The one list of names under which secrets stand: what importers lift out, and, of those, what a journey file may not say in plain.

`is_secret_name` is wide: lifting too much does no harm. `is_surely_secret` is narrow: what it knows is refused as a literal, so that
`page_token`, `reset_password` and `password_hint` must stay out of it.
"""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


SURE: Final = _words(
    "password passwd passphrase passcode pwd secret passwort kennwort apikey apitoken accesstoken refreshtoken authtoken clientsecret secretkey privatekey"
)
"""A name that ends in one of these is that of a secret."""
SURE_PAIRS: Final = frozenset(
    {("api", "key"), ("secret", "key"), ("private", "key"), ("subscription", "key"), ("api", "token"), ("access", "token"), ("refresh", "token")}
    | {("auth", "token"), ("bearer", "token"), ("id", "token"), ("private", "token"), ("session", "token"), ("security", "token")}
)
"""So is one that ends in two of these."""
_SURE_ALONE: Final = frozenset({"token", "jwt"})
"""These only when they are the whole name: a `page_token` opens nothing."""

_MAYBE: Final = SURE | _words(
    "pass token authorization auth credential credentials session sessionid sid otp pin cvv cvc jwt bearer signature sig authkey accesskey"
)
_MAYBE_PAIRS: Final = SURE_PAIRS | {("access", "key"), ("auth", "key"), ("card", "number")}
_HARMLESS_ENDS: Final = _words("type url uri endpoint name expires expiry length count method mode id hint placeholder label in ttl age")
"""A `token_type` is no token."""
_ONCE_MORE: Final = _words("new old current confirm confirmed confirmation repeat repeated again verify")
"""A `password_confirmation` is the password."""
_SPEAKS_OF_IT: Final = _words(
    "show hide has have use is reset forgot forget change remember require requires required need needs enable allow min max no not with without save send"
)
"""A `reset_password` is a wish, not a password."""

_ATTRIBUTE: Final = re.compile(r"""\[((?:[^\]"']|"[^"]*"|'[^']*')*)\]""")
_NAMING: Final = re.compile(r"""\s*(?:name|id|type|autocomplete|data-test-?id)\s*[*^$~|]?=\s*(.*)\Z""", re.DOTALL)


def is_secret_name(name: str) -> bool:
    """Whether a field, parameter or variable of this name may hold a secret: `password`, `apiKey`, `x-auth-token`, but not `token_type`."""
    found = _split(name)
    if not found or found[-1] in _HARMLESS_ENDS:
        return False
    return any(word in _MAYBE for word in found) or any(pair in _MAYBE_PAIRS for pair in itertools.pairwise(found))


def is_surely_secret(name: str) -> bool:
    """Whether a field of this name holds a secret and nothing else: `password`, `newPassword2`, `client_secret`, but not `csrf_token`."""
    found = _split(name)
    while found and (found[-1] in _ONCE_MORE or found[-1].isdecimal()):
        found.pop()
    if not found or found[0] in _SPEAKS_OF_IT or not is_secret_name(name):
        return False
    return found[-1] in SURE or tuple(found[-2:]) in SURE_PAIRS or (len(found) == 1 and found[0] in _SURE_ALONE)


def is_secret_field(target: Mapping[str, Any]) -> bool:
    """Whether the form field that a browser step points at is surely one for a secret, by label, name, placeholder, test id or CSS."""
    if any(is_surely_secret(str(target[key])) for key in ("label", "name", "placeholder", "test_id") if key in target):
        return True
    return any(map(is_surely_secret, _names_in(str(target.get("css", ""))[:2000].strip())))


def _names_in(css: str) -> Iterator[str]:
    """What the last part of a selector names: its id, and attributes that say what a field is."""
    bare = _ATTRIBUTE.sub(lambda found: "_" * len(found.group()), css)
    begin = max(bare.rfind(sign) for sign in " >+~\t\n") + 1
    yield from re.findall(r"#([\w-]+)", bare[begin:])
    for attribute in _ATTRIBUTE.findall(css, begin):
        if (said := _NAMING.match(attribute)) is not None:
            yield said.group(1).strip("\"' ")


def secret_name(text: str) -> str:
    """A good name for a secret, made of `text`: `X-API-Key` is `x_api_key`."""
    name = re.sub(r"[^a-z0-9]+", "_", re.sub(r"(?<=[a-z])(?=[A-Z])", "_", text[:200]).lower()).strip("_")[:60]
    return name if re.match(r"[a-z]", name) else f"secret_{name}".rstrip("_")


def _split(name: str) -> list[str]:
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+", name[:200])]
