"""What an `http` step may say. The runner is `http_run.py`."""

import re
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, model_validator

from sojourn_probes.model import Model
from sojourn_probes.names import references
from sojourn_probes.units import Size

SECRET_HEADERS: Final = frozenset({"authorization", "proxy-authorization", "cookie", "x-api-key", "api-key", "x-auth-token"})
"""Headers whose value is a secret by nature: a literal is refused."""

RESERVED_HEADERS: Final = frozenset({"traceparent", "tracestate", "x-sojourn-probe", "content-length", "transfer-encoding", "connection"})
"""Headers the runner sets itself."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


def by_reference(text: str) -> str:
    """A field that is a secret by nature: its value must come from `${secrets.…}` or from what an earlier step extracted."""
    if not any(reference.parts[:1] in (("secrets",), ("steps",)) for reference in references(text)):
        raise ValueError('is a secret and must not stand in the file; write "${secrets.name}" and set SOJOURN_SECRET_NAME')
    return text


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


SecretText = Annotated[str, AfterValidator(by_reference)]
Headers = Annotated[dict[str, str], AfterValidator(_headers)]
Fields = dict[str, Annotated[str, BeforeValidator(_scalar_text, json_schema_input_type=str | int | float | bool)]]
Redirects = Annotated[int, Field(strict=True, ge=0, le=20)]


class HttpAuth(Model):
    """How to sign in: a user and password (basic), or a bearer token."""

    user: str | None = Field(None, description="user name for basic authentication")
    password: SecretText | None = Field(None, description="its password, by reference: ${secrets.name}")
    bearer: SecretText | None = Field(None, description="a bearer token, by reference: ${secrets.name} or ${steps.login.token}")

    @model_validator(mode="after")
    def _one_way(self) -> "HttpAuth":
        basic = self.user is not None and self.password is not None
        if basic == (self.bearer is not None) or (self.bearer is not None and (self.user is not None or self.password is not None)):
            raise ValueError("say user: and password:, or bearer: alone")
        return self


class HttpTls(Model):
    """How the server's certificate is judged."""

    verify: Annotated[bool, Field(strict=True)] = Field(True, description="false takes any certificate; its facts are measured all the same")
    ca_file: str | None = Field(None, description="PEM file of the authorities to trust, relative to the journey file; default: those of the system")


class HttpDefaults(Model):
    """What http steps take when they do not say otherwise (`defaults: {http: …}`)."""

    headers: Headers = Field({}, description="sent with every request, a step's own headers win")
    follow_redirects: Redirects | None = Field(None, description="how many redirects to follow")
    max_body: Size | None = Field(None, description="largest body read, decompressed")
    auth: HttpAuth | None = Field(None, description="how to sign in")
    tls: HttpTls | None = Field(None, description="how the certificate is judged")


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
    auth: HttpAuth | None = Field(None, description="how to sign in")
    follow_redirects: Redirects | None = Field(None, description="how many redirects to follow; default 10, 0 takes the first answer")
    max_body: Size | None = Field(None, description="largest body read, decompressed; default 5 MB, the step fails beyond it")
    tls: HttpTls | None = Field(None, description="how the certificate is judged")

    @model_validator(mode="after")
    def _one_body(self) -> "HttpPart":
        given = [name for name, there in (("json", self.has_json), ("form", self.form is not None), ("body", self.body is not None)) if there]
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} are two bodies; keep one")
        if given and self.method in ("GET", "HEAD"):
            raise ValueError(f"a {self.method} has no body; remove {given[0]}: or say method: POST")
        return self

    @property
    def has_json(self) -> bool:
        """Whether `json:` was given, `null` included."""
        return "json_body" in self.model_fields_set

    @property
    def has_body(self) -> bool:
        """Whether the request carries a body."""
        return self.has_json or self.form is not None or self.body is not None

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
            "follow_redirects": defaults.follow_redirects if self.follow_redirects is None else self.follow_redirects,
            "max_body": defaults.max_body if self.max_body is None else self.max_body,
            "tls": self.tls or defaults.tls,
        }
        return self.model_copy(update=changes)
