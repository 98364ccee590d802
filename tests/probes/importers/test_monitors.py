"""Configurations of Gatus, the blackbox exporter, Heartbeat and Checkly become journeys."""

import pytest

from sojourn_probes.importers.source import ImportFault
from tests.probes.importers.importing import imported, sample, steps


def test_gatus_endpoints_and_suites():
    """Each endpoint is a journey of its kind, a suite one with its steps; conditions are expectations; what a suite stores is extracted."""
    data = sample("gatus", "gatus.yaml").data
    assert data["core-front"]["steps"] == steps(
        """
        - id: front
          http: {url: /health, auth: {bearer: "${secrets.token}"}, tls: {verify: false}}
          expect: [status in [200, 204], total < 300ms, json $.status == UP, "json $.items[*] count > 0", body contains Welcome, tls.expires_in > 2d]
          timeout: 5s
        """.replace("[status in [200, 204], ", '["status in [200, 204]", ')
    )
    assert [next(key for key in step if key in ("icmp", "tcp", "tls")) for key in ("gateway", "database", "mail") for step in data[key]["steps"]] == [
        "icmp",
        "tcp",
        "tls",
    ]
    assert data["account"]["steps"] == steps(
        """
        - id: login
          http: {url: /login, json: {user: "${vars.user}", password: "${secrets.password}"}}
          expect: [status == 200]
          extract: {token: {json: $.token, secret: true}}
        - {id: me, http: {url: /me, auth: {bearer: "${steps.login.token}"}}, expect: [status == 200]}
        - {id: logout, http: {url: /logout}, always_run: true}
        """
    )


def test_gatus_says_what_it_leaves_out():
    """Options of the client, conditions and kinds without a counterpart are said with their place."""
    assert sample("gatus", "gatus.yaml").said[:2] == [
        "gatus.yaml:8: core: front: client: dns-resolver was left out",
        "gatus.yaml: core: front: the condition '[DOMAIN_EXPIRATION] > 720h' was left out",
    ]
    assert any(
        line.startswith("gatus.yaml:20: shell: was left out; an address of the kind ssh cannot be probed, only http, ")
        for line in sample("gatus", "gatus.yaml").said
    )


def test_proxies_and_tokens_of_the_client():
    """OAuth 2 client credentials and proxies are carried over from Gatus and the blackbox exporter, their secrets lifted."""
    gatus = """
endpoints:
  - name: a
    url: https://a.example/
    client: {proxy-url: "http://proxy.example:3128", oauth2: {token-url: "https://id.example/token", client-id: me, client-secret: canary-1, scopes: [read]}}
    conditions: ["[STATUS] == 200"]
"""
    wanted = {"token_url": "https://id.example/token", "client_id": "me", "client_secret": "${secrets.client_secret}", "scope": ["read"]}
    http = imported("gatus", gatus).data["a"]["steps"][0]["http"]
    assert (http["auth"], http["proxy"]) == ({"oauth2": wanted}, "http://proxy.example:3128")
    blackbox = """
modules:
  a:
    prober: http
    http:
      proxy_url: http://ana:canary-2@proxy.example:3128
      oauth2: {client_id: me, client_secret: canary-1, token_url: "https://id.example/token", scopes: [read]}
"""
    http = imported("blackbox", blackbox).data["a"]["steps"][0]["http"]
    assert (http["auth"], http["proxy"]) == ({"oauth2": wanted}, {"url": "http://proxy.example:3128", "user": "ana", "password": "${secrets.password}"})


def test_blackbox_modules_with_targets():
    """A journey for each module and target; regular expressions, headers and the dialog are carried over."""
    data = sample("blackbox", "blackbox.yml", targets=("mail.example:25",)).data
    assert data["web-mail-example-25"]["steps"][0]["http"] == {
        "url": "/",
        "auth": {"user": "probe", "password": "${secrets.probe_password}"},
        "tls": {"verify": False},
    }
    assert data["web-mail-example-25"]["steps"][0]["expect"] == ["status == 2xx", "body not matches 'Could not \\\\d'", "header Set-Cookie not exists"]
    assert data["mail-mail-example-25"]["steps"][0]["tcp"] == steps(
        r"""
        host: mail.example
        port: 25
        dialog: [{matches: "^220 ([^ ]+) ESMTP (.+)$"}, {send: "EHLO prober\r\n"}, {starttls: true}, {send: "QUIT\r\n"}]
        """
    )


def test_blackbox_modules_without_a_target_take_it_from_the_environment():
    """A module names no target, and that is said once."""
    found = sample("blackbox", "blackbox.yml")
    assert found.data["ping"]["steps"][0]["icmp"] == {"host": "${env.TARGET_HOST}", "count": 1}
    assert found.said[-2] == (
        "blackbox.yml: modules: a module names no target; it comes from the environment (TARGET, or TARGET_HOST and TARGET_PORT), or name it with --target"
    )


def test_heartbeat_monitors():
    """Dotted and nested keys, schedules, hosts times ports, users in addresses and TLS settings are read; a browser monitor is said to be left out."""
    found = sample("heartbeat", "heartbeat.yml")
    assert found.data["search"] == steps(
        """
        id: search
        name: Search
        base_url: http://search.example:9200
        interval: 5m
        timeout: 16s
        steps:
          - id: search-example-9200-x
            name: search.example:9200/_x
            http:
              url: /_x
              method: POST
              headers: {Accept: text/plain}
              auth: {user: elastic, password: "${secrets.password}"}
              follow_redirects: 0
              tls: {verify: false}
            expect: ["status in [200, 201]", "body matches 'ready|green'"]
        """
    )
    assert [step["tcp"]["port"] for step in found.data["mailboxes"]["steps"]] == [993, 995]
    assert (found.data["mailboxes"]["interval"], found.data["mailboxes"]["timeout"], found.data["mailboxes"]["tags"]) == ("5s", "5s", ["mail", "eu"])
    assert "heartbeat.yml:21: Shop: was left out; a monitor of the type 'browser' cannot be carried over, only http, tcp and icmp" in found.said


def test_checkly_constructs_are_read_not_run():
    """Object literals, builders and variables become a journey each; what needs the script run is said."""
    found = sample("checkly", "shop.check.ts")
    assert found.data["fetch-stats"] == steps(
        """
        id: fetch-stats
        name: Fetch stats
        interval: 10m
        retries: {max: 2, backoff: {first: 5s, growth: linear}}
        steps:
          - id: fetch-stats
            name: Fetch stats
            http: {url: "${env.BASE_URL}/stats", json: {page: 1, password: "${secrets.password}"}, auth: {bearer: "${secrets.api_token}"}, follow_redirects: 0}
            expect: [status == 200, json $.results > 0, total < 20s]
            degraded_if: [total > 1s]
        """
    )
    assert (found.data["echo"]["enabled"], found.data["echo"]["steps"][0]["tcp"]["dialog"]) == (False, [{"send": "ping\n"}, {"matches": "."}])
    assert found.said[:4] == [
        "shop.check.ts:3: Fetch stats: setupScript was left out",
        "shop.check.ts:3: Fetch stats: locations were left out; name your own agents under locations:",
        "shop.check.ts:3: Fetch stats: the assertion AssertionBuilder.headers.equals was left out",
        "shop.check.ts:30: Login: was left out; a BrowserCheck cannot be carried over, only ApiCheck, UrlMonitor, TcpMonitor, TcpCheck, "
        "IcmpMonitor, DnsMonitor, GrpcMonitor, SslMonitor",
    ]


def test_checkly_json():
    """Checks as the API gives them are read as the constructs are."""
    text = """[{"checkType": "API", "name": "A", "frequency": 5, "request": {"method": "GET", "url": "https://{{HOST}}/x",
        "assertions": [{"source": "STATUS_CODE", "comparison": "EQUALS", "target": "200", "property": "", "regex": ""}]}}]"""
    assert imported("checkly", text).data["a"] == {
        "id": "a",
        "name": "A",
        "interval": "5m",
        "steps": [{"id": "a", "name": "A", "http": {"url": "https://${env.HOST}/x"}, "expect": ["status == 200"]}],
    }


@pytest.mark.parametrize(
    ("form", "text", "message"),
    [
        ("gatus", "a: 1", "file:1: is no Gatus configuration (endpoints: and suites: are not there)"),
        ("gatus", "endpoints: [{name: a, url: 'ssh://x'}]", "file: holds no endpoint that a journey can probe; see docs/authoring.md for those it can"),
        ("gatus", "a: *b", "file:1: uses *b, which is nowhere set; if text is meant, put it in quotes"),
        ("gatus", "", "file: is empty"),
        ("blackbox", "a: 1", "file:1: is no configuration of the blackbox exporter (modules: is not there)"),
        ("heartbeat", "a: 1", "file:1: is no configuration of Heartbeat (heartbeat.monitors: is not there)"),
        ("checkly", "const a = 1", "file: holds no check of Checkly (such as new ApiCheck(…), or the JSON of its API)"),
        ("checkly", "new ApiCheck('a', {name: 'x", "file:1: a quote that opens here is not closed; add it"),
    ],
)
def test_bad_files_are_one_sentence(form, text, message):
    """What is no such configuration is said with its cure."""
    with pytest.raises(ImportFault) as raised:
        imported(form, text)
    assert str(raised.value) == message
