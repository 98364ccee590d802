"""agent.yaml: what it may say, and what is said when it says something else."""

from pathlib import Path

import pytest

from sojourn_agent.config import AgentConfig, ConfigError, load_agent_config, split_listen

GOOD = """journeys: journeys
data: data
send: [{name: collector, url: "http://127.0.0.1:4318/"}]
"""


def load(folder: Path, text: str) -> AgentConfig:
    """The configuration in `text`."""
    path = folder / "agent.yaml"
    path.write_text(text)
    return load_agent_config(path)


def test_a_short_file_is_enough(tmp_path):
    """Journeys, data and one destination; the rest has defaults; paths are relative to the file."""
    config = load(tmp_path, GOOD)
    assert (config.location, config.journeys, config.data) == ("local", tmp_path / "journeys", tmp_path / "data")
    assert (config.send[0].url, config.send[0].key) == ("http://127.0.0.1:4318", None)
    assert (config.admin.listen, config.rum.listen, config.rum.apps) == ("127.0.0.1:8411", "127.0.0.1:8410", {})
    assert (config.spool.max_bytes, config.spool.max_age) == (1 << 30, 14 * 86400)


def test_every_part_can_be_said(tmp_path):
    """Units, keys by reference, apps, secrets, probe keys."""
    config = load(
        tmp_path,
        GOOD
        + """location: eu
rum: {listen: "127.0.0.1:0", apps: {shop: {origins: ["https://shop.example"], bots: keep}}}
admin: {listen: "0.0.0.0:8411", insecure: true, hosts: [agent.example]}
secrets: {shop_password: {file: secrets/shop_password}}
probe_keys: [{id: k2, env: PROBE_KEY}, {id: k1, file: secrets/probe_key}]
spool: {max_bytes: 64 MiB, max_age: 2d}
host: {loop_lag: 500ms, cpu: 0.9}
runs_at_once: 5
""",
    )
    assert config.rum.apps["shop"].bots == "keep"
    assert config.secrets["shop_password"].file == tmp_path / "secrets/shop_password"
    assert [(key.id, key.env, key.file) for key in config.probe_keys] == [("k2", "PROBE_KEY", None), ("k1", None, tmp_path / "secrets/probe_key")]
    assert (config.spool.max_bytes, config.spool.max_age, config.host.loop_lag) == (64 << 20, 172800, 0.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (GOOD + "locaton: eu\n", "{file}:4:1: locaton: is not known here; did you mean location?"),
        (
            GOOD + "location: Eu West\n",
            "{file}:4:11: location: 'Eu West' will not do; small letters, digits, - and _ are taken, up to 64, the first a letter or digit",
        ),
        ("data: d\nsend: [{name: a, url: http://a}]\n", "{file}:1:1: journeys: is missing; add it"),
        ("journeys: j\ndata: d\nsend: []\n", "{file}:3:7: send: is empty; give it something"),
        ("journeys: 3\ndata: d\nsend: [{name: a, url: http://a}]\n", "{file}:1:11: journeys: wants a path"),
        (
            "journeys: j\ndata: d\nsend: [{name: a, url: collector}]\n",
            "{file}:3:23: send[0].url: 'collector' is not an address to send to; write scheme, host and port such as http://127.0.0.1:4318",
        ),
        (
            "journeys: j\ndata: d\nsend: [{name: a, url: http://a/v1/traces}]\n",
            "{file}:3:23: send[0].url: 'http://a/v1/traces' names one signal; leave /v1/… away, it is added",
        ),
        (
            "journeys: j\ndata: d\nsend: [{name: a, url: http://a}, {name: a, url: http://b}]\n",
            "{file}:3:7: send: two destinations are called a; names must differ",
        ),
        (
            "journeys: j\ndata: d\nsend: [{name: a, url: http://a, key: {}}]\n",
            "{file}:3:38: send[0].key: say where the key is kept: file: or env:, one of them",
        ),
        (
            GOOD + 'admin: {listen: "0.0.0.0:8411"}\n',
            "{file}:4:8: admin: 0.0.0.0:8411 can be reached from other machines and the agent has no TLS of its own yet; "
            "listen on 127.0.0.1 behind a proxy that has, or say insecure: true beside it",
        ),
        (
            GOOD + 'rum: {listen: "[::]:8410"}\n',
            "{file}:4:6: rum: [::]:8410 can be reached from other machines and the agent has no TLS of its own yet; "
            "listen on 127.0.0.1 behind a proxy that has, or say insecure: true beside it",
        ),
        (GOOD + 'admin: {listen: "8411"}\n', "{file}:4:8: admin: '8411' is not an address; write host:port, such as 127.0.0.1:8411"),
        (GOOD + "spool: {max_age: 14}\n", "{file}:4:18: spool.max_age: 14 has no unit; write 14s or 14ms"),
        (
            GOOD + "browser: {recycle_memory: 1 MiB}\n",
            "{file}:4:27: browser.recycle_memory: must be at least 128 MiB, which an empty browser takes already",
        ),
        (GOOD + "spool: {max_bytes: 1 MiB}\n", "{file}:4:20: spool.max_bytes: must be at least 4 MiB, so that a few batches fit"),
        (GOOD + "probe_keys: [{id: k, env: A}, {id: k, env: B}]\n", "{file}:4:13: probe_keys: two probe keys are called k; ids must differ"),
        (GOOD + "journeys: again\n", "{file}:4:1: journeys: is there twice, first on line 1; keep one"),
        ("", "{file}:1:1: is empty; configs/agent.yaml is one to begin with"),
        ("- a\n", "{file}:1:1: is no agent configuration; it begins with journeys:, data: and send:, see configs/agent.yaml"),
    ],
)
def test_what_is_wrong_is_said_with_place_and_cure(tmp_path, text, said):
    """One line for each problem: file:line:col: key: what is wrong, and the cure."""
    with pytest.raises(ConfigError) as refused:
        load(tmp_path, text)
    assert str(refused.value) == said.replace("{file}", str(tmp_path / "agent.yaml"))


def test_a_file_that_is_not_there_says_what_to_do(tmp_path):
    """The sentence names the option and a file to begin with."""
    with pytest.raises(ConfigError) as refused:
        load_agent_config(tmp_path / "no.yaml")
    assert str(refused.value) == f"{tmp_path}/no.yaml is not there; name the agent's configuration with --config, configs/agent.yaml is one to begin with"


def test_an_address_is_host_and_port():
    """Names, IPv4 and bracketed IPv6; a port beyond 65535 is none."""
    assert [split_listen(text) for text in ("localhost:1", "127.0.0.1:0", "[::1]:8411")] == [("localhost", 1), ("127.0.0.1", 0), ("::1", 8411)]
    with pytest.raises(ValueError, match="'a:65536' is not an address; write host:port, such as"):
        split_listen("a:65536")
