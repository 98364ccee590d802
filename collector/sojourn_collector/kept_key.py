"""Where a secret of the configuration is kept, and reading it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sojourn_collector.config_model import Model


class KeptKeyError(Exception):
    """A secret cannot be read; the text says which, why and the cure."""


class KeptKey(Model):
    """Where a key is kept: in a file or in an environment variable, never in collector.yaml itself."""

    file: Path | None = Field(default=None, strict=False, description="File that holds it.")
    env: str | None = Field(default=None, description="Environment variable that holds it.")

    @field_validator("file")
    @classmethod
    def _beside_the_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return (info.context["folder"] / value).resolve() if value is not None and info.context else value

    @model_validator(mode="before")
    @classmethod
    def _by_reference(cls, value: Any) -> Any:
        if isinstance(value, str | int | float):
            raise ValueError("a key does not belong into this file; write {file: …} or {env: …}")
        return value

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("say where the key is kept: file or env, one of them")
        return self

    def read(self, what: str, environ: Mapping[str, str]) -> str:
        """The secret; `what` names it in the error. Read at each use, so that a new one is found. Raises KeptKeyError."""
        try:
            text = self.file.read_text(encoding="utf-8").strip() if self.file else environ.get(self.env or "", "").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise KeptKeyError(f"{what}: {self.file} cannot be read ({getattr(error, 'strerror', None) or 'it is not text'}); put it there") from error
        if not text:
            raise KeptKeyError(f"{what}: {self.file or f'the environment variable {self.env}'} is empty; put it there")
        return text
