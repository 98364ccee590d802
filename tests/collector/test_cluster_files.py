"""deploy/cluster fits together: what can be said of it without containers."""

import os
import re
import stat
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
import yaml

from sojourn_collector.config import CollectorConfig, load_collector_config
from sojourn_collector.store.server_check import CLUSTER_RIGHTS, MINIMUM, RIGHTS

FOLDER = Path(__file__).parents[2] / "deploy/cluster"
SERVICES: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
CLICKHOUSE = {"ch1a", "ch1b", "ch2a", "ch2b"}
KEEPERS = {"keeper1", "keeper2", "keeper3"}
COLLECTORS = {"collector1", "collector2"}


def xml(name: str) -> ElementTree.Element:
    """A file of the servers."""
    return ElementTree.parse(FOLDER / name).getroot()


def texts(root: ElementTree.Element, path: str) -> list[str]:
    """Contents of elements."""
    return [str(one.text) for one in root.findall(path)]


def test_every_service_is_there_pinned_and_checked():
    """Two shards of two replicas, three Keepers, two collectors, PostgreSQL and a balancer; images by version; what others wait for has a health check."""
    assert SERVICES.keys() == CLICKHOUSE | KEEPERS | COLLECTORS | {"postgres", "balancer"}
    for name, service in SERVICES.items():
        assert re.fullmatch(r"[a-z/-]+:\d+\.\d+[\w.-]*|sojourn-collector:cluster", service["image"]), name
        for other, how in (service.get("depends_on") if isinstance(service.get("depends_on"), dict) else {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[other], f"{name} waits for {other}"
    version = SERVICES["ch1a"]["image"].partition(":")[2]
    assert tuple(int(part) for part in version.split(".")[:2]) >= MINIMUM


def test_what_is_mounted_exists_and_ports_are_this_machines_own():
    """Each file of ours that a container gets is in the folder; each volume is declared; nothing is published beyond loopback."""
    declared = yaml.safe_load((FOLDER / "compose.yaml").read_text())["volumes"]
    for name, service in SERVICES.items():
        for mount in service["volumes"]:
            source = mount.split(":")[0]
            assert (FOLDER / source).is_file() if source.startswith("./") else source in declared, f"{name}: {mount}"
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_servers_know_each_other_by_the_names_they_have():
    """Shards and replicas of remote_servers are those the macros give; Keepers are the same three everywhere; each variable a file asks for is set."""
    servers = xml("clickhouse/cluster.xml")
    shards = servers.findall("remote_servers/main/shard")
    assert [texts(shard, "replica/host") for shard in shards] == [["ch1a", "ch1b"], ["ch2a", "ch2b"]]
    assert [texts(shard, "internal_replication") for shard in shards] == [["true"], ["true"]]
    for name in CLICKHOUSE:
        assert (SERVICES[name]["environment"]["SHARD"], SERVICES[name]["environment"]["REPLICA"]) == (name[2], name[3])
    keeper = xml("keeper/keeper.xml")
    assert set(texts(servers, "zookeeper/node/host")) == set(texts(keeper, "keeper_server/raft_configuration/server/hostname")) == KEEPERS
    assert {SERVICES[name]["environment"]["KEEPER_ID"] for name in KEEPERS} == set(texts(keeper, "keeper_server/raft_configuration/server/id"))
    for root, name in ((servers, "ch1a"), (xml("clickhouse/user.xml"), "ch1a"), (keeper, "keeper1")):
        assert {one.get("from_env") for one in root.iter() if one.get("from_env")} <= SERVICES[name]["environment"].keys()


def test_the_user_may_do_what_the_collector_needs():
    """Each right that `check` asks for is granted, and no more than the list in docs/collector.md."""
    granted = " ".join(texts(xml("clickhouse/user.xml"), "users/sojourn/grants/query"))
    needed = [*RIGHTS, *(right.partition(" ON ")[0] for right in CLUSTER_RIGHTS)]
    assert [right for right in needed if right not in granted] == []
    page = (FOLDER.parents[1] / "docs/collector.md").read_text()
    queries = texts(xml("clickhouse/user.xml"), "users/sojourn/grants/query")
    assert [query for query in queries if f"{query} TO sojourn;" not in page] == []


def test_collectors_and_balancer_ask_the_right_hosts(tmp_path: Path):
    """collector.yaml is taken by our loader and names the cluster, its servers and PostgreSQL; the balancer leads to both collectors."""
    text = (FOLDER / "collector.yaml").read_text()
    control = yaml.safe_load(text)["control"]
    assert (urlsplit(control["url"]).hostname in SERVICES, control["password_env"] in SERVICES["collector1"]["environment"]) == (True, True)
    (tmp_path / "collector.yaml").write_text(text if "control" in CollectorConfig.model_fields else re.sub("(?m)^control:.*$", "", text))
    config = load_collector_config(tmp_path / "collector.yaml")
    assert {host.split("//")[1].split(":")[0] for host in config.engine.hosts} == CLICKHOUSE
    assert config.engine.cluster in {one.tag for one in xml("clickhouse/cluster.xml").findall("remote_servers/*")}
    assert set(config.web.hosts) == COLLECTORS
    assert config.engine.password_env in SERVICES["collector1"]["environment"]
    said = (FOLDER / "haproxy.cfg").read_text()
    for name in COLLECTORS:
        assert f"server {name} {name}:{config.otlp.address[1]}" in said
        assert f"server {name} {name}:{config.web.address[1]}" in said


CANNOT = {
    "no docker": ({}, "test-cluster: there is no docker here; install Docker with its compose plugin and try again"),
    "no compose": (
        {"docker": "exit 1"},
        "test-cluster: docker has no compose plugin here; install docker-compose-plugin (version 2.24 or newer) and try again",
    ),
    "no daemon": (
        {"docker": '[ "$1" = compose ] && exit 0; echo "Cannot connect to the Docker daemon" >&2; exit 1'},
        "test-cluster: docker cannot run here (Cannot connect to the Docker daemon); start its daemon, or become a user who may use it, and try again",
    ),
}


@pytest.mark.parametrize("case", CANNOT)
def test_without_containers_it_says_so(tmp_path: Path, case: str):
    """`make test-cluster` where containers cannot run: one sentence with the cure, exit 1, nothing written."""
    programs, sentence = CANNOT[case]
    for name in ("dirname", "cat"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    for name, text in programs.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(stat.S_IRWXU)
    done = subprocess.run(["/bin/bash", str(FOLDER / "test.sh")], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr, done.stdout) == (1, sentence + "\n", "")
    assert os.access(FOLDER / "test.sh", os.X_OK)
