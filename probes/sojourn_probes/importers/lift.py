"""Lifting secrets out of what is imported: the value goes, a reference `${secrets.name}` stays."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from sojourn_probes.names import references
from sojourn_probes.secret_names import is_secret_name, secret_name
from sojourn_probes.steps.http import SECRET_HEADERS

_LOOKS_SECRET: Final = re.compile(
    r"""eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{4,4000}   # a JWT
    | \b(?:AKIA|ASIA)[0-9A-Z]{16}\b                                   # an AWS access key
    | \b(?:ghp|gho|ghu|ghs|ghr|github_pat|glpat|sk_live|rk_live|sk_test|sk|xox[abprs])[_-][A-Za-z0-9_-]{16,400}   # GitHub, GitLab, Stripe, Slack
    | \bAIza[0-9A-Za-z_-]{35}\b                                       # a Google API key
    | -----BEGIN[ ][A-Z ]*PRIVATE[ ]KEY-----[\s\S]*?(?:-----END[ ][A-Z ]*PRIVATE[ ]KEY-----|\Z)
    """,
    re.VERBOSE,
)
_BEARER: Final = re.compile(r"(?i)\b(bearer|token)(\s{1,4})([A-Za-z0-9._~+/=-]{12,8000})")
_USERINFO: Final = re.compile(r"""(?<![^\s/'"])[^\s/'"@:]{1,200}:[^\s/'"@]{1,200}@""")
_FIELDS: Final = re.compile(
    r"""\bname="?([\w.-]{1,100})"?[^\r\n]{0,500}(?:\r?\n[^\r\n]{1,500}){0,5}\r?\n\r?\n([^\r\n]{1,2000})      # forms in parts
    | ["']?\b([\w.-]{1,100})["']?[ \t]{0,5}[:=]\s{0,5}"((?:[^"\\]|\\.){1,2000})"        # JSON and its like
    | ["']?\b([\w.-]{1,100})["']?[ \t]{0,5}[:=]\s{0,5}'((?:[^'\\]|\\.){1,2000})'
    | <(?:\w{1,50}:)?([\w.-]{1,100})(?:\s[^<>]{0,500})?>([^<>]{1,2000})</              # XML
    | \b([\w.-]{1,100})=["']?([^\s&"'<>=]{1,2000})                                     # forms and attributes
    """,
    re.VERBOSE,
)
_SPOKEN: Final = re.compile(
    r"(?im)^([ \t]*(?:\w{1,20}[ ])?(?:PASS|AUTH|LOGIN|AUTHENTICATE)[ ][^\r\n]{0,500}?)((?!(?:LOGIN|PLAIN|TLS|SSL)\s*$)[^\s$]\S{0,500})(?=\s*$)"
)
"""`PASS x` of POP3 and IRC, `AUTH ana x` of Redis, `AUTH PLAIN x` of SMTP, `a1 LOGIN ana x` of IMAP: the last word is the secret."""
_MERE_VALUES: Final = frozenset({"value", "values", "text", "raw", "plain", "cleartext", "data"})
_ONLY_NAMES: Final = re.compile(r"(?:[A-Za-z]{1,20}\s)?\$\{(?:secrets|steps)\.[^}]*\}")


def is_secret_header(name: str) -> bool:
    """Whether a header of this name carries a secret."""
    return name.lower() in SECRET_HEADERS or is_secret_name(name)


def escaped(text: str) -> str:
    """Foreign text so that nothing in it is taken for one of our names."""
    return text.replace("${", "$${")


def joined(pieces: list[str]) -> str:
    """Pieces of a text, each ours already, as one: a dollar that ends one and a brace that begins the next are no name of ours."""
    whole: list[str] = []
    for piece in filter(None, pieces):
        if piece.startswith("{") and whole and whole[-1].endswith("$"):
            whole.append("$")
        whole.append(piece)
    return "".join(whole)


@dataclass(slots=True)
class Vault:
    """Gives each lifted value a name and forgets the value's text in all it says. The same value gets the same name.

    `origin` is asked first: an importer that knows where a token came from returns `${steps.…}` for it.
    """

    names: dict[str, str] = field(default_factory=dict)
    """Name of each secret → where it stood, for the report."""
    origin: Callable[[str], str | None] = lambda value: None
    translate: Callable[[str], str] = escaped
    """Foreign text into ours: an importer whose format has variables turns them into names here."""
    taken: set[str] = field(default_factory=set)
    """Variables of the format whose value stands in a secret field; they become secrets."""
    _values: dict[str, str] = field(default_factory=dict)

    def lift(self, value: str, hint: str, place: str) -> str:
        """The reference that takes the place of the secret `value`."""
        found = self.origin(value)
        if found is not None:
            return found
        if value not in self._values:
            name = self._free(secret_name(hint))
            self._values[value] = name
            self.names[name] = place
        return f"${{secrets.{self._values[value]}}}"

    def by_name(self, name: str, place: str) -> str:
        """The reference to a secret that had a name already, such as a variable's."""
        name = secret_name(name)
        self.names.setdefault(name, place)
        return f"${{secrets.{name}}}"

    def taken_as(self, variable: str) -> str:
        """The name of the secret that a taken variable became."""
        return secret_name(variable)

    def field(self, value: str, hint: str, place: str) -> str:
        """What stands in a secret field instead of `value`, which is escaped and may hold names already; an empty value stays."""
        if not value or _ONLY_NAMES.fullmatch(value):
            return value
        found = list(references(value))
        if not found:
            return self.lift(value.replace("$${", "${"), hint, place)
        for reference in found:
            if reference.parts[:1] == ("vars",):
                self.taken.add(reference.parts[1])
            if reference.parts[:1] in (("vars",), ("env",)) and len(reference.parts) == 2:
                value = value.replace(f"${{{reference.text}}}", self.by_name(reference.parts[1], place))
        return value

    def text(self, value: str, hint: str, place: str) -> str:
        """`value` (escaped) with whatever in it looks like a secret lifted out."""
        value = _LOOKS_SECRET.sub(lambda found: self.lift(found.group(), hint, place), value)
        return _BEARER.sub(lambda found: f"{found.group(1)}{found.group(2)}{self.lift(found.group(3), hint, place)}", value)

    def named(self, name: str, value: str, place: str) -> str:
        """The value of a field called `name`, lifted when name or value say that it is a secret."""
        return self.field(value, name, place) if is_secret_name(name) else self.raw(value, place, name)

    def raw(self, body: str, place: str, hint: str = "body") -> str:
        """A text (escaped) of no form we know, with fields that are named like secrets lifted: of JSON, XML and forms alike."""

        def lifted(found: re.Match[str]) -> str:
            name, value = next((name, value) for name, value in zip(found.groups()[::2], found.groups()[1::2], strict=True) if name)
            before, _, after = found.group().rpartition(value)
            return f"{before}{self.field(value, name, place)}{after}" if is_secret_name(name) else found.group()

        return self.text(_FIELDS.sub(lifted, body), hint, place)

    def said(self, text: str, place: str) -> str:
        """A text (escaped) said to a server, with what follows PASS, AUTH and their like lifted, and what looks like a secret."""

        def lifted(found: re.Match[str]) -> str:
            return found.group(1) + self.field(found.group(2), "password", place)

        return self.raw(_SPOKEN.sub(lifted, text), place, "text")

    def data(self, value: Any, place: str, name: str = "") -> Any:
        """JSON data with its secrets lifted, in any nesting; its texts are translated on the way. `{password: {value: …}}` holds one too."""
        if isinstance(value, dict):
            return {self.translate(str(key)): self.data(item, place, name if key in _MERE_VALUES else str(key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.data(item, place, name) for item in value]
        if isinstance(value, str):
            return self.named(name, self.translate(value), place)
        secret_number = isinstance(value, int | float) and not isinstance(value, bool) and is_secret_name(name)
        return self.lift(str(value), name, place) if secret_number else value

    def user(self, user: str, password: str, place: str) -> str:
        """Who signs in; without a password the name is the key itself, as with many APIs."""
        return self.text(user, "user", place) if password else self.field(user, "user", place)

    def url(self, url: str, place: str) -> tuple[str, dict[str, str] | None]:
        """An address (escaped) without user, password, fragment and secret parameters, and the sign-in that stood in it."""
        scheme, mark, rest = url.partition("://")
        auth: dict[str, str] | None = None
        if mark:
            authority, slash, path = rest.partition("/") if "/" in rest else (rest, "", "")
            userinfo, at, host = authority.rpartition("@")
            if at:
                user, _, password = userinfo.partition(":")
                user = self.user(unquote(user), unquote(password), place)
                auth = {"user": user, "password": self.field(unquote(password) or "-", "password", place)}
            url = f"{scheme}://{host}{slash}{path}"
        url = url.partition("#")[0]
        base, mark, query = url.partition("?")
        if mark:
            query = "&".join(self._parameter(one, place) for one in query.split("&"))
        return self.text(base, "path", place) + mark + query, auth

    def _parameter(self, one: str, place: str) -> str:
        name, sign, value = one.partition("=")
        if not value:
            return one
        lifted = self.named(unquote(name), unquote(value), place)
        return one if lifted == unquote(value) else f"{name}{sign}{lifted}"

    def holds(self, pattern: str) -> bool:
        """Whether a regular expression holds a secret of its own, such as `token=x7fq…`."""
        looked = Vault()
        looked.raw(re.sub(r"\\(.)", r"\1", pattern), "")
        return any(len(value) >= 6 and value.isascii() and re.fullmatch(r"[\w./+=-]+", value) for value in looked._values)

    def hidden(self, message: str) -> str:
        """`message` without anything lifted and anything that looks like a secret."""
        for value in self._values:
            if len(value) >= 3:
                message = message.replace(value, "[redacted]")
        return _LOOKS_SECRET.sub("[redacted]", _USERINFO.sub("[redacted]@", message))

    def _free(self, name: str) -> str:
        number, wanted = 1, name
        while name in self.names:
            number += 1
            name = f"{wanted}_{number}"
        return name


def shown_line(line: str) -> str:
    """The beginning of a line of somebody's script for a message: what stands in quotes is left out where it may be a secret."""
    line = " ".join(line.split())
    if any(is_secret_name(word) for word in re.findall(r"[\w-]+", line[:2000])) or re.search(
        r"(?i)fill|type|press|set|cookie|header|storage|request|evaluate|login|script", line
    ):
        line = unquoted(line)
    return line[:80]


def unquoted(text: str) -> str:
    """`text` of somebody's script for a message, without what stands in quotes."""
    return re.sub(r"""(["'`])(?:(?!\1).){0,500}(?:\1|$)""", r"\1…\1", " ".join(text.split()))[:80]


def shown_address(text: str) -> str:
    """An address or host of any form for a message or a name: without user, password and query."""
    return " ".join(text.rpartition("@")[2].partition("?")[0].split())[:60]


def without_userinfo(url: str) -> str:
    """`url` for a message: never with user and password, nor with its query."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an address"
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], quote(parts.path, safe="/%:@!$&'()*+,;=~-._{}"), "", ""))[:200]
