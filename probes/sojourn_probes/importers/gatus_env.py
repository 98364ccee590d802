"""How Gatus fills texts: from the environment, as it reads the file, and in bodies from the endpoint itself."""

import re
from typing import Any

from sojourn_probes.importers.lift import escaped
from sojourn_probes.importers.source import text_of

_ENV = re.compile(r"\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)\}|\$([A-Za-z_][A-Za-z0-9_]*)")
_RANDOM = re.compile(r"\[RANDOM_STRING_\d{1,5}\]")


def ours(text: str) -> str:
    """Gatus fills `${NAME}` and `$NAME` from the environment, `$$` is a dollar."""
    pieces: list[str] = []
    at = 0
    for found in _ENV.finditer(text):
        pieces.append(escaped(text[at : found.start()]))
        dollar = "$" * (1 + text.startswith("{", found.end()))  # before a brace it must not begin a name of ours
        pieces.append(dollar if found.group() == "$$" else f"${{env.{found.group(1) or found.group(2)}}}")
        at = found.end()
    return "".join(pieces) + escaped(text[at:])


def body_of(endpoint: dict[str, Any]) -> tuple[str, bool]:
    """The body with the endpoint's own words in it, a random one as a variable of the environment that `random_named` turns; whether there is one."""
    body = text_of(endpoint.get("body"))
    for word, key in (("[ENDPOINT_NAME]", "name"), ("[ENDPOINT_GROUP]", "group"), ("[ENDPOINT_URL]", "url")):
        body = body.replace(word, text_of(endpoint.get(key)))
    return _RANDOM.sub("[RANDOM_STRING_0]", body), _RANDOM.search(body) is not None


def random_named(text: str) -> str:
    """`text`, which is ours already, with its random words as ours."""
    return text.replace("[RANDOM_STRING_0]", "${random.hex}")
