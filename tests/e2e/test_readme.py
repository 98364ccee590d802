"""Every code block of the README is run, word for word but for addresses: ports are free ones, the example shop is a real one on loopback."""

import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.processes import free_port, get_json, stop, until

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
SHELL = [text.strip() for language, text in BLOCKS if language == "sh"]
RUNS_ELSEWHERE = {"make demo": "tests/e2e/test_demo.py", "make test": "this very run"}


class Shop(http.server.BaseHTTPRequestHandler):
    """Answers every GET with a small page."""

    def do_GET(self):
        body = b"<!doctype html><title>Shop</title><h1>Welcome</h1>"
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Say nothing."""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """Address of the example shop."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, shop: str) -> tuple[Path, dict[str, str]]:
    """A folder like a fresh clone after set-up, and what stands for what in its addresses."""
    folder = tmp_path_factory.mktemp("clone")
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(Path(sys.executable).parent)
    shutil.copytree(ROOT / "configs", folder / "configs")
    swap = {port: str(free_port()) for port in ("8400", "4318", "4317", "8410", "8411", "8080")} | {"https://shop.example": shop}
    for file in (folder / "configs").rglob("*.yaml"):
        file.write_text(swapped(file.read_text(), swap))
    return folder, swap


def swapped(text: str, swap: dict[str, str]) -> str:
    """The text with every address exchanged."""
    for old, new in swap.items():
        text = text.replace(old, new)
    return text


def test_each_block_is_known():
    """A block of the README is a shell block that is run here, one of the two make commands, or the one line for a page."""
    assert [text for language, text in BLOCKS if language not in {"sh", "html"}] == []
    assert SHELL[:2] == list(RUNS_ELSEWHERE)
    for command in ("demo", "test"):
        done = subprocess.run(["make", "-n", command], cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


def test_the_first_journey_block_runs(place):
    """`init` writes a journey that validates and passes as it is."""
    folder, swap = place
    block = next(text for text in SHELL if "sojourn init" in text)
    done = subprocess.run(["bash", "-ec", swapped(block, swap)], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README's example asks with curl, which is not installed")
def test_collector_agent_and_key_blocks_run(place, shop):
    """Collector and agent check out and start, the snippet is served, and the order of the example is taken."""
    folder, swap = place
    blocks = [swapped(text, swap) for text in SHELL[2:] if "sojourn init" not in text]
    assert len(blocks) == 3
    with ExitStack() as stack:
        for block in blocks[:2]:
            *before, last = block.splitlines()
            done = subprocess.run(["bash", "-ec", "\n".join(before)], cwd=folder, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            log = stack.enter_context((folder / "log").open("ab"))
            process = subprocess.Popen(last.split(), cwd=folder, stdout=log, stderr=log, start_new_session=True)
            stack.callback(stop, process)
            if "collector" in last:
                until(lambda: get_json(f"http://127.0.0.1:{swap['8400']}/readyz"), what="the collector")
        until(lambda: get_json(f"http://127.0.0.1:{swap['8411']}/readyz"), what="the agent")
        page = next(text for language, text in BLOCKS if language == "html")
        source = re.search(r'src="([^"]+)"', swapped(page, swap))
        assert source
        assert subprocess.run(["curl", "-sf", source[1]], capture_output=True, check=True).stdout
        done = subprocess.run(["bash", "-ec", blocks[2]], cwd=folder, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {"accepted": 1, "rejected": 0, "errors": []}
