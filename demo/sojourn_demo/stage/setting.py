"""Writes the files the parts are started with into the demo's folder."""

import json
import secrets
import shutil
from dataclasses import asdict, dataclass
from importlib.resources import as_file, files
from pathlib import Path
from string import Template

from sojourn_demo.shop.settings import ShopSettings
from sojourn_demo.shoppers.world import World
from sojourn_demo.stage.ports import Ports


@dataclass(frozen=True, slots=True)
class Setting:
    """The demo's folder and ports."""

    folder: Path
    ports: Ports

    def url(self, port: int) -> str:
        """Address of a port on loopback."""
        return f"http://127.0.0.1:{port}"

    @property
    def agent(self) -> Path:
        """agent.yaml"""
        return self.folder / "agent.yaml"

    @property
    def collector(self) -> Path:
        """collector.yaml"""
        return self.folder / "collector.yaml"

    @property
    def shop(self) -> Path:
        """The shop's settings."""
        return self.folder / "shop.json"

    @property
    def source_key(self) -> Path:
        """The file with the key of the shop's feeds."""
        return self.folder / "source.key"


def write_setting(setting: Setting, world: World, *, browser: bool) -> None:
    """Write configuration, journeys and keys. Without a `browser` the journeys that need one stay out."""
    folder, ports = setting.folder, setting.ports
    journeys = folder / "journeys"
    journeys.mkdir(parents=True)
    with as_file(files("sojourn_demo")) as package:
        for file in sorted((package / "journeys").glob("*.yaml")):
            if browser or "browser:" not in file.read_text(encoding="utf-8"):
                shutil.copyfile(file, journeys / file.name)
        values = {**asdict(ports), "journeys": journeys, "data": folder / "data", "probe_key": folder / "probe.key"}
        for file in sorted((package / "configs").glob("*.yaml")):
            (folder / file.name).write_text(Template(file.read_text(encoding="utf-8")).substitute(values), encoding="utf-8")
    _write_secret(folder / "probe.key", secrets.token_hex(32))
    settings = ShopSettings(
        port=ports.shop,
        payments_port=ports.payments,
        admin_port=ports.switchboard,
        seed=world.seed,
        snippet_url=f"{setting.url(ports.intake)}/rum.js",
        otlp_url=setting.url(ports.otlp),
        collector_url=setting.url(ports.web),
        key_file=str(setting.source_key),
        customers=world.customers,
        accounts=world.accounts,
    )
    setting.shop.write_text(json.dumps(asdict(settings)), encoding="utf-8")


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def keep_source_key(setting: Setting, printed: str) -> None:
    """Take the key out of what `sojourn-collector key create --json` printed. Raises ValueError when there is none."""
    try:
        _write_secret(setting.source_key, json.loads(printed)["key"])
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError("sojourn-collector key create printed no key") from error
