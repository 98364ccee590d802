"""`control:` of collector.yaml: where keys, ledger, inbox and progress are kept."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sojourn_collector.config_model import Model, is_loopback
from sojourn_collector.store.control.errors import ControlError
from sojourn_collector.store.control.postgres import PostgresAddress

SQLITE = "sqlite"
_EXAMPLE = "postgresql://sojourn@db.example:5432/sojourn"
_BY_REFERENCE = "put the password into a file or an environment variable and name that by control.password_file or control.password_env"


class ControlDatabase(Model):
    """Where the control database is. In short form the URL alone."""

    url: str = Field(
        default=SQLITE, description=f"`{SQLITE}`, a file in the data folder, or `{_EXAMPLE}`; a unix socket as `postgresql://USER@/DB?host=/run/…`."
    )
    password_file: Path | None = Field(default=None, strict=False, description="File that holds PostgreSQL's password; read at each connecting.")
    password_env: str | None = Field(default=None, description="Environment variable that holds PostgreSQL's password.")
    sslmode: Literal["disable", "require", "verify-ca", "verify-full"] | None = Field(
        default=None, description="TLS to PostgreSQL, as libpq has it; default: verify-full, on this machine none is needed."
    )
    ca_file: Path | None = Field(
        default=None, strict=False, description="PEM file of the authorities that PostgreSQL's certificate hangs on; default: the system's."
    )

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"url": value} if isinstance(value, str) else value

    @field_validator("password_file", "ca_file")
    @classmethod
    def _beside_the_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return (info.context["folder"] / value).resolve() if value is not None and info.context else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.url == SQLITE:
            more = [name for name in ("password_file", "password_env", "sslmode", "ca_file") if getattr(self, name) is not None]
            if more:
                raise ValueError(f"{more[0]} is of no use with sqlite; drop it, or give the url of a PostgreSQL database")
            return self
        _split(self.url)
        if self.password_file is not None and self.password_env is not None:
            raise ValueError("password_file and password_env are both given; drop one")
        if self.ca_file is not None and self.sslmode in ("disable", "require"):
            raise ValueError(f"sslmode {self.sslmode} looks at no certificate; drop ca_file, or say sslmode: verify-full")
        return self

    @property
    def shared(self) -> bool:
        """Whether several collectors may use it."""
        return self.url != SQLITE

    def where(self, data: Path, environ: Mapping[str, str]) -> Path | PostgresAddress:
        """The file, or the server with its password looked up when it is needed."""
        if not self.shared:
            return data / "control.sqlite"
        parts = _split(self.url)
        socket = parse_qs(parts.query).get("host", [""])[0]
        host = socket or str(parts.hostname)
        near = bool(socket) or is_loopback(host)
        mode = self.sslmode or ("verify-full" if self.ca_file is not None or not near else "prefer")
        return PostgresAddress(unquote(parts.username or ""), host, parts.port or 5432, unquote(parts.path[1:]), mode, self.ca_file, self._password(environ))

    def _password(self, environ: Mapping[str, str]) -> Callable[[], str] | None:
        file, name = self.password_file, self.password_env
        if file is not None:
            return lambda: _read(file)
        if name is not None:
            return lambda: _looked_up(environ, name)
        return None


def _split(url: str) -> SplitResult:
    """The parts of a PostgreSQL URL. Raises ValueError, never with what may be a password in it."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise ValueError(f"this is not the URL of a database; write {SQLITE}, or one such as {_EXAMPLE}") from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ValueError(f"this is not the URL of a database that can be used; write {SQLITE}, or one such as {_EXAMPLE}")
    query = parse_qs(parts.query, keep_blank_values=True)
    if parts.password is not None or "password" in query:
        raise ValueError(f"a password does not belong into the URL; {_BY_REFERENCE}")
    unknown = sorted(query.keys() - {"host"})
    if unknown or parts.fragment:
        raise ValueError(f"the URL takes no further parameters ({', '.join(unknown) or '#'}); TLS is set by control.sslmode and control.ca_file")
    if not parts.username or len(parts.path) < 2 or "/" in parts.path[1:] or bool(parts.hostname) == ("host" in query):
        raise ValueError(f"the URL needs a user, a host and a database, such as {_EXAMPLE}")
    return parts


def _read(file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise ControlError(f"control.password_file: {file} cannot be read ({getattr(error, 'strerror', None) or 'not UTF-8'})") from error
    if not text:
        raise ControlError(f"control.password_file: {file} is empty; put the password there")
    return text


def _looked_up(environ: Mapping[str, str], name: str) -> str:
    if not environ.get(name):
        raise ControlError(f"control.password_env: the environment variable {name} is empty; put the password there")
    return environ[name]
