"""How long questions take as data grow: the impact report, one trace, one visit, an attribute, and what else the report's pages ask.

Method: per size an engine on a fresh folder makes the spans itself (INSERT … SELECT FROM numbers) into the real tables with their views: 30 days, visits
of 40 spans each (8 of the browser, 28 of backends in its traces, 4 of a probe's run), 8 attributes a span, random ids; five journeys, each broken for ten
minutes about once in three days, and one of them now: a fiftieth of the visits are of the last ten minutes, three in ten of them hit. Beside them
sessions, runs, steps, log records (a tenth of the spans), feedback (a hundredth) and orders. Then `sojourn-collector run` is started on that folder, and
each question is asked of it over HTTP `--repeat` times, one after the other, of another trace, visit or person each time, at most `--seconds` long. Wall
time is that of the request; CPU time, of collector and engine, means something on a busy machine too. The first answer after the start is told apart: a
collector remembers the problems it worked out until something of them changes, so the report's first answer is the one that works everything out; `oldest_s` is
how old the oldest figures of its last answer were.
`month` is the impact report of 30 days; breakdown, by_fact (how customers fared), satisfaction and silent look at four weeks too.
Of fewer than 100 answers p99 is the slowest. Search is asked where the collector has the route. `--explain` also says how many granules of how many each
named query reads. `--keep` leaves the folder of a size where it is and, where there is one, asks it again with a new collector: an hour later, what is "now"
lies an hour back, as most of the time in an installation.

Run: python bench/query.py [--spans 1000000,10000000] [--without-spans] [--repeat 50] [--folder DIR] [--keep DIR] [--explain] [--plot growth.svg] [--json]
"""

import argparse
import asyncio
import json
import os
import platform
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from math import log10
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx2
import psutil

from sojourn_collector.config import CollectorConfig, ImpactConfig
from sojourn_collector.context import Context
from sojourn_collector.join.journeys import JourneyFolder
from sojourn_collector.join.rollups import Rollups
from sojourn_collector.join.worker import VERSION
from sojourn_collector.store.client import Store
from sojourn_collector.store.control.control import Control
from sojourn_collector.store.engine_process import EngineProcess, EngineSettings
from sojourn_collector.store.migrations import migrate
from sojourn_collector.web.answers.history import history
from sojourn_collector.web.answers.impact import impact
from sojourn_collector.web.answers.trace import trace
from sojourn_collector.web.answers.visit import visit

DAYS = 30
PER_VISIT = 40
BLOCK = 400_000
"""Spans of one insert: a multiple of a visit's."""
RAW = 2
"""The first parts of the world are spans and log records."""
RECENT = 50
"""One visit of so many is of the last ten minutes; they are made last, so that they are fresh when the questions are asked."""
WORLD = Path(__file__).with_name("query_world.sql")
SAMPLES = """SELECT number * {step:UInt64} AS v, lower(hex(sipHash64('s', v))) AS session, lower(hex(sipHash128('t', v, 3))) AS trace,
concat('user:u', toString(sipHash64('u', v) % {people:UInt64})) AS person FROM numbers({count:UInt64})"""
JOURNEY = """id: checkout
name: Buy one item
base_url: http://shop.example
interval: 60s
goal: {event: order_completed, worth: 62 EUR}
steps:
  - {id: home, name: Home, http: {url: /}, customers: {reached: {page: /}}}
  - {id: cart, name: Cart, http: {url: /cart}, customers: {reached: {page: /cart}}}
  - {id: pay, name: Pay, http: {url: /pay}, customers: {reached: {page: /pay}, done: {event: order_completed}}}
"""
QUESTIONS: dict[str, Callable[[dict[str, Any]], str]] = {
    "impact": lambda _: "/api/v1/impact",
    "trace": lambda one: f"/api/v1/traces/{one['trace']}",
    "visit": lambda one: f"/api/v1/visits/{one['session']}",
    "person": lambda one: f"/api/v1/people/{one['person']}",
    "run": lambda one: f"/api/v1/runs/p{one['session']}",
    "journey": lambda _: "/api/v1/journeys/checkout",
    "history": lambda _: "/api/v1/journeys/checkout/history?steps=true",
    "search": lambda one: f"/api/v1/search?attr=shop.order=o{one['v']}&from={one['since']}&deadline=30",
    "month": lambda _: f"/api/v1/impact?from={(datetime.now(UTC) - timedelta(days=DAYS)).strftime('%Y-%m-%dT%H:%M:%SZ')}",
    "breakdown": lambda _: "/api/v1/journeys/checkout/breakdown",
    "by_worth": lambda _: "/api/v1/journeys/checkout/breakdown?view=value",
    "by_fact": lambda _: "/api/v1/journeys/checkout/experience?by=plan",
    "alarms": lambda _: "/api/v1/alarms",
    "unlinked": lambda _: "/api/v1/unlinked",
    "satisfaction": lambda _: "/api/v1/satisfaction?by=day",
    "silent": lambda _: "/api/v1/silent-sufferers",
}
"""What is asked, by name; each is given a visit."""
OF_SPANS = ("trace", "visit", "run", "search")
"""Those that ask for spans."""


async def fill(store: Store, spans: int, *, raw: bool = True) -> None:
    """Make everything, or all but the spans and log records, block by block: first what is days old, then the last ten minutes."""
    visits = spans // PER_VISIT
    head, *parts = re.split(r"^-{8} (\d+)$", WORLD.read_text(), flags=re.MULTILINE)
    edge = visits - visits // RECENT
    for first, last in ((0, edge), (edge, visits)):
        now = datetime.now(UTC)
        for per, sql in list(zip(map(int, parts[::2]), parts[1::2], strict=True))[0 if raw else RAW :]:
            common = head.format(now=f"{now:%Y-%m-%d %H:%M:%S}", visits=visits, per=per, span_ms=DAYS * 86_400_000, recent=RECENT)
            for start in range(first, last, BLOCK // PER_VISIT):
                count = min(BLOCK // PER_VISIT, last - start) * per
                await store.statement(sql.format(common=common, start=start * per, count=count) + " SETTINGS max_threads = 2")


async def at_rest(store: Store, seconds: float) -> None:
    """Wait until the engine has merged what it wants to, but no longer than this."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and await store._rows("SELECT 1 AS one FROM system.merges", {}, 10):
        await asyncio.sleep(1)


async def prepare(folder: Path, spans: int, count: int, *, explain: bool = False, raw: bool = True) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A data folder as a collector would have it after this many spans, and visits to ask of."""
    visits, data = spans // PER_VISIT, folder / "data"
    process = EngineProcess(data / "engine", EngineSettings(memory=8 << 30))
    endpoint = process.start()
    store, control = Store(lambda: endpoint, deadline=300.0), Control.open(data / "control.sqlite")
    engine = psutil.Process(process.pid)
    try:
        await migrate(store)
        began, cpu = time.perf_counter(), used(engine)
        await fill(store, spans, raw=raw)
        told: dict[str, Any] = {"spans": spans if raw else 0, "visits": visits, "fill_seconds": round(time.perf_counter() - began, 1)}
        told["fill_cpu_seconds"] = round(used(engine) - cpu, 1)
        await control.watermarks.advance("orders", datetime.now(UTC), sender="bench")
        await control.progress.set(VERSION, 1)  # as the join notes that it wrote these rows
        began, cpu = time.perf_counter(), used(engine)
        await Rollups(store, control, ZoneInfo("UTC"), 400, lambda: 1, lambda: datetime.now(UTC)).catch_up()
        told |= {"roll_seconds": round(time.perf_counter() - began, 1), "roll_cpu_seconds": round(used(engine) - cpu, 1)}
        await at_rest(store, 300)
        sizes: dict[str, int] = {}
        for row in await store.query("disk_parts"):
            sizes[row["table"]] = sizes.get(row["table"], 0) + row["bytes"]
        told |= {"bytes_on_disk": sum(sizes.values()), "bytes_per_span_by_table": {name: round(size / spans, 2) for name, size in sorted(sizes.items())}}
        for table in ("runs", "feedback"):
            told[table] = (await store._rows(f"SELECT count() AS n FROM {table}", {}, 60))[0]["n"]
        step = max(1, visits // count)
        since = f"{datetime.now(UTC) - timedelta(days=DAYS):%Y-%m-%dT%H:%M:%SZ}"
        samples = [row | {"since": since} for row in await store._rows(SAMPLES, {"step": step, "people": visits // 3, "count": min(count, visits)}, 60)]
        if explain:
            told["reads"] = await explained(store, control, folder, samples[0])
        return told, samples
    finally:
        control.close()
        await store.close()
        process.stop()


async def explained(store: Store, control: Control, folder: Path, one: dict[str, Any]) -> dict[str, str]:
    """By the first line of each query that the four answers ask: how many granules and parts of how many it reads."""
    seen: dict[str, tuple[str, dict[str, Any]]] = {}
    ask = store._rows

    async def noted(sql: str, bound: Any, deadline: float) -> list[dict[str, Any]]:
        seen.setdefault(sql.partition("\n")[0], (sql, dict(bound)))
        return await ask(sql, bound, deadline)

    context = Context(store, control, JourneyFolder(folder / "journeys"), ImpactConfig(), CollectorConfig(), None)  # type: ignore[arg-type]
    store._rows = noted  # type: ignore[method-assign]
    await asyncio.gather(impact(context), trace(context, one["trace"]), visit(context, one["session"]), history(context, "checkout", steps=True))
    store._rows = ask  # type: ignore[method-assign]
    found = {}
    for name, (sql, bound) in seen.items():
        plan = "\n".join(str(row["explain"]) for row in await ask(f"EXPLAIN indexes = 1 {sql}", bound, 60))
        reads = []
        for part in plan.split("ReadFromMergeTree")[1:]:
            granules, parts = (re.findall(rf"{what}: (\d+)/(\d+)", part) for what in ("Granules", "Parts"))
            if granules:
                table = part.partition(")")[0].strip(" (").removeprefix("default.")
                reads.append(f"{table} {granules[-1][0]}/{granules[0][1]} granules, {parts[-1][0]}/{parts[0][1]} parts")
        if reads:
            found[name.removeprefix("-- ")[:100]] = "; ".join(reads)
    return found


def used(process: psutil.Process) -> float:
    """CPU seconds so far of a process and its children."""
    return float(sum(sum(one.cpu_times()[:2]) for one in (process, *process.children(recursive=True))))


@contextmanager
def collector(folder: Path) -> Iterator[psutil.Process]:
    """A collector process on a folder."""
    config = folder / "collector.yaml"
    config.write_text('otlp: {listen: "127.0.0.1:0"}\nweb: {listen: "127.0.0.1:0"}\n')
    with (folder / "log.txt").open("wb") as log:
        child = subprocess.Popen([sys.executable, "-m", "sojourn_collector.cli", "run", "--config", str(config)], stderr=log)
    try:
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(120)


async def address_of(folder: Path, process: psutil.Process, seconds: float = 120.0) -> str:
    """Where the collector's report is, as soon as it is ready."""
    deadline = time.monotonic() + seconds
    async with httpx2.AsyncClient(trust_env=False, timeout=30) as http:
        while time.monotonic() < deadline and process.status() != psutil.STATUS_ZOMBIE:
            try:
                web = str(json.loads((folder / "data/control.json").read_text())["web"])
                if (await http.get(web + "/readyz")).status_code == 200:
                    return web
            except (OSError, ValueError, httpx2.HTTPError):
                pass
            await asyncio.sleep(0.1)
    raise SystemExit(f"the collector was not ready: {(folder / 'log.txt').read_text()[-500:]}")


async def asked(folder: Path, process: psutil.Process, samples: Sequence[dict[str, Any]], given: argparse.Namespace) -> dict[str, Any]:
    """Every question, and what the processes take."""
    web = await address_of(folder, process)
    found: dict[str, Any] = {"load_before": round(os.getloadavg()[0], 2)}
    async with httpx2.AsyncClient(base_url=web, trust_env=False, timeout=300) as http:
        known = (await http.get("/api/openapi.json")).json()["paths"]
        for name, path in QUESTIONS.items():
            if given.without_spans and name in OF_SPANS:
                continue
            if name == "search" and "/api/v1/search" not in known:
                found["search_skipped"] = "this collector has no /api/v1/search"
                continue
            found[name] = await clock(http, [path(one) for one in samples], process, given)
        if "search" in found and not (last := (await http.get(QUESTIONS["search"](samples[-1]))).json())["items"]:
            raise SystemExit(f"search found nothing where a span is: {last}")
        report = (await http.get("/api/v1/impact")).json()
        ages = [(datetime.fromisoformat(report["as_of"]) - datetime.fromisoformat(one["as_of"])).total_seconds() for one in report["problems"]]
        found |= {"people_hit": report["people_hit"], "problems": len(report["problems"]), "oldest_s": round(max(ages, default=0.0), 1)}
    found["rss_mib"] = {("engine" if "engine_child" in " ".join(one.cmdline()) else "collector"): one.memory_info().rss >> 20 for one in tree(process)}
    found["load_after"] = round(os.getloadavg()[0], 2)
    return found


def tree(process: psutil.Process) -> list[psutil.Process]:
    """A process and its children."""
    return [process, *process.children(recursive=True)]


async def clock(http: httpx2.AsyncClient, paths: Sequence[str], process: psutil.Process, given: argparse.Namespace) -> dict[str, Any]:
    """Wall and CPU time of a question; an answer that is none ends the bench."""
    times, began, cpu = [], 0.0, 0.0
    for number in range(given.repeat + 1):
        path = paths[number % len(paths)]
        started = time.perf_counter()
        answer = await http.get(path)
        times.append(1000 * (time.perf_counter() - started))
        if answer.status_code != 200:
            raise SystemExit(f"{path} was answered {answer.status_code}: {answer.text[:300]}")
        if number == 0:
            began, cpu = time.monotonic(), used(process)  # the first may take all the time there is
        elif time.monotonic() - began > given.seconds:
            break
    first, rest = times[0], sorted(times[1:])
    return {
        "first_ms": round(first, 1),
        "p50_ms": round(statistics.median(rest), 1),
        "p99_ms": round(rest[min(len(rest) - 1, int(0.99 * len(rest)))], 1),
        "cpu_ms": round(1000 * (used(process) - cpu) / len(rest), 1),
        "asked": len(rest),
    }


async def measure(spans: int, given: argparse.Namespace) -> dict[str, Any]:
    """Make a size and ask."""
    with nullcontext(given.keep / str(spans)) if given.keep else tempfile.TemporaryDirectory(dir=given.folder) as name:
        folder = Path(name)
        made = folder / "made.json"
        if not made.exists():
            if (folder / "data").exists():
                raise SystemExit(f"{folder} holds a world that was not finished; remove it or give --keep another folder")
            (folder / "journeys").mkdir(parents=True)
            (folder / "data").mkdir()
            (folder / "journeys/checkout.yaml").write_text(JOURNEY)
            told, samples = await prepare(folder, spans, given.repeat + 1, explain=given.explain, raw=not given.without_spans)
            made.write_text(json.dumps({"at": time.time(), "told": told, "samples": samples}))
        kept = json.loads(made.read_text())
        if not kept["told"]["spans"] and not given.without_spans:
            raise SystemExit(f"{folder} was made without spans; ask it with --without-spans")
        with collector(folder) as process:
            return kept["told"] | {"minutes_old": round((time.time() - kept["at"]) / 60)} | await asked(folder, process, kept["samples"], given)


def said(result: dict[str, Any]) -> Iterator[str]:
    """A size as lines for a person."""
    counts = f"{result['spans']:,} spans, {result['visits']:,} visits, {result['runs']:,} runs, {result['feedback']:,} answers"
    yield f"{counts}: made in {result['fill_seconds']} s, summed up in {result['roll_seconds']} s"
    yield f"  {result['bytes_on_disk'] / result['visits']:.1f} bytes on disk per visit, all tables; RSS {result['rss_mib']} MiB"
    yield f"  {result['people_hit']:,} people hit in {result['problems']} problems, the oldest figures {result['oldest_s']} s old"
    yield f"  its newest data {result['minutes_old']} min old when it was first asked"
    yield f"  load average {result['load_before']} before, {result['load_after']} after"
    for name in QUESTIONS:
        if one := result.get(name):
            figures = "   ".join(f"{what} {one[f'{what}_ms']:8.1f} ms" for what in ("p50", "p99", "first", "cpu"))
            yield f"  {name:12} {figures}   ({one['asked']} times)"
    if why := result.get("search_skipped"):
        yield f"  search       not asked: {why}"
    for name, reads in result.get("reads", {}).items():
        yield f"  {name}: {reads}"


def growth(results: Sequence[dict[str, Any]]) -> str:
    """By how much each question grew from the smallest size to the largest."""
    first, last = results[0], results[-1]
    times = [f"{name} ×{last[name]['p50_ms'] / max(first[name]['p50_ms'], 0.1):.1f}" for name in QUESTIONS if name in first]
    return f"growth of p50 over ×{last['visits'] / first['visits']:.0f} visits: {', '.join(times)}"


def plotted(results: Sequence[dict[str, Any]]) -> str:
    """p50 by size as an SVG, both axes logarithmic."""
    width, height, left = 760, 420, 60
    names = [name for name in QUESTIONS if name in results[0]]
    sizes = [log10(result["visits"] * PER_VISIT) for result in results]
    low, high = min(sizes), max(max(sizes), min(sizes) + 1)
    top = max(1.0, *(log10(result[name]["p50_ms"]) for result in results for name in names))

    def place(spans: float, ms: float) -> tuple[float, float]:
        return left + (width - left) * (spans - low) / (high - low), 20 + height - height * max(log10(max(ms, 1)), 0) / top

    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width + 140} {height + 60}" font-family="sans-serif" font-size="12">']
    lines.append("<title>p50 of each question by number of spans</title>")
    for power in range(int(top) + 1):
        y = place(low, 10**power)[1]
        lines.append(f'<path d="M{left} {y:.0f}H{width}" stroke="#ddd"/><text x="4" y="{y + 4:.0f}">{10**power:,} ms</text>')
    taken = height + 40.0
    for index, name in sorted(enumerate(names), key=lambda pair: results[-1][pair[1]]["p50_ms"]):
        points = [place(log10(result["visits"] * PER_VISIT), result[name]["p50_ms"]) for result in results]
        colour = f"hsl({index * 360 // len(names)} 65% 42%)"
        lines.append(f'<path d="M{"L".join(f"{x:.0f} {y:.0f}" for x, y in points)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        taken = min(points[-1][1] + 4, taken - 14)  # names do not lie on one another
        lines.append(f'<text x="{points[-1][0] + 6:.0f}" y="{taken:.0f}" fill="{colour}">{name}</text>')
    lines += [f'<text x="{place(size, 1)[0]:.0f}" y="{height + 44}">{10**size:,.0f} spans</text>' for size in sizes]
    return "\n".join([*lines, "</svg>", ""])


async def main() -> None:
    """Read the options, measure each size, say it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", default="1000000", help="sizes, smallest first, with commas between")
    parser.add_argument("--repeat", type=int, default=50, help="times each question is asked")
    parser.add_argument("--seconds", type=float, default=60.0, help="longest time for one question")
    parser.add_argument("--folder", type=Path, help="where the data go for the while; 100 M spans take about 10 GB")
    parser.add_argument("--keep", type=Path, help="leave the data in this folder; asked again where they are there")
    parser.add_argument("--without-spans", action="store_true", help="no spans and log records: what is asked of runs, steps, orders and feedback alone")
    parser.add_argument("--explain", action="store_true")
    parser.add_argument("--plot", type=Path, help="write p50 by size as an SVG")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    out = sys.stderr if given.json else sys.stdout
    results = []
    for spans in (int(size) for size in given.spans.split(",")):
        results.append(await measure(spans, given))
        print("\n".join(said(results[-1])), file=out, flush=True)
    if len(results) > 1:
        print(growth(results), file=out)
    if given.plot:
        given.plot.write_text(plotted(results))
    if given.json:
        about = {"bench": "query", "cpus": os.cpu_count(), "machine": platform.machine(), "python": platform.python_version()}
        print(json.dumps({"sizes": results, **about}))


if __name__ == "__main__":
    asyncio.run(main())
