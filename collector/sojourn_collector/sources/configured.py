"""Vendors as collector.yaml configures them: the adapter, the settings, and the secrets, which are read when they are needed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import cast

from sojourn_collector.kept_key import KeptKey, KeptKeyError
from sojourn_collector.sources.webhook import Webhook
from sojourn_collector.sources_config import VENDORS, SourceSettings


@dataclass(frozen=True, slots=True)
class Configured:
    """One source of a vendor. `secrets` and `token` raise KeptKeyError."""

    name: str
    webhook: Webhook
    settings: SourceSettings
    secrets: Callable[[], list[bytes]]
    token: Callable[[], str]


@cache
def webhook_of(kind: str) -> Webhook:
    """The adapter of a vendor of the list."""
    return cast("Webhook", import_module(f"sojourn_collector.sources.vendors.{kind}").WEBHOOK)


def configured(sources: Mapping[str, SourceSettings], environ: Mapping[str, str]) -> dict[str, Configured]:
    """All of them by name; no secret is read yet."""
    return {name: _one(name, settings, environ) for name, settings in sources.items()}


def check_secrets(found: Mapping[str, Configured]) -> None:
    """Read every secret once, so that a missing one is found at the start. Raises KeptKeyError."""
    for one in found.values():
        one.secrets()
        one.token()


def plain(kind: str) -> Configured:
    """A vendor that is not configured, to read what is kept of it."""
    assert kind in VENDORS, "only kinds of the list are kept"
    return Configured("", webhook_of(kind), SourceSettings.model_construct(kind=kind), list, str)


def _one(name: str, settings: SourceSettings, environ: Mapping[str, str]) -> Configured:
    kept = [(key, which) for key, which in (("secret", settings.secret), ("previous_secret", settings.previous_secret)) if which is not None]

    def secrets() -> list[bytes]:
        found = [_read(name, key, which, environ).encode() for key, which in kept]
        return [settings.client_id.encode() + b"&" + one for one in found] if settings.client_id else found

    def token() -> str:
        return "" if settings.token is None else _read(name, "token", settings.token, environ)

    return Configured(name, webhook_of(settings.kind), settings, secrets, token)


def _read(name: str, key: str, kept: KeptKey, environ: Mapping[str, str]) -> str:
    text = kept.read(f"sources: {name}: {key}", environ)
    if not (text.isascii() and text.isprintable()):
        raise KeptKeyError(f"sources: {name}: {key} holds more than one line of plain text; put the secret there as the vendor's page shows it")
    return text
