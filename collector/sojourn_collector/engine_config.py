"""`engine:` of collector.yaml: where the tables are kept."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sojourn_collector.config_model import Model, is_loopback
from sojourn_collector.store.endpoint import Endpoint, EngineStartError
from sojourn_collector.store.layout import Layout

_EXAMPLE = "https://ch1.example:8443"
_DATABASE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,62}")
_CLUSTER = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,62}")
PORTS = {"http": 8123, "https": 8443}
"""ClickHouse's own ports of its HTTP interface."""


class StoreEngine(Model):
    """Where the tables are kept. In short form `embedded`, or the URL of one ClickHouse server."""

    hosts: tuple[str, ...] = Field(
        default=(),
        strict=False,
        max_length=64,
        description=f"ClickHouse servers by their HTTP interface, such as `{_EXAMPLE}`; the first that answers is used. Without any the engine is embedded.",
    )
    database: str = Field(default="sojourn", description="Database of the tables; made where it is missing.")
    cluster: str | None = Field(default=None, description="Name of the cluster in the servers' `remote_servers`; without it the tables are on one server.")
    user: str = Field(default="default", min_length=1, max_length=128, description="User at the servers.")
    password_file: Path | None = Field(default=None, strict=False, description="File that holds the user's password.")
    password_env: str | None = Field(default=None, description="Environment variable that holds the user's password.")
    ca_file: Path | None = Field(
        default=None, strict=False, description="PEM file of the authorities that the servers' certificates hang on; default: the system's."
    )
    cert_file: Path | None = Field(default=None, strict=False, description="PEM file with a certificate of the collector's own, where the servers want one.")
    key_file: Path | None = Field(default=None, strict=False, description="PEM file with its key; default: it is in cert_file.")
    insecure: bool = Field(default=False, description="Allow http:// to another machine: user, password and data can be read on the way.")

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        if value == "embedded":
            return {}
        if isinstance(value, str):
            return {"hosts": [value]}
        if isinstance(value, dict) and value and not value.get("hosts"):
            raise ValueError(f"hosts names no server; give one such as {_EXAMPLE}, or write engine: embedded")
        if not isinstance(value, (dict, StoreEngine)):
            raise ValueError(f"write embedded, the URL of a ClickHouse server such as {_EXAMPLE}, or a mapping with hosts")
        return value

    @field_validator("hosts")
    @classmethod
    def _urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for host in value:
            _split(host)
        if len(set(value)) != len(value):
            raise ValueError("a host is named twice; keep one")
        return value

    @field_validator("database")
    @classmethod
    def _database_name(cls, value: str) -> str:
        if not _DATABASE.fullmatch(value):
            raise ValueError(f"{value[:80]!r} is not the name of a database; use letters, digits and _, at most 63")
        return value

    @field_validator("cluster")
    @classmethod
    def _cluster_name(cls, value: str | None) -> str | None:
        if value is not None and not _CLUSTER.fullmatch(value):
            raise ValueError(f"{value[:80]!r} is not the name of a cluster; use letters, digits, _, - and ., at most 63")
        return value

    @field_validator("password_file", "ca_file", "cert_file", "key_file")
    @classmethod
    def _beside_the_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return (info.context["folder"] / value).resolve() if value is not None and info.context else value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        parts = [_split(host) for host in self.hosts]
        if len({secure for secure, _, _ in parts}) > 1:
            raise ValueError("some hosts are https and some http; give all of them as https")
        if len(parts) > 1 and self.cluster is None:
            raise ValueError("several hosts without a cluster would each hold a part of the data; give cluster, or one host")
        secure = all(secure for secure, _, _ in parts)
        far = [host for _, host, _ in parts if not is_loopback(host)]
        if far and not secure and not self.insecure:
            raise ValueError(f"http:// sends user and password to {far[0]} in the clear; write https://, or say insecure: true in a network of your own")
        if self.password_file is not None and self.password_env is not None:
            raise ValueError("password_file and password_env are both given; drop one")
        if not secure and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("ca_file, cert_file and key_file are for https:// hosts; drop them or write https://")
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file is given without cert_file; give both")
        return self

    @property
    def embedded(self) -> bool:
        """Whether the collector runs the engine itself."""
        return not self.hosts

    @property
    def layout(self) -> Layout:
        """The shape of the tables."""
        return Layout() if self.embedded else Layout(self.database, self.cluster or "")

    def endpoints(self, environ: Mapping[str, str]) -> list[Endpoint]:
        """The servers with the password looked up. Raises EngineStartError naming where it is missing."""
        password = self._password(environ)
        for key, file in (("ca_file", self.ca_file), ("cert_file", self.cert_file), ("key_file", self.key_file)):
            if file is not None and not file.is_file():
                raise EngineStartError(f"engine.{key}: {file} cannot be read; put the PEM file there")
        return [
            Endpoint(
                host,
                port,
                user=self.user,
                password=password,
                secure=secure,
                ca_file=self.ca_file,
                cert_file=self.cert_file,
                key_file=self.key_file,
                layout=self.layout,
            )
            for secure, host, port in map(_split, self.hosts)
        ]

    def _password(self, environ: Mapping[str, str]) -> str:
        if self.password_env is not None:
            if not (text := environ.get(self.password_env, "")):
                raise EngineStartError(f"engine.password_env: the environment variable {self.password_env} is empty; put the password there")
            return text
        if self.password_file is None:
            return ""
        try:
            text = self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            why = getattr(error, "strerror", None) or "not UTF-8"
            raise EngineStartError(f"engine.password_file: {self.password_file} cannot be read ({why}); put the password there") from error
        if not text:
            raise EngineStartError(f"engine.password_file: {self.password_file} is empty; put the password there")
        return text


def _split(url: str) -> tuple[bool, str, int]:
    """Whether by TLS, host and port. Raises ValueError, never with what may be a password in it."""
    wrong = f"this is not the URL of a ClickHouse server's HTTP interface; write one such as {_EXAMPLE}"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("a user or password does not belong into the URL; give engine.user and engine.password_file or engine.password_env")
    if parts.scheme not in PORTS or not parts.hostname or port == 0:
        raise ValueError(wrong)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"{parts.scheme}://{parts.netloc} must end there, without path or parameters; database and user have keys of their own")
    return parts.scheme == "https", parts.hostname, port or PORTS[parts.scheme]
