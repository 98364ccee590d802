"""`sources:` of collector.yaml: what is refused, where, and with which cure."""

from pathlib import Path

import pytest

from sojourn_collector.config import ConfigError, load_collector_config
from sojourn_collector.kept_key import KeptKeyError
from sojourn_collector.sources.configured import check_secrets, configured, webhook_of
from sojourn_collector.sources_config import RESERVED, VENDORS

GOOD = "sources:\n  helpdesk: {kind: zendesk, secret: {file: s}}\n"
KNOWN = "kind, secret, previous_secret, token, url, public_url, client_id, session_field, user_field, journey, step, questions"
BAD = {
    "sources: {helpdesk: {kind: zendesk, secret: {file: s}, sercet: {env: X}}}": f"1:56: sources.helpdesk.sercet: unknown key; known here: {KNOWN}",
    "sources: {helpdesk: {kind: zen}}": f"1:11: sources.helpdesk: there is no vendor 'zen'; there are {', '.join(VENDORS)}",
    "sources: {helpdesk: {kind: zendesk}}": "1:11: sources.helpdesk: secret is needed for zendesk",
    "sources: {helpdesk: {kind: zendesk, secret: abc}}": "1:37: sources.helpdesk.secret: a key does not belong into this file; write {file: …} or {env: …}",
    "sources: {helpdesk: {kind: zendesk, secret: {file: s}, client_id: x}}": (
        "1:11: sources.helpdesk: client_id is of no use to zendesk; drop it, it takes secret, session_field, token, url, user_field"
    ),
    "sources: {orders: {kind: stripe, secret: {env: S}}}": (
        "1:1: sources: the name orders is taken by rows of our own form; give the source another, such as orders-stripe"
    ),
    "sources: {My Shop: {kind: stripe, secret: {env: S}}}": (
        "1:1: sources: 'My Shop' cannot be the name of a source; take small letters, digits and hyphens, at most 32"
    ),
    'sources: {t: {kind: typeform, secret: {env: S}, url: "http://api.example"}}': ("1:11: sources.t: url: a token must not go out in clear; write https://"),
    'sources: {t: {kind: typeform, secret: {env: S}, url: "https://u:p@api.example"}}': (
        "1:11: sources.t: url: this is no address; write scheme and host, such as https://api.example"
    ),
    "sources: {t: {kind: typeform, secret: {env: S}, questions: {q: {kind: csat}}}}": (
        "1:61: sources.t.questions.q: csat needs scale_min and scale_max, such as 1 and 5"
    ),
    "sources: {t: {kind: typeform, secret: {env: S}, questions: {q: {kind: nps, scale_max: 7}}}}": (
        "1:61: sources.t.questions.q: nps takes no scale; leave scale_min and scale_max out"
    ),
}


@pytest.mark.parametrize("text", BAD)
def test_what_is_refused(tmp_path: Path, text: str) -> None:
    """Each with file, line, column, key and cure."""
    path = tmp_path / "collector.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_collector_config(path)
    assert str(caught.value) == f"{path}:{BAD[text]}"


def test_secrets_are_looked_for_at_the_start(tmp_path: Path) -> None:
    """A secret that is missing, empty or of several lines is one sentence with its place; a good one is read anew each time."""
    path, secret = tmp_path / "collector.yaml", tmp_path / "s"
    path.write_text(GOOD)
    found = configured(load_collector_config(path).sources, {})
    for content, said in ((None, "cannot be read (No such file or directory); put it there"), ("\n", "is empty; put it there")):
        if content is not None:
            secret.write_text(content)
        with pytest.raises(KeptKeyError) as refused:
            check_secrets(found)
        assert str(refused.value) == f"sources: helpdesk: secret: {secret} {said}"
    secret.write_text("one\ntwo")
    with pytest.raises(KeptKeyError, match=r"^sources: helpdesk: secret holds more than one line of plain text"):
        check_secrets(found)
    for word in ("first", "second"):
        secret.write_text(word + "\n")
        assert found["helpdesk"].secrets() == [word.encode()]


def test_every_vendor_has_its_adapter() -> None:
    """The list and the modules agree, and no vendor is called as rows of our own."""
    folder = Path(webhook_of("stripe").changes.__code__.co_filename).parent
    assert {path.stem for path in folder.glob("*.py")} - {"__init__"} == set(VENDORS)
    assert {kind: webhook_of(kind).name for kind in VENDORS} == {kind: kind for kind in VENDORS}
    assert not RESERVED & VENDORS.keys()
