"""`control:` of collector.yaml, and the commands on a PostgreSQL that wants TLS and a password."""

import json
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
import trustme
from hypothesis import given
from hypothesis import strategies as st

from sojourn_collector.cli import main
from sojourn_collector.config import ConfigError, load_collector_config
from sojourn_collector.control_config import ControlDatabase
from sojourn_collector.store.control import Control, migrations
from sojourn_collector.store.control.errors import ControlError, ControlUnavailableError
from sojourn_collector.store.control.postgres import PostgresAddress
from tests.postgres_server import PASSWORD, USER, PostgresServer

VERSIONS = Path(str(migrations.__file__)).parent / "versions"
EXAMPLE = "postgresql://sojourn@db.example:5432/sojourn"
NO_URL = f"this is not the URL of a database that can be used; write sqlite, or one such as {EXAMPLE}"
LITERAL = (
    "a password does not belong into the URL; put the password into a file or an environment variable and name that by control.password_file "
    "or control.password_env"
)
BAD = {
    "a password": ("postgresql://u:secret@h/d", LITERAL),
    "an empty password": ("postgresql://u:@h/d", LITERAL),
    "a password behind": ("postgresql://u@h/d?password=secret", LITERAL),
    "another database": ("mysql://u@h/d", NO_URL),
    "a word": ("postgres", NO_URL),
    "no port": ("postgresql://u@h:x/d", f"this is not the URL of a database; write sqlite, or one such as {EXAMPLE}"),
    "no user": ("postgresql://h/d", f"the URL needs a user, a host and a database, such as {EXAMPLE}"),
    "no database": ("postgresql://u@h", f"the URL needs a user, a host and a database, such as {EXAMPLE}"),
    "two hosts": ("postgresql://u@h/d?host=/run", f"the URL needs a user, a host and a database, such as {EXAMPLE}"),
    "more": (
        "postgresql://u@h/d?sslmode=disable&options=-c%20x",
        "the URL takes no further parameters (options, sslmode); TLS is set by control.sslmode and control.ca_file",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_urls(tmp_path: Path, case: str) -> None:
    """A URL that cannot be used is one sentence with the cure, and no secret."""
    url, said = BAD[case]
    path = tmp_path / "collector.yaml"
    path.write_text(f"control: {{url: '{url}'}}\n")
    with pytest.raises(ConfigError) as caught:
        load_collector_config(path)
    assert str(caught.value) == f"{path}:1:1: control: {said}"


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ("password_env: X, password_file: x", "password_file and password_env are both given; drop one"),
        ("sslmode: require, ca_file: ca.pem", "sslmode require looks at no certificate; drop ca_file, or say sslmode: verify-full"),
    ],
)
def test_what_does_not_go_together(tmp_path: Path, more: str, said: str) -> None:
    """Keys that contradict each other are refused."""
    path = tmp_path / "collector.yaml"
    path.write_text(f"control: {{url: '{EXAMPLE}', {more}}}\n")
    with pytest.raises(ConfigError) as caught:
        load_collector_config(path)
    assert str(caught.value) == f"{path}:1:1: control: {said}"
    path.write_text("control: {password_env: X}\n")
    with pytest.raises(ConfigError, match="password_env is of no use with sqlite; drop it, or give the url of a PostgreSQL database"):
        load_collector_config(path)


@given(st.text(alphabet="abcXYZ019/:@?#%&=[] \\\x00é", min_size=1, max_size=30).map(lambda text: f"S3cret{text}"))
def test_no_password_is_ever_repeated(password: str) -> None:
    """Whatever stands where a password would, it is refused or no part of a password, and the refusal does not repeat it."""
    try:
        where = ControlDatabase.model_validate({"url": f"postgresql://u:{password}@h/d"}).where(Path("/data"), {})
    except ValueError as error:
        sentences = [str(one["msg"]) for one in getattr(error, "errors", list)()] or [str(error)]
        assert all("S3cret" not in sentence for sentence in sentences)
    else:
        raise AssertionError(where)


def test_where_it_is(tmp_path: Path) -> None:
    """Without the key it is a file in the data folder; off this machine TLS is checked in full unless told; files are relative to collector.yaml."""
    path = tmp_path / "collector.yaml"

    def where(text: str) -> Path | PostgresAddress:
        path.write_text(text)
        config = load_collector_config(path)
        return config.control.where(config.data, {"PW": "p"})

    assert where("") == tmp_path / "data/control.sqlite"
    far = where(f"control: {EXAMPLE}\n")
    assert far == PostgresAddress("sojourn", "db.example", 5432, "sojourn", "verify-full")
    assert str(far) == EXAMPLE
    assert where("control: postgresql://u@localhost/d\n") == PostgresAddress("u", "localhost", 5432, "d", "prefer")
    assert where("control: postgresql://u%40x@:5433/d?host=/run/postgresql\n") == PostgresAddress("u@x", "/run/postgresql", 5433, "d", "prefer")
    checked = where("control: {url: 'postgresql://u@127.0.0.1/d', ca_file: ca.pem, password_env: PW}\n")
    assert isinstance(checked, PostgresAddress)
    assert (checked.sslmode, checked.ca_file, checked.password is not None and checked.password()) == ("verify-full", tmp_path / "ca.pem", "p")
    assert "PW" not in repr(checked)


@pytest.fixture
def config(tmp_path: Path, postgres: PostgresServer, postgres_database: PostgresAddress) -> Path:
    """A configuration that reaches the server over TCP, with TLS and the password of a file."""
    (tmp_path / "journeys").mkdir()
    (tmp_path / "password").write_text(PASSWORD + "\n")
    path = tmp_path / "collector.yaml"
    path.write_text(
        'otlp: {listen: "127.0.0.1:0"}\nweb: {listen: "127.0.0.1:0"}\n'
        f"control: {{url: 'postgresql://{USER}@localhost:{postgres.port}/{postgres_database.database}', password_file: password, "
        f"ca_file: '{postgres.ca_file}'}}\n"
    )
    return path


def test_tls_and_passwords(config: Path, tmp_path: Path) -> None:
    """With the right authority and password it opens, encrypted; with others not, and the sentence says why; a changed file is taken up."""
    loaded = load_collector_config(config)
    where = loaded.control.where(loaded.data, {})
    control = Control.open(where)
    assert control.database.read_now(lambda c: c.exec_driver_sql("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()").scalar()) is True
    control.close()
    (tmp_path / "password").write_text("wrong")
    with pytest.raises(ControlUnavailableError, match="password authentication failed for user"):
        Control.open(where)
    (tmp_path / "password").unlink()
    with pytest.raises(ControlError, match=rf"^control.password_file: {tmp_path}/password cannot be read \(No such file or directory\)$"):
        Control.open(where)
    (tmp_path / "password").write_text(PASSWORD)
    control = Control.open(where)
    control.close()


def test_a_foreign_authority_is_not_trusted(config: Path, tmp_path: Path) -> None:
    """Without its authority the server's certificate is refused: nothing is sent to it."""
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    text = config.read_text()
    config.write_text(text[: text.index("ca_file:")] + "ca_file: other.pem}\n")
    loaded = load_collector_config(config)
    with pytest.raises(ControlUnavailableError, match="certificate verify failed"):
        Control.open(loaded.control.where(loaded.data, {}))


async def _letter(config: Path, node: int) -> None:
    loaded = load_collector_config(config)
    control = Control.open(loaded.control.where(loaded.data, os.environ))
    await control.nodes.register("other", "host-b", 60.0, node)
    await control.dead_letters.add("traces", "The engine refused it.", "1.traces.pb", datetime(2026, 11, 20, 14, 0, tzinfo=UTC), node)
    control.close()


async def test_commands(config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`check`, `key` and `dead-letters` work on PostgreSQL; a letter of another node says where it lies; a server that is away is one sentence."""
    given = ["--config", str(config)]
    loaded = load_collector_config(config)
    name = str(loaded.control.where(loaded.data, {}))
    monkeypatch.setattr("sojourn_collector.cli_check._engine", lambda _: "starts")
    assert main(["check", *given]) == 0
    assert f"ok   control database: {name} (empty; the tables are made at the first start)\n" in capsys.readouterr().out
    await _letter(config, 3)

    def run(*words: str) -> int:
        codes: list[int] = []
        thread = threading.Thread(target=lambda: codes.append(main([*words, *given])))  # commands have a loop of their own
        thread.start()
        thread.join()
        return codes[0]

    assert run("key", "create", "--name", "shop", "--scope", "otlp", "--json") == 0
    ident = json.loads(capsys.readouterr().out)["id"]
    assert run("key", "list") == 0
    assert ident in capsys.readouterr().out
    assert run("dead-letters") == 0
    assert capsys.readouterr().out == "     1  2026-11-20 14:00:00Z  traces  node 3  The engine refused it.\n"
    assert run("dead-letters", "discard", "1") == 2
    assert capsys.readouterr().err == "sojourn-collector: the file of dead letter 1 lies on node 3 (host-b), and this is node 0; ask there\n"
    assert run("check") == 0
    newest = max(path.name[1:5] for path in VERSIONS.glob("v*.py"))
    assert f"ok   control database: {name} (tables of version {newest})\n" in capsys.readouterr().out
    config.write_text(config.read_text().replace(f"/{name.rpartition('/')[2]}'", "/nowhere'"))
    assert run("key", "list") == 1
    said = capsys.readouterr().err
    assert said.startswith("sojourn-collector: the control database cannot be used just now (")
    assert 'database "nowhere" does not exist' in said
    assert run("check") == 1
    assert "BAD  control database: The control database cannot be used just now (" in capsys.readouterr().out
