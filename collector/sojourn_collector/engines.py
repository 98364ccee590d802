"""The engine that collector.yaml asks for: a child of the collector's own, or a watch over ClickHouse servers."""

from collections.abc import Mapping

from sojourn_collector.config import CollectorConfig
from sojourn_collector.store.endpoint import Engine
from sojourn_collector.store.engine import Supervisor
from sojourn_collector.store.engine_process import EngineSettings
from sojourn_collector.store.server_engine import ServerEngine


def engine_of(config: CollectorConfig, environ: Mapping[str, str]) -> Engine:
    """Not yet started. Raises EngineStartError when a password or a certificate is not where the configuration says."""
    if config.engine.embedded:
        return Supervisor(config.data / "engine", EngineSettings(memory=config.limits.memory))
    return ServerEngine(config.engine.endpoints(environ))
