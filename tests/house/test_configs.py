"""The files under configs/ and the README's commands are what they say."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from sojourn_agent import cli as agent_cli
from sojourn_agent.config import load_agent_config
from sojourn_collector import cli as collector_cli
from sojourn_collector.config import load_collector_config
from sojourn_probes import cli as probes_cli
from sojourn_probes.load import load_folder

ROOT = Path(__file__).parents[2]
PROGRAMS = {"sojourn": probes_cli.main, "sojourn-agent": agent_cli.main, "sojourn-collector": collector_cli.main}


def test_agent_yaml_loads():
    """configs/agent.yaml is a valid agent configuration on loopback."""
    assert load_agent_config(ROOT / "configs/agent.yaml").rum.listen.startswith("127.0.0.1:")


def test_collector_yaml_and_impact_yaml_load():
    """configs/collector.yaml and the impact.yaml it names are valid, on loopback."""
    assert load_collector_config(ROOT / "configs/collector.yaml").web.listen.startswith("127.0.0.1:")


def test_otel_collector_yaml_fits():
    """configs/otel-collector.yaml hands all three signals to the address collector.yaml listens on, and names no part it does not define."""
    config = yaml.safe_load((ROOT / "configs/otel-collector.yaml").read_text())
    listen = load_collector_config(ROOT / "configs/collector.yaml").otlp.listen
    assert config["exporters"]["otlphttp/sojourn"]["endpoint"] == f"http://{listen}"
    assert set(config["service"]["pipelines"]) == {"traces", "logs", "metrics"}
    for pipeline in config["service"]["pipelines"].values():
        for kind, names in pipeline.items():
            assert set(names) <= set(config[kind])


def test_example_journeys_load():
    """Every journey under configs/journeys is valid; what an agent walks without being told otherwise is checkout, the examples stand aside."""
    assert [journey.id for journey in load_folder(ROOT / "configs/journeys")] == ["checkout"]
    assert len(load_folder(ROOT / "configs/journeys/examples")) >= 7


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run an installed program on a wide terminal without colours."""
    command = [str(Path(sys.executable).parent / program), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "NO_COLOR": "1", "COLUMNS": "160"})


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_command_has_help_with_an_example(program, monkeypatch, capsys):
    """`--help` of each program, as it is installed, and of each of its commands exits 0 and shows an example."""
    top = run(program, "--help")
    assert top.returncode == 0, top.stderr
    commands = set(re.findall(r"^[\s│|]{1,6}([a-z][a-z-]+)\s{2,}\S", top.stdout, re.MULTILINE))
    assert commands, top.stdout
    # The commands in this process: starting one costs a second each time, and nothing new is seen.
    monkeypatch.setenv("COLUMNS", "160")
    lacking = []
    for command in sorted(commands):
        with pytest.raises(SystemExit) as ended:
            PROGRAMS[program]([command, "--help"])
        if ended.value.code or "xample" not in capsys.readouterr().out:
            lacking.append(command)
    assert lacking == []
