"""What holds for all browser steps of a journey, under `defaults: {browser: …}`: they share one page, so it cannot differ between steps."""

import re
import zoneinfo
from typing import Annotated, Any, Final, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sojourn_probes.model import Model
from sojourn_probes.steps.auth import OAuth2, PlainAuth, SecretText, SigV4
from sojourn_probes.steps.browser_devices import known_device
from sojourn_probes.steps.browser_targets import Flag
from sojourn_probes.steps.http import Headers
from sojourn_probes.units import Duration

PERMISSIONS: Final = ("geolocation", "notifications", "camera", "microphone", "clipboard-read", "clipboard-write", "midi", "storage-access")
"""What a page may be allowed to use."""

RATE_PATTERN: Final = r"^\d{1,6}(\.\d{1,3})? ?(kbit/s|Mbit/s)$"
VIEWPORT_PATTERN: Final = r"^[1-9]\d{1,3}x[1-9]\d{1,3}$"
HOST_PATTERN: Final = r"^(\*\.)?[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$"
LOCALE_PATTERN: Final = r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*|.*\$\{[^{}]+\}.*)$"
CPU_PATTERN: Final = r"^([1-9](\.\d)?|[1-4]\d(\.\d)?|50)x$"


def _rate(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(RATE_PATTERN, value):
        raise ValueError("a rate is wanted here, such as 750 kbit/s or 1.6 Mbit/s")
    number = re.match(r"[\d.]+", value)
    assert number is not None
    return float(number.group()) * (1e6 if "M" in value else 1e3) / 8


Rate = Annotated[float, BeforeValidator(_rate, json_schema_input_type=Annotated[str, Field(pattern=RATE_PATTERN)])]
"""Bytes in a second, written as 750 kbit/s or 1.6 Mbit/s."""


class Network(Model):
    """How fast the line is."""

    down: Rate | None = Field(None, description="towards the browser, such as 1.6 Mbit/s; default as it is")
    up: Rate | None = Field(None, description="from the browser, such as 750 kbit/s; default as it is")
    latency: Annotated[Duration, Field(ge=0, le=60)] = Field(0.0, description="added to every request")


Preset = Literal["slow-3g", "slow-4g", "fast-4g"]
LINES: Final[dict[str, Network]] = {
    "slow-3g": Network.model_construct(down=50_000.0, up=50_000.0, latency=2.0),
    "slow-4g": Network.model_construct(down=180_000.0, up=84_375.0, latency=0.5625),
    "fast-4g": Network.model_construct(down=1_012_500.0, up=168_750.0, latency=0.165),
}
"""The presets of Chrome's developer tools, by name."""


def _line(value: Any) -> Any:
    if isinstance(value, str):
        if value not in LINES:
            raise ValueError(f"{value!r} is not known; one of {', '.join(LINES)}, or {{down, up, latency}}")
        return LINES[value]
    return value


class Viewport(Model):
    """The size of the page in CSS pixels."""

    width: Annotated[int, Field(strict=True, ge=100, le=8000)] = Field(description="pixels across")
    height: Annotated[int, Field(strict=True, ge=100, le=8000)] = Field(description="pixels down")


def _viewport(value: Any) -> Any:
    if isinstance(value, str):
        if not re.match(VIEWPORT_PATTERN, value):
            raise ValueError(f"{value!r} is no size; write it as 1280x800")
        width, height = value.split("x")
        return {"width": int(width), "height": int(height)}
    return value


class Geolocation(Model):
    """Where the device says it is. The page still has to be allowed to ask: `permissions: [geolocation]`."""

    latitude: Annotated[float, Field(ge=-90, le=90)] = Field(description="degrees north")
    longitude: Annotated[float, Field(ge=-180, le=180)] = Field(description="degrees east")
    accuracy: Annotated[float, Field(ge=0)] = Field(0.0, description="metres")


def _cpu(value: Any) -> Any:
    if not isinstance(value, str) or not re.match(CPU_PATTERN, value):
        raise ValueError("how many times slower is wanted here, such as 4x, at most 50x")
    return float(value[:-1])


def _timezone(name: str) -> str:
    if "${" not in name and name not in zoneinfo.available_timezones():
        raise ValueError(f"{name!r} is no time zone; write it as Europe/Berlin")
    return name


class BrowserAuth(PlainAuth):
    """How the browser signs in at own origins: a user and password when asked for them, a token with every request, or every request signed."""

    oauth2: OAuth2 | None = Field(None, description="a token of the client itself (client credentials), fetched before the first step")
    sigv4: SigV4 | None = Field(None, description="every request is signed for AWS; needs sojourn[aws]")


class BrowserTls(Model):
    """How certificates are judged, and the one that is shown to the journey's own origins."""

    verify: Flag = Field(True, description="false takes any certificate of any server")
    ca_file: str | None = Field(None, description="PEM file of authorities to trust beside the system's, relative to the journey file")
    cert_file: str | None = Field(None, description="PEM file with the client certificate to show to own origins, relative to the journey file")
    key_file: str | None = Field(None, description="PEM file with its key; default: the key is in cert_file")
    key_password: SecretText | None = Field(None, description="password of the key, by reference: ${secrets.name}")

    @model_validator(mode="after")
    def _key_with_certificate(self) -> Self:
        if self.cert_file is None and (self.key_file is not None or self.key_password is not None):
            raise ValueError("has a key but no certificate; add cert_file:")
        return self


When = Literal["on_failure", "always", "never"]


class Evidence(Model):
    """What a step leaves behind, and when. All of it is redacted."""

    screenshot: When = Field("on_failure", description="the page as it looked, secrets painted over")
    har: When = Field("on_failure", description="what the page asked for and was answered, without bodies and cookies")
    dom: When = Field("on_failure", description="the page's HTML, without what stands in password fields")
    trace: When = Field("never", description="Playwright's trace, for its viewer; it slows the step down")


Host = Annotated[str, Field(pattern=HOST_PATTERN, max_length=253)]


class BrowserDefaults(Model):
    """What holds for all browser steps of the journey (`defaults: {browser: …}`)."""

    device: Annotated[str, Field(min_length=1, max_length=100), AfterValidator(known_device)] | None = Field(
        None, description="a device by Playwright's name, such as iPhone 15"
    )
    viewport: Annotated[Viewport, BeforeValidator(_viewport, json_schema_input_type=Annotated[str, Field(pattern=VIEWPORT_PATTERN)] | Viewport)] | None = Field(
        None, description="size of the page, such as 1280x800; default 1280x800, or the device's"
    )
    locale: Annotated[str, Field(pattern=LOCALE_PATTERN)] | None = Field(None, description="language and region, such as de-DE")
    timezone: Annotated[str, Field(min_length=1), AfterValidator(_timezone)] | None = Field(None, description="time zone, such as Europe/Berlin")
    geolocation: Geolocation | None = Field(None, description="where the device says it is")
    permissions: tuple[Literal[PERMISSIONS], ...] = Field((), description="what own origins may use without asking")  # type: ignore[valid-type]  # a literal of the list
    color_scheme: Literal["light", "dark"] | None = Field(None, description="light or dark")
    network: Annotated[Network, BeforeValidator(_line, json_schema_input_type=Preset | Network)] | None = Field(
        None, description="a slower line: slow-3g, slow-4g, fast-4g, or {down, up, latency}"
    )
    cpu: Annotated[float, BeforeValidator(_cpu, json_schema_input_type=Annotated[str, Field(pattern=CPU_PATTERN)])] | None = Field(
        None, description="how many times slower the device is, such as 4x"
    )
    headers: Headers = Field({}, description="sent with every request to own origins, to nobody else")
    auth: BrowserAuth | None = Field(None, description="how to sign in at own origins: user and password when asked for, or a token")
    tls: BrowserTls | None = Field(None, description="certificates")
    block: tuple[Host, ...] = Field((), description="hosts that are not asked, such as ads.example or *.ads.example")
    third_parties: Flag | tuple[Host, ...] = Field(True, description="false asks only own hosts and those below them; a list names the others to ask")
    dialogs: Literal["dismiss", "accept"] = Field("dismiss", description="what happens to alerts and questions of the page")
    evidence: Evidence = Field(default_factory=Evidence, description="what a step leaves behind")
