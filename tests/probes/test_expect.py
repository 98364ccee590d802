"""Holding expectations against facts."""

import pytest

from sojourn_probes.expect import judge, shortened
from sojourn_probes.expectation_parse import parse
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.secrets import SecretStore

FACTS = {
    "status": 404,
    "headers": {"content-type": "text/html; charset=utf-8", "set-cookie": "sid=abc"},
    "body": '{"a": {"b": 3}, "list": ["x", "y"], "t": true, "s": "5", "none": null}',
    "total": 0.812,
    "size": 1234,
    "redirects": 0,
    "tls_facts": {"expires_in": 86400.0 * 20, "issuer": "commonName=R11"},
    "url": "http://shop/x",
}


def store() -> SecretStore:
    return SecretStore({"SOJOURN_SECRET_PW": "hunter2"})


def held(text: str, **more: object) -> bool | None:
    known = store()
    return judge(parse(text), {**FACTS, **more}, Names({"n": 404, "w": "list"}, {}, known, "r"), Redactor(known)).holds


@pytest.mark.parametrize(
    "text",
    [
        "status == 404",
        "status == 4xx",
        "status in [200, 4xx]",
        "status not between 200 and 399",
        "status == ${vars.n}",
        "header content-type contains html",
        "header Content-Type matches '^text/'",
        "header x-none not exists",
        "header x-none != x",
        "body contains '\"b\": 3'",
        "body contains '${vars.w}'",
        "not body contains nothere",
        "json $.a.b == 3",
        "json $.a.b > 2.5",
        "json $.t == true",
        "json $.t != 1",
        "json $.s == '5'",
        "json $.s != 5",
        "json $.list contains x",
        "json $.list[*] contains y",
        "json $.none == null",
        "json $.none exists",
        "json $.zip not exists",
        "total < 1s",
        "total between 800ms and 900ms",
        "size >= 1 KB",
        "tls.expires_in > 14d",
        "tls.issuer contains R11",
        "redirects == 0",
        "url matches 'shop/x$'",
    ],
)
def test_what_holds(text):
    """Every comparison holds where it should, and its negation does not."""
    assert held(text) is True
    assert held(text.removeprefix("not ") if text.startswith("not ") else f"not {text}") is False


@pytest.mark.parametrize("text", ["status == 200", "json $.s > 3", "json $.zip == 3", "json $.list < 3", "header x-none contains x", "body contains Nope"])
def test_what_does_not_hold(text):
    """A value of another type, or none at all, does not fulfil."""
    assert held(text) is False


def test_what_was_not_measured_is_unknown():
    """A fact that is not there is neither true nor false."""
    assert held("connect < 1s") is None
    assert held("tls.version == 'TLSv1.3'") is None
    assert held("tls exists") is False


def test_a_body_that_is_no_json_has_no_values():
    """A JSONPath on something else finds nothing there."""
    assert held("json $.a exists", body="<html>") is False
    assert held("json $.a exists", body="[" * 100_000) is False


def test_expected_and_actual_are_said_in_units():
    """Durations, sizes and texts are shown as one would say them."""
    known = store()
    names, redact = Names({}, {}, known, "r"), Redactor(known)
    shown = [
        judge(parse(text), FACTS, names, redact)
        for text in ("total > 1s", "size < 2 MB", "tls.expires_in > 30d", "header x exists", "status == 200", "connect < 1s")
    ]
    assert [(one.expected, one.actual) for one in shown] == [
        ("> 1.00 s", "812 ms"),
        ("< 2.0 MB", "1.2 KB"),
        ("> 30.0 d", "20.0 d"),
        ("exists", "nothing there"),
        ("== 200", "404"),
        ("< 1.00 s", "not measured"),
    ]


def test_secrets_are_not_shown():
    """Neither the target nor what was seen carries a secret, not even one cut in half by shortening."""
    known = store()
    names, redact = Names({}, {}, known, "r"), Redactor(known)
    long = {"body": "x" * 195 + "hunter2" + "y" * 50}
    judgement = judge(parse("body contains '${secrets.pw}!'"), long, names, redact)
    assert judgement.expected == "contains '[redacted]!'"
    assert "hun" not in judgement.actual
    assert judge(parse("header set-cookie exists"), FACTS, names, redact).actual == "[redacted]"


def test_a_long_text_shows_its_beginning_and_no_half_of_a_secret():
    """Where a long body is cut before it is redacted, what is shown is the same, even when it is made of secrets."""
    known = store()
    names, redact = Names({}, {}, known, "r"), Redactor(known)
    redact.text(names.fill_text("${secrets.pw}"))
    for body in ("a" * 65_533 + "hunter2" * 10, "hunter2" * 20_000, "x" + "hunter2" * 9_362 + "hunt", "hunter2 " * 10 + "y" * 100_000):
        shown = judge(parse("body contains nothere"), {"body": body}, names, redact).actual
        assert shown == shortened(f"'{redact.text(body)}'")
        assert "hunter" not in shown


def test_a_name_that_fills_with_nonsense_is_said():
    """A target that is filled with something of the wrong kind is an error, not a silent no."""
    known = store()
    with pytest.raises(ValueError, match="'list' is not a status"):
        judge(parse("status == ${vars.w}"), FACTS, Names({"w": "list"}, {}, known, "r"), Redactor(known))
