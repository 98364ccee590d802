"""Where secrets come from, and that they stay opaque."""

import base64
import html
import json
import pickle
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sojourn_probes.errors import SecretMissing
from sojourn_probes.redact import Redactor
from sojourn_probes.secrets import Secret, SecretStore


def test_environment_then_credential_then_file(tmp_path):
    """The environment wins over the systemd credential, that over the file of agent.yaml."""
    credentials, file = tmp_path / "credentials", tmp_path / "file"
    credentials.mkdir()
    (credentials / "pw").write_text("from-credential\n")
    file.write_text("from-file\n")
    places = {"credentials_dir": credentials, "files": {"pw": file}}
    assert SecretStore({"SOJOURN_SECRET_PW": "from-env"}, **places).get("pw").reveal() == "from-env"
    assert SecretStore({}, **places).get("pw").reveal() == "from-credential"
    (credentials / "pw").unlink()
    assert SecretStore({}, **places).get("pw").reveal() == "from-file"


def test_a_missing_secret_says_where_it_was_looked_for(tmp_path):
    """The message names all three places."""
    with pytest.raises(SecretMissing) as caught:
        SecretStore({}, tmp_path, {"pw": tmp_path / "nope"}).get("pw")
    assert str(caught.value) == (
        f"secret 'pw' was not found; looked for $SOJOURN_SECRET_PW, systemd credential {tmp_path}/pw, file {tmp_path}/nope (secrets: of agent.yaml)"
    )


def test_a_tiny_secret_is_refused():
    """A secret that could not be cut out of outputs is refused."""
    with pytest.raises(SecretMissing) as caught:
        SecretStore({"SOJOURN_SECRET_PW": "ab"}).get("pw")
    assert str(caught.value) == "secret 'pw' is shorter than 3 characters and could not be kept out of outputs; use a longer one"


def test_a_secret_shows_nothing():
    """Printing, formatting and repr give `[redacted]`; pickling is refused."""
    secret = Secret("pw", "hunter2")
    assert [str(secret), repr(secret), f"{secret:>20}", f"{[secret]}"] == ["[redacted]"] * 3 + ["[[redacted]]"]
    with pytest.raises(TypeError):
        pickle.dumps(secret)


def test_extracted_values_are_bounded():
    """An agent that extracts a new token in each run for months does not keep them all."""
    store = SecretStore({"SOJOURN_SECRET_PW": "hunter2"})
    store.get("pw")
    for number in range(1000):
        store.remember("token", f"token-{number}")
    assert len(store.known()) < 100
    assert {secret.reveal() for secret in store.known()} >= {"hunter2", "token-999"}


@given(st.text(min_size=3, max_size=40), st.text(max_size=20), st.text(max_size=20))
@example("hunter2/x y%&ü", "user:", "!")
@example("a'b\"c\\d", "", "")
def test_every_form_of_a_secret_is_redacted(value, before, after):
    """The value itself, URL-quoted, JSON-escaped, hex and base64 forms disappear from any text."""
    store = SecretStore({"SOJOURN_SECRET_PW": value})
    store.get("pw")
    redact = Redactor(store)
    forms = {value, quote(value), quote(value, safe=""), quote_plus(value), quote(quote(value)), html.escape(value)}
    forms |= {json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1], repr(value)[1:-1], base64.b64encode(value.encode()).decode()}
    forms |= {value.encode().hex(), value.encode().hex().upper()} if len(value.encode()) >= 4 else set()
    for form in forms:
        assert form not in redact.text(f"{before}\n{form}\n{after}").replace("[redacted]", "\0")


def test_a_secret_across_a_cut_is_not_shown():
    """Neither the beginning nor the end of a text cut off by bytes shows a part of one, in any shape; what is far from the cut is kept."""
    store = SecretStore({"SOJOURN_SECRET_PW": "canary/of the cut"})
    store.get("pw")
    redact = Redactor(store)
    for form in ("canary/of the cut", quote(quote("canary/of the cut", safe=""))):
        for cut in range(1, len(form)):
            beginning = redact.beginning(b"kept " * 40 + form[:cut].encode())
            end = redact.end(form.encode()[cut:] + b" kept" * 200, 300)
            assert beginning.startswith("kept kept ")
            assert end.endswith(" kept kept")
            assert {*beginning.split(), *end.split()} <= {"kept", "k", "ke", "kep", "ept", "pt", "t"}
    assert redact.end(b"short canary/of the cut", 300) == "short [redacted]"


def test_a_secret_inside_base64_is_redacted():
    """Basic authentication does not carry the password out."""
    store = SecretStore({"SOJOURN_SECRET_PW": "correct horse battery"})
    store.get("pw")
    for user in ("a", "ab", "abc", "abcd"):
        header = base64.b64encode(f"{user}:correct horse battery".encode()).decode()
        shown = Redactor(store).text(f"Basic {header}")
        assert "[redacted]" in shown
        assert len(shown) < 30


def test_user_and_password_of_an_address_are_redacted():
    """url() takes out what stands before the host, known as secret or not."""
    assert Redactor(SecretStore({})).url("https://u:p@shop.example/x") == "https://[redacted]@shop.example/x"


def test_a_file_of_lines_comes_last(tmp_path):
    """NAME=value, quoted or not, with comments; nothing in it is expanded."""
    lines = tmp_path / "secrets.env"
    lines.write_text("# ours\nexport pw='s3cret # value'\nSOJOURN_SECRET_CARD=4111 # test card\nraw=\"a$HOME\"\n")
    lines.chmod(0o600)
    store = SecretStore({"SOJOURN_SECRET_OTHER": "from-env"}, env_file=lines)
    assert [store.get(name).reveal() for name in ("pw", "card", "raw", "other")] == ["s3cret # value", "4111", "a$HOME", "from-env"]
    with pytest.raises(SecretMissing) as caught:
        store.get("nope")
    assert str(caught.value).endswith(f"secrets: of agent.yaml (not named there), file {lines}")


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604])
def test_a_file_that_others_can_read_is_not_used(tmp_path, mode):
    """It says how to put it right."""
    lines = tmp_path / "secrets.env"
    lines.write_text("pw=s3cret-value\n")
    lines.chmod(mode)
    with pytest.raises(SecretMissing) as caught:
        SecretStore({}, env_file=lines).get("pw")
    assert str(caught.value) == f"{lines} can be read by others (mode {mode:04o}) and is not used; run chmod 600 {lines}"
