"""What a `websocket` step may say. The runner is `websocket_run.py`."""

from typing import Annotated, ClassVar

from pydantic import AfterValidator, Field, JsonValue, model_validator

from sojourn_probes.model import Model
from sojourn_probes.patterns import require_pattern
from sojourn_probes.steps.auth import PlainAuth
from sojourn_probes.steps.http import Headers, ProxyField
from sojourn_probes.steps.tcp import HexBytes, Text
from sojourn_probes.steps.tls import Family, TlsSettings
from sojourn_probes.units import Size


def _headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        if name.lower() == "sec-websocket-protocol":
            raise ValueError(f"{name} is set by the runner; write it as subprotocols: [name]")
        if name.lower() == "upgrade" or name.lower().startswith("sec-websocket-"):
            raise ValueError(f"{name} is set by the runner; remove it")
    return headers


class Message(Model):
    """One turn of the dialog: a message sent, or one expected."""

    send: Text | None = Field(None, description="text to send")
    send_json: JsonValue = Field(None, description="JSON to send, written here as YAML")
    send_hex: HexBytes | None = Field(None, description="bytes to send, in hex")
    expect: Text | None = Field(None, description="text that a message must contain; messages before it are passed over")
    matches: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(require_pattern)] | None = Field(
        None, description="regular expression that a message must match; messages before it are passed over"
    )

    @model_validator(mode="after")
    def _one(self) -> "Message":
        if len(self.model_fields_set) != 1:
            raise ValueError("say exactly one of send, send_json, send_hex, expect, matches")
        return self


class WebsocketPart(Model):
    """One WebSocket connection and the messages on it."""

    implied: ClassVar[tuple[str, ...]] = ("status == 101",)

    url: Annotated[str, Field(min_length=1, max_length=8000)] = Field(description="ws:// or wss://, or relative to base_url")
    headers: Annotated[Headers, AfterValidator(_headers)] = Field({}, description="added to the opening request")
    subprotocols: Annotated[tuple[Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$")], ...], Field(max_length=20)] = Field(
        (), description="offered to the server, the best first"
    )
    auth: PlainAuth | None = Field(None, description="how to sign in: {user, password} or {bearer}")
    tls: TlsSettings | None = Field(None, description="how TLS is spoken and the certificate judged")
    ip_family: Family = Field("any", description="4 or 6: only addresses of this kind are tried")
    proxy: ProxyField | None = Field(None, description="a proxy to go through; default none, those of the environment are not used")
    dialog: Annotated[tuple[Message, ...], Field(max_length=50)] = Field((), description="messages sent and expected, in turns; without it one only connects")
    max_body: Size | None = Field(None, description="most that is read; default 64 KiB of messages, the step fails beyond it")

    def first_url(self) -> str | None:
        """The address asked, which names the journey's own origin when there is no base_url."""
        return over_http(self.url)


def over_http(url: str) -> str:
    """The address with the scheme of the HTTP that opens the connection."""
    for scheme, http in (("ws://", "http://"), ("wss://", "https://")):
        if url.lower().startswith(scheme):
            return http + url[len(scheme) :]
    return url
