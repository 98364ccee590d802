"""Whatever a structurally good file of another tool says, what is written of it loads, and no secret is in it."""

import json
from typing import Any

import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sojourn_probes.importers.source import ImportFault
from tests.probes.importers.importing import imported

# ruff: noqa: E501 - what may stand in each format reads best as one table

quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

ODD = st.sampled_from(
    ["", "a", "${env.HOME}", "$${x}", "${", "$X", "{{y}}", "a: b # c", "- x", "'\"\\", "ü€😀", "\t\r\n", "null", "1e5", "*a", "%", "[CONTEXT].t", "x" * 300]
)
WORDS = ODD | st.text(max_size=12)
NAMES = st.sampled_from(["name", "user", "a b", "X-Y", "1", "ü", "é-1", "q[]", ""]) | st.text(max_size=8)
SECRETS = st.sampled_from(["password", "clientSecret", "api_key", "X-Auth-Token", "new_password2", "accessToken", "pwd"])
URLS = st.sampled_from(
    [
        "https://x.example",
        "http://x.example:8080/a b?c=d&e",
        "https://[::1]:8443/",
        "https://x.example/${y}?q={{z}}#f",
        "https://u:canary1@x.example/?token=canary2",
        "HTTPS://X.example/ü",
        "http://x.example/?a=1&a=2",
        "https://x.example:99999/",
        "/rel",
        "x.example",
        "",
        "ftp://x/",
        "https://",
    ]
)
HOSTS = st.sampled_from(["x.example:53", "x.example", "[::1]:443", "::1", "192.0.2.1:0", "a b:1", "", "x:99999", "u:canary1@x:1", "${h}:1", "x:$P"])
VALUES = st.recursive(
    WORDS | st.integers() | st.booleans() | st.none() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.dictionaries(NAMES, VALUES, max_size=3) | st.dictionaries(SECRETS, st.just("canary3"), max_size=2)
HEADERS = st.dictionaries(st.sampled_from(["Accept", "Content-Type", "Authorization", "Cookie", "X-Api-Key", "Host", "x y", "X-A"]), WORDS, max_size=3)
METHODS = st.sampled_from(["GET", "POST", "put", "HEAD", "BREW", ""])
TIMES = st.sampled_from(["5s", "1m30s", "0", "999h", "x", 30, -1, None, True, 0.5, "1ms"])
JUNK = st.dictionaries(st.sampled_from(["enabled", "tags", "mode", "ssl", "tls", "client", "timeout", "labels"]), VALUES, max_size=2)


def loads(form: str, text: str, **more: Any) -> None:
    """What comes out loads (the helper sees to it), or it is one sentence."""
    said = ""
    try:
        imported(form, text, **more)
    except ImportFault as fault:
        said = str(fault)
    assert "\n" not in said
    assert "canary" not in said


def as_yaml(data: Any) -> str:
    return yaml.safe_dump(data, allow_unicode=True)


CONDITIONS = st.lists(
    st.sampled_from(
        ["[STATUS] == 200", "[STATUS] == any(200, 9)", "[BODY].a.b == pat(*x?*)", "[BODY] == any(a, b)", "len([BODY]) > 2", "has([BODY].x) == true"]
    )
    | st.sampled_from(
        [
            "[RESPONSE_TIME] < 0",
            "[DNS_RCODE] == any(NOERROR, X)",
            "[BODY] != 192.0.2.1",
            "[CERTIFICATE_EXPIRATION] > 48h",
            "[IP] == 1",
            "[BODY].password == canary4",
        ]
    )
    | WORDS,
    max_size=4,
)
ENDPOINTS = st.builds(
    lambda base, more: base | more,
    st.fixed_dictionaries(
        {"name": WORDS, "url": URLS | st.tuples(st.sampled_from(["tcp", "tls", "starttls", "icmp", "grpc", "grpcs", "ws", "wss", "ssh"]), HOSTS).map("://".join) | HOSTS},
        optional={
            "group": WORDS, "interval": TIMES, "method": METHODS, "headers": HEADERS, "body": WORDS | BODIES.map(json.dumps), "conditions": CONDITIONS,
            "dns": st.fixed_dictionaries({"query-name": WORDS, "query-type": st.sampled_from(["A", "MX", "PTR", "any", ""])}),
            "store": st.dictionaries(NAMES, st.sampled_from(["[BODY].t", "[BODY].a[0].b", "x"]), max_size=2), "graphql": st.booleans(),
        },
    ),
    JUNK,
)  # fmt: skip


@quick
@given(st.lists(ENDPOINTS, min_size=1, max_size=3), st.dictionaries(NAMES | SECRETS, st.just("canary5"), max_size=2))
def test_gatus(endpoints, context):
    """Endpoints of every kind, alone and in a suite with a context."""
    secrets = {key: value for key, value in context.items() if key.isascii() and len(key) > 2 and key not in ("name", "user", "a b", "X-Y")}
    loads("gatus", as_yaml({"endpoints": endpoints, "suites": [{"name": "s", "context": secrets, "endpoints": endpoints}]}), spoilt=bool(secrets))


TLS = st.fixed_dictionaries(
    {}, optional={"insecure_skip_verify": st.booleans(), "ca_file": WORDS, "cert_file": WORDS, "key_file": WORDS, "server_name": WORDS, "min_version": WORDS}
)
TURNS = st.lists(st.fixed_dictionaries({}, optional={"send": WORDS, "expect": WORDS, "starttls": st.booleans(), "labels": VALUES}), max_size=3)
MODULES = st.one_of(
    st.fixed_dictionaries({"prober": st.just("http"), "http": st.fixed_dictionaries({}, optional={
        "method": METHODS, "headers": HEADERS, "body": WORDS, "valid_status_codes": st.lists(st.integers(0, 700), max_size=3), "tls_config": TLS,
        "basic_auth": st.fixed_dictionaries({}, optional={"username": WORDS, "password": st.just("canary1")}), "bearer_token": st.just("canary2"),
        "fail_if_body_matches_regexp": st.lists(WORDS, max_size=2), "valid_http_versions": st.lists(WORDS, max_size=2), "body_size_limit": WORDS,
        "fail_if_header_matches": st.lists(st.fixed_dictionaries({"header": WORDS, "regexp": WORDS}), max_size=2), "proxy_url": URLS})}),
    st.fixed_dictionaries({"prober": st.just("tcp"), "tcp": st.fixed_dictionaries({}, optional={"tls": st.booleans(), "tls_config": TLS, "query_response": TURNS})}),
    st.fixed_dictionaries({"prober": st.just("dns"), "dns": st.fixed_dictionaries({"query_name": WORDS}, optional={
        "query_type": WORDS, "dns_over_tls": st.booleans(), "tls_config": TLS, "transport_protocol": WORDS, "valid_rcodes": st.lists(WORDS, max_size=2)})}),
    st.fixed_dictionaries({"prober": st.just("grpc"), "grpc": st.fixed_dictionaries({}, optional={"service": WORDS, "tls": st.booleans(), "tls_config": TLS})}),
    st.fixed_dictionaries({"prober": st.just("icmp"), "icmp": st.fixed_dictionaries({}, optional={"payload_size": st.integers(0, 9999), "ttl": st.integers()})}),
    st.fixed_dictionaries({"prober": st.just("websocket"), "websocket": st.fixed_dictionaries({}, optional={"query_response": TURNS, "tls_config": TLS})}),
)  # fmt: skip


@quick
@given(st.dictionaries(NAMES, MODULES, min_size=1, max_size=3), st.lists(URLS | HOSTS, max_size=2))
def test_blackbox(modules, targets):
    """Modules of every prober with targets of any form."""
    loads("blackbox", as_yaml({"modules": modules}), targets=tuple(targets))


MONITORS = st.builds(
    lambda base, more: base | more,
    st.fixed_dictionaries(
        {"type": st.sampled_from(["http", "tcp", "icmp", "browser", ""]), "hosts": st.lists(URLS | HOSTS, max_size=2)},
        optional={
            "id": WORDS, "name": WORDS, "schedule": st.sampled_from(["@every 5s", "*/5 * * * * * *", "0 0 3 * * *", "x"]), "timeout": TIMES, "ports": VALUES,
            "check.request.headers": HEADERS, "check.request.body": WORDS, "check.response.status": VALUES, "check.response.body": VALUES,
            "check.send": WORDS, "check.receive": WORDS, "username": WORDS, "password": st.just("canary1"), "proxy_url": URLS, "ipv4": st.booleans(),
            "ssl.key": st.just("-----BEGIN PRIVATE KEY-----canary"), "ssl.certificate": WORDS, "wait": TIMES, "max_redirects": VALUES,
            "check.response.json": st.lists(st.fixed_dictionaries({"condition": st.fixed_dictionaries({"equals": VALUES})}), max_size=2),
        },
    ),
    JUNK,
)  # fmt: skip


@quick
@given(st.lists(MONITORS, min_size=1, max_size=3))
def test_heartbeat(monitors):
    """Monitors with keys in both spellings and values of any type."""
    loads("heartbeat", as_yaml(monitors))


ASSERTIONS = st.lists(
    st.fixed_dictionaries({
        "source": st.sampled_from(["STATUS_CODE", "JSON_BODY", "HEADERS", "TEXT_BODY", "RESPONSE_TIME", "RESPONSE_CODE", "ANSWER", "LATENCY", "GRPC_STATUS_CODE", "CERTIFICATE", "CONNECTION", "X"]),
        "comparison": st.sampled_from(["EQUALS", "NOT_EQUALS", "GREATER_THAN", "CONTAINS", "HAS_KEY", "IS_EMPTY", "NOT_NULL", "X"]), "property": WORDS | SECRETS, "target": VALUES,
    }),
    max_size=3,
)  # fmt: skip
CHECKS = st.fixed_dictionaries(
    {
        "checkType": st.sampled_from(["API", "URL", "TCP", "DNS", "ICMP", "GRPC", "SSL", "BROWSER"]), "name": WORDS,
        "request": st.fixed_dictionaries({"url": URLS | HOSTS}, optional={
            "method": METHODS, "headers": HEADERS | VALUES, "queryParameters": VALUES, "body": WORDS | BODIES.map(json.dumps), "bodyType": WORDS,
            "hostname": HOSTS | WORDS, "port": st.integers(-1, 70000), "query": WORDS, "recordType": st.sampled_from(["A", "x", ""]), "nameServer": HOSTS,
            "assertions": ASSERTIONS, "basicAuth": st.fixed_dictionaries({"username": WORDS, "password": st.just("canary1")}), "data": WORDS,
            "grpcConfig": st.fixed_dictionaries({}, optional={"mode": WORDS, "method": WORDS, "message": WORDS | BODIES.map(json.dumps), "service": WORDS}),
            "sslConfig": VALUES, "pingCount": VALUES, "ipFamily": WORDS,
        }),
    },
    optional={"frequency": VALUES, "degradedResponseTime": VALUES, "maxResponseTime": VALUES, "retryStrategy": VALUES, "tags": VALUES, "activated": st.booleans()},
)  # fmt: skip


@quick
@given(st.lists(CHECKS, min_size=1, max_size=3))
def test_checkly(checks):
    """Checks of every type in the JSON of the API."""
    loads("checkly", json.dumps(checks))


REQUESTS = st.fixed_dictionaries(
    {"method": METHODS, "url": URLS},
    optional={
        "headers": st.lists(st.fixed_dictionaries({"name": st.sampled_from(["Accept", "Cookie", "X-Api-Key", "é", ""]), "value": WORDS}), max_size=3),
        "postData": st.fixed_dictionaries({"mimeType": st.sampled_from(["application/json", "application/x-www-form-urlencoded", "text/plain", ""])}, optional={
            "text": WORDS | BODIES.map(json.dumps), "params": st.lists(st.fixed_dictionaries({"name": SECRETS, "value": st.just("canary4")}), max_size=2)}),
    },
)  # fmt: skip


@quick
@given(st.lists(REQUESTS, min_size=1, max_size=3), BODIES)
def test_har(requests, answer):
    """Requests to anywhere with bodies of any form."""
    response = {"status": 200, "content": {"mimeType": "application/json", "text": json.dumps(answer)}}
    loads("har", json.dumps({"log": {"entries": [{"request": request, "response": response} for request in requests]}}))


ITEMS = st.fixed_dictionaries(
    {"name": WORDS, "request": st.fixed_dictionaries({"url": URLS, "method": METHODS}, optional={
        "header": st.lists(st.fixed_dictionaries({"key": st.sampled_from(["Accept", "X-Api-Key", ""]), "value": WORDS}), max_size=2),
        "body": st.one_of(
            st.fixed_dictionaries({"mode": st.just("raw"), "raw": WORDS | BODIES.map(json.dumps)}),
            st.fixed_dictionaries({"mode": st.just("urlencoded"), "urlencoded": st.lists(st.fixed_dictionaries({"key": NAMES, "value": WORDS}), max_size=3)}),
            st.fixed_dictionaries({"mode": st.just("graphql"), "graphql": st.fixed_dictionaries({"query": WORDS, "variables": BODIES.map(json.dumps)})}),
        ),
    })},
)  # fmt: skip


@quick
@given(st.lists(ITEMS, min_size=1, max_size=3), st.dictionaries(st.sampled_from(["y", "z", "a b", "ü"]), WORDS | URLS, max_size=3))
def test_postman(items, variables):
    """Requests that use variables of any name and value."""
    collection = {"info": {"schema": "/v2.1.0/"}, "item": items, "variable": [{"key": key, "value": value} for key, value in variables.items()]}
    loads("postman", json.dumps(collection))
