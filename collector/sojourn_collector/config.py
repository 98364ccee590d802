"""collector.yaml as frozen models, read once at the start; unknown keys are refused. impact.yaml is `impact_config.py`'s."""

import math
import re
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator, model_validator

from sojourn_collector import strict_yaml
from sojourn_collector.config_model import Model, is_loopback
from sojourn_collector.control_config import ControlDatabase
from sojourn_collector.engine_config import StoreEngine
from sojourn_collector.feeds_config import FeedSettings, good_feed_names
from sojourn_collector.forward_config import Destination
from sojourn_collector.impact_config import ImpactConfig, Windows, load_impact_config
from sojourn_collector.keep_config import Keep
from sojourn_collector.kept_key import KeptKey
from sojourn_collector.quantities import SECONDS, Duration, Size, duration, size
from sojourn_collector.sources_config import SignedSettings, SourceSettings, good_names, good_signed
from sojourn_collector.strict_yaml import ConfigError

__all__ = [
    "CollectorConfig",
    "ConfigError",
    "ImpactConfig",
    "Keep",
    "KeptKey",
    "Windows",
    "check_keep",
    "duration",
    "is_loopback",
    "load_collector_config",
    "load_impact_config",
    "size",
]


def split_listen(text: str) -> tuple[str, int]:
    """Host and port of `127.0.0.1:4318` or `[::1]:4318`. Raises ValueError."""
    match = re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[^:\[\]\s]+):(\d{1,5})", text)
    if not match or int(match[2]) > 65_535:
        raise ValueError(f"{text!r} is not an address; write host:port, such as 127.0.0.1:4318")
    return match[1].strip("[]"), int(match[2])


_OPEN = (
    "{} can be reached from other machines; give tls: a certificate, listen on 127.0.0.1 behind a proxy, or say insecure: true (a key is needed all the same)"
)


class ListenerTls(Model):
    """TLS of a listener. Files are relative to collector.yaml; certificate and key are read again when they change."""

    cert_file: Path = Field(strict=False, description="PEM file with the certificate and those it hangs on.")
    key_file: Path | None = Field(default=None, strict=False, description="PEM file with its key, without a password; default: it is in cert_file.")

    @field_validator("cert_file", "key_file", "client_ca_file", check_fields=False)
    @classmethod
    def _beside_the_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return (info.context["folder"] / value).resolve() if value is not None and info.context else value


class OtlpTls(ListenerTls):
    """TLS where OTLP comes in, over HTTP and gRPC."""

    client_ca_file: Path | None = Field(
        default=None,
        strict=False,
        description="PEM file of authorities; only senders with a certificate of one may connect, and need no key. Read at the start only.",
    )


class Listener(Model):
    """An address to listen on."""

    listen: str = Field(description="Address and port; port 0 takes a free one.")
    insecure: bool = Field(default=False, description="Allow an address off loopback without TLS; requests then need a key.")
    tls: ListenerTls | None = Field(default=None, description="Speak TLS.")

    @property
    def address(self) -> tuple[str, int]:
        """Host and port."""
        return split_listen(self.listen)

    @property
    def needs_key(self) -> bool:
        """Whether a request must carry a key: always off loopback."""
        return not is_loopback(self.address[0])

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        host, _ = split_listen(self.listen)
        if not is_loopback(host) and not self.insecure and self.tls is None:
            raise ValueError(_OPEN.format(self.listen))
        return self


class OtlpListener(Listener):
    """Where OTLP comes in."""

    listen: str = Field(default="127.0.0.1:4318", description="Address and port of OTLP over HTTP; port 0 takes a free one.")
    tls: OtlpTls | None = Field(default=None, description="Speak TLS, over HTTP and gRPC.")
    grpc: str = Field(default="off", description="Address and port of OTLP over gRPC, such as 127.0.0.1:4317; `off` takes none.")

    @property
    def grpc_address(self) -> tuple[str, int] | None:
        """Host and port, None when gRPC is off."""
        return None if self.grpc == "off" else split_listen(self.grpc)

    @property
    def grpc_needs_key(self) -> bool:
        """Whether a call over gRPC must carry a key: always off loopback."""
        return self.grpc_address is not None and not is_loopback(self.grpc_address[0])

    @model_validator(mode="after")
    def _guarded_grpc(self) -> Self:
        if self.grpc_needs_key and not self.insecure and self.tls is None:
            raise ValueError(_OPEN.format(self.grpc))
        return self


class WebListener(Listener):
    """Where report and API are served."""

    listen: str = Field(default="127.0.0.1:8400", description="Address and port of report and API; port 0 takes a free one.")
    hosts: tuple[str, ...] = Field(default=(), strict=False, description="Further names the report may be asked under (Host header), such as sojourn.example.")
    origins: tuple[str, ...] = Field(
        default=(), strict=False, description="Origins whose pages may post to /v1/* by script, such as https://shop.example; none by default."
    )

    @field_validator("origins")
    @classmethod
    def _origins_read(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for one in value:
            if not re.fullmatch(r"https?://[a-z0-9.-]+(:\d{1,5})?|https?://\[[0-9a-f:]+\](:\d{1,5})?", one):
                raise ValueError(f"{one[:80]!r} is no origin; write scheme and host in small letters and no path, such as https://shop.example")
        return value


class ProbeKey(Model):
    """A key that signs probe marks; the newest first, two during rotation."""

    id: str = Field(min_length=1, max_length=64, description="Name of the key, as in agent.yaml.")
    file: Path | None = Field(default=None, strict=False, description="File that holds the key.")
    env: str | None = Field(default=None, description="Environment variable that holds the key.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError(f"probe key {self.id} needs either file or env")
        return self


class Limits(Model):
    """What one request and the engine may use."""

    body: Size = Field(default=20 << 20, ge=1024, le=64 << 20, description="Largest OTLP request, after decompression.")
    ratio: int = Field(default=100, ge=2, description="Most bytes out per byte in when decompressing; beyond it is a bomb.")
    body_deadline: Duration = Field(default=10.0, gt=0, description="Time a request may take to arrive.")
    concurrent: int = Field(default=64, ge=1, description="OTLP requests in work at once; more are told to come back (503).")
    in_flight: Size = Field(
        default=256 << 20, ge=4 << 20, description="Bytes of OTLP bodies held at once, those still arriving included; more are told to come back (503)."
    )
    connections: int = Field(
        default=4096,
        ge=16,
        description="Connections of a listener at once; beyond it the longest idle one over HTTP is closed for a new one, and a new one over gRPC.",
    )
    journal: Size = Field(default=4 << 30, ge=64 << 20, description="Bytes that may wait on disk for the engine; beyond it senders get 503.")
    memory: Size = Field(default=4 << 30, ge=512 << 20, description="Memory the engine may use.")


class EvidenceBucket(Model):
    """A bucket that speaks S3. Needs the extra `s3`: pip install 'sojourn[s3]'."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{1,254}$", description="Name of the bucket; it must be there.")
    endpoint: str = Field(default="", description="Where it is, such as https://minio.example:9000; empty for Amazon.")
    region: str = Field(default="us-east-1", pattern=r"^[a-z0-9-]{1,64}$", description="Its region; others than Amazon mostly take any.")
    prefix: str = Field(
        default="sojourn/evidence",
        pattern=r"^[A-Za-z0-9._/-]{1,200}$",
        description="Where in the bucket evidence lies. Belongs to one collector: what it does not know there it removes.",
    )
    access_key: KeptKey | None = Field(default=None, description="Id of the key; without it the host's own credentials are used.")
    secret_key: KeptKey | None = Field(default=None, description="The key's secret.")
    insecure: bool = Field(default=False, description="Allow an endpoint off loopback without TLS.")

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if (self.access_key is None) != (self.secret_key is None):
            raise ValueError("access_key and secret_key go together; give both or neither")
        if not self.endpoint:
            return self
        try:
            parts = urlsplit(self.endpoint)
            fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            fine = False
        if not fine or parts.query or parts.fragment or parts.username:
            raise ValueError(f"{self.endpoint!r} is no endpoint; write scheme, host and port, such as https://minio.example:9000")
        if parts.scheme == "http" and not is_loopback(parts.hostname or "") and not self.insecure:
            raise ValueError(f"{self.endpoint} is not encrypted; write https, or say insecure: true beside it")
        return self


class EvidenceSettings(Model):
    """What failed steps left: screenshots, answers, requests and the like, sent by agents. Kept under the data folder, or in a bucket."""

    keep: Duration = Field(default=30 * 86_400.0, ge=60, description="How long a piece is kept.")
    max: Size = Field(default=10 << 30, ge=1 << 20, description="Bytes of all of them; beyond it the oldest go first.")
    largest: Size = Field(default=10 << 20, ge=1024, le=64 << 20, description="Most bytes of one piece.")
    link: Duration = Field(default=3_600.0, ge=60, le=7 * 86_400, description="How long a link to a piece is good.")
    bucket: EvidenceBucket | None = Field(default=None, description="Keep the contents in a bucket that speaks S3.")


class CollectorConfig(Model):
    """collector.yaml."""

    data: Path = Field(default=Path("data"), strict=False, validate_default=True, description="Folder of everything the collector keeps.")
    journeys: Path = Field(default=Path("journeys"), strict=False, validate_default=True, description="Folder of journey files.")
    impact: Path | None = Field(default=None, strict=False, description="impact.yaml; without it its defaults hold.")
    otlp: OtlpListener = OtlpListener()
    web: WebListener = WebListener()
    control: ControlDatabase = ControlDatabase()
    engine: StoreEngine = StoreEngine()
    probe_keys: tuple[ProbeKey, ...] = Field(default=(), strict=False, description="Keys that prove a probe's mark, newest first.")
    limits: Limits = Limits()
    forward: tuple[Destination, ...] = Field(default=(), strict=False, description="Other backends that get all of it, or a part.")
    evidence: EvidenceSettings = EvidenceSettings()
    keep: Keep = Keep()
    sources: dict[str, SourceSettings] = Field(
        default_factory=dict, description="Vendors whose webhooks are taken, by a name of your own: they post to /api/v1/in/NAME."
    )

    signed: dict[str, SignedSettings] = Field(
        default_factory=dict, description="Rows of our own form that come signed (Standard Webhooks) instead of with a key, by their source, such as feedback."
    )

    feeds: dict[str, FeedSettings] = Field(default_factory=dict, description="Public feeds that are pulled for mentions and reviews, by a name of your own.")

    @field_validator("feeds")
    @classmethod
    def _feeds_named(cls, value: dict[str, FeedSettings], info: ValidationInfo) -> dict[str, FeedSettings]:
        good_feed_names(value, info.data.get("sources", {}))
        return value

    @field_validator("signed")
    @classmethod
    def _signed_named(cls, value: dict[str, SignedSettings]) -> dict[str, SignedSettings]:
        good_signed(value)
        return value

    @field_validator("sources")
    @classmethod
    def _sources_named(cls, value: dict[str, SourceSettings]) -> dict[str, SourceSettings]:
        good_names(value)
        return value

    @field_validator("forward")
    @classmethod
    def _names_once(cls, value: tuple[Destination, ...]) -> tuple[Destination, ...]:
        if len({one.name for one in value}) != len(value):
            raise ValueError("two destinations have the same name")
        return value

    @field_validator("keep")
    @classmethod
    def _room_is_known(cls, value: Keep, info: ValidationInfo) -> Keep:
        engine = info.data.get("engine")
        if engine is not None and engine.cluster is not None and (value.disk is not None or value.free is not None):
            raise ValueError("disk and free are for the embedded engine or one server; drop them, a cluster's hosts look after their own room")
        return value

    @field_validator("data", "journeys", "impact")
    @classmethod
    def _beside_the_file(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        return (info.context["folder"] / value).resolve() if value is not None and info.context else value

    @field_validator("probe_keys")
    @classmethod
    def _keys_beside_the_file(cls, value: tuple[ProbeKey, ...], info: ValidationInfo) -> tuple[ProbeKey, ...]:
        if len({key.id for key in value}) != len(value):
            raise ValueError("two probe keys have the same id")
        folder = info.context["folder"] if info.context else Path()
        return tuple(key.model_copy(update={"file": folder / key.file}) if key.file else key for key in value)


def load_collector_config(path: Path) -> CollectorConfig:
    """Read collector.yaml; paths in it are relative to its folder. Raises ConfigError."""
    return strict_yaml.load(path, CollectorConfig, "the collector's configuration")


def check_keep(keep: Keep, windows: Windows) -> None:
    """Whether everything is kept for as long as it is needed. Raises ConfigError with the cure."""
    day = SECONDS["d"]
    needs = (
        ("raw", keep.raw, windows.outcome + windows.identity, "windows.outcome + windows.identity", "the join reads a session again that long"),
        ("runs", keep.runs, windows.usual + windows.outcome, "windows.usual + windows.outcome", "the scores look back that long"),
    )
    for key, days, seconds, what, why in needs:
        if days * day < seconds:
            raise ConfigError(f"keep.{key}: {days}d is shorter than {what} of impact.yaml, and {why}; give it at least {math.ceil(seconds / day)}d")
