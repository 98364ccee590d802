"""curl commands become the steps of a journey."""

import json

import pytest

from sojourn_probes.importers.source import ImportFault
from sojourn_probes.semconv import Outcome
from tests.probes.importers.importing import imported, sample, steps
from tests.probes.site import Asked, answer, site
from tests.probes.walking import walk


def test_options_become_keys_and_secrets_references():
    """Quotes of every kind, bodies, users, keys in the address, tokens and cookies are read; variables of the shell come from the environment."""
    assert sample("curl", "commands.sh").data["api-example"]["steps"] == steps(
        """
        - id: get-v1-items
          name: GET /v1/items
          http:
            url: /v1/items?api_key=${secrets.api_key}
            headers: {Accept: application/json, X-Team: "${env.TEAM}"}
            auth: {user: ana, password: "${secrets.password}"}
        - {id: post-login, name: POST /login, http: {url: /login, json: {user: ana, password: "${secrets.password_2}"}, follow_redirects: 0}}
        - id: post-form
          name: POST /form
          http: {url: /form, form: {colour: black, password: "${secrets.password_3}"}, follow_redirects: 0, tls: {verify: false}}
          timeout: 5s
        - id: get-me
          name: GET /me
          http: {url: /me, headers: {Cookie: "${secrets.cookie}"}, auth: {bearer: "${secrets.token}"}, follow_redirects: 0}
        """
    )


def test_what_was_left_out_is_said():
    """Options without a counterpart and other commands are said with their line."""
    assert sample("curl", "commands.sh").said[:2] == [
        "commands.sh:7: line 7: --resolve was left out; http steps resolve names by themselves",
        "commands.sh:8: line 8: 'wget' is no curl command and was left out",
    ]


def test_nothing_is_run():
    """A command in $( ) or backquotes stays text, and that is said."""
    found = imported("curl", 'curl https://a.example/$(id)/`id` -d "$(cat /etc/passwd)"')
    assert "$(cat /etc/passwd)" in found.data["a-example"]["steps"][0]["http"]["body"]
    assert found.said[0] == "file:1: line 1: a command in $( ) is not run; what stands there was carried over as text"


FILES = """curl -L https://a.example/up -F note=hi -F photo=@/tmp/cat.png -x http://ana:canary-1@proxy.example:3128 --cert c.pem -6
curl -L https://a.example/b -d @/tmp/body.json"""


def test_forms_with_files_bodies_from_files_proxies_and_client_certificates():
    """Files are named as lying beside the journey, and that is said; the proxy's password is lifted."""
    found = imported("curl", FILES)
    assert [step["http"] for step in found.data["a-example"]["steps"]] == steps(
        """
        - url: /up
          multipart: {note: hi, photo: {file: cat.png}}
          tls: {cert_file: c.pem}
          ip_family: 6
          proxy: {url: "http://proxy.example:3128", user: ana, password: "${secrets.password}"}
        - {url: /b, file: body.json}
        """
    )
    assert found.said[:2] == [
        "file:1: line 1: put 'cat.png', which the form sends as photo, beside the journey",
        "file:2: line 2: put 'body.json', which is sent as the body, beside the journey",
    ]


async def test_the_journey_asks_what_curl_asked():
    """Method, headers, sign-in and body arrive at the server as curl would have sent them."""

    async def api(asked: Asked) -> bytes:
        return answer(200)

    async with site(api) as served:
        text = (
            f"curl -u ana:open-sesame {served.url}/a?b=c -H 'X-A: ${{x}}' --json '{{\"n\": 1}}'\ncurl -G {served.url}/search -d q=mug --data-urlencode 'p=a b'"
        )
        run = await walk(imported("curl", text).texts["127-0-0-1"], environ={"SOJOURN_SECRET_ANA_PASSWORD": "open-sesame"})
        assert run.outcome is Outcome.PASSED, run.failure
        first, second = served.asked
    assert run.outcome is Outcome.PASSED, run.failure
    assert (first.method, first.target, first.headers["x-a"], json.loads(first.body)) == ("POST", "/a?b=c", "${x}", {"n": 1})
    assert first.headers["authorization"] == "Basic YW5hOm9wZW4tc2VzYW1l"
    assert (second.method, second.target) == ("GET", "/search?q=mug&p=a%20b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ls -l", "file: holds no curl command; put commands in it that begin with curl"),
        ("\ncurl 'https://a.example", "file:2: a quote that opens here is not closed; add it"),
        ('curl "https://a.example', "file:1: a quote that opens here is not closed; add it"),
    ],
)
def test_bad_files_are_one_sentence(text, message):
    """What is no command is said with its cure."""
    with pytest.raises(ImportFault) as raised:
        imported("curl", text)
    assert str(raised.value) == message
