"""What every part of the configuration is made of."""

import ipaddress

from pydantic import BaseModel, ConfigDict


class Model(BaseModel):
    """Base of every part of the configuration: frozen, unknown keys refused, no silent conversion."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a listener on `host`."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
