"""Postman collections become journeys."""

import json

import pytest

from sojourn_probes.importers.source import ImportFault
from tests.probes.importers.importing import imported, sample, steps


def test_folders_variables_auth_and_scripts():
    """A journey for the top and one for each folder; variables are names, auth is inherited, scripts become expectations and extractions."""
    found = sample("postman", "shop.postman_collection.json")
    assert found.data["shop-api"] == steps(
        """
        id: shop-api
        name: Shop API
        vars: {baseUrl: https://api.shop.example/v1}
        steps:
          - id: log-in
            name: Log in
            http: {url: "${vars.baseUrl}/login", json: {user: "${env.USER}", password: "${secrets.admin_password}"}}
            expect: [status == 200, total < 500ms]
            extract: {token: {json: $.access_token, secret: true}}
          - id: orders
            name: Orders
            http: {url: "${vars.baseUrl}/orders/42?full=1", headers: {X-Trace: "${random.uuid}"}, auth: {bearer: "${steps.log-in.token}"}}
        """
    )
    assert found.data["shop-api-admin"]["steps"] == steps(
        """
        - {id: users, name: Users, http: {url: /users, headers: {X-API-Key: "${secrets.x_api_key}"}}}
        - id: search
          name: Search
          http: {url: /graphql, headers: {X-API-Key: "${secrets.x_api_key}"}, json: {query: "{ users { id } }", variables: {first: 3}}}
        """
    )


def test_scripts_are_never_run_and_what_they_say_more_is_told():
    """A line nobody understands is said with its number; a secret in it is not repeated."""
    assert sample("postman", "shop.postman_collection.json").said[0] == (
        "shop.postman_collection.json: Log in: script after the answer, line 7, was left out: console.log('done');"
    )
    item = {
        "name": "A",
        "request": "https://a.example/",
        "event": [{"listen": "prerequest", "script": {"exec": ["pm.environment.set('password', 'canary-1')"]}}],
    }
    said = imported("postman", json.dumps({"info": {"name": "x"}, "item": [item]})).said
    assert said == ["file: A: script before the request, line 1, was left out: pm.environment.set('…', '…')"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}", "file: is no Postman collection (info and item are not there); export it as Collection v2.1"),
        ('{"info": {"schema": "https://x/collection/v1.0.0/"}, "requests": []}', "file: is a collection of the old format v1; export it as Collection v2.1"),
        ('{"info": {"schema": "x"}, "item": []}', "file: holds no request that a journey can make"),
    ],
)
def test_bad_files_are_one_sentence(text, message):
    """What is no collection is said with its cure."""
    with pytest.raises(ImportFault) as raised:
        imported("postman", text)
    assert str(raised.value) == message
