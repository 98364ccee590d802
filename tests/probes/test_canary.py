"""Secrets planted as canaries come out nowhere."""

import base64
import dataclasses
import html
import json
from urllib.parse import quote

import pytest

from sojourn_probes.names import Names
from sojourn_probes.output import FORMS
from sojourn_probes.output.walked import Walked
from sojourn_probes.redact import Redactor
from sojourn_probes.run import run
from sojourn_probes.secrets import SecretStore
from tests.probes.site import Asked, answer, site
from tests.probes.walking import journey

CANARY = 'c4n/ary "pass\\word" +&ü'
TOKEN = "extracted-token-9f8e7d"
FORMS_OF_CANARY = [
    CANARY,
    quote(CANARY),
    quote(CANARY, safe=""),
    json.dumps(CANARY)[1:-1],
    base64.b64encode(CANARY.encode()).decode(),
    html.escape(CANARY),
    html.escape(CANARY, quote=False),
]


def leaks(text: str) -> list[str]:
    return [form for form in (*FORMS_OF_CANARY, TOKEN, "ary%20%22pass", base64.b64encode(f"bob:{CANARY}".encode()).decode()) if form in text]


async def echo(asked: Asked) -> bytes:
    """A site as careless as can be: it gives everything back, in the body, in headers and in the address it redirects to."""
    if asked.target.startswith("/login"):
        return answer(302, location=f"/in?p={quote(CANARY)}&t={TOKEN}", set_cookie=f"sid={TOKEN}")
    if asked.target.startswith("/in"):
        return answer(body=json.dumps({"token": TOKEN, "said": CANARY, "auth": base64.b64encode(f"bob:{CANARY}".encode()).decode()}))
    return answer(403, body=f"no entry for {CANARY} with {asked.headers} {quote(CANARY, safe='')}", x_echo=quote(CANARY))


@pytest.mark.parametrize("form", sorted(FORMS))
async def test_no_output_form_shows_a_secret(form):
    """RunResult and every output form are free of the secret in any of its shapes, and of the token taken on the way."""
    async with site(echo) as shop:
        found = journey(
            f"""
            id: j
            base_url: {shop.url}
            vars: {{greeting: "hello ${{secrets.pw}}"}}
            retries: 1
            steps:
              - id: login
                http: {{url: "/login?p=${{secrets.pw}}", json: {{p: "${{secrets.pw}}"}}, auth: {{user: bob, password: "${{secrets.pw}}"}}}}
                extract: {{t: {{json: $.token, secret: true}}, c: {{cookie: sid}}}}
                expect:
                  - json $.said contains ary
                  - json $.said == '${{secrets.pw}}'
                  - json $.auth exists
                  - url contains in
              - id: fail
                http: {{url: "/x/${{secrets.pw}}", headers: {{authorization: "Bearer ${{steps.login.t}}", x-g: "${{vars.greeting}}"}}}}
                expect:
                  - status == 200
                  - body contains '${{steps.login.c}} nowhere'
                  - body matches 'nowhere'
                  - header x-echo == 'x'
            """
        )
        store = SecretStore({"SOJOURN_SECRET_PW": CANARY})
        names, redact = Names(found.vars, {}, store, "01890a5d-ac96-774b-bcce-b302099a8057"), Redactor(store)
        heard: list[object] = []
        result = await run(found, names=names, redact=redact, on_event=heard.append)
    assert result.failure is not None
    assert [asked.headers["authorization"] for asked in shop.asked if asked.target.startswith("/x/")] == [f"Bearer {TOKEN}"] * 2
    told = "".join(repr(dataclasses.asdict(event)) for event in heard)  # type: ignore[call-overload]
    assert leaks(repr(result) + str(dataclasses.asdict(result)) + told) == []
    assert leaks(FORMS[form].runs([Walked(found, result)])) == []


async def test_errors_show_no_secret():
    """A run that fails on the way to the server, its address made of a secret, does not tell it."""
    text = 'id: j\nsteps:\n  - {id: s, http: {url: "http://127.0.0.1:1/${secrets.pw}?${secrets.pw}"}}\n'
    text += '  - {id: t, http: {url: "${secrets.pw}"}, always_run: true}\n'
    store = SecretStore({"SOJOURN_SECRET_PW": CANARY})
    found = journey(text)
    result = await run(found, names=Names({}, {}, store, "r"), redact=Redactor(store))
    assert result.failure is not None
    assert leaks(repr(result)) == []
