"""What the shop is told at start: one JSON file, read once."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who can sign in; `account` is the id of the business they buy for, or empty."""

    id: str
    name: str
    email: str
    account: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """A business customer; `mrr` in EUR a month."""

    id: str
    name: str
    plan: str
    segment: str
    mrr: float
    owner: str


@dataclass(frozen=True, slots=True)
class ShopSettings:
    """Ports on loopback, where the snippet comes from, where spans and feeds go. Empty addresses switch that off."""

    port: int
    payments_port: int
    admin_port: int
    seed: int = 1
    snippet_url: str = ""
    otlp_url: str = ""
    collector_url: str = ""
    key_file: str = ""
    app: str = "shop"
    customers: tuple[Customer, ...] = field(default=())
    accounts: tuple[Account, ...] = field(default=())

    @property
    def origin(self) -> str:
        """Address of the shop as a browser sees it."""
        return f"http://127.0.0.1:{self.port}"


def read_settings(path: Path) -> ShopSettings:
    """Read the settings file. Raises ValueError with one sentence when it is not what the shop needs."""
    try:
        raw: Any = json.loads(path.read_text(encoding="utf-8"))
        customers = tuple(Customer(**row) for row in raw.pop("customers", []))
        accounts = tuple(Account(**row) for row in raw.pop("accounts", []))
        return ShopSettings(**raw, customers=customers, accounts=accounts)
    except OSError as error:
        raise ValueError(f"{path}: cannot be read: {error.strerror}") from error
    except (json.JSONDecodeError, TypeError, AttributeError) as error:
        raise ValueError(f"{path}: not a settings file of the shop: {error}") from error
