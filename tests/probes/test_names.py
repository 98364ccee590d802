"""Filling `${…}`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_probes.errors import NameMissing, SecretMissing
from sojourn_probes.names import NAMESPACES, Names, mentions_secret, references
from sojourn_probes.secrets import SecretStore


def names(**values: object) -> Names:
    return Names(values, {"SHOP": "http://shop"}, SecretStore({"SOJOURN_SECRET_PW": "hunter2"}), "run-1")


def test_every_namespace_is_filled():
    """vars, env, secrets, steps and run are filled, in any nesting and in keys."""
    known = names(lang="en")
    known.set_step("login", {"token": "t1"})
    value = {"${vars.lang}": ["${env.SHOP}/x", {"a": "Bearer ${steps.login.token}"}, "${secrets.pw}", "${run.id}", 5, None]}
    assert known.fill(value) == {"en": ["http://shop/x", {"a": "Bearer t1"}, "hunter2", "run-1", 5, None]}


def test_a_whole_reference_keeps_its_type():
    """A text that is one reference and nothing else stays a number or a list."""
    assert names(n=3, l=[1]).fill(["${vars.n}", "${vars.l}", "x${vars.n}"]) == [3, [1], "x3"]


def test_bare_dollar_is_left_alone_and_double_dollar_escapes():
    """`$X` stays; `$${` is the two characters themselves."""
    assert names().fill("$X costs $5, $${vars.x}") == "$X costs $5, ${vars.x}"


def test_vars_may_use_env_and_secrets():
    """A var may be made of the environment and secrets."""
    assert names(auth="u:${secrets.pw}").fill("${vars.auth}") == "u:hunter2"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${vars.y}", "${vars.y} is not set; add y under vars:"),
        ("${env.NOPE}", "environment variable NOPE is not set; export it before the start"),
        ("${steps.login.token}", "${steps.login.token} has no value; step login did not extract token in this attempt"),
        ("a ${vars.x", "a ${ is not closed; add }, or write $${ for the two characters themselves"),
        ("${foo.x}", f"${{foo.x}} begins with none of {', '.join(NAMESPACES)}; write it as ${{vars.…}} or one of the others"),
        ("${run.name}", "${run.name} is not known; the run has only ${run.id} and ${run.location}"),
        ("${vars}", "${vars} is not a name; write ${vars.name}"),
        ("${vars.loop}", "vars.loop may not use ${vars.loop}; vars and steps are not known there"),
    ],
)
def test_what_cannot_be_filled_says_why(text, message):
    """A name that nothing fills is refused with its cause and cure."""
    with pytest.raises(NameMissing) as caught:
        names(loop="${vars.loop}").fill(text)
    assert str(caught.value) == message


def test_missing_secret_is_its_own_error():
    """A missing secret is a SecretMissing, so that its failure kind is `secret`."""
    with pytest.raises(SecretMissing):
        names().fill("${secrets.other}")


def test_a_new_attempt_forgets_what_steps_extracted():
    """After clear_steps nothing of an earlier attempt is left."""
    known = names()
    known.set_step("a", {"b": 1})
    known.clear_steps()
    with pytest.raises(NameMissing):
        known.fill("${steps.a.b}")


@given(st.text().filter(lambda text: "${" not in text))
def test_text_without_references_is_unchanged(text):
    """Whatever has no `${` comes back as it was."""
    assert names().fill(text) == text


@given(st.text())
def test_escaping_any_text_gives_it_back(text):
    """`$${` for every `${` makes any text literal."""
    escaped = text.replace("${", "$${")
    if "$$${" not in escaped:
        assert names().fill(escaped) == text


@given(st.text(alphabet="${}. varsenxy"))
def test_any_text_is_filled_or_refused(text):
    """No text breaks the reader: it is filled or refused, and found references agree with that."""
    try:
        names(x=1).fill(text)
    except NameMissing:
        assert list(references(text))


def test_mentions_secret_looks_everywhere():
    """A secret is found in nested values, and an escaped one is none."""
    assert mentions_secret({"a": ["x ${secrets.pw}"]})
    assert not mentions_secret({"a": "$${secrets.pw}"})
