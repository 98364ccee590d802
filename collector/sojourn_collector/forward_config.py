"""`forward:` of collector.yaml: other backends that get what comes in, or a part of it."""

import re
from pathlib import Path
from typing import Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sojourn_collector.config_model import Model, is_loopback
from sojourn_collector.quantities import Duration, Size


class HeaderValue(Model):
    """Where the value of a header is kept; it never stands in the file itself."""

    file: Path | None = Field(default=None, strict=False, description="File that holds the value.")
    env: str | None = Field(default=None, description="Environment variable that holds the value.")
    prefix: str = Field(default="", max_length=64, pattern=r"^[ -~]*$", description='Text before it, such as "Bearer ".')

    @model_validator(mode="before")
    @classmethod
    def _never_here(cls, value: Any) -> Any:
        if not isinstance(value, dict):
            # What was written is not repeated: it may be a secret.
            raise ValueError("a header's value is not written here; keep it elsewhere and write {file: …} or {env: …}")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("a header needs either file or env; its value is not written here")
        return self


class ForwardOnly(Model):
    """Which items a destination gets: those for which every part that is given holds. Without any part: all."""

    traffic: tuple[Literal["synthetic", "real", "none"], ...] = Field(
        default=(), strict=False, description="`synthetic`, `real`; `none` for what carries no mark, such as spans of backends."
    )
    services: tuple[str, ...] = Field(default=(), strict=False, description="Values of `service.name`.")
    attributes: dict[str, str] = Field(default_factory=dict, description="Attribute and value, on the item or else its resource; `*` = any value.")


_OWN_HEADERS = frozenset({"content-type", "content-encoding", "content-length", "transfer-encoding", "connection", "host", "idempotency-key"})


class Destination(Model):
    """Another backend that gets what comes in, over OTLP/HTTP."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$", description="Name, in metrics and of its folder; small letters, digits and hyphens.")
    endpoint: str = Field(description="Base URL; `/v1/traces` and its like are added.")
    headers: dict[str, HeaderValue] = Field(default_factory=dict, description="Headers of every request.")
    signals: tuple[Literal["traces", "logs", "metrics"], ...] = Field(
        default=("traces", "logs", "metrics"), strict=False, min_length=1, description="Which of traces, logs, metrics."
    )
    only: ForwardOnly | None = Field(default=None, description="A part of it.")
    ca_file: Path | None = Field(default=None, strict=False, description="PEM file of the authorities to trust instead of the system's.")
    insecure: bool = Field(default=False, description="Allow http:// to another machine.")
    max_bytes: Size = Field(default=2 << 30, ge=1 << 20, description="Bytes that may wait for it; beyond it the oldest are dropped.")
    max_age: Duration = Field(default=259_200.0, ge=1.0, description="Age at which what waits is dropped.")

    @field_validator("ca_file")
    @classmethod
    def _beside_the_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return (info.context["folder"] / value).resolve() if value is not None and info.context else value

    @field_validator("headers")
    @classmethod
    def _good_headers(cls, value: dict[str, HeaderValue], info: ValidationInfo) -> dict[str, HeaderValue]:
        for name in value:
            if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or name.lower() in _OWN_HEADERS:
                raise ValueError(f"{name[:40]!r} cannot be set as a header here; drop it")
        folder = info.context["folder"] if info.context else Path()
        return {name: one.model_copy(update={"file": folder / one.file}) if one.file else one for name, one in value.items()}

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        try:
            parts = urlsplit(self.endpoint)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
        except ValueError:
            good = False
        if not good or parts.query or parts.fragment or re.search(r"[^!-~]", self.endpoint):
            raise ValueError("endpoint is not a base URL; write one such as https://otlp.example:4318")
        if parts.username is not None or parts.password is not None:
            raise ValueError("endpoint holds a name or password; give it under headers:, by file or env")
        if re.search(r"/v1/(traces|logs|metrics)/?$", parts.path):
            raise ValueError("endpoint is a base URL; leave /v1/… away")
        if parts.scheme == "http" and not is_loopback(str(parts.hostname)) and not self.insecure:
            raise ValueError("endpoint sends in clear to another machine; write https://, or say insecure: true")
        return self
