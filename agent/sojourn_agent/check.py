"""`sojourn-agent check`: what would keep the agent from doing its work, a line for each part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from sojourn_agent.app import journey_folder, secret_store
from sojourn_agent.config import AgentConfig, ConfigError, Destination, is_loopback, load_agent_config
from sojourn_agent.evidence_outbox import on_disk
from sojourn_agent.evidence_sender import PATH
from sojourn_agent.outlets import probe_keys, read_key, token_of
from sojourn_agent.tools import require_browser
from sojourn_probes.errors import JourneyFileError, Problem, SojournError
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_folder, missing_names


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the answer; `text` may go over several when there are several problems."""

    what: str
    fine: bool
    text: str


def check(path: Path, environ: Mapping[str, str]) -> Iterator[Line]:
    """Config, journeys, secrets, browser, and each destination. What depends on a part that is not fine is left out."""
    try:
        config = load_agent_config(path)
    except ConfigError as error:
        yield Line("config", False, str(error))
        return
    yield Line("config", True, f"{path}: location {config.location}, {_several(len(config.send), 'destination')}, {_several(len(config.rum.apps), 'app')}")
    try:
        journeys = load_folder(config.journeys)
    except JourneyFileError as error:
        yield Line("journeys", False, str(error))
    else:
        folder = journey_folder(config, environ)
        walked = [journey.at(config.location) for journey in journeys if folder.is_walked(journey)]
        yield Line("journeys", True, _journeys(journeys, walked, config))
        yield _secrets(walked, config, environ)
        yield _browser(walked, environ)
    for destination in config.send:
        yield (line := _destination(destination, environ))
        if destination.evidence and line.fine:
            yield _evidence(destination, config, environ)


def _journeys(journeys: list[Journey], walked: list[Journey], config: AgentConfig) -> str:
    if not journeys:
        return f"none in {config.journeys} yet; `sojourn init` writes one"
    names = ", ".join(f"{journey.id} {'at ' + journey.schedule if journey.schedule else f'every {journey.interval:g} s'}" for journey in walked)
    return f"{len(walked)} of {len(journeys)} are walked at {config.location}" + (f": {names}" if names else "")


def _secrets(walked: list[Journey], config: AgentConfig, environ: Mapping[str, str]) -> Line:
    problems: list[Problem | str] = [problem for journey in walked for problem in missing_names(journey, environ, secret_store(config, environ))]
    keys = 0
    try:
        keys = len(probe_keys(config, environ))
    except ConfigError as error:
        problems.append(str(error))
    if problems:
        return Line("secrets", False, "\n".join(str(problem) for problem in problems))
    marks = _several(keys, "probe key") if keys else "no probe_keys: what probes cause in your pages cannot be told from customers"
    return Line("secrets", True, f"everything the journeys name is there; {marks}")


def _browser(walked: list[Journey], environ: Mapping[str, str]) -> Line:
    try:
        path = require_browser(walked, environ)
    except SojournError as error:
        return Line("browser", False, str(error))
    return Line("browser", True, path or "no journey here needs one")


def _destination(destination: Destination, environ: Mapping[str, str]) -> Line:
    headers = {"content-type": "application/x-protobuf"}
    try:
        if destination.key is not None:
            headers["authorization"] = f"Bearer {read_key(destination.key, environ, f'send: {destination.name}: key')}"
        # An OTLP request with nothing in it: an empty body of protobuf.
        answer = httpx2.post(f"{destination.url}/v1/traces", content=b"", headers=headers, timeout=5, trust_env=False)
    except ConfigError as error:
        return Line(destination.name, False, str(error))
    except httpx2.RequestError as error:
        return Line(
            destination.name, False, f"{destination.url} cannot be reached ({str(error) or type(error).__name__}); start it or correct url: under send:"
        )
    if answer.status_code < 300:
        bare = destination.key is not None and not is_loopback(urlsplit(destination.url).hostname or "") and destination.url.startswith("http:")
        return Line(destination.name, True, f"{destination.url} takes OTLP" + ("; the key goes there unencrypted, use https" if bare else ""))
    return Line(destination.name, False, f"{destination.url}/v1/traces answered {answer.status_code}; correct url: or key: under send:")


def _evidence(destination: Destination, config: AgentConfig, environ: Mapping[str, str]) -> Line:
    waiting, dead = on_disk(config.data / "evidence-waiting", destination.name)
    left = f"{waiting} wait, {dead} were refused for good"
    token = token_of(destination, environ)()
    try:
        answer = httpx2.get(f"{destination.url}{PATH}", headers={"authorization": f"Bearer {token}"} if token else {}, timeout=5, trust_env=False)
    except httpx2.RequestError as error:
        return Line("evidence", False, f"{destination.url}{PATH} cannot be reached ({str(error) or type(error).__name__}); {left}")
    if answer.status_code == 200:
        return Line("evidence", True, f"{destination.name} takes it; {left}")
    cure = "it takes no evidence, drop evidence: true under send:" if answer.status_code == 404 else "correct url: or key: under send:"
    return Line("evidence", False, f"{destination.url}{PATH} answered {answer.status_code}; {cure}; {left}")


def _several(count: int, word: str) -> str:
    return f"{count} {word}" if count == 1 else f"{count} {word}s"
