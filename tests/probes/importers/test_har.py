"""HAR recordings become journeys that can be walked."""

import json

import pytest

from sojourn_probes.importers.source import ImportFault
from sojourn_probes.semconv import Outcome
from tests.probes.importers.importing import imported, sample, steps
from tests.probes.site import Asked, answer, site
from tests.probes.walking import walk


def test_own_pages_and_xhr_become_steps_and_tokens_are_taken_from_where_they_came():
    """Documents and XHR of the site's own origin are kept; a token of an earlier answer is extracted there; passwords and keys are references."""
    found = sample("har", "shop.har")
    assert found.data["shop-example"] == steps(
        """
        id: shop-example
        name: shop.example
        base_url: https://shop.example
        steps:
          - {id: get, name: GET /, http: {url: /, headers: {accept-language: en}}, expect: [status == 200]}
          - id: post-api-login
            name: POST /api/login
            http: {url: /api/login, json: {user: ana, password: "${secrets.password}"}}
            expect: [status == 200]
            extract: {token: {json: $.access.token, secret: true}}
          - id: get-api-orders
            name: GET /api/orders
            http: {url: "/api/orders?limit=5", auth: {bearer: "${steps.post-api-login.token}"}}
            expect: [status == 200]
          - {id: get-api-missing, name: GET /api/missing, http: {url: /api/missing, headers: {x-api-key: "${secrets.x_api_key}"}}, expect: [status == 404]}
        """
    )


def test_what_was_left_out_is_said():
    """Static files, third parties and cookies from before are one line each; the secrets to set are named."""
    assert sample("har", "shop.har").said == [
        "shop.har: GET /: cookies from before the recording were left out (consent); let the journey sign in by itself",
        "shop.har: GET /api/missing: answered 404 when it was recorded, and the step expects that; remove the step if it does not belong to the journey",
        "shop.har: entries: static files were left out (scripts, styles, images, fonts: 1); a browser step loads them by itself",
        "shop.har: entries: requests to https://stats.example were left out (1); they are third parties",
        "set SOJOURN_SECRET_PASSWORD, which stood in POST /api/login",
        "set SOJOURN_SECRET_X_API_KEY, which stood in GET /api/missing",
    ]


async def test_the_journey_walks_the_site_it_was_recorded_on():
    """The imported journey passes against the site, a fresh token in place of the recorded one."""

    async def shop(asked: Asked) -> bytes:
        if asked.target == "/api/login":
            good = json.loads(asked.body) == {"user": "ana", "password": "open sesame"}
            return answer(body='{"access": {"token": "fresh-token-42"}}', content_type="application/json") if good else answer(401)
        if asked.target == "/api/orders?limit=5":
            return answer(body="[]") if asked.headers.get("authorization") == "Bearer fresh-token-42" else answer(401)
        return answer(404) if asked.target == "/api/missing" else answer(body="Welcome")

    async with site(shop) as served:
        text = sample("har", "shop.har").texts["shop-example"].replace("https://shop.example", served.url)
        run = await walk(text, environ={"SOJOURN_SECRET_PASSWORD": "open sesame", "SOJOURN_SECRET_X_API_KEY": "some-key"})
    assert run.outcome is Outcome.PASSED, run.failure


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "file: is no HAR recording (log.entries is not there or empty); export it from the browser's network tools"),
        ('{"log": ', "file:1: is not JSON: expecting value at column 9; export it anew"),
        ('{"log": {"entries": [{"request": {"url": "data:x"}}]}}', "file: holds no http request; record a visit to a site"),
        ("[" * 100000, "file: is nested more than 64 deep; a file of this kind is not"),
    ],
)
def test_bad_files_are_one_sentence(text, message):
    """What is no recording is said with its cure."""
    with pytest.raises(ImportFault) as raised:
        imported("har", text)
    assert str(raised.value) == message
