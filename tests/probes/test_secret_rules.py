"""Secrets that stand in a journey file in plain are refused where a name says for sure that they are one, and nothing else is."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_probes.errors import JourneyFileError
from sojourn_probes.load import load_text
from sojourn_probes.secret_names import is_secret_field, is_secret_name, is_surely_secret

HEAD = "id: a\nbase_url: http://shop.example\nvars: {mode: x, who: '${env.WHO}'}\nsteps:\n  - id: s\n    "


def refused(step: str, head: str = HEAD) -> list[str]:
    """What is wrong with a journey of this one step."""
    try:
        load_text(head + step + "\n", Path("a.yaml"))
    except JourneyFileError as error:
        return [str(problem) for problem in error.problems]
    return []


def cure(name: str) -> str:
    return f'is a secret and must not stand in the file; write "${{secrets.{name}}}" and set SOJOURN_SECRET_{name.upper()}'


@pytest.mark.parametrize(
    ("step", "message"),
    [
        ("http: {url: /, json: {user: ana, password: hunter2}}", f"a.yaml:6:48: steps[0].http.json.password: {cure('password')}"),
        ("http: {url: /, json: {a: [{newPassword: 12}]}}", f"a.yaml:6:45: steps[0].http.json.a[0].newPassword: {cure('new_password')}"),
        ("http: {url: /, form: {client_secret: abc}}", f"a.yaml:6:42: steps[0].http.form.client_secret: {cure('client_secret')}"),
        ("http: {url: /, form: {password: '$${secrets.x}'}}", f"a.yaml:6:37: steps[0].http.form.password: {cure('password')}"),
        ("http: {url: /, form: {pwd: '${vars.mode}'}}", f"a.yaml:6:32: steps[0].http.form.pwd: {cure('pwd')}"),
        ("http: {url: /, query: {access_token: abc}}", f"a.yaml:6:42: steps[0].http.query.access_token: {cure('access_token')}"),
        ("http: {url: '/x?a=1&api_key=abc'}", f"a.yaml:6:17: steps[0].http.url: api_key {cure('api_key')}"),
        ("http: {url: /, multipart: {token: {value: abc}}}", f"a.yaml:6:47: steps[0].http.multipart.token.value: {cure('token')}"),
        ("http: {url: /, headers: {Private-Token: abc}}", f"a.yaml:6:45: steps[0].http.headers.Private-Token: {cure('private_token')}"),
        ("websocket: {url: 'ws://x/', dialog: [{send_json: {apiKey: a}}]}", f"a.yaml:6:63: steps[0].websocket.dialog[0].send_json.apiKey: {cure('api_key')}"),
        ("grpc: {host: x, port: 1, method: a.B/C, message: {password: a}}", f"a.yaml:6:65: steps[0].grpc.message.password: {cure('password')}"),
        ("script: {file: a.py, args: {api_token: a}}", f"a.yaml:6:44: steps[0].script.args.api_token: {cure('api_token')}"),
        ("browser: [{fill: {label: Your password, value: abc}}]", f"a.yaml:6:52: steps[0].browser[0].fill.value: {cure('your_password')}"),
        ("browser: [{frame: {css: f, actions: [{fill: {css: '#pwd', value: a}}]}}]", f"steps[0].browser[0].frame.actions[0].fill.value: {cure('password')}"),
        ("browser: [{goto: '/in?token=abc'}]", f"a.yaml:6:22: steps[0].browser[0].goto: token {cure('token')}"),
    ],
)
def test_a_secret_in_plain_is_refused_with_its_place(step, message):
    """One sentence with place, cause and cure, wherever a named value is sent."""
    found = refused(step)
    assert len(found) == 1
    assert found[0].endswith(message)


def test_a_variable_that_is_a_secret_is_refused_too():
    """It is no way round: neither for the journey nor for one location."""
    head = HEAD.replace("mode: x", "password: x").replace("steps:", "overrides: {eu: {vars: {password: y}}}\nsteps:")
    assert refused("http: {url: /}", head) == [
        f"a.yaml:3:18: vars.password: {cure('password')}",
        f"a.yaml:4:35: overrides.eu.vars.password: {cure('password')}",
    ]


@pytest.mark.parametrize(
    "step",
    [
        "http: {url: /, json: {password: '${secrets.x}', token: '${steps.s0.t}', pwd: '${env.PWD}', secret: '${vars.who}', passwd: '${random.hex}'}}",
        "http: {url: /, json: {password: '', token: null, secret: true, password_hint: dog, token_type: bearer, reset_password: x, page_token: abc}}",
        "http: {url: /, json: {query: 'mutation { signIn(password: \"x\") { token } }', variables: {user: ana}}}",
        "http: {url: /, form: {tokens: 5, csrf_token: fetch, secretary: Ana, author: B, pass: day, session: new, pin: x, password_min_length: 8}}",
        "http: {url: '/reset?next_token=abc&passwords=no', headers: {X-CSRF-Token: Fetch}, query: {token: ''}}",
        "http: {url: '/x?token=${secrets.t}#password=abc'}",
        "browser: [{fill: {label: Search, value: password}}, {fill: {label: Password hint, value: dog}}, {fill: {css: '#password-form input', value: a}}]",
        "browser: [{fill: {label: Password, value: '${random.hex}'}}, {fill: {label: Password, value: ''}}, {expect: Wrong password}]",
    ],
)
def test_what_is_no_secret_is_taken(step):
    """References, generated values, nothing, and names that only speak of a secret."""
    head = HEAD.replace("  - id: s\n", "  - {id: s0, http: {url: /}, extract: {t: {json: $.t}}}\n  - id: s\n")
    assert refused(step, head) == []


@pytest.mark.parametrize(
    ("css", "secret"),
    [
        ("input[type=password]", True),
        ("form#login > input[name='user[password]']", True),
        ('form.x input[autocomplete="new-password"]', True),
        ("#password", True),
        ("[name=pwd", False),
        ("[data-x='password']", False),
        ("#password ~ .hint", False),
        ("input[name=q][title='a > #password']", False),
        ("", False),
    ],
)
def test_a_field_is_known_by_its_selector(css, secret):
    """By the last part of it: type, id, name or autocomplete."""
    assert is_secret_field({"css": css}) is secret


PIECES = ["new", "x", "csrf", "api", "access", "Token", "key", "Password", "hint", "token_type", "secret", "pwd", "reset", "confirmation", "2", "-", "_", "id"]


@given(st.lists(st.sampled_from(PIECES), max_size=5))
def test_what_is_refused_is_what_importers_lift(words):
    """The narrow part of the list lies within the wide one, so that whatever is imported loads."""
    name = "".join(words)
    assert not is_surely_secret(name) or is_secret_name(name)
