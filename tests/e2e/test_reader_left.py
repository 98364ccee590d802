"""A reader such as `head` leaves early, and no program complains."""

import os
import subprocess
import sys

import pytest

PROGRAMS = {
    "sojourn validate": ["sojourn_probes.cli", "validate", "configs/journeys"],
    "sojourn validate of what is not there": ["sojourn_probes.cli", "validate", "nowhere.yaml"],
    "sojourn-agent check": ["sojourn_agent.cli", "check"],
    "sojourn-collector check": ["sojourn_collector.cli", "check"],
}


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_nobody_reads_ends_as_sigpipe_would(name):
    """With both outputs on a pipe whose reader has gone, the exit code is that of a program ended by SIGPIPE."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as both:
        assert subprocess.run([sys.executable, "-m", *PROGRAMS[name]], stdout=both, stderr=both, check=False).returncode == 141


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", ["sojourn validate", "sojourn-agent check", "sojourn-collector check"])
def test_nothing_is_said_of_it(name):
    """No traceback stands on stderr, which is still read."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer) as out:
        done = subprocess.run([sys.executable, "-m", *PROGRAMS[name]], stdout=out, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (141, b"")
