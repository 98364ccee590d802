"""What a `grpc` step may say. The runner is `grpc_run.py`."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, JsonValue, model_validator

from sojourn_probes.model import Model
from sojourn_probes.steps.http import Headers
from sojourn_probes.steps.tcp import TlsAsked
from sojourn_probes.steps.tls import Family, Host, Port
from sojourn_probes.units import Size


def _metadata(metadata: dict[str, str]) -> dict[str, str]:
    for name in metadata:
        low = name.lower()
        if low.startswith("grpc-") or low in ("te", "content-type", "user-agent"):
            raise ValueError(f"{name} is set by gRPC itself; remove it")
        if low.endswith("-bin"):
            raise ValueError(f"{name} would hold bytes, which a journey cannot write; remove it")
    return metadata


_NAME = r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*"
Metadata = Annotated[Headers, AfterValidator(_metadata)]


class GrpcPart(Model):
    """One unary call: the health of a service, or a method found by server reflection."""

    host: Host = Field(description="name or address of the server")
    port: Port = Field(description="port to connect to")
    service: Annotated[str, Field(pattern=rf"^{_NAME}$", max_length=500)] | None = Field(
        None, description="whose health is asked by grpc.health.v1; default the server's as a whole"
    )
    method: Annotated[str, Field(pattern=rf"^{_NAME}/[A-Za-z_][A-Za-z0-9_]*$", max_length=500)] | None = Field(
        None, description="method to call instead, such as shop.Checkout/Total; the server must offer reflection"
    )
    message: dict[str, JsonValue] | None = Field(None, description="what is sent to method, in the JSON of protobuf")
    metadata: Metadata = Field({}, description="metadata to send; authorization and the like by reference: ${secrets.name}")
    tls: TlsAsked | None = Field(None, description="speak TLS: true, or how")
    ip_family: Family = Field("any", description="4 or 6: only addresses of this kind are tried")
    max_body: Size | None = Field(None, description="largest answer taken; default 4 MB, the step fails beyond it")

    @model_validator(mode="after")
    def _one_call(self) -> "GrpcPart":
        if self.service is not None and self.method is not None:
            raise ValueError("service asks for health and method makes a call; keep one")
        if self.message is not None and self.method is None:
            raise ValueError("message is for a call; add method:, such as shop.Checkout/Total")
        return self

    @model_validator(mode="after")
    def _tls_it_can(self) -> "GrpcPart":
        if self.tls is None:
            return self
        if not self.tls.verify:
            raise ValueError("verify: false is not possible with gRPC; give the server's certificate or its authority as ca_file")
        if self.tls.min_version != "1.2":
            raise ValueError("min_version cannot be set with gRPC; remove it")
        return self

    @property
    def implied(self) -> tuple[str, ...]:
        """Expected unless the step says something about the same source itself."""
        return ("grpc_status == OK",) if self.method is not None else ("grpc_status == OK", "health == SERVING")

    @property
    def path(self) -> str:
        """What is called."""
        return f"/{self.method}" if self.method is not None else "/grpc.health.v1.Health/Check"

    def shown(self) -> Any:
        """What is called, for people."""
        return self.method or f"the health of {self.service or 'the server'}"
