"""Asking the running collector from a command: its address and token are in `control.json` of the data folder."""

import json
import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sojourn_collector.config import CollectorConfig
from sojourn_collector.listener_tls import own_client

if TYPE_CHECKING:
    import httpx2


class CommandError(Exception):
    """A command cannot do its work; the text is one sentence with the cure."""


def running(data: Path) -> dict[str, Any] | None:
    """Addresses and token of the collector that runs on this data folder, None when none does."""
    try:
        found: dict[str, Any] = json.loads((data / "control.json").read_text())
        os.kill(int(found["pid"]), 0)
    except (OSError, ValueError, KeyError):
        return None
    return found


def trusted(config: CollectorConfig) -> ssl.SSLContext | bool:
    """What the collector's own certificate is checked against."""
    return own_client(None if config.web.tls is None else config.web.tls.cert_file)


@contextmanager
def asking(found: dict[str, Any], config: CollectorConfig, *, seconds: float = 60.0) -> Iterator["httpx2.Client"]:
    """A client of the running collector. Raises CommandError when it does not answer."""
    import httpx2

    headers = {"authorization": f"Bearer {found['token']}"}
    try:
        with httpx2.Client(trust_env=False, timeout=seconds, headers=headers, verify=trusted(config), base_url=found["web"]) as http:
            yield http
    except httpx2.HTTPError as error:
        raise CommandError(f"the collector at {found['web']} does not answer ({str(error) or type(error).__name__})") from error


def answer_of(answer: "httpx2.Response", *good: int) -> Any:
    """The body of a good answer. Raises CommandError with the collector's own sentence."""
    if answer.status_code in (good or (200,)):
        return answer.json()
    try:
        said = str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        raise CommandError(f"the collector answered {answer.status_code}: {answer.text[:300]}") from None
    raise CommandError(said[:1].lower() + said[1:].rstrip("."))


def event_of(answer: "httpx2.Response") -> Iterator[dict[str, Any]]:
    """The lines of an answer that tells how far something is. Raises CommandError for a refusal, or with the sentence of a line that is an error."""
    for line in _good(answer).iter_lines():
        event: dict[str, Any] = json.loads(line)
        if "error" in event:
            raise CommandError(str(event["error"]))
        yield event


def bytes_of(answer: "httpx2.Response") -> Iterator[bytes]:
    """The bytes of a streamed answer. Raises CommandError for a refusal."""
    yield from _good(answer).iter_bytes()


def _good(answer: "httpx2.Response") -> "httpx2.Response":
    if answer.status_code != 200:
        answer.read()
        answer_of(answer)
    return answer
