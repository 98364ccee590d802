"""What a `dns` step may say. The runner is `dns_run.py`."""

from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field, model_validator

from sojourn_probes.model import Model
from sojourn_probes.steps.tls import Family, TlsSettings

Record = Literal["A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NS", "PTR", "SOA", "SRV", "SVCB", "TLSA", "TXT"]

Transport = Literal["udp", "tcp", "tls", "https"]
"""How a name server is spoken with; tls is RFC 7858 (DoT), https RFC 8484 (DoH)."""

DEFAULT_PORTS: Final[dict[str, int]] = {"udp": 53, "tcp": 53, "tls": 853}
"""Where a resolver is asked that names no port."""


class DnsPart(Model):
    """One question to a name server."""

    implied: ClassVar[tuple[str, ...]] = ("rcode == NOERROR", "answers > 0")
    implied_unless: ClassVar[frozenset[str]] = frozenset({"rcode", "records", "answers"})

    name: Annotated[str, Field(min_length=1, max_length=1000)] = Field(description="name that is asked about")
    record: Record = Field("A", description="type of record that is asked for")
    resolver: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(
        None, description="server that is asked, as host or host:port, for https as its address; default the system's resolvers, one after the other"
    )
    transport: Transport = Field("udp", description="udp, where a cut answer is asked for again over TCP; tcp; tls (DoT) or https (DoH)")
    tls: TlsSettings | None = Field(None, description="how TLS is spoken with the resolver and its certificate judged")
    ip_family: Family = Field("any", description="4 or 6: only addresses of the resolver of this kind are asked")
    recursion: bool = Field(True, description="false: ask for what the server knows itself")

    @model_validator(mode="after")
    def _fits_transport(self) -> "DnsPart":
        resolver = self.resolver or ""
        if self.transport in ("tls", "https") and self.resolver is None:
            raise ValueError(f"transport: {self.transport} needs resolver:, the server that speaks it")
        if self.transport == "https" and not resolver.startswith(("https://", "${")):
            raise ValueError(f"{resolver!r} is no address of a resolver over https; write it as https://dns.example/dns-query")
        if self.transport != "https" and "://" in resolver:
            raise ValueError(f"{resolver!r} is an address and transport is {self.transport}; say transport: https, or write host or host:port")
        if self.tls is not None and self.transport not in ("tls", "https"):
            raise ValueError(f"tls: says nothing over {self.transport}; say transport: tls or https, or remove it")
        return self
