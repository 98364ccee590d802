"""Vendors before the intake: deliveries signed as they sign, a real server, and what becomes of the inbox."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx2

from sojourn_collector.counters import Counters
from sojourn_collector.sources import normalise
from sojourn_collector.sources.base import Secrets
from sojourn_collector.sources.configured import Configured, configured
from sojourn_collector.sources.further import Further
from sojourn_collector.sources.records import EventReading, Records
from sojourn_collector.sources.replaying import Replayed, replay
from sojourn_collector.sources_config import SourceSettings
from sojourn_collector.store.control import Control

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
SECRET = "a secret of the vendor's"
ENVIRON = {"SECRET": SECRET, "BEFORE": "the secret before it", "TOKEN": "token-of-ours"}
BY_ENV = {"env": "SECRET"}
PROBE_KEYS = {"k1": b"a probe key"}
SECRETS = Secrets(PROBE_KEYS, b"an author key")


def settings(kind: str, **more: Any) -> SourceSettings:
    """As collector.yaml would have it."""
    return SourceSettings.model_validate({"kind": kind, "secret": BY_ENV, **more})


@dataclass
class Context:
    """What the intake is given."""

    control: Control
    webhooks: Mapping[str, Configured]
    now: datetime = NOW
    secrets: Secrets = field(default_factory=lambda: SECRETS)

    @property
    def clock(self) -> Callable[[], datetime]:
        return lambda: self.now


@dataclass
class Desk:
    """The running intake of some vendors, and the inbox behind it."""

    url: str
    client: httpx2.AsyncClient
    context: Context
    counters: Counters

    @property
    def control(self) -> Control:
        return self.context.control

    async def send(
        self, name: str, body: Any, headers: Mapping[str, str] | None = None, query: str = "", more: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Deliver a body, signed as the vendor does unless headers are given; `more` go beside them."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        kind = self.context.webhooks[name].settings.kind
        signed = SIGNERS[kind](raw, SECRET, self.context.now) if headers is None else dict(headers)
        return await self.client.post(f"/api/v1/in/{name}{query}", content=raw, headers={"content-type": "application/json", **signed, **(more or {})})

    async def take(self, name: str, *bodies: Any, **more: str) -> None:
        """Deliver bodies that are taken; `more` are headers, with `_` for hyphens."""
        for body in bodies:
            answer = await self.send(name, body, more={key.replace("_", "-"): value for key, value in more.items()})
            assert answer.status_code == 200, answer.text

    async def records(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Bring all that waits to where the engine would get it: rows by table and id. Rows that cannot be brought are marked with their reason."""
        records = Records(self.control, EventReading(self.context.webhooks), self.context.secrets, self.context.clock)
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for row in await self.control.inbox.waiting():
            ((rows, wrong),) = await records([row])
            for record in rows:
                table, engine_row = normalise(record.kind, record.row, row.received_at)
                found.setdefault(table, {})[engine_row["id"]] = engine_row
            await self.control.inbox.mark([row.id], NOW, {row.id: "; ".join(wrong)} if wrong else None)
        return found

    async def ask(self) -> int:
        """Ask the vendors' API for what is due."""
        async with httpx2.AsyncClient(trust_env=False, timeout=60) as http:
            return await Further(self.control, self.context.webhooks, self.context.clock).work(http)

    async def replay(self, source: str) -> Replayed:
        """Read once more what a source sent."""
        return await replay(self.control, EventReading(self.context.webhooks), source, None, self.context.now)

    async def bodies(self) -> list[dict[str, Any]]:
        """What lies in the inbox."""
        return [json.loads(row.body) for row in await self.control.inbox.after(0)]

    async def errors(self) -> list[str]:
        """What is said of rows in the inbox."""
        return [row.error for row in await self.control.inbox.after(0) if row.error]


def webhooks(**sources: SourceSettings) -> dict[str, Configured]:
    """Configured vendors by the name of their source."""
    return configured({name.replace("_", "-"): one for name, one in sources.items()}, ENVIRON)


def mac(algorithm: str, secret: str | bytes, message: bytes) -> "hmac.HMAC":
    """An HMAC."""
    return hmac.new(secret.encode() if isinstance(secret, str) else secret, message, getattr(hashlib, algorithm))


def b64(made: "hmac.HMAC") -> str:
    """In base64."""
    return base64.b64encode(made.digest()).decode()


def _zendesk(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {"x-zendesk-webhook-signature": b64(mac("sha256", secret, time.encode() + body)), "x-zendesk-webhook-signature-timestamp": time}


def _typeform(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {"typeform-signature": "sha256=" + b64(mac("sha256", secret, body))}


def _stripe(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    time = str(int(now.timestamp()))
    return {"stripe-signature": f"t={time},v1={mac('sha256', secret, time.encode() + b'.' + body).hexdigest()},v0=old"}


def _hubspot(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    time = str(int(now.timestamp() * 1000))
    signed = b"POSThttps://sojourn.example/api/v1/in/crm" + body + time.encode()
    return {"x-hubspot-signature-v3": b64(mac("sha256", secret, signed)), "x-hubspot-request-timestamp": time}


def _surveymonkey(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {"sm-signature": b64(mac("sha1", f"cid&{secret}", body)), "sm-apikey": "cid"}


def _formbricks(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    time, ident = str(int(now.timestamp())), hashlib.sha256(body).hexdigest()[:24]
    signed = b64(mac("sha256", secret, f"{ident}.{time}.".encode() + body))
    return {"webhook-id": ident, "webhook-timestamp": time, "webhook-signature": f"v1a,x v1,{signed}"}


def _delighted(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {"x-delighted-webhook-signature": "sha256=" + mac("sha256", secret, body).hexdigest()}


def _intercom(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {"x-hub-signature": "sha1=" + mac("sha1", secret, body).hexdigest()}


def _chatwoot(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    time = str(int(now.timestamp()))
    return {
        "x-chatwoot-timestamp": time,
        "x-chatwoot-signature": "sha256=" + mac("sha256", secret, time.encode() + b"." + body).hexdigest(),
        "x-chatwoot-delivery": hashlib.sha256(body).hexdigest()[:32],
    }


def _shopify(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {"x-shopify-hmac-sha256": b64(mac("sha256", secret, body)), "x-shopify-webhook-id": hashlib.sha256(body).hexdigest()[:32]}


def _posthog(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {"x-sojourn-token": secret}


def _sentry(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {"sentry-hook-signature": mac("sha256", secret, body).hexdigest(), "sentry-hook-resource": "issue"}


def _segment(body: bytes, secret: str, now: datetime) -> dict[str, str]:
    return {"x-signature": mac("sha1", secret, body).hexdigest()}


SIGNERS: dict[str, Callable[[bytes, str, datetime], dict[str, str]]] = {
    "zendesk": _zendesk,
    "typeform": _typeform,
    "stripe": _stripe,
    "hubspot": _hubspot,
    "surveymonkey": _surveymonkey,
    "formbricks": _formbricks,
    "delighted": _delighted,
    "intercom": _intercom,
    "chatwoot": _chatwoot,
    "shopify": _shopify,
    "posthog": _posthog,
    "sentry": _sentry,
    "segment": _segment,
}
"""How each vendor signs, written once more from its documentation."""
