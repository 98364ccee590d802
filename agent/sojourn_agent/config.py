"""agent.yaml as frozen models: read once at the start, unknown keys refused, every problem with its place and cure."""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Final, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, ValidationInfo, field_validator, model_validator

from sojourn_agent.rum.config import RumConfig
from sojourn_probes.errors import Problem, SojournError
from sojourn_probes.problems import sentences
from sojourn_probes.units import Duration, Size
from sojourn_probes.yaml_core import MAX_BYTES, YamlFault, read

__all__ = ["AgentConfig", "ConfigError", "Destination", "Key", "ProbeKey", "is_loopback", "load_agent_config", "split_listen"]

ID_PATTERN: Final = r"^[a-z0-9][a-z0-9_-]{0,63}$"
NAME_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_-]{0,63}$"


class ConfigError(SojournError):
    """agent.yaml cannot be used; `str()` is one line for each problem: `file:line:col: key: what is wrong, and the cure`."""


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    return path if folder is None else folder / path


def _path_text(value: object) -> Path:
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value.strip() or "\0" in value:
        raise ValueError("wants a path")
    return Path(value)


RelativePath = Annotated[Path, BeforeValidator(_path_text), AfterValidator(_beside_the_file)]
"""A path, relative to the folder agent.yaml lies in."""


def split_listen(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:8411` or `[::1]:8411`. Raises ValueError."""
    found = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]\s]+):(\d{1,5})", text)
    if not found or int(found[2]) > 65535:
        raise ValueError(f"{text!r} is not an address; write host:port, such as 127.0.0.1:8411")
    return found[1].strip("[]"), int(found[2])


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _guard(listen: str, insecure: bool) -> None:
    if not is_loopback(split_listen(listen)[0]) and not insecure:
        raise ValueError(
            f"{listen} can be reached from other machines and the agent has no TLS of its own yet; "
            "listen on 127.0.0.1 behind a proxy that has, or say insecure: true beside it"
        )


class Key(_Settings):
    """Where a key is kept: in a file or in an environment variable, never in agent.yaml itself."""

    file: RelativePath | None = Field(None, description="file that holds it")
    env: str | None = Field(None, min_length=1, description="environment variable that holds it")

    @model_validator(mode="after")
    def _one_of_two(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("say where the key is kept: file: or env:, one of them")
        return self


class ProbeKey(Key):
    """A key that signs probe marks."""

    id: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="its name, the same in collector.yaml")


class SecretFile(_Settings):
    """Where a secret of journeys is kept."""

    file: RelativePath = Field(description="file that holds it")


class Destination(_Settings):
    """Where telemetry goes: our collector, or any other that takes OTLP over HTTP."""

    name: str = Field(pattern=NAME_PATTERN, description="its name in logs; how far it has come is remembered under it")
    url: str = Field(description="without /v1/traces, such as http://127.0.0.1:4318")
    key: Key | None = Field(None, description="bearer token, if it wants one")
    evidence: bool = Field(False, strict=True, description="send evidence of failed steps there too; only a collector of ours takes it")

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        try:
            parts = urlsplit(url)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
        if not fine or parts.query or parts.fragment or parts.username:
            raise ValueError(f"{url!r} is not an address to send to; write scheme, host and port such as http://127.0.0.1:4318")
        if re.search(r"/v1/(traces|logs|metrics)/?$", url):
            raise ValueError(f"{url!r} names one signal; leave /v1/… away, it is added")
        return url.rstrip("/")


class RumListener(RumConfig):
    """Where beacons are taken in; without apps there is no such listener."""

    insecure: bool = Field(False, strict=True, description="allow an address off loopback without TLS")

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        _guard(self.listen, self.insecure)
        return self


class AdminListener(_Settings):
    """Where /healthz, /readyz, /metrics and /runs are."""

    listen: str = Field("127.0.0.1:8411", description="address and port")
    insecure: bool = Field(False, strict=True, description="allow an address off loopback without TLS")
    hosts: tuple[str, ...] = Field((), description="further names it may be asked under (Host header)")

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        _guard(self.listen, self.insecure)
        return self


def _room_for_some(size: int) -> int:
    if size < 4 << 20:
        raise ValueError("must be at least 4 MiB, so that a few batches fit")
    return size


def _room_for_a_page(size: int) -> int:
    if size < 128 << 20:
        raise ValueError("must be at least 128 MiB, which an empty browser takes already")
    return size


class SpoolSettings(_Settings):
    """How much is kept for destinations that cannot be reached; beyond it the oldest goes first, counted."""

    max_bytes: Annotated[Size, AfterValidator(_room_for_some)] = Field(1 << 30, description="bytes on disk, at least 4 MiB")
    max_age: Annotated[Duration, Field(ge=60)] = Field(14 * 86400.0, description="how old a batch may become")


class EvidenceSettings(_Settings):
    """How much evidence of failed steps (answers, screenshots and the like) is kept on this host; what waits to be sent is part of it."""

    max_bytes: Size = Field(512 << 20, description="bytes on disk; the oldest goes first")
    max_age: Annotated[Duration, Field(ge=60)] = Field(14 * 86400.0, description="how old it may become")


class BrowserSettings(_Settings):
    """When the warm browser of this agent is replaced by a fresh one."""

    recycle_after: int = Field(100, strict=True, ge=1, le=100_000, description="runs that one browser serves")
    recycle_memory: Annotated[Size, AfterValidator(_room_for_a_page)] = Field(
        1 << 30, description="bytes of all its processes beyond which it is replaced after the run, at least 128 MiB"
    )


class HostSettings(_Settings):
    """When this host is too starved to measure: a run during which a budget was exceeded is inconclusive."""

    loop_lag: Annotated[Duration, Field(gt=0)] = Field(2.0, description="how late the agent itself may be")
    cpu: float | None = Field(None, gt=0, le=1, description="share of the host's CPU that may be busy over a whole run, 0–1; default not judged")


class AgentConfig(_Settings):
    """Everything agent.yaml may say."""

    location: str = Field("local", pattern=ID_PATTERN, description="where this agent stands; journeys may name it under locations:")
    journeys: RelativePath = Field(description="folder of journey files; read again when one changes")
    data: RelativePath = Field(description="folder for the spool, dead letters and evidence")
    send: tuple[Destination, ...] = Field(min_length=1, description="where telemetry goes; each gets everything")
    rum: RumListener = Field(default_factory=lambda: RumListener.model_validate({}), description="beacons of real browsers")
    admin: AdminListener = Field(default_factory=lambda: AdminListener.model_validate({}), description="the agent about itself")
    secrets: dict[Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")], SecretFile] = Field(
        default_factory=dict, description="secrets of journeys, by name; SOJOURN_SECRET_<NAME> and systemd credentials come first"
    )
    secrets_file: RelativePath | None = Field(None, description="file of NAME=value lines, asked last; only its owner may read it (chmod 600)")
    probe_keys: tuple[ProbeKey, ...] = Field((), description="sign what probes send, so that it is never taken for a customer; the newest first")
    spool: SpoolSettings = Field(default_factory=lambda: SpoolSettings.model_validate({}), description="what waits to be sent")
    evidence: EvidenceSettings = Field(default_factory=lambda: EvidenceSettings.model_validate({}), description="what failed steps leave")
    browser: BrowserSettings = Field(default_factory=lambda: BrowserSettings.model_validate({}), description="the warm browser")
    host: HostSettings = Field(default_factory=lambda: HostSettings.model_validate({}), description="when measuring here cannot be trusted")
    runs_at_once: int = Field(20, strict=True, ge=1, le=1000, description="how many runs may go on together; browser runs take their turn among themselves")

    @field_validator("send")
    @classmethod
    def _names_differ(cls, send: tuple[Destination, ...]) -> tuple[Destination, ...]:
        names = [destination.name for destination in send]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"two destinations are called {twice}; names must differ")
        return send

    @field_validator("probe_keys")
    @classmethod
    def _ids_differ(cls, keys: tuple[ProbeKey, ...]) -> tuple[ProbeKey, ...]:
        ids = [key.id for key in keys]
        twice = next((key for key in ids if ids.count(key) > 1), None)
        if twice:
            raise ValueError(f"two probe keys are called {twice}; ids must differ")
        return keys


def load_agent_config(path: Path) -> AgentConfig:
    """The configuration in the file `path`; paths in it are made relative to its folder. Needs no environment. Raises `ConfigError`."""
    file = str(path)
    text = _text(path)
    try:
        document = read(text)
    except YamlFault as fault:
        raise ConfigError(str(Problem(file, fault.line, fault.col, fault.key, str(fault)))) from None
    if not isinstance(document.data, dict):
        raise ConfigError(f"{file}:1:1: is no agent configuration; it begins with journeys:, data: and send:, see configs/agent.yaml")
    try:
        return AgentConfig.model_validate(document.data, context={"folder": path.parent})
    except ValidationError as error:
        raise ConfigError("\n".join(str(problem) for problem in sentences(error, AgentConfig, document, file))) from None


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes() if path.stat().st_size <= MAX_BYTES else None
        if raw is None:
            raise ConfigError(f"{path}:1:1: is larger than {MAX_BYTES // 1024} KiB; is it the right file?")
        text = raw.decode("utf-8-sig")
    except FileNotFoundError:
        raise ConfigError(f"{path} is not there; name the agent's configuration with --config, configs/agent.yaml is one to begin with") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{path}:1:1: is not UTF-8; save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from None
    if not text.strip():
        raise ConfigError(f"{path}:1:1: is empty; configs/agent.yaml is one to begin with")
    return text
