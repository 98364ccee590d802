"""What a `tcp` step may say. The runner is `tcp_run.py`."""

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from sojourn_probes.model import Model
from sojourn_probes.patterns import require_pattern
from sojourn_probes.steps.tls import Family, Host, Port, StartTls, TlsSettings
from sojourn_probes.units import Size


def _hex(text: str) -> str:
    try:
        bytes.fromhex(text)
    except ValueError:
        raise ValueError(f"{text!r} are no hex bytes; write two digits for each, such as 01 ff") from None
    return text


def _settings(value: Any) -> Any:
    return {} if value is True else value


Text = Annotated[str, Field(min_length=1, max_length=65536)]
HexBytes = Annotated[str, Field(min_length=1, max_length=65536), AfterValidator(_hex)]
Yes = Annotated[bool, Field(strict=True)]
TlsAsked = Annotated[TlsSettings, BeforeValidator(_settings, json_schema_input_type=Annotated[bool, Field(json_schema_extra={"const": True})] | TlsSettings)]


class Turn(Model):
    """One turn of the dialog: something sent, something expected, or the change to TLS."""

    send: Text | None = Field(None, description='text to send as it stands; line ends are written "\\r\\n" in double quotes')
    send_hex: HexBytes | None = Field(None, description="bytes to send, in hex")
    expect: Text | None = Field(None, description="text the server must say next, anywhere in what it says")
    expect_hex: HexBytes | None = Field(None, description="bytes the server must say next, in hex")
    matches: Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(require_pattern)] | None = Field(
        None, description="regular expression that what the server says next must match; ^ and $ are begin and end of a line"
    )
    starttls: Yes | None = Field(None, description="true: go on in TLS from here")

    @model_validator(mode="after")
    def _one(self) -> "Turn":
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("say exactly one of send, send_hex, expect, expect_hex, matches, starttls")
        if self.starttls is False:
            raise ValueError("starttls is true or not there; remove it")
        return self


class TcpPart(Model):
    """One connection and what is said on it."""

    host: Host = Field(description="name or address of the server")
    port: Port = Field(description="port to connect to")
    ip_family: Family = Field("any", description="4 or 6: only addresses of this kind are tried")
    tls: TlsAsked | None = Field(None, description="speak TLS: true, or how")
    starttls: StartTls | None = Field(None, description="begin in plain text of this protocol and ask it to go on in TLS, before the dialog")
    dialog: Annotated[tuple[Turn, ...], Field(max_length=50)] = Field((), description="what is sent and what expected, in turns; without it one only connects")
    max_body: Size | None = Field(None, description="most that is read; default 64 KiB, the step fails beyond it")

    @model_validator(mode="after")
    def _one_way_into_tls(self) -> "TcpPart":
        ways = sum(turn.starttls is not None for turn in self.dialog) + (self.starttls is not None)
        if ways > 1:
            raise ValueError("goes on in TLS twice; keep one starttls")
        return self

    @property
    def settings(self) -> TlsSettings | None:
        """How TLS is spoken, None when it is not."""
        return self.tls or (TlsSettings() if self.upgrades else None)

    @property
    def upgrades(self) -> bool:
        """Whether the conversation begins in plain text and goes on in TLS."""
        return self.starttls is not None or any(turn.starttls for turn in self.dialog)
