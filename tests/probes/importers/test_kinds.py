"""What other tools probe by DNS, gRPC, WebSocket, TLS and sockets becomes steps of these kinds; what has no counterpart is said."""

from pathlib import Path
from typing import Any

import pytest

from sojourn_probes.importers.draft import Work
from sojourn_probes.load import load_text
from tests.probes.importers.importing import Imported, imported, steps


def first(found: Imported) -> Any:
    """The first step of the first journey."""
    return next(iter(found.data.values()))["steps"][0]


def gatus(endpoint: str) -> Imported:
    return imported("gatus", f"endpoints:\n  - {{name: a, {endpoint}}}\n")


@pytest.mark.parametrize(
    ("endpoint", "step"),
    [
        (
            "url: '8.8.8.8', dns: {query-name: shop.example, query-type: A}, conditions: ['[DNS_RCODE] == NOERROR', '[BODY] == 192.0.2.7']",
            "{dns: {name: shop.example, record: A, resolver: 8.8.8.8}, expect: [rcode == NOERROR, records contains 192.0.2.7]}",
        ),
        (
            "url: '2001:db8::53', dns: {query-name: shop.example, query-type: MX}, conditions: ['[BODY] == mail.shop.example.']",
            r"{dns: {name: shop.example, record: MX, resolver: '2001:db8::53'}, expect: ['records matches ''(?:\\A|\\s)mail\\.shop\\.example\\.\\Z''']}",
        ),
        (
            "url: '8.8.8.8:53', dns: {query-name: 192.0.2.7, query-type: PTR}, conditions: ['[BODY] == pat(*.shop.example.)']",
            r"{dns: {name: 7.2.0.192.in-addr.arpa, record: PTR, resolver: '8.8.8.8:53'}, expect: ['records matches ''(?:\\A|\\s).*\\.shop\\.example\\.\\Z''']}",
        ),
        (
            "url: 'grpcs://shop.example:443', client: {timeout: 3s}, conditions: ['[CONNECTED] == true', '[BODY].status == SERVING', '[RESPONSE_TIME] < 500']",
            "{grpc: {host: shop.example, port: 443, tls: true}, expect: [health == SERVING, total < 500ms], timeout: 3s}",
        ),
        (
            "url: 'wss://shop.example/live', headers: {X-Api-Key: canary-1, A: x}, body: '{\"t\": 1}', conditions: ['[BODY] == pat(*ok*)']",
            "websocket: {url: 'wss://shop.example/live', headers: {X-Api-Key: '${secrets.x_api_key}', A: x}, dialog: [{send: '{\"t\": 1}'}, {matches: ^}]}\n"
            "expect: [body contains ok]",
        ),
        (
            "url: 'icmp://gw.example', conditions: ['[CONNECTED] == true', '[RESPONSE_TIME] < 50']",
            "{icmp: {host: gw.example}, expect: [rtt < 50ms]}",
        ),
        (
            "url: 'tcp://redis.example:6379', body: \"AUTH canary-2\\nPING\", conditions: ['[BODY] == pat(*PONG*)']",
            'tcp: {host: redis.example, port: 6379, dialog: [{send: "AUTH ${secrets.password}\\nPING"}, {matches: .}]}\nexpect: [body contains PONG]',
        ),
        (
            "url: 'tls://ldap.example:636', client: {tls: {certificate-file: c.pem, private-key-file: k.pem}}, conditions: ['[CERTIFICATE_EXPIRATION] > 48h']",
            "{tls: {host: ldap.example, port: 636, cert_file: c.pem, key_file: k.pem}, expect: [tls.expires_in > 2d]}",
        ),
        ("url: 'tls://x.example:99', body: hello, conditions: []", "{tcp: {host: x.example, port: 99, tls: true, dialog: [{send: hello}]}}"),
        ("url: 'starttls://mx.example:25', client: {insecure: true}, conditions: []", "{tls: {host: mx.example, port: 25, starttls: smtp, verify: false}}"),
    ],
)
def test_gatus_endpoints_of_every_kind(endpoint, step):
    """The scheme of the address, or dns:, decides the kind; the body and its conditions keep their meaning."""
    found = first(gatus(endpoint))
    assert {key: value for key, value in found.items() if key != "id"} == steps(step)


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("url: 'ssh://x:22', ssh: {username: a, password: canary-1}", "an address of the kind ssh cannot be probed, only http, https, tcp, tls,"),
        ("url: 'udp://x:53'", "an address of the kind udp cannot be probed"),
        ("url: 8.8.8.8, dns: {query-name: a, query-type: ANY}", "its dns: names no record that can be asked for"),
        ("url: 'grpc://x'", "its address has no host and port that can be read"),
        ("url: 'grpcs://x:1', client: {insecure: true}", "client: insecure was left out; a grpc step judges the certificate"),
        ("url: 'https://x.example/', body: '[RANDOM_STRING_10]', method: POST", "[RANDOM_STRING] became ${random.hex}"),
        ("url: 'https://x.example/[CONTEXT].a-b'", "[CONTEXT].a-b is nothing that an earlier endpoint stored"),
        ("url: 'https://x.example/', conditions: ['[BODY].token > canary-5']", "the condition '[BODY].token …' was left out"),
    ],
)
def test_gatus_says_what_no_step_can(endpoint, said):
    """With its place, and without what is secret."""
    with_another = f"endpoints:\n  - {{name: b, url: 'icmp://x'}}\n  - {{name: a, {endpoint}}}\n"
    assert any(said in line for line in imported("gatus", with_another).said)


@pytest.mark.parametrize(
    ("module", "target", "step"),
    [
        (
            "prober: dns, dns: {query_name: shop.example, query_type: SOA, transport_protocol: tcp, dns_over_tls: true, tls_config: {server_name: d.example}, "
            "recursion_desired: false, valid_rcodes: [NOERROR, NXDOMAIN]}",
            "192.0.2.53:853",
            "dns: {name: shop.example, record: SOA, resolver: '192.0.2.53:853', transport: tls, tls: {server_name: d.example}, recursion: false}\n"
            "expect: ['rcode in [NOERROR, NXDOMAIN]']",
        ),
        (
            "prober: grpc, grpc: {service: shop.Cart, tls: true, tls_config: {ca_file: ca.pem}, preferred_ip_protocol: ip4, ip_protocol_fallback: false}",
            "x.example:50051",
            "grpc: {host: x.example, port: 50051, service: shop.Cart, tls: {ca_file: ca.pem}, ip_family: 4}",
        ),
        (
            "prober: tcp, tcp: {tls: true, query_response: [{send: 'PASS canary-1', expect: '^OK'}, {send: QUIT}], tls_config: {insecure_skip_verify: true}}",
            "irc.example:6697",
            'tcp: {host: irc.example, port: 6697, tls: {verify: false}, dialog: [{matches: ^OK}, {send: "PASS ${secrets.password}\\n"}, {send: "QUIT\\n"}]}',
        ),
        ("prober: icmp, icmp: {payload_size: 100}", "gw.example", "icmp: {host: gw.example, count: 1, size: 100}"),
        (
            "prober: http, http: {valid_http_versions: [HTTP/1.1, HTTP/2.0], enable_http2: false, body_size_limit: 10MB, "
            "tls_config: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, min_version: TLS13}, basic_auth: {username: ana, password_file: /etc/pw}}",
            "https://x.example",
            "http: {url: /, auth: {user: ana, password: '${secrets.password}'}, tls: {ca_file: ca.pem, cert_file: c.pem, key_file: k.pem, min_version: '1.3'}, "
            "max_body: 10 MB, http_version: '1.1'}\nexpect: [status == 2xx, 'http_version in [''1.1'', ''2'']']",
        ),
        ("prober: websocket", "wss://x.example/live", "websocket: {url: 'wss://x.example/live'}"),
    ],
)
def test_blackbox_modules_of_every_kind(module, target, step):
    """Each prober becomes a step of its kind, its TLS settings and limits carried over."""
    found = first(imported("blackbox", f"modules:\n  m: {{{module}}}\n", targets=(target,)))
    assert {key: value for key, value in found.items() if key not in ("id", "name")} == steps(step)


def test_blackbox_says_what_no_step_can():
    """Records are checked in a form of Go's library, ANY is asked by nobody, and gRPC verifies."""
    text = """
modules:
  dns: {prober: dns, dns: {query_name: a.example, validate_answer_rrs: {fail_if_not_matches_regexp: [x]}}}
  grpc: {prober: grpc, grpc: {tls: true, tls_config: {insecure_skip_verify: true}}}
  unix: {prober: unix}
"""
    said = "\n".join(imported("blackbox", text, targets=("x.example:53",)).said)
    assert "dns: validate_answer_rrs was left out" in said
    assert "query_type ANY was left out; A is asked for" in said
    assert "tls_config: insecure_skip_verify was left out; a grpc step cannot say it" in said
    assert "the prober 'unix' cannot be carried over, only http, tcp, icmp, dns, grpc, websocket" in said


def test_heartbeat_families_proxies_and_inline_keys():
    """`mode: all` asks every address; a key in the file itself is never written."""
    text = """
- {type: http, id: all, mode: all, ipv6: false, hosts: ["https://x.example/"]}
- type: tcp
  id: keyed
  hosts: ["tls://x.example:993"]
  check: {send: "LOGIN ana canary-9", receive: OK}
  ssl: {certificate: c.pem, key: k.pem, key_passphrase: canary-3}
- type: http
  id: inline
  hosts: ["https://x.example/"]
  ssl: {certificate_authorities: ["-----BEGIN CERTIFICATE-----canary"], key: "-----BEGIN PRIVATE KEY-----canary"}
"""
    found = imported("heartbeat", text)
    assert found.data["all"]["steps"][0]["http"] == {"url": "/", "follow_redirects": 0, "ip_family": 4, "all_addresses": True}
    assert found.data["keyed"]["steps"][0]["tcp"] == steps(
        """
        host: x.example
        port: 993
        tls: {cert_file: c.pem, key_file: k.pem, key_password: "${secrets.key_passphrase}"}
        dialog: [{send: "LOGIN ana ${secrets.password}"}, {expect: OK}]
        """
    )
    assert "tls" not in found.data["inline"]["steps"][0]["http"]
    assert any("ssl: key was left out; put what stands there into a file and name it as key_file" in line for line in found.said)


@pytest.mark.parametrize(
    ("construct", "step"),
    [
        (
            "DnsMonitor('a', {name: 'a', request: {query: 'x.example', recordType: 'AAAA', nameServer: '1.1.1.1', port: 53, protocol: 'TCP', "
            "assertions: [DnsAssertionBuilder.responseCode().equals('NOERROR'), DnsAssertionBuilder.textAnswer().contains('2001:db8::1')]}})",
            "dns: {name: x.example, record: AAAA, resolver: '1.1.1.1:53', transport: tcp}\nexpect: [rcode == NOERROR, 'records matches ''2001:db8::1''']",
        ),
        (
            "GrpcMonitor('a', {name: 'a', request: {url: 'x.example', port: 443, grpcConfig: {mode: 'HEALTH', service: 'shop.Cart', "
            "metadata: [{key: 'authorization', value: 'Bearer canary-1'}]}, assertions: [GrpcAssertionBuilder.statusCode().equals(0), "
            "GrpcAssertionBuilder.healthCheckStatus().equals('SERVING')]}})",
            "grpc: {host: x.example, port: 443, tls: true, metadata: {authorization: 'Bearer ${secrets.token}'}, service: shop.Cart}\n"
            "expect: [grpc_status == OK, health == SERVING]",
        ),
        (
            "GrpcMonitor('a', {name: 'a', request: {url: 'x.example', port: 1, grpcConfig: {tls: false, method: '/shop.Cart/Total', "
            'message: \'{"sku": 1, "password": "canary-2"}\'}, assertions: [GrpcAssertionBuilder.responseMessage(\'$.total\').greaterThan(1)]}})',
            "grpc: {host: x.example, port: 1, method: shop.Cart/Total, message: {sku: 1, password: '${secrets.password}'}}\nexpect: [json $.total > 1]",
        ),
        (
            "SslMonitor('a', {name: 'a', request: {hostname: 'x.example', sslConfig: {serverName: 'y.example', alertDaysBeforeExpiry: 14}, "
            "assertions: [SslAssertionBuilder.certificate('keySizeBits').greaterThan(2047), SslAssertionBuilder.connection('tlsVersion').equals('TLS1.3')]}})",
            "tls: {host: x.example, server_name: y.example}\nexpect: [tls.expires_in > 14d, tls.key_bits > 2047, tls.version == TLSv1.3]",
        ),
        (
            "IcmpMonitor('a', {name: 'a', request: {hostname: 'x.example', pingCount: 5, assertions: [IcmpAssertionBuilder.latency('max').lessThan(100), "
            "IcmpAssertionBuilder.jsonResponse('$.packetLoss').lessThan(10)]}})",
            "icmp: {host: x.example, count: 5}\nexpect: [rtt.max < 100ms, loss < 10]",
        ),
    ],
)
def test_checkly_monitors_of_every_kind(construct, step):
    """Monitors and their assertions keep their meaning, whose words differ by kind."""
    found = first(imported("checkly", f"new {construct}"))
    assert {key: value for key, value in found.items() if key != "id"} == steps(step)


def test_one_bad_expectation_is_no_reason_to_lose_a_step():
    """It is taken out and said with its cause."""
    work = Work("curl", "file")
    work.draft("a").add("s", "http", {"url": "https://x.example/"}, expect=["status == 200", "banner exists"])
    assert load_text(work.finished()[0].text, Path("a.yaml")).steps[0].expect[0].text == "status == 200"
    assert [lost.message for lost in work.lost] == ["the expectation on banner was left out: banner is seen by tcp steps only, not by http; remove it"]
