"""`sojourn-collector check`: whether everything a collector needs is there, a line each."""

import argparse
import asyncio
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from sojourn_collector.cli_running import CommandError, running
from sojourn_collector.config import CollectorConfig, ConfigError, ListenerTls, check_keep, load_impact_config
from sojourn_collector.forward_config import Destination
from sojourn_collector.impact_version import changes, config_version, content_of, version_of
from sojourn_collector.kept_key import KeptKeyError
from sojourn_collector.listener_tls import ServerTls, TlsFilesError
from sojourn_collector.listeners import ListenError, take
from sojourn_collector.sources.fx import Fx
from sojourn_collector.sources_config import SourceSettings
from sojourn_collector.store.client import StoreError
from sojourn_collector.store.control.database import Database
from sojourn_collector.store.control.errors import ControlError, ControlUnavailableError
from sojourn_collector.store.control.impact_versions import ImpactVersions
from sojourn_collector.store.endpoint import EngineStartError
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.evidence.place import EvidencePlaceError, blobs_of, try_place
from sojourn_collector.store.server_check import servers_answer
from sojourn_probes.errors import JourneyFileError
from sojourn_probes.load import load_folder

OK, FAILED = 0, 1
KNOWN_FROM = "0016"
"""Version of the control database from which on it knows versions of impact.yaml."""


def check(given: argparse.Namespace, config: CollectorConfig) -> int:
    """Every line is looked at, also after one that is wrong."""
    lines: list[tuple[str, bool, str]] = [("configuration", True, str(given.config))]

    def look(name: str, what: Callable[[], str], *errors: type[Exception]) -> None:
        try:
            lines.append((name, True, what()))
        except errors as error:
            lines.append((name, False, str(error)))

    look("windows and worth", lambda: _impact(config), ConfigError)
    look("journeys", lambda: f"{len(load_folder(config.journeys))} in {config.journeys}", JourneyFileError, OSError)
    look("data folder", lambda: _writable(config.data), OSError)
    for name, source in config.sources.items():
        look(f"source {name}", lambda name=name, source=source: _source(name, source), KeptKeyError)  # type: ignore[misc]
    for one in config.forward:
        look(f"destination {one.name}", lambda one=one: _destination(one), CommandError)  # type: ignore[misc]
    if config.control.shared or config.data.joinpath("control.sqlite").exists():
        look("control database", lambda: _database_answers(config), ControlError, ControlUnavailableError, SQLAlchemyError)
        if lines[-1][1] and not any(name == "windows and worth" and not good for name, good, _ in lines):
            look("weights", lambda: _weights(config), ControlError, ControlUnavailableError, SQLAlchemyError)
    if config.evidence.bucket is not None:
        look("evidence", lambda: _bucket(config), EvidencePlaceError)
    found = running(config.data)
    if found:
        lines.append(("collector", True, f"runs at {found['web']}"))
    if found and not config.engine.embedded:
        look("engine", lambda: _engine(config), EngineStartError, StoreError)
    if not found:
        for key, listener in (("otlp", config.otlp), ("web", config.web)):
            if listener.tls is not None:
                look(f"certificate of {key}", lambda key=key, tls=listener.tls: _certificate(tls, key), TlsFilesError)  # type: ignore[misc]
        look("OTLP address", lambda: _free(config.otlp.listen, "otlp.listen"), ListenError)
        if config.otlp.grpc_address is not None:
            look("OTLP address of gRPC", lambda: _free(config.otlp.grpc, "otlp.grpc"), ListenError)
        look("web address", lambda: _free(config.web.listen, "web.listen"), ListenError)
        look("engine", lambda: _engine(config), EngineStartError, StoreError)
    for name, good, text in lines:
        print(f"{'ok  ' if good else 'BAD '} {name}: {text}")
    return OK if all(good for _, good, _ in lines) else FAILED


def _impact(config: CollectorConfig) -> str:
    impact = load_impact_config(config.impact)
    check_keep(config.keep, impact.windows)
    Fx(impact.fx, impact.currency, impact.timezone)
    return f"{config.impact or 'defaults'}, version {config_version(impact)}"


def _weights(config: CollectorConfig) -> str:
    """What the next start would change of what decides the scores. Looks, and changes nothing."""
    database = Database(config.control.where(config.data, os.environ))
    try:
        made = database.version().rpartition(" ")[2]
        known = asyncio.run(ImpactVersions(database).list()) if made.isdigit() and made >= KNOWN_FROM else []
    finally:
        database.close()
    decides = content_of(load_impact_config(config.impact))
    if not known:
        return f"version {version_of(decides)}, the first that will be written down"
    changed = changes(known[-1].content, decides)
    if not changed:
        return f"version {version_of(decides)}, nothing changed since {known[-1].since:%Y-%m-%d %H:%M}Z"
    return f"version {version_of(decides)}; a start with it changes {', '.join(one.said() for one in changed)}"


def _bucket(config: CollectorConfig) -> str:
    blobs = blobs_of(config.evidence, config.data, os.environ)
    asyncio.run(try_place(blobs))
    return f"{blobs.where} can be written"


def _writable(folder: Path) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder):
        return str(folder)


def _free(address: str, key: str) -> str:
    take(address, key).close()
    return f"{address} is free"


def _certificate(tls: ListenerTls, key: str) -> str:
    ServerTls(tls, f"{key}.tls")
    return str(tls.cert_file)


def _destination(one: Destination) -> str:
    from sojourn_collector.forward.forwarder import HeadersError
    from sojourn_collector.forward.forwarding import headers_of

    try:
        headers = headers_of(one, os.environ)()
    except HeadersError as error:
        raise CommandError(str(error)) from error
    return f"{one.endpoint}, {len(headers)} headers" if headers else one.endpoint


def _source(name: str, settings: SourceSettings) -> str:
    from sojourn_collector.sources.configured import check_secrets, configured

    check_secrets(configured({name: settings}, os.environ))
    return f"{settings.kind}, at /api/v1/in/{name}"


def _engine(config: CollectorConfig) -> str:
    """The embedded engine starts, or every server answers and lets us do what is needed. Raises EngineStartError, StoreError."""
    if not config.engine.embedded:
        return asyncio.run(servers_answer(config.engine.endpoints(os.environ)))
    with tempfile.TemporaryDirectory() as folder:
        engine = EngineProcess(Path(folder), EngineSettings())
        engine.start()
        engine.stop()
    return "starts"


def _database_answers(config: CollectorConfig) -> str:
    """Looks, and changes nothing."""
    where = config.control.where(config.data, os.environ)
    database = Database(where)
    try:
        return f"{where} ({database.version()})"
    finally:
        database.close()
