"""What an `icmp` step (a ping) may say. The runner is `icmp_run.py`."""

from typing import Annotated

from pydantic import Field

from sojourn_probes.model import Model
from sojourn_probes.steps.tls import Family, Host
from sojourn_probes.units import Duration


class IcmpPart(Model):
    """Some echo requests and how many came back."""

    host: Host = Field(description="name or address of the host")
    ip_family: Family = Field("any", description="4 or 6: only addresses of this kind are asked")
    count: Annotated[int, Field(strict=True, ge=1, le=100)] = Field(3, description="how many echo requests are sent")
    gap: Annotated[Duration, Field(ge=0.01, le=60)] = Field(0.2, description="time from one request to the next")
    wait: Annotated[Duration, Field(gt=0, le=60)] = Field(1.0, description="how long an answer may take; later ones are lost")
    size: Annotated[int, Field(strict=True, ge=16, le=1400)] = Field(56, description="bytes of payload in each request")
