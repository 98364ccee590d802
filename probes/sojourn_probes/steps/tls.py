"""What a `tls` step may say, and how any step that is neither http nor browser names a server and its TLS. The runner is `tls_run.py`."""

import ipaddress
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sojourn_probes.model import Model
from sojourn_probes.steps.auth import SecretText

StartTls = Literal["smtp", "imap", "pop3", "postgres", "ldap"]
"""Protocols that begin in plain text and are asked to go on in TLS."""

DEFAULT_PORTS: Final[dict[str | None, int]] = {None: 443, "smtp": 587, "imap": 143, "pop3": 110, "postgres": 5432, "ldap": 389}
"""Where a server is asked by `tls` steps that name no port, by the protocol of `starttls`."""


def _host(text: str) -> str:
    if "${" in text:
        return text
    if "/" in text or "@" in text or any(sign.isspace() for sign in text):
        raise ValueError(f"{text!r} is no host; write its name or address alone, such as mail.example")
    if text.startswith("[") and text.endswith("]"):
        return text[1:-1]
    if ":" in text:
        try:
            ipaddress.ip_address(text.partition("%")[0])
        except ValueError:
            raise ValueError(f"{text!r} is no host; write the port under port:") from None
    return text


def _version(value: Any) -> Any:
    """`1.2` without quotes is a number in YAML, and meant as what it looks like."""
    return str(value) if isinstance(value, float) else value


Host = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_host)]
"""A host's name or address."""

Port = Annotated[int, Field(strict=True, ge=1, le=65535)] | Annotated[str, Field(pattern=r"^\$\{[^{}]+\}$")]
"""A port, or the name of one."""

IpFamily = Literal["any", "4", "6"]
"""Which addresses are tried."""

Family = Annotated[
    IpFamily,
    BeforeValidator(
        lambda value: str(value) if isinstance(value, int) and not isinstance(value, bool) else value, json_schema_input_type=Literal["any", "4", "6", 4, 6]
    ),
]
"""`IpFamily`, in YAML with or without quotes."""


_Written = Literal["1.2", "1.3"] | Annotated[float, Field(json_schema_extra={"enum": [1.2, 1.3]})]
Version = Annotated[Literal["1.2", "1.3"], BeforeValidator(_version, json_schema_input_type=_Written)]
"""A TLS version, in YAML with or without quotes."""


class TlsSettings(Model):
    """How a TLS handshake is made and the server's certificate judged."""

    server_name: Host | None = Field(None, description="the name asked for (SNI) and looked for in the certificate; default host")
    verify: Annotated[bool, Field(strict=True)] = Field(True, description="false takes any certificate; its facts are measured all the same")
    ca_file: str | None = Field(None, description="PEM file of the authorities to trust, relative to the journey file; default: those of the system")
    cert_file: str | None = Field(None, description="PEM file with the client certificate to show, relative to the journey file")
    key_file: str | None = Field(None, description="PEM file with its key; default: the key is in cert_file")
    key_password: SecretText | None = Field(None, description="password of the key, by reference: ${secrets.name}")
    min_version: Version = Field("1.2", description="oldest TLS version taken")

    @model_validator(mode="after")
    def _key_with_certificate(self) -> "TlsSettings":
        if self.cert_file is None and (self.key_file is not None or self.key_password is not None):
            raise ValueError("has a key but no certificate; add cert_file:")
        return self


class TlsPart(TlsSettings):
    """One handshake, and what the server's certificate says."""

    host: Host = Field(description="name or address of the server")
    port: Port | None = Field(None, description="default 443; with starttls smtp 587, imap 143, pop3 110, postgres 5432, ldap 389")
    ip_family: Family = Field("any", description="4 or 6: only addresses of this kind are tried")
    starttls: StartTls | None = Field(None, description="begin in plain text of this protocol and ask it to go on in TLS")
