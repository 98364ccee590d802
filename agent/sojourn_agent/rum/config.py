"""The `rum:` part of agent.yaml: where beacons are taken, of which apps, from which origins, how many."""

import ipaddress
import re
from typing import Annotated, Final, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

APP_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"

_ORIGIN = re.compile(r"(https?)://(\*\.)?([a-z0-9.-]+|\[[0-9a-f:.]+\])(:\d{1,5})?", re.IGNORECASE)


def _origin(text: str) -> str:
    if text == "null":
        return text
    found = _ORIGIN.fullmatch(text.rstrip("/"))
    if found is None:
        raise ValueError(f"{text!r} is not an origin; write scheme, host and port such as https://shop.example or https://*.shop.example")
    scheme, wild, host, port = found.groups()
    usual = {"http": ":80", "https": ":443"}[scheme.lower()]
    # Browsers leave the usual port out of the Origin header.
    return f"{scheme}://{wild or ''}{host}{'' if port is None or port == usual else port}".lower()


def _header(text: str) -> str:
    if text and re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,63}", text) is None:
        raise ValueError(f"{text!r} is not the name of a header; write one such as CF-IPCountry")
    return text.lower()


def _network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text, strict=False))
    except ValueError:
        raise ValueError(f"{text!r} is neither an address nor a network such as 10.0.0.0/8") from None


class _Settings(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class RateLimit(_Settings):
    """A token bucket: `per_second` beacons on average, up to `burst` at once."""

    per_second: float = Field(gt=0, description="beacons per second on average")
    burst: float = Field(gt=0, description="beacons at once")


class AppConfig(_Settings):
    """One app whose pages carry the snippet."""

    origins: list[Annotated[str, AfterValidator(_origin)]] = Field(
        min_length=1, description="the origins its pages are served from; anything else is refused with 403"
    )
    bots: Literal["drop", "keep"] = Field(
        "drop", description="drop leaves out crawlers and automated browsers; our own marked probes are always kept apart, never dropped"
    )
    gpc: Literal["anonymise", "ignore"] = Field("anonymise", description="what a browser's Global Privacy Control does: anonymise counts it as consent denied")


class RumConfig(_Settings):
    """Where and how beacons are taken in."""

    listen: str = Field("127.0.0.1:8410", description="address and port of /rum.js and /v1/beacons")
    apps: dict[Annotated[str, Field(pattern=APP_PATTERN)], AppConfig] = Field(default_factory=dict, description="app name → its settings")
    per_ip: RateLimit = Field(RateLimit(per_second=200, burst=1000), description="limit per client address (IPv6: per /64)")
    per_app: RateLimit = Field(RateLimit(per_second=5000, burst=10000), description="limit per app")
    proxies: list[Annotated[str, AfterValidator(_network)]] = Field(
        default_factory=list, description="proxies whose X-Forwarded-For and `country_header` are believed"
    )
    country_header: Annotated[str, AfterValidator(_header)] = Field(
        "",
        description="header in which those proxies tell a visitor's country in two letters, such as `CF-IPCountry`; else the browser's time zone tells it",
    )

    @model_validator(mode="after")
    def _from_proxies_alone(self) -> Self:
        if self.country_header and not self.proxies:
            raise ValueError("country_header is believed from proxies alone; list the addresses it comes from under proxies, or take it out")
        return self
