"""From configured destinations to senders that share one HTTP client, and the keys they carry."""

import ssl
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import httpx2

from sojourn_agent.config import AgentConfig, ConfigError, Destination, Key
from sojourn_agent.dead_letters import DeadLetters
from sojourn_agent.evidence_outbox import EvidenceOutbox
from sojourn_agent.evidence_sender import EvidenceSender
from sojourn_agent.sender import Pace, Sender
from sojourn_agent.spool import Spool

_MAX_KEY: Final = 64 << 10


def read_key(key: Key, environ: Mapping[str, str], what: str) -> str:
    """The key's text. `what` names it in the sentence of the `ConfigError` raised when it is not there."""
    if key.env is not None:
        text = environ.get(key.env, "").strip()
        where = f"environment variable {key.env}"
    else:
        assert key.file is not None
        where = str(key.file)
        text = _text_of(key.file, what)
    if not text:
        raise ConfigError(f"{what}: {where} holds nothing; put the key there")
    return text


def _text_of(path: Path, what: str) -> str:
    try:
        with path.open("rb") as file:
            return file.read(_MAX_KEY).decode("utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{what}: {path} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ConfigError(f"{what}: {path} is not text") from None


def probe_keys(config: AgentConfig, environ: Mapping[str, str]) -> dict[str, bytes]:
    """The probe keys by id, newest first. Raises `ConfigError`."""
    return {key.id: read_key(key, environ, f"probe_keys: {key.id}").encode() for key in config.probe_keys}


def token_of(destination: Destination, environ: Mapping[str, str]) -> Callable[[], str | None]:
    """Gives the destination's token, read anew each time so that a new one is found; None when it cannot be read now."""

    def token() -> str | None:
        if destination.key is None:
            return None
        try:
            return read_key(destination.key, environ, f"send: {destination.name}: key")
        except ConfigError:
            return None

    return token


def http_client(config: AgentConfig) -> httpx2.AsyncClient:
    """One client for all destinations. The host's proxy variables do not apply; no certificates are loaded when nothing speaks TLS."""
    verify: ssl.SSLContext | bool = any(destination.url.startswith("https:") for destination in config.send)
    return httpx2.AsyncClient(verify=verify, trust_env=False, follow_redirects=False, timeout=None, limits=httpx2.Limits(keepalive_expiry=4.0))


def senders(config: AgentConfig, spool: Spool, letters: DeadLetters, client: httpx2.AsyncClient, environ: Mapping[str, str]) -> list[Sender]:
    """A sender for each destination, in their order."""
    return [
        Sender(destination.name, destination.url, spool.reader(destination.name), letters, client, key=token_of(destination, environ), pace=Pace())
        for destination in config.send
    ]


def evidence_outbox(config: AgentConfig) -> EvidenceOutbox:
    """What waits for the destinations that are told to take evidence."""
    takers = [destination.name for destination in config.send if destination.evidence]
    return EvidenceOutbox(config.data / "evidence-waiting", config.data / "evidence", takers)


def evidence_senders(config: AgentConfig, outbox: EvidenceOutbox, client: httpx2.AsyncClient, environ: Mapping[str, str]) -> list[EvidenceSender]:
    """A sender for each destination that takes evidence."""
    takers = [destination for destination in config.send if destination.evidence]
    return [EvidenceSender(taker.name, taker.url, outbox, client, key=token_of(taker, environ)) for taker in takers]
