"""OpenAPI descriptions become a journey of GETs."""

import pytest

from sojourn_probes.importers.source import ImportFault
from tests.probes.importers.importing import SAMPLES, imported, sample, steps


def test_each_get_becomes_a_step():
    """Parameters come from examples and defaults, the server's path is kept, signing in is by reference, 2xx is expected."""
    assert sample("openapi", "pets.openapi.yaml").data["pets"] == steps(
        """
        id: pets
        name: Pets
        base_url: https://eu.pets.example
        vars: {petId: example}
        steps:
          - id: list-pets
            name: List pets
            http: {url: /v2/pets, headers: {X-API-Key: "${secrets.key}"}, query: {limit: "10", colour: black}}
            expect: [status == 200, "header content-type contains 'application/json'"]
          - id: getpet
            name: getPet
            http: {url: "/v2/pets/${vars.petId}", auth: {user: "${env.LOGIN_USER}", password: "${secrets.login_password}"}}
            expect: [status == 2xx]
        """
    )


def test_what_changes_something_and_what_had_to_be_made_up_is_said():
    """POST is left out; a parameter without an example says which variable to set."""
    assert sample("openapi", "pets.openapi.yaml").said[:2] == [
        "pets.openapi.yaml:26: POST /pets: was left out; only GETs are imported, because they change nothing",
        "pets.openapi.yaml:33: GET /v2/pets/{petId}: the parameter petId has no example; put a real one under vars: petId",
    ]


def test_the_site_can_be_named():
    """--base-url takes the place of the server in the file, its path included."""
    data = imported("openapi", (SAMPLES / "pets.openapi.yaml").read_text(), base_url="http://127.0.0.1:8080/v3").data["pets"]
    assert (data["base_url"], data["steps"][0]["http"]["url"]) == ("http://127.0.0.1:8080", "/v3/pets")


def test_tokens_of_the_client_itself():
    """An OAuth 2 scheme with client credentials becomes such a sign-in, id from the environment, secret by reference."""
    text = """{"openapi": "3.1.0", "info": {"title": "t"}, "servers": [{"url": "https://a.example"}], "security": [{"login": ["read"]}],
        "components":
            {"securitySchemes": {"login": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://id.example/token", "scopes": {}}}}}},
        "paths": {"/x": {"get": {"responses": {}}}}}"""
    assert imported("openapi", text).data["t"]["steps"][0]["http"]["auth"] == {
        "oauth2": {
            "token_url": "https://id.example/token",
            "client_id": "${env.LOGIN_CLIENT_ID}",
            "client_secret": "${secrets.login_client_secret}",
            "scope": ["read"],
        }
    }


def test_references_in_circles_end():
    """A $ref that leads back to itself is nothing."""
    text = """{"openapi": "3.1.0", "info": {"title": "t"}, "servers": [{"url": "https://a.example"}],
        "components": {"parameters": {"a": {"$ref": "#/components/parameters/a"}}},
        "paths": {"/x": {"get": {"parameters": [{"$ref": "#/components/parameters/a"}], "responses": {}}}}}"""
    assert imported("openapi", text).data["t"]["steps"] == [{"id": "get-x", "name": "GET /x", "http": {"url": "/x"}, "expect": ["status == 2xx"]}]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("swagger: '2.0'", "file:1: is Swagger 2.0; convert it to OpenAPI 3 first"),
        ("a: 1", "file:1: is no OpenAPI 3 description (openapi: 3.x and paths: are not there)"),
        ("openapi: 3.0.0\npaths: {/a: {post: {}}}", "file: describes no GET; there is nothing that can be asked without changing something"),
        ("a: [", "file:2: is not YAML: did not find expected node content; correct or export it anew"),
    ],
)
def test_bad_files_are_one_sentence(text, message):
    """What is no description is said with its cure."""
    with pytest.raises(ImportFault) as raised:
        imported("openapi", text)
    assert str(raised.value) == message
