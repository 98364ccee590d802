"""A browser journey that fails, from the agent's Chromium to the run's page in another one: the picture is seen, and hostile HTML does nothing."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sojourn_probes import chromium
from tests.processes import free_port, get_json, program, until

PAGE = b"""<!doctype html><title>Till</title><body style="font-family:sans-serif;background:#eef"><h1>Till</h1>
<p>The bank said no.</p><img src=x onerror="window.name='ran'"><script>document.title='ran'</script></body>"""
JOURNEY = """id: till
name: Pay at the till
base_url: http://127.0.0.1:{shop}
interval: 60s
timeout: 20s
steps:
  - id: pay
    name: Pay
    browser: [{{goto: /}}, {{expect: Thank you}}]
    timeout: 8s
"""


class Till(BaseHTTPRequestHandler):
    """A shop whose page never thanks."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/html")
        self.send_header("content-length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


def complete(web: str) -> Any:
    """The run, once four pieces of its evidence are at the collector."""
    for run in get_json(f"{web}/api/v1/journeys/till")["probes"]["runs"]:
        found = get_json(f"{web}/api/v1/runs/{run['run_id']}")
        kept = [piece for step in found["steps"] for piece in step["evidence"] if piece["state"] == "kept"]
        if {piece["kind"] for piece in kept} >= {"screenshot", "har", "dom"}:
            return found
    return None


@pytest.mark.slow
@pytest.mark.browser
def test_a_failed_browser_step_is_seen_on_its_page(tmp_path: Path):
    """Screenshot, HAR and HTML of the failed step come to the collector; the page shows the picture; the HTML, opened, is text that runs nothing."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Till)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    otlp, web = free_port(), free_port()
    (tmp_path / "journeys").mkdir()
    (tmp_path / "journeys/till.yaml").write_text(JOURNEY.format(shop=server.server_address[1]))
    (tmp_path / "collector.yaml").write_text(f'data: collector\njourneys: journeys\notlp: {{listen: "127.0.0.1:{otlp}"}}\nweb: {{listen: "127.0.0.1:{web}"}}\n')
    (tmp_path / "agent.yaml").write_text(
        f'journeys: journeys\ndata: agent\nsend: [{{name: collector, url: "http://127.0.0.1:{otlp}", evidence: true}}]\nadmin: {{listen: "127.0.0.1:0"}}\n'
        "host: {loop_lag: 60s}\n"
    )
    with (
        program("sojourn_collector.cli", "run", "--config", str(tmp_path / "collector.yaml"), log=tmp_path / "collector.log"),
        program("sojourn_agent.cli", "run", "--config", str(tmp_path / "agent.yaml"), log=tmp_path / "agent.log"),
    ):
        until(lambda: get_json(f"http://127.0.0.1:{web}/readyz"), what="the collector")
        found = until(lambda: complete(f"http://127.0.0.1:{web}"), 90, "the evidence of the failed step")
        links = {piece["kind"]: f"http://127.0.0.1:{web}{piece['link']}" for piece in found["steps"][0]["evidence"] if piece["link"]}
        look(f"http://127.0.0.1:{web}/runs/{found['run_id']}", links, tmp_path)
    server.shutdown()
    server.server_close()
    thread.join(5)


def look(address: str, links: dict[str, str], folder: Path) -> None:
    """Open the page and what it links to in Chromium."""
    from playwright.sync_api import sync_playwright

    choice = chromium.find()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=choice.path, args=list(choice.args))
        page = browser.new_page(viewport={"width": 1280, "height": 860})
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text))
        page.goto(address)
        picture = page.get_by_role("img", name="The page as it looked when Pay ended")
        picture.wait_for()
        page.wait_for_function("document.querySelector('.evidence img').naturalWidth > 300")
        page.screenshot(path=folder / "run.png", full_page=True)
        assert wrong == []
        with page.expect_download() as saved:
            page.get_by_role("link", name="The page’s HTML").click()
        assert saved.value.suggested_filename.endswith("-dom.html.txt")
        assert "The bank said no." in Path(saved.value.path()).read_text()
        with page.expect_download() as saved:
            page.get_by_role("link", name="Requests (HAR)").click()
        assert json.loads(Path(saved.value.path()).read_text())["log"]["entries"]
        page.goto(links["screenshot"])
        assert page.evaluate("self.origin") == "null", "in a sandbox: it has no origin of ours"
        browser.close()
