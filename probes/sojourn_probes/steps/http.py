"""What an `http` step may say. The runner is `http_run.py`."""

import re
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from sojourn_probes.model import Model
from sojourn_probes.own_file import File
from sojourn_probes.steps.auth import Auth, SecretText, by_reference
from sojourn_probes.steps.tls import Family, TlsSettings
from sojourn_probes.units import Size

SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})
"""Headers whose value is a secret by nature: a literal is refused."""

RESERVED_HEADERS: Final = frozenset({"traceparent", "tracestate", "x-sojourn-probe", "content-length", "transfer-encoding", "connection"})
"""Headers the runner sets itself."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_MEDIA_TYPE: Final = r"^[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+(;[^\r\n]*)?$"


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name, value in headers.items():
        low = name.lower()
        if not _HEADER_NAME.fullmatch(name):
            raise ValueError(f"{name!r} cannot be the name of a header; use letters, digits and hyphens")
        if low in RESERVED_HEADERS:
            raise ValueError(f"{name} is set by the runner; remove it")
        if "\n" in value or "\r" in value:
            raise ValueError(f"{name} has a line break in its value; remove it")
        if low in SECRET_HEADERS:
            try:
                by_reference(value)
            except ValueError as fault:
                raise ValueError(f"{name} {fault}") from None
    return headers


def _scalar_text(value: Any) -> Any:
    """Numbers and true/false are meant as their text in a query or a form."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value) if isinstance(value, int | float) else value


Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Fields = dict[str, Annotated[str, BeforeValidator(_scalar_text, json_schema_input_type=str | int | float | bool)]]
Redirects = Annotated[int, Field(strict=True, ge=0, le=20)]


def _proxy_url(text: str) -> str:
    if "${" in text:
        return text
    if not text.lower().startswith("http://"):
        raise ValueError(f"{text!r} is no proxy that can be used; write it as http://host:port")
    if "@" in text:
        raise ValueError("has a user or password in it; write {url, user, password} with ${secrets.…} instead")
    return text


def _proxy(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


def _part(value: Any) -> Any:
    return {"value": _scalar_text(value)} if isinstance(value, str | int | float) else value


class MultipartPart(Model):
    """One part of a multipart body: a value, or a file."""

    value: Annotated[str, BeforeValidator(_scalar_text, json_schema_input_type=str | int | float | bool)] | None = Field(None, description="what it holds")
    file: File | None = Field(None, description="the file it holds, beside the journey")
    filename: Annotated[str, Field(min_length=1, max_length=255)] | None = Field(None, description="what the file is called; default its name")
    type: Annotated[str, Field(pattern=_MEDIA_TYPE)] | None = Field(None, description="content type; default by the file's name")

    @model_validator(mode="after")
    def _one(self) -> "MultipartPart":
        if (self.value is None) == (self.file is None):
            raise ValueError("say one of value: and file:")
        return self


class Proxy(Model):
    """A proxy to go through."""

    url: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_proxy_url)] = Field(description="such as http://proxy.example:3128")
    user: str | None = Field(None, description="user name the proxy wants")
    password: SecretText | None = Field(None, description="its password, by reference: ${secrets.name}")

    @model_validator(mode="after")
    def _both(self) -> "Proxy":
        if (self.user is None) != (self.password is None):
            raise ValueError("say user: and password: both, or neither")
        return self


_Scalar = str | int | float | bool
MultipartField = Annotated[MultipartPart, BeforeValidator(_part, json_schema_input_type=_Scalar | MultipartPart)]
ProxyField = Annotated[Proxy, BeforeValidator(_proxy, json_schema_input_type=str | Proxy)]
HttpVersion = Annotated[
    Literal["auto", "1.1", "2"],
    BeforeValidator(
        lambda value: str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value,
        json_schema_input_type=Literal["auto", "1.1", "2", 2] | Annotated[float, Field(json_schema_extra={"enum": [1.1]})],
    ),
]
"""HTTP's version, in YAML with or without quotes."""
Connections = Literal["fresh", "kept"]
Yes = Annotated[bool, Field(strict=True)]


class HttpDefaults(Model):
    """What http steps take when they do not say otherwise (`defaults: {http: …}`)."""

    headers: Headers = Field({}, description="sent with every request, a step's own headers win")
    follow_redirects: Redirects | None = Field(None, description="how many redirects to follow")
    max_body: Size | None = Field(None, description="largest body read, decompressed")
    auth: Auth | None = Field(None, description="how to sign in")
    tls: TlsSettings | None = Field(None, description="how TLS is spoken and the certificate judged")
    http_version: HttpVersion | None = Field(None, description="auto, 1.1 or 2")
    ip_family: Family | None = Field(None, description="4 or 6: only addresses of this kind are tried")
    proxy: ProxyField | None = Field(None, description="a proxy to go through")
    connections: Connections | None = Field(None, description="fresh or kept")


class HttpPart(Model):
    """One request, its redirects followed."""

    Defaults: ClassVar[type[Model]] = HttpDefaults
    implied: ClassVar[tuple[str, ...]] = ("status < 400",)
    """Expected unless the step says something about the same source itself."""

    url: Annotated[str, Field(min_length=1, max_length=8192, description="where to, relative to base_url or absolute")]
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] | None = Field(None, description="default GET, with a body POST")
    headers: Headers = Field({}, description="headers to send")
    query: Fields = Field({}, description="parameters added to the url")
    json_body: JsonValue = Field(None, alias="json", description="a body sent as JSON")
    form: Fields | None = Field(None, description="a body sent as a form")
    body: str | None = Field(None, description="a body sent as it stands")
    file: File | None = Field(None, description="a file sent as the body, beside the journey")
    multipart: dict[str, MultipartField] | None = Field(None, description="a body of several parts, as forms with files send it")
    auth: Auth | None = Field(None, description="how to sign in")
    follow_redirects: Redirects | None = Field(None, description="how many redirects to follow; default 10, 0 takes the first answer")
    max_body: Size | None = Field(None, description="largest body read, decompressed; default 5 MB, the step fails beyond it")
    tls: TlsSettings | None = Field(None, description="how TLS is spoken and the certificate judged")
    http_version: HttpVersion | None = Field(None, description="auto (2 where the server offers it under TLS), 1.1 or 2; default auto")
    ip_family: Family | None = Field(None, description="4 or 6: only addresses of this kind are tried; default any")
    all_addresses: Yes = Field(False, description="ask each address the name has; the step fails when one of them does")
    proxy: ProxyField | None = Field(None, description="a proxy to go through; default none, those of the environment are not used")
    connections: Connections | None = Field(None, description="fresh: new ones in this step, so that handshakes are seen; kept: go on with the attempt's")

    @model_validator(mode="after")
    def _one_body(self) -> "HttpPart":
        given = [name for name, there in self._bodies().items() if there]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are two bodies; keep one")
        if given and self.method in ("GET", "HEAD"):
            raise ValueError(f"a {self.method} has no body; remove {given[0]}: or say method: POST")
        return self

    @model_validator(mode="after")
    def _some_part(self) -> "HttpPart":
        if self.multipart == {}:
            raise ValueError("multipart has no parts; give it some, or remove it")
        return self

    @model_validator(mode="after")
    def _one_way(self) -> "HttpPart":
        if self.all_addresses and self.proxy is not None:
            raise ValueError("a proxy looks addresses up itself; remove all_addresses or proxy")
        return self

    def _bodies(self) -> dict[str, bool]:
        others = {name: getattr(self, name) is not None for name in ("form", "body", "file", "multipart")}
        return {"json": self.has_json} | others

    @property
    def has_json(self) -> bool:
        """Whether `json:` was given, `null` included."""
        return "json_body" in self.model_fields_set

    @property
    def has_body(self) -> bool:
        """Whether the request carries a body."""
        return any(self._bodies().values())

    @property
    def verb(self) -> str:
        """The method, the default filled in."""
        return self.method or ("POST" if self.has_body else "GET")

    def first_url(self) -> str | None:
        """The address this step asks first, not yet filled."""
        return self.url

    def merged(self, defaults: Any) -> "HttpPart":
        """This part with the journey's `defaults: {http: …}` where it says nothing itself."""
        if not isinstance(defaults, HttpDefaults):
            return self
        own = {name.lower() for name in self.headers}
        signs_in = self.auth is not None or "authorization" in own
        changes: dict[str, Any] = {
            "headers": {name: value for name, value in defaults.headers.items() if name.lower() not in own} | self.headers,
            "auth": self.auth if signs_in else defaults.auth,
        }
        for name in ("follow_redirects", "max_body", "tls", "http_version", "ip_family", "proxy", "connections"):
            own_value = getattr(self, name)
            changes[name] = getattr(defaults, name) if own_value is None else own_value
        if self.all_addresses:
            changes["proxy"] = self.proxy
        return self.model_copy(update=changes)
