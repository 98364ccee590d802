"""Signing in: client certificates, OAuth 2 client credentials, AWS signatures, one-time codes."""

import builtins
import datetime
import json
from typing import Any
from urllib.parse import parse_qs

import pytest

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.semconv import FailureKind, Outcome
from tests.probes.site import Asked, answer, site
from tests.probes.steps.tls_servers import Authority
from tests.probes.walking import journey, walk

SECRETS = {"SOJOURN_SECRET_CS": "s3cret/with:signs", "SOJOURN_SECRET_AK": "AKIDEXAMPLE", "SOJOURN_SECRET_SK": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}


class Office:
    """A token server and the API that takes its tokens."""

    def __init__(self, **said: Any) -> None:
        self.said = said
        self.given = 0
        self.good: set[str] = set()

    async def __call__(self, asked: Asked) -> bytes:
        if asked.target == "/token":
            self.given += 1
            token = f"token-number-{self.given}"
            self.good.add(token)
            return answer(body=json.dumps({"access_token": token, "token_type": "Bearer"} | self.said), content_type="application/json")
        good = asked.headers.get("authorization", "").removeprefix("Bearer ") in self.good
        return answer(200 if good else 401, body="welcome" if good else "")


def signing_in(url: str, more: str = "", steps: int = 1) -> str:
    auth = f"{{oauth2: {{token_url: '{url}/token', client_id: 'probe one', client_secret: '${{secrets.cs}}'{more}}}}}"
    head = f"id: j\nbase_url: {url}\ntimeout: 25s\ndefaults: {{http: {{auth: {auth}}}}}\nsteps:\n"
    return head + "".join(f"  - {{id: s{number}, http: {{url: /api}}}}\n" for number in range(steps))


async def test_a_token_is_fetched_once_and_used_until_it_runs_out():
    """The fetch is an exchange of its own, in no phase and no total; later steps and runs use the token."""
    office, tools = Office(expires_in=3600), dict[str, Any]()
    async with site(office) as shop:
        text = signing_in(shop.url, ", scope: [read, write], audience: api", steps=2)
        first = await walk(text, environ=SECRETS, tools=tools)
        second = await walk(text, environ=SECRETS, tools=tools)
        rotated = await walk(text, environ=SECRETS | {"SOJOURN_SECRET_CS": "another one"}, tools=tools)
    assert {run.outcome for run in (first, second, rotated)} == {Outcome.PASSED}, first.failure
    assert [[exchange.method for exchange in step.exchanges] for step in first.attempts[0].steps] == [["POST", "GET"], ["GET"]]
    assert len(second.attempts[0].steps[0].exchanges) == 1
    assert office.given == 2
    fetch = shop.asked[0]
    assert parse_qs(fetch.body.decode()) == {"grant_type": ["client_credentials"], "scope": ["read write"], "audience": ["api"]}
    assert fetch.headers["authorization"] == "Basic cHJvYmUrb25lOnMzY3JldCUyRndpdGglM0FzaWducw=="
    assert "token-number" not in repr([first, second, rotated])


async def test_id_and_secret_in_the_body():
    """`style: body` sends them as form fields."""
    async with site(Office()) as shop:
        run = await walk(signing_in(shop.url, ", style: body"), environ=SECRETS)
    assert run.outcome is Outcome.PASSED, run.failure
    assert parse_qs(shop.asked[0].body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["probe one"],
        "client_secret": [SECRETS["SOJOURN_SECRET_CS"]],
    }
    assert "authorization" not in shop.asked[0].headers


async def test_a_token_that_is_refused_is_fetched_anew_once():
    """A 401 for a token from before brings a new one; a 401 for a new one is the answer."""
    office, tools = Office(expires_in=3600), dict[str, Any]()
    async with site(office) as shop:
        await walk(signing_in(shop.url), environ=SECRETS, tools=tools)
        office.good.clear()
        again = await walk(signing_in(shop.url), environ=SECRETS, tools=tools)
        office.good = type("Nobody", (set,), {"add": lambda self, token: None})()
        refused = await walk(signing_in(shop.url), environ=SECRETS, tools={})
    assert [exchange.status for exchange in again.attempts[0].steps[0].exchanges] == [401, 200, 200]
    assert again.outcome is Outcome.PASSED
    assert (refused.failure.kind, [exchange.status for exchange in refused.attempts[0].steps[0].exchanges]) == (FailureKind.STATUS, [200, 401])


async def test_a_token_that_has_run_out_is_not_used():
    """One that lives shorter than a request is fetched for each."""
    office, tools = Office(expires_in=0), dict[str, Any]()
    async with site(office) as shop:
        await walk(signing_in(shop.url, steps=2), environ=SECRETS, tools=tools)
    assert office.given == 2


@pytest.mark.parametrize(
    ("raw", "kind", "said"),
    [
        (
            answer(401, body='{"error": "invalid_client"}'),
            FailureKind.STATUS,
            "no token: 401 (invalid_client) from POST {url}/token; see client_id, client_secret and",
        ),
        (answer(302, location="/"), FailureKind.STATUS, "no token: 302 from POST {url}/token; see client_id"),
        (answer(body="<html>"), FailureKind.CONTENT, "no token: the answer of POST {url}/token has no access_token"),
        (answer(body='{"access_token": "a\\nb"}'), FailureKind.CONTENT, "no token: the answer of POST {url}/token has no access_token"),
        (answer(body="[]"), FailureKind.CONTENT, "no token: the answer of POST {url}/token has no access_token"),
        (None, FailureKind.PROTOCOL, "POST {url}/token: the server closed the connection without an answer"),
        (answer(401, body='{"error": "s3cret/with:signs is wrong"}'), FailureKind.STATUS, "no token: 401 ([redacted] is wrong) from"),
    ],
)
async def test_a_token_server_that_gives_none(raw, kind, said):
    """What is wrong at the token server is said of it, and the API is not asked."""

    async def respond(asked: Asked) -> Any:
        return raw

    async with site(respond) as shop:
        run = await walk(signing_in(shop.url), environ=SECRETS)
    assert run.failure.kind is kind, run.failure
    assert run.failure.message.startswith(said.format(url=shop.url))
    assert [asked.target for asked in shop.asked] == ["/token"]


async def test_requests_are_signed_for_aws(monkeypatch):
    """The signature is botocore's over method, url, host, body and type; it changes with each hop and stays in its origin."""
    import botocore.auth

    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *more, **named: datetime.datetime(2015, 8, 30, 12, 36))

    async def respond(asked: Asked) -> bytes:
        return answer(302, location="/there") if asked.target.startswith("/?") else answer()

    keys = "access_key: '${secrets.ak}', secret_key: '${secrets.sk}', region: us-east-1, service: service"
    async with site(respond) as shop:
        text = f"id: j\nsteps:\n  - id: s\n    http: {{url: '{shop.url}/?b=2&a=1', headers: {{host: example.amazonaws.com}}, auth: {{sigv4: {{{keys}}}}}}}\n"
        run = await walk(text, environ=SECRETS)
    assert run.outcome is Outcome.PASSED, run.failure
    first, second = shop.asked
    begin = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=host;x-amz-date, Signature="
    assert first.headers["x-amz-date"] == "20150830T123600Z"
    assert first.headers["authorization"].startswith(begin)
    assert first.headers["authorization"] != second.headers["authorization"]


async def test_the_example_signature_of_aws(monkeypatch):
    """`get-vanilla-query-order-key-case` of AWS's own test suite."""
    import botocore.auth
    import httpx2

    from sojourn_probes.names import Names
    from sojourn_probes.redact import Redactor
    from sojourn_probes.secrets import SecretStore
    from sojourn_probes.steps.auth import Auth
    from sojourn_probes.steps.auth_run import SignIn

    monkeypatch.setattr(botocore.auth, "get_current_datetime", lambda *more, **named: datetime.datetime(2015, 8, 30, 12, 36))
    store = SecretStore({"SOJOURN_SECRET_AK": "AKIDEXAMPLE", "SOJOURN_SECRET_SK": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"})
    context: Any = type("Context", (), {"names": Names({}, {}, store, "r"), "redact": Redactor(store)})
    auth = Auth.model_validate({"sigv4": {"access_key": "${secrets.ak}", "secret_key": "${secrets.sk}", "region": "us-east-1", "service": "service"}})
    request = httpx2.Request("GET", "https://example.amazonaws.com/?Param2=value2&Param1=value1")
    assert await SignIn(auth, context, context, context).sign(request)
    assert request.headers["authorization"].endswith("Signature=b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500")


async def test_signatures_need_the_extra(monkeypatch):
    """Without botocore the run is inconclusive and says what to install."""
    load = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name.startswith("botocore"):
            raise ModuleNotFoundError(name)
        return load(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    keys = "access_key: '${secrets.ak}', secret_key: '${secrets.sk}', region: r, service: s"
    run = await walk(f"id: j\nsteps:\n  - id: s\n    http: {{url: 'http://localhost:1/', auth: {{sigv4: {{{keys}}}}}}}\n", environ=SECRETS)
    assert (run.outcome, run.failure.kind, run.failure.message) == (
        Outcome.INCONCLUSIVE,
        FailureKind.AGENT,
        "auth.sigv4 needs botocore; install sojourn[aws]",
    )


async def test_a_client_certificate_is_shown(tmp_path):
    """`tls: {cert_file, key_file, key_password}` sign in where the server wants a certificate."""
    authority = Authority(tmp_path)
    authority.client(b"hunter2")

    async def respond(asked: Asked) -> bytes:
        return answer()

    async with site(respond, authority.wanting_clients()) as shop:
        tls = "tls: {ca_file: ca.pem, cert_file: client.pem, key_file: client.key, key_password: '${secrets.pw}'}"
        text = f"id: j\nsteps:\n  - id: s\n    http: {{url: '{shop.url}/', {tls}}}\n"
        good = await walk(text, path=tmp_path / "j.yaml", environ={"SOJOURN_SECRET_PW": "hunter2"})
        bad = await walk(text, path=tmp_path / "j.yaml", environ={"SOJOURN_SECRET_PW": "wrong"})
    assert good.outcome is Outcome.PASSED, good.failure
    assert bad.failure.kind is FailureKind.CONFIG
    assert bad.failure.message.startswith("tls.cert_file holds nothing that can be used; a PEM file with a certificate and its key is wanted")


async def test_a_one_time_code_signs_in():
    """`${totp.…}` is filled where it is sent, and stays out of the results."""

    async def respond(asked: Asked) -> bytes:
        return answer(200, body=f"your code was {parse_qs(asked.body.decode())['code'][0]}")

    async with site(respond) as shop:
        text = f"id: j\nsteps:\n  - id: s\n    http: {{url: '{shop.url}/', form: {{code: '${{totp.otp}}'}}}}\n    expect: [body contains nothing]\n"
        run = await walk(text, environ={"SOJOURN_SECRET_OTP": "GEZDGNBVGY3TQOJQ"})
    assert len(parse_qs(shop.asked[0].body.decode())["code"][0]) == 6
    assert "your code was [redacted]" in run.failure.message


@pytest.mark.parametrize(
    ("auth", "message"),
    [
        ("{bearer: '${secrets.x}', user: a}", "say user: and password:, or bearer: or oauth2: or sigv4: alone"),
        ("{user: a}", "say user: and password:, or bearer: or oauth2: or sigv4: alone"),
        ("{}", "say user: and password:, or bearer: or oauth2: or sigv4: alone"),
        (
            "{oauth2: {token_url: 'http://x/', client_id: a, client_secret: b}}",
            'is a secret and must not stand in the file; write "${secrets.name}" and set SOJOURN_SECRET_NAME',
        ),
        ("{oauth2: {token_url: /token, client_id: a, client_secret: '${secrets.x}'}}", "'/token' is no address; write it with http:// or https://"),
    ],
)
def test_what_is_refused(auth, message):
    """Two ways at once, half a way, and literals where secrets belong are found before anything runs."""
    with pytest.raises(JourneyFileError) as fault:
        journey(f"id: j\nsteps:\n  - {{id: s, http: {{url: 'http://x/', auth: {auth}}}}}\n")
    assert fault.value.problems[0].message == message
