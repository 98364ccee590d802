"""Where an engine answers, and what the collector asks of whatever keeps one: the child's supervisor or the watch over servers."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from sojourn_collector.store.layout import EMBEDDED, Layout

State = Literal["starting", "ready", "restarting", "stopped"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Host and port, and how to be let in: by the child's bearer token, or by user and password."""

    host: str
    port: int
    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)
    secure: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    layout: Layout = EMBEDDED

    @property
    def url(self) -> str:
        """`https://host:port`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'https' if self.secure else 'http'}://{host}:{self.port}"


class EngineStartError(Exception):
    """The engine cannot be used; the text says why and what to do."""


class Engine(Protocol):
    """An engine somebody looks after."""

    state: State
    reason: str
    """Why it is not ready, as /readyz says it; empty when it is."""
    restarts: int
    """How often it was restarted, or left for another host."""

    def endpoint(self) -> Endpoint | None:
        """Where it answers, None while it does not."""
        ...

    async def start(self) -> None:
        """Begin. Raises EngineStartError when waiting would not help."""
        ...

    async def stop(self) -> None:
        """End."""
        ...
