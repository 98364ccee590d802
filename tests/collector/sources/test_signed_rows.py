"""Rows of our own form that come signed, as Standard Webhooks say, sent by the standard's own library."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from pydantic import ValidationError
from standardwebhooks.webhooks import Webhook

from sojourn_collector.config import CollectorConfig
from sojourn_collector.kept_key import KeptKey
from sojourn_collector.sources.base import Secrets
from sojourn_collector.sources.intake import build_routes
from sojourn_collector.sources.signed_rows import row_secrets
from sojourn_collector.sources_config import SignedSettings
from sojourn_collector.store.control import Control, Scope
from tests.collector.control_file import open_control
from tests.serving import served

NOW = datetime.fromtimestamp(1_700_000_000, UTC)
NEW, OLD = ("whsec_" + base64.b64encode(one * 24).decode() for one in (b"n", b"o"))
ROW: dict[str, Any] = {"id": "f-1", "at": "2023-11-14T22:00:00Z", "kind": "nps", "value": 9}


@dataclass
class Context:
    """What the intake is given; the clock can be set."""

    control: Control
    secrets: Secrets = field(default_factory=Secrets)
    now: datetime = NOW

    def clock(self) -> datetime:
        """The set time."""
        return self.now


@dataclass
class Door:
    """The running intake."""

    client: httpx2.AsyncClient
    context: Context

    async def send(
        self, body: bytes, *, secret: str = NEW, ident: str = "msg_1", at: datetime = NOW, source: str = "feedback", **others: str
    ) -> httpx2.Response:
        """One delivery, signed by the standard's library; `others` are headers put in place of its own."""
        headers = {
            "content-type": "application/json",
            "webhook-id": ident,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": Webhook(secret).sign(ident, at, body.decode()),
        }
        given = {**headers, **{name.replace("_", "-"): value for name, value in others.items()}}
        return await self.client.post(f"/api/v1/in/{source}", content=body, headers={name: value for name, value in given.items() if value})

    async def kept(self) -> list[dict[str, Any]]:
        """The bodies in the inbox."""
        return [json.loads(row.body) for row in await self.context.control.inbox.waiting()]


@pytest.fixture
async def door(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Door]:
    """An intake that knows two secrets for feedback, as during a change, and none for anything else."""
    control = open_control(tmp_path / "control.sqlite")
    context = Context(control)
    settings = {"feedback": SignedSettings(secret=KeptKey(env="NEW"), previous_secret=KeptKey(env="OLD"))}
    app = FastAPI()
    app.include_router(build_routes(context, signed=row_secrets(settings, {"NEW": NEW, "OLD": OLD}), body_deadline=0.5))
    async with served(app) as url, httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        yield Door(client, context)
    control.close()


@pytest.mark.parametrize("secret", [NEW, OLD])
async def test_rows_signed_with_either_secret_go_in(door: Door, secret: str) -> None:
    """One object or an array, without a key; each bad row is a sentence and the good ones are kept."""
    answer = await door.send(json.dumps([ROW, {**ROW, "id": "f-2", "value": 11}]).encode(), secret=secret)
    assert (answer.status_code, answer.json()) == (
        200,
        {"accepted": 1, "rejected": 1, "errors": [{"row": 1, "error": "value: 11 is not on the scale from 0 to 10"}]},
    )
    assert await door.kept() == [ROW]


async def test_a_message_that_comes_again_changes_nothing(door: Door) -> None:
    """An older version that is played back does not come over the newer one; it is answered as the first time."""
    first, second = json.dumps(ROW).encode(), json.dumps({**ROW, "value": 3}).encode()
    answers = [await door.send(first, ident="msg_1"), await door.send(second, ident="msg_2"), await door.send(first, ident="msg_1")]
    assert [answer.json()["accepted"] for answer in answers] == [1, 1, 1]
    assert [row["value"] for row in await door.kept()] == [9, 3]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"secret": "whsec_" + base64.b64encode(b"x" * 24).decode()}, "The signature in webhook-signature is not made with the secret of this source;"),
        ({"webhook_id": "msg_2"}, "The signature in webhook-signature is not made with the secret of this source;"),
        ({"webhook_id": ""}, "The header webhook-id is missing or longer than 256 characters;"),
        ({"webhook_timestamp": ""}, "The time of the signature is missing or cannot be read."),
        ({"webhook_timestamp": "1700000001"}, "The signature in webhook-signature is not made with the secret of this source;"),
        ({"at": NOW - timedelta(seconds=301)}, "The signature is 301 s away from this clock, more than 300 s;"),
        ({"webhook_signature": "v1a,AAAA"}, "The signature in webhook-signature is not made with the secret of this source;"),
        ({"source": "orders"}, "Signed orders are not expected here; give their secret under signed: orders: secret in collector.yaml, or send a key."),
        ({"webhook_signature": ""}, "A key is needed:"),
        ({"authorization": "Bearer sj_no"}, "This key is unknown or was revoked."),
    ],
)
async def test_what_is_not_proven_is_refused(door: Door, how: dict[str, Any], said: str) -> None:
    """With one sentence, and nothing is kept."""
    answer = await door.send(json.dumps(ROW).encode(), **how)
    assert (answer.status_code, answer.json()["error"].startswith(said)) == (401, True), answer.text
    assert await door.kept() == []


async def test_the_vector_of_the_standard(door: Door) -> None:
    """A signature worked out apart from the product passes: the body is read, and found to be no row."""
    control = door.context.control
    app = FastAPI()
    app.include_router(build_routes(door.context, signed={"feedback": lambda: [b"whsec_c2VjcmV0"]}))
    headers = {"webhook-id": "msg_1", "webhook-timestamp": "1700000000", "webhook-signature": "v1,AAAA v1,Q5nZ7DiOGwijBBqvBVAK6c0zDr2JLkXI7TaV4f+Q2vY="}
    async with served(app) as url, httpx2.AsyncClient(base_url=url, trust_env=False, timeout=60) as client:
        answer = await client.post("/api/v1/in/feedback", content=b'{"a":1}', headers={**headers, "content-type": "application/json"})
    assert (answer.status_code, answer.json()["rejected"]) == (400, 1)
    assert await control.inbox.waiting() == []


async def test_a_key_is_as_good_as_ever(door: Door) -> None:
    """Where rows may be signed, senders with a key go on as before."""
    key = (await door.context.control.keys.create("shop", [Scope.SOURCES])).text
    answer = await door.client.post("/api/v1/in/feedback", json=ROW, headers={"authorization": f"Bearer {key}"})
    assert answer.json()["accepted"] == 1


def test_only_rows_of_our_own_form_can_be_signed() -> None:
    """Another name is refused at the start, with those there are."""
    with pytest.raises(ValidationError, match="there is no source 'zendesk' whose rows could be signed; there are accounts, deals, feedback, invitations"):
        CollectorConfig.model_validate({"signed": {"zendesk": {"secret": {"env": "X"}}}})
