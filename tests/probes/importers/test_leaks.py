"""No secret of an imported file is written or said, wherever people put them. Each is marked `canary`; the helper looks for it."""

import json
from typing import Any

import pytest

from tests.probes.importers.importing import imported

JWT = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJjYW5hcnkiOiJjYW5hcnkifQ.canarycanary"


def har(method: str, body: str, kind: str, url: str = "https://a.example/", **headers: str) -> str:
    request: dict[str, Any] = {"method": method, "url": url, "headers": [{"name": name, "value": value} for name, value in headers.items()]}
    request |= {"postData": {"mimeType": kind, "text": body}} if body else {}
    response = {"status": 200, "content": {"mimeType": "text/html"}}
    return json.dumps({"log": {"entries": [{"request": request, "response": response, "_resourceType": "document"}]}})


def postman(variables: dict[str, str], event: list[str] | None = None, **request: Any) -> str:
    item: dict[str, Any] = {"name": "r", "request": {"method": "POST", "url": "https://a.example/", **request}}
    item |= {"event": [{"listen": "test", "script": {"exec": event}}]} if event else {}
    variable = [{"key": key, "value": value} for key, value in variables.items()]
    return json.dumps({"info": {"name": "x", "schema": "/v2.1.0/"}, "item": [item], "variable": variable})


def openapi(where: str, name: str) -> str:
    parameter = {"name": name, "in": where, "required": True, "example": "canary1"}
    get = {"parameters": [parameter], "responses": {"200": {}}}
    return json.dumps(
        {"openapi": "3.0.0", "info": {"title": "x"}, "servers": [{"url": "https://u:canary2@a.example"}], "paths": {f"/x/{{{name}}}": {"get": get}}}
    )


MULTIPART = '--x\r\nContent-Disposition: form-data; name="password"\r\n\r\ncanary1\r\n--x--'
KEYCLOAK = '{"credentials": [{"type": "password", "value": "canary1"}], "password": {"value": "canary2"}}'
LEAKS = [
    ("curl", "curl https://a.example/ -u canary1:"),
    ("curl", "curl https://canary1@a.example/"),
    ("curl", "curl https://a.example/ -d 'user=ana&password=canary1' -d \"x=$Y\""),
    ("curl", 'curl https://a.example/ --json "{\\"n\\": $N, \\"pwd\\": \\"canary1\\"}"'),
    ("curl", "curl https://a.example/ -H 'Content-Type: text/xml' -d '<a><wsse:Password Type=\"x\">canary1</wsse:Password></a>'"),
    ("curl", "curl https://a.example/ -F api_key=canary1 -b sid=canary2 -x http://u:canary3@p:3128 --proxy-user u:canary4"),
    ("curl", "curl 'https://a.example/?api%5Fkey=canary1&X-Amz-Signature=canary2' -e 'https://a.example/?token=canary3'"),
    ("curl", f"curl https://a.example/reset/{JWT} --cert c.pem:canary1 --proxy-header 'X: canary2' --pass canary3"),
    ("curl", "curl https://a.example/ -H 'Authorization: Digest username=canary1' -H 'apikey: canary2' -H 'X-A: token=canary3'"),
    ("har", har("GET", "", "", Cookie="s=canary1", Authorization="Basic dTpjYW5hcnkx")),
    ("har", har("POST", KEYCLOAK, "application/json", url="https://a.example/?access_token=canary3")),
    ("har", har("POST", MULTIPART, "multipart/form-data; boundary=x")),
    ("har", har("POST", "user=a&password=canary1", "")),
    ("har", har("POST", '{"password":"canary1"}\n{"password":"canary2"}', "text/plain")),
    ("har", har("POST", json.dumps({"query": 'mutation { login(user: "a", password: "canary1") { t } }'}), "application/json")),
    ("postman", postman({"pw": "canary1"}, body={"mode": "raw", "raw": '{"password": "{{pw}}", "said": "{{pw}}"}'})),
    ("postman", postman({"base": "https://u:canary1@a.example"}, url="{{base}}/x")),
    ("postman", postman({"x": "ghp_canary1canary1canary1canary1"}, header=[{"key": "X-A", "value": "{{x}}"}])),
    ("postman", postman({"k": "canary1"}, auth={"type": "apikey", "apikey": [{"key": "key", "value": "X-K"}, {"key": "value", "value": "{{k}}"}]})),
    ("postman", postman({}, url={"raw": "https://a.example/u/:token", "variable": [{"key": "token", "value": "canary1"}]})),
    ("postman", postman({}, ["pm.expect(pm.response.json().token).to.eql('canary1');", "pm.sendRequest('https://x', {password: 'canary2'}, timeout)"])),
    ("openapi", openapi("path", "token")),
    ("openapi", openapi("query", "api_key")),
    ("openapi", openapi("cookie", "sid")),
    ("playwright", "page.goto('https://u:canary1@a.example/?token=canary2')\npage.locator('input[name=password][data-x]').fill('canary3')"),
    (
        "playwright",
        "page.goto('https://a.example/')\npage.request.post('/x', data={'password': 'canary1'}, label='x')\ncontext.add_cookies([{'value': 'canary2'}])",
    ),
    ("gatus", "endpoints:\n- {url: 'https://u:canary1@a.example/?api_key=canary2', conditions: ['[BODY].token == canary3', '[BODY] == pat(*token=canary4*)']}"),
    (
        "gatus",
        'endpoints:\n- {name: a, url: \'wss://u:canary1@a.example/?token=canary2\', headers: {Cookie: s=canary3}, body: \'{"a": {"password": "canary4"}}\'}',
    ),
    (
        "gatus",
        "suites:\n- name: s\n  context: {pw: canary1, deep: {password: canary2}}\n  endpoints:\n"
        "  - {name: l, url: 'https://a.example/[CONTEXT].pw', method: POST, body: '{\"password\": \"[CONTEXT].pw\"}', conditions: []}",
    ),
    (
        "blackbox",
        "modules: {a: {prober: http, http: {headers: {X-Api-Key: canary1}, method: POST, body: 'password=canary2', proxy_connect_header: {P: [canary3]}, "
        "fail_if_body_not_matches_regexp: ['token=canary4'], basic_auth: {username: u, password: canary5}}}}",
    ),
    (
        "heartbeat",
        "- {type: http, id: a, hosts: ['https://u:canary1@a.example/?token=canary2'], check.request.headers: {Authorization: ApiKey canary3}, "
        "check.request.body: 'password=canary4', check.response.json: [{condition: {equals: {token: canary5}}}]}",
    ),
    ("heartbeat", "- {type: tcp, id: a, hosts: ['tcp://u:canary1@a.example:1', 'x:1'], check.send: 'PASS canary2'}"),
    (
        "checkly",
        "new ApiCheck('a', {name: 'a', request: {url: 'https://u:canary1@a.example/?token=canary2', basicAuth: {username: 'u', password: 'canary3'}, "
        "queryParameters: [{key: 'secret', value: 'canary4'}], headers: [{key: 'A', value: 'Bearer ' + 'canary5'}], "
        "assertions: [AssertionBuilder.jsonBody('$.token').equals('canary6')]}, environmentVariables: [{key: 'PW', value: 'canary7'}]})",
    ),
]


@pytest.mark.parametrize(("form", "text"), LEAKS)
def test_no_secret_is_written_or_said(form, text):
    """Not in the journeys, which load, nor in the lines about what was left out."""
    assert imported(form, text).journeys


def test_a_variable_in_a_secret_field_is_a_secret_everywhere():
    """It leaves vars: and its other uses take the secret too."""
    text = postman({"pw": "canary1", "lang": "en"}, body={"mode": "raw", "raw": '{"password": "{{pw}}", "said": "{{pw}}", "lang": "{{lang}}"}'})
    data = imported("postman", text).data["x"]
    assert data["vars"] == {"lang": "en"}
    assert data["steps"][0]["http"]["json"] == {"password": "${secrets.pw}", "said": "${secrets.pw}", "lang": "${vars.lang}"}


@pytest.mark.parametrize(
    ("form", "text", "wanted"),
    [
        ("curl", "curl https://a.example/ -d 'q=${HOME}&x=$$y'", None),
        ("postman", postman({}, ["pm.expect(pm.response.text()).to.include('${secrets.x}');"]), "body contains '$${secrets.x}'"),
        ("heartbeat", "- {type: http, id: a, hosts: ['https://a.example/'], check.response.body: 'a$${b}'}", None),
        ("gatus", "endpoints: [{name: a, url: 'https://a.example/', headers: {X-A: '$${secrets.x}'}}]", "$${secrets.x}"),
        ("checkly", '[{"checkType": "URL", "name": "a", "request": {"url": "https://a.example/${env.HOME}"}}]', 'http: {url: "/$${env.HOME}"}'),
        ("checkly", "new UrlMonitor('a', {name: 'a', request: {url: 'https://a.example/${env.HOME}'}})", 'http: {url: "/$${env.HOME}"}'),
        ("blackbox", "modules: {a: {prober: http, http: {fail_if_body_not_matches_regexp: ['${secrets.x}']}}}", "body matches '$${secrets.x}'"),
    ],
)
def test_foreign_names_stay_text(form, text, wanted):
    """What a stranger wrote as `${…}` reaches no secret of ours."""
    found = imported(form, text)
    assert found.secrets == []
    assert wanted is None or any(wanted in line for one in found.texts.values() for line in one.splitlines())
