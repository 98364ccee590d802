"""What a collector does by itself: the engine, loading, joining, summing up, tidying. An error in one of them does not end the others."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta

from sojourn_collector.context import now
from sojourn_collector.running import Collector
from sojourn_collector.store.client import EngineUnavailable, StatementFailed
from sojourn_collector.store.control.errors import ControlUnavailableError
from sojourn_collector.store.endpoint import EngineStartError
from sojourn_collector.store.keep import apply_keep
from sojourn_collector.store.load import PASSING, sentence
from sojourn_collector.store.migrations import migrate
from sojourn_collector.web.readiness import keep_ready, renew_problems

log = logging.getLogger("sojourn.collector")

LEDGER_KEPT = timedelta(days=30)
EVENTS_KEPT = timedelta(days=90)
"""How long ids of vendors' events are remembered: none repeats one for longer than some days."""


async def work(collector: Collector) -> None:
    """Start the engine, bring its tables up to date, then load, join and tidy for ever."""
    await collector.supervisor.start()
    await (_prepare(collector) if collector.several is None else collector.several.alone("schema", lambda: _prepare(collector)))
    collector.prepared = True
    async with asyncio.TaskGroup() as group:
        group.create_task(carry_on(collector, "loader", collector.loader.run))
        group.create_task(carry_on(collector, "evidence", collector.evidence.run))
        group.create_task(carry_on(collector, "parts", collector.parts.run))
        group.create_task(carry_on(collector, "slis", collector.slis.run))
        group.create_task(carry_on(collector, "rates of exchange", lambda: collector.fx.watch(collector.control)))
        group.create_task(carry_on(collector, "report", lambda: keep_ready(collector.context)))
        group.create_task(carry_on(collector, "problems", lambda: renew_problems(collector.context)))
        if collector.several is None:
            for name, work in _for_all(collector).items():
                group.create_task(carry_on(collector, name, work))
        else:
            turn = collector.several.turn
            if collector.others is not None:
                group.create_task(carry_on(collector, "erasure", collector.others.run))
            group.create_task(carry_on(collector, "join", lambda: turn.run(lambda: _together(_for_all(collector)))))


def _for_all(collector: Collector) -> Mapping[str, Callable[[], Awaitable[None]]]:
    """What one of several collectors does for all, by name."""
    works = {"join": collector.join.run, "rollups": collector.rollups.run, "ledger": lambda: _tidy(collector), "erasure": collector.eraser.run}
    if collector.config.sources:
        works["sources"] = collector.further.run
    if collector.config.feeds:
        works["feeds"] = collector.pulling.run
    return works if collector.config.engine.cluster else works | {"disk": collector.disk.run}


async def _prepare(collector: Collector) -> None:
    """Bring the engine's tables up to date, as soon as it answers, and note what is kept for another time than before."""
    changes: list[str] = []
    while True:
        try:
            await migrate(collector.store)
            changes += await apply_keep(collector.store, collector.config.keep)
            while changes:
                await collector.control.audit.add(now(), "collector", "keep.change", changes[0].partition(" ")[0], changes[0])
                del changes[0]
        except (EngineUnavailable, ControlUnavailableError):
            await asyncio.sleep(0.2)
        except StatementFailed as error:
            if error.code not in PASSING:
                raise EngineStartError(f"the tables cannot be brought up to date. {sentence(error)}") from error
            log.warning("the tables cannot be brought up to date just now: %s", PASSING[error.code])
            await asyncio.sleep(1.0)
        else:
            return


async def _together(works: Mapping[str, Callable[[], Awaitable[None]]]) -> None:
    """Several at once. Raises what the first of them to fail raises."""
    tasks = [asyncio.ensure_future(work()) for work in works.values()]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def carry_on(collector: Collector, name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Run background work for ever; an error of ours is logged, shown at /readyz and does not end the others."""
    wait = 0.5
    while True:
        try:
            await work()
        except Exception as error:
            log.exception("%s failed; it starts again in %g s", name, wait)
            collector.failing[name] = f"{type(error).__name__}: {error}"
        await asyncio.sleep(wait)
        wait = min(wait * 2, 30.0)
        collector.failing.pop(name, None)


async def _tidy(collector: Collector) -> None:
    """Forget batches so old that no sender repeats them, and usage that is kept no longer. A clock that jumps ahead meanwhile must not make them so."""
    loop = asyncio.get_running_loop()
    began, at = loop.time(), now()
    while True:
        moment = min(now(), at + timedelta(seconds=loop.time() - began))
        await collector.control.ledger.forget_before(moment - LEDGER_KEPT)
        await collector.control.webhooks.forget_before(moment - EVENTS_KEPT)
        await collector.control.inbox.forget_usage(moment - timedelta(days=collector.config.keep.runs))
        await asyncio.sleep(3600)
