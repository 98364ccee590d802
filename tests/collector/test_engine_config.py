"""`engine:` of collector.yaml: what is taken and, by exact sentence, what is refused; a password never shows."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sojourn_collector.config import ConfigError, load_collector_config
from sojourn_collector.engine_config import StoreEngine
from sojourn_collector.store.endpoint import EngineStartError
from sojourn_collector.store.layout import Layout

EXAMPLE = "https://ch1.example:8443"
NO_URL = f"this is not the URL of a ClickHouse server's HTTP interface; write one such as {EXAMPLE}"
BAD = {
    "5": f"1:1: engine: write embedded, the URL of a ClickHouse server such as {EXAMPLE}, or a mapping with hosts",
    "": f"1:1: engine: write embedded, the URL of a ClickHouse server such as {EXAMPLE}, or a mapping with hosts",
    "clickhouse": f"1:1: engine.hosts: {NO_URL}",
    "tcp://ch:9000": f"1:1: engine.hosts: {NO_URL}",
    "https://ch:99999": f"1:1: engine.hosts: {NO_URL}",
    "https://ch:0": f"1:1: engine.hosts: {NO_URL}",
    "https://[::1": f"1:1: engine.hosts: {NO_URL}",
    "https://ch/x": "1:1: engine.hosts: https://ch must end there, without path or parameters; database and user have keys of their own",
    "https://ch/?user=x": "1:1: engine.hosts: https://ch must end there, without path or parameters; database and user have keys of their own",
    "https://u:hunter2@ch": (
        "1:1: engine.hosts: a user or password does not belong into the URL; give engine.user and engine.password_file or engine.password_env"
    ),
    "http://ch": "1:1: engine: http:// sends user and password to ch in the clear; write https://, or say insecure: true in a network of your own",
    "{user: me}": f"1:1: engine: hosts names no server; give one such as {EXAMPLE}, or write engine: embedded",
    "{hosts: [https://a, https://a], cluster: c}": "1:10: engine.hosts: a host is named twice; keep one",
    "{hosts: [https://a, http://b], cluster: c}": "1:1: engine: some hosts are https and some http; give all of them as https",
    "{hosts: [https://a, https://b]}": ("1:1: engine: several hosts without a cluster would each hold a part of the data; give cluster, or one host"),
    "{hosts: [https://a], database: 'a b'}": "1:30: engine.database: 'a b' is not the name of a database; use letters, digits and _, at most 63",
    '{hosts: [https://a], cluster: "x\'y"}': '1:30: engine.cluster: "x\'y" is not the name of a cluster; use letters, digits, _, - and ., at most 63',
    "{hosts: [https://a], password: x}": (
        "1:30: engine.password: unknown key; known here: hosts, database, cluster, user, password_file, password_env, ca_file, cert_file, key_file, insecure"
    ),
    "{hosts: [https://a], password_file: f, password_env: E}": "1:1: engine: password_file and password_env are both given; drop one",
    "{hosts: ['http://127.0.0.1:8123'], ca_file: f}": ("1:1: engine: ca_file, cert_file and key_file are for https:// hosts; drop them or write https://"),
    "{hosts: [https://a], key_file: f}": "1:1: engine: key_file is given without cert_file; give both",
}


def engine(tmp_path: Path, text: str) -> StoreEngine:
    """`engine:` as a file has it."""
    path = tmp_path / "collector.yaml"
    path.write_text(f"engine: {text}\n")
    return load_collector_config(path).engine


@pytest.mark.parametrize("text", BAD)
def test_what_is_refused(tmp_path: Path, text: str):
    """Place, cause and cure; nothing of what may be a password."""
    with pytest.raises(ConfigError) as refused:
        engine(tmp_path, text)
    assert str(refused.value) == f"{tmp_path / 'collector.yaml'}:{BAD[text]}"


def test_short_and_long_forms(tmp_path: Path):
    """`embedded` is the default; a URL is a mapping with one host; ports are ClickHouse's own; a cluster takes several hosts."""
    assert engine(tmp_path, "embedded").embedded
    assert StoreEngine().layout.shape == "embedded"
    short = engine(tmp_path, "https://ch.example")
    assert short == engine(tmp_path, "{hosts: ['https://ch.example']}")
    assert [(one.url, one.layout) for one in short.endpoints({})] == [("https://ch.example:8443", Layout("sojourn"))]
    several = engine(tmp_path, "{hosts: ['http://a', 'http://[::1]:1234'], cluster: main, database: d, user: u, password_env: PW, insecure: true}")
    assert [(one.url, one.user, one.password) for one in several.endpoints({"PW": "secret"})] == [
        ("http://a:8123", "u", "secret"),
        ("http://[::1]:1234", "u", "secret"),
    ]
    assert several.layout == Layout("d", "main")
    assert "secret" not in repr(several.endpoints({"PW": "secret"}))


def test_a_missing_password_says_where_it_was_looked_for(tmp_path: Path):
    """Environment, file and an empty file, each by its key; the file's last line end is no part of the password."""
    with pytest.raises(EngineStartError, match=r"^engine\.password_env: the environment variable PW is empty; put the password there$"):
        engine(tmp_path, "{hosts: [https://a], password_env: PW}").endpoints({})
    by_file = engine(tmp_path, "{hosts: [https://a], password_file: pw}")
    with pytest.raises(EngineStartError, match=rf"^engine\.password_file: {tmp_path}/pw cannot be read \(No such file or directory\); put the password there$"):
        by_file.endpoints({})
    (tmp_path / "pw").write_text("\n")
    with pytest.raises(EngineStartError, match=rf"^engine\.password_file: {tmp_path}/pw is empty; put the password there$"):
        by_file.endpoints({})
    (tmp_path / "pw").write_text("hun ter2\n")
    assert by_file.endpoints({})[0].password == "hun ter2"
    with pytest.raises(EngineStartError, match=rf"^engine\.ca_file: {tmp_path}/ca\.pem cannot be read; put the PEM file there$"):
        engine(tmp_path, "{hosts: [https://a], ca_file: ca.pem}").endpoints({})


@given(st.text(max_size=60))
def test_any_text_is_taken_or_refused_by_a_sentence(text: str):
    """Whatever is written, there is an engine or an error, and no other exception."""
    try:
        made = StoreEngine.model_validate(text)
    except ValidationError:
        return
    assert made.embedded or made.endpoints({})
