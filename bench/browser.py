"""A browser journey of three steps: ours, the same raw Playwright script, and @elastic/synthetics from a cold process.

Method: one small shop on loopback in a process of its own, whose CPU is not counted. Ours is `run()` with the agent's warm browser: a fresh context,
three steps with their expectations, vitals, requests recorded, context closed. Raw is the same clicks by Playwright's async API in a warm browser of
its own: a fresh context, the same actions and waits, context closed, nothing recorded. Both take turns in the same run, after two rounds that do not count.
Wall is per journey, p50 and p90; CPU is user and system time of all processes (Python, driver, Chromium), per journey. @elastic/synthetics is installed by npm
into a temporary folder (no browser is downloaded, the installed one is used) and started anew for each of `--cold` journeys, which is how such a
runner works; without node or npm, or when it cannot be installed, it is left out and said so.

Run: python bench/browser.py [--rounds 30] [--cold 3] [--json]
"""

import argparse
import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Awaitable, Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psutil
from playwright.async_api import Browser, async_playwright, expect

from sojourn_probes.chromium import Choice, find
from sojourn_probes.ids import new_run_id
from sojourn_probes.journey import Journey
from sojourn_probes.load import load_text
from sojourn_probes.names import Names
from sojourn_probes.redact import Redactor
from sojourn_probes.run import run
from sojourn_probes.secrets import SecretStore
from sojourn_probes.steps.browser_pool import BrowserPool

PAGE = "<!doctype html><title>{title}</title><link rel=icon href=data:,><link rel=stylesheet href=/style.css><script src=/app.js></script><body>{body}</body>"
PAGES = {
    "/": ("text/html", PAGE.format(title="Home", body="<h1>Welcome</h1><a href=/cart>Cart</a><img src=/mug.svg width=50 height=50>")),
    "/cart": (
        "text/html",
        PAGE.format(title="Cart", body="<h1>Your cart</h1><label>Card number <input id=card></label><button onclick=pay()>Pay</button><p id=said></p>"),
    ),
    "/account": ("text/html", PAGE.format(title="Account", body="<h1>Your orders</h1><p>1 mug</p>")),
    "/style.css": ("text/css", "body { font: 16px sans-serif }"),
    "/app.js": ("text/javascript", "async function pay() { await fetch('/payments', {method: 'POST'}); said.textContent = 'Thank you'; }"),
    "/mug.svg": ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
    "/payments": ("application/json", "{}"),
}
JOURNEY = """
id: buy
base_url: {url}
steps:
  - id: home
    browser: [{{goto: /}}, {{expect: Welcome}}]
  - id: pay
    browser: [{{goto: /cart}}, {{fill: {{label: Card number, value: "4111"}}}}, {{click: Pay}}, {{expect: Thank you}}]
  - id: account
    browser: [{{goto: /account}}, {{expect: Your orders}}]
"""
ELASTIC = """
import { journey, step, expect } from '@elastic/synthetics';
journey('buy', ({ page }) => {
  step('home', async () => { await page.goto('URL/'); await page.getByText('Welcome').waitFor(); });
  step('pay', async () => {
    await page.goto('URL/cart'); await page.getByLabel('Card number').fill('4111');
    await page.getByRole('button', { name: 'Pay' }).click(); await page.getByText('Thank you').waitFor();
  });
  step('account', async () => { await page.goto('URL/account'); await page.getByText('Your orders').waitFor(); });
});
"""


class Shop(BaseHTTPRequestHandler):
    """The pages, answered at once."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        kind, body = PAGES.get(self.path, ("text/plain", "no"))
        self.rfile.read(int(self.headers.get("content-length") or 0))
        self.send_response(200)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    do_POST = do_GET  # noqa: N815 - the name that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Quiet."""


def serve() -> None:
    """Be the shop: say where, and answer until standard input ends."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Shop)
    server.daemon_threads = True
    print(server.server_address[1], flush=True)
    server.serve_forever()


def cpu(shop: int) -> float:
    """User and system seconds of this process and all it started, those that ended included, but for the shop."""
    total = 0.0
    for process in [me := psutil.Process(), *me.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += 0 if process.pid == shop else times.user + times.system + times.children_user + times.children_system
    return total


async def ours(journey: Journey, tools: dict[str, Any]) -> None:
    """One run of the journey, as an agent walks it."""
    store = SecretStore({})
    result = await run(journey, names=Names({}, {}, store, new_run_id(time.time())), redact=Redactor(store), tools=tools)
    if result.failure is not None:
        raise SystemExit(f"our journey failed: {result.failure.message}")


async def raw(browser: Browser, url: str) -> None:
    """The same by Playwright alone."""
    context = await browser.new_context(viewport={"width": 1280, "height": 800}, service_workers="block")
    page = await context.new_page()
    await page.goto(f"{url}/")
    await expect(page.get_by_text("Welcome")).to_be_visible()
    await page.goto(f"{url}/cart")
    await page.get_by_label("Card number").fill("4111")
    await page.get_by_role("button", name="Pay").click()
    await expect(page.get_by_text("Thank you")).to_be_visible()
    await page.goto(f"{url}/account")
    await expect(page.get_by_text("Your orders")).to_be_visible()
    await context.close()


async def measured(work: Callable[[], Awaitable[None]], shop: int) -> tuple[float, float]:
    """Seconds of wall and CPU."""
    began, used = time.perf_counter(), cpu(shop)
    await work()
    return time.perf_counter() - began, cpu(shop) - used


def figures(walks: list[tuple[float, float]]) -> dict[str, float]:
    """Milliseconds of walks."""
    wall = sorted(seconds for seconds, _ in walks)
    return {
        "wall_p50_ms": round(statistics.median(wall) * 1000, 1),
        "wall_p90_ms": round(wall[int(len(wall) * 0.9)] * 1000, 1),
        "cpu_ms": round(statistics.mean(used for _, used in walks) * 1000, 1),
    }


async def warm(url: str, choice: Choice, rounds: int, shop: int) -> dict[str, Any]:
    """Ours and raw, in turns."""
    journey = load_text(textwrap.dedent(JOURNEY.format(url=url)), Path("buy.yaml"))
    pool = BrowserPool()
    walks: dict[str, list[tuple[float, float]]] = {"ours": [], "raw": []}
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=choice.path, args=list(choice.args), chromium_sandbox="--no-sandbox" not in choice.args)
        try:
            for number in range(rounds + 2):
                pair = {"ours": await measured(lambda: ours(journey, {"browser": pool}), shop), "raw": await measured(lambda: raw(browser, url), shop)}
                for name, one in pair.items():
                    walks[name] += [one] if number >= 2 else []
        finally:
            await browser.close()
            await pool.aclose()
    found: dict[str, Any] = {name: figures(seen) for name, seen in walks.items()}
    found["wall_ratio"] = round(found["ours"]["wall_p50_ms"] / found["raw"]["wall_p50_ms"], 3)
    found["cpu_ratio"] = round(found["ours"]["cpu_ms"] / found["raw"]["cpu_ms"], 3)
    return found


def elastic(url: str, choice: Choice, count: int, shop: int) -> dict[str, Any]:
    """@elastic/synthetics, a process for each journey; why not, when it cannot be had."""
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node or not count:
        return {"left_out": "no node or npm here" if count else "not asked for"}
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1", "NO_COLOR": "1"}
        (Path(folder) / "package.json").write_text('{"name": "cold", "private": true}')
        install = subprocess.run(
            [npm, "install", "--silent", "--no-audit", "--no-fund", "@elastic/synthetics"], cwd=folder, env=environ, capture_output=True, text=True, check=False
        )
        if install.returncode != 0:
            return {"left_out": f"npm install: {(install.stderr or install.stdout).strip()[-200:]}"}
        (Path(folder) / "buy.journey.ts").write_text(ELASTIC.replace("URL", url))
        options = json.dumps({"executablePath": choice.path, "args": list(choice.args), "chromiumSandbox": "--no-sandbox" not in choice.args})
        command = [node, "node_modules/@elastic/synthetics/dist/cli.js", ".", "--reporter", "json", "--playwright-options", options]
        walks = []
        for _ in range(count):
            began, used = time.perf_counter(), cpu(shop)
            done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
            walks.append((time.perf_counter() - began, cpu(shop) - used))
            if done.returncode != 0 or '"status":"succeeded"' not in done.stdout.replace(" ", ""):
                return {"left_out": f"its journey failed: {(done.stderr or done.stdout).strip()[-300:]}"}
        version = json.loads((Path(folder) / "node_modules/@elastic/synthetics/package.json").read_text())["version"]
        return {"version": version, **figures(walks)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--cold", type=int, default=3)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve()
        return
    shop = subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True)
    try:
        assert shop.stdout is not None
        url, choice = f"http://127.0.0.1:{int(shop.stdout.readline())}", find()
        load = os.getloadavg()[0]
        found = {"machine": {"cpus": os.cpu_count(), "load_before": round(load, 1)}, **asyncio.run(warm(url, choice, options.rounds, shop.pid))}
        found["elastic_cold"] = elastic(url, choice, options.cold, shop.pid)
        if "wall_p50_ms" in found["elastic_cold"]:
            found["elastic_ratio"] = round(found["elastic_cold"]["wall_p50_ms"] / found["ours"]["wall_p50_ms"], 1)
    finally:
        shop.terminate()
        shop.wait(10)
    out = sys.stderr if options.json else sys.stdout
    for name in ("ours", "raw", "elastic_cold"):
        print(f"{name:<13} " + "  ".join(f"{key} {value}" for key, value in found[name].items()), file=out)
    print(f"ours is {found['wall_ratio']} × raw in wall, {found['cpu_ratio']} × in CPU (reach: 1.15)", file=out)
    if options.json:
        print(json.dumps(found))


if __name__ == "__main__":
    main()
