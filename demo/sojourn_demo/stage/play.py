"""The play: everything works, the payments break for some, the report is asked until it says what is true."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from typing import Any, Final

import httpx2

from sojourn_demo.faults import Fault
from sojourn_demo.shoppers.shopper import Fate, Shopper, foresee
from sojourn_demo.shoppers.walk import Tally, Walker
from sojourn_demo.shoppers.wire import Wire
from sojourn_demo.shoppers.world import World, draw_passer_by, truth_of
from sojourn_demo.stage.parts import Parts
from sojourn_demo.stage.progress import Teller
from sojourn_demo.stage.report import JOURNEY, Reader, differences, is_ripe, truth_body
from sojourn_demo.stage.setting import Setting, keep_source_key
from sojourn_probes.chromium import Choice

READY_SECONDS: Final = 60.0
PROBE_SECONDS: Final = 45.0
REPORT_SECONDS: Final = 120.0
"""A busy machine works a problem out in ten seconds and lets it rest for a minute."""
PASSER_BY_EVERY: Final = 1.5


class PlayError(Exception):
    """The demo cannot go on; the text says what was waited for."""


@dataclass(slots=True)
class Play:
    """One performance with the parts of `parts`, on the ports of `setting`."""

    setting: Setting
    world: World
    parts: Parts
    teller: Teller
    client: httpx2.AsyncClient
    wire: Wire
    browser: Choice | None
    tally: Tally = field(default_factory=Tally)

    @property
    def reader(self) -> Reader:
        """Reads the collector's report."""
        return Reader(self.client, self.setting.url(self.setting.ports.web))

    async def start_parts(self, watch: asyncio.TaskGroup) -> None:
        """Start collector, shop and agent and wait until each is ready; `watch` fails when one stops. Raises PartDiedError or PlayError."""
        ports, url = self.setting.ports, self.setting.url
        config = str(self.setting.collector)
        create = ["-m", "sojourn_collector.cli", "key", "create", "--json", "--config", config, "--name", "shop", "--scope", "sources"]
        printed = await self.parts.run("sojourn-collector key create", create)
        keep_source_key(self.setting, printed)
        await self.parts.start("collector", ["-m", "sojourn_collector.cli", "run", "--config", config], watch=watch)
        await self.parts.start("shop", ["-m", "sojourn_demo.shop", "--config", str(self.setting.shop)], watch=watch)
        await self._ready("the shop", f"{url(ports.shop)}/")
        agent = ["-m", "sojourn_agent.cli", "run", "--config", str(self.setting.agent)]
        await self.parts.start("agent", agent, {"SHOP_URL": url(ports.shop)}, watch=watch)
        await self._ready("the collector", f"{url(ports.web)}/readyz")
        await self._ready("the agent", f"{url(ports.agent_admin)}/readyz")

    async def perform(self) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Play all acts; returns truth and report."""
        await self._walk("Shoppers while everything works", self.world.healthy, None)
        await self._probe("passed", "Our probe passed after them")
        await self._set_fault(self.world.fault)
        self.teller.say(f"Broke the payments: {self.world.fault.share:.0%} of all tries fail")
        await self._probe("failed", "Our probe failed first")
        await self._walk("Shoppers while payments fail", self.world.incident, self.world.fault)
        self.teller.say(f"Shoppers are gone: {self.tally.gone} of them, {self.tally.hit} met a failure, {self.tally.orders} orders")
        doubts = [*self.tally.lost, *self.tally.surprises]
        (self.setting.folder / "doubts.log").write_text("\n".join(doubts), encoding="utf-8")
        for doubt in doubts[:5]:
            self.teller.say(f"  not as planned ({len(doubts)}): {doubt}")
        return await self._ask()

    async def trickle(self) -> None:
        """Send passers-by for ever, so that an open report lives. Follows whatever fault the switchboard has on."""
        quiet = Walker(self.wire, self.setting.url(self.setting.ports.shop), self.setting.url(self.setting.ports.intake), Tally())
        async with asyncio.TaskGroup() as group:
            number = 0
            while True:
                shopper = draw_passer_by(self.world.seed, number)
                group.create_task(quiet.walk(shopper, foresee(shopper, None)))
                number += 1
                await asyncio.sleep(PASSER_BY_EVERY)

    async def _walk(self, title: str, shoppers: Sequence[Shopper], fault: Fault | None) -> None:
        ports, url = self.setting.ports, self.setting.url
        fates = [(shopper, foresee(shopper, fault)) for shopper in shoppers]
        walker = Walker(self.wire, url(ports.shop), url(ports.intake), self.tally)
        before = self.tally.gone
        with self.teller.counting(title, len(fates)) as told:
            async with asyncio.TaskGroup() as group:
                ticker = group.create_task(self._tick(told, before))
                walks = [group.create_task(_later(walker, shopper, fate)) for shopper, fate in fates if shopper.walks == "beacons"]
                in_browser = [pair for pair in fates if pair[0].walks == "browser"]
                if self.browser is not None and in_browser:
                    # Imported here: a demo without a browser has no need of it.
                    from sojourn_demo.shoppers.in_browser import BrowserWalkers

                    walks.append(group.create_task(BrowserWalkers(self.browser, url(ports.shop), self.tally).walk_all(in_browser)))
                await asyncio.wait(walks)
                ticker.cancel()
            told(self.tally.gone - before, "")

    async def _tick(self, told: Any, before: int) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                told(self.tally.gone - before, f"{self.tally.hit} hit" if self.tally.hit else "")
                await asyncio.sleep(0.2)

    async def _ready(self, what: str, url: str) -> None:
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            with suppress(httpx2.HTTPError):
                if (await self.client.get(url)).status_code == 200:
                    self.teller.say(f"{what[0].upper()}{what[1:]} is ready")
                    return
            await asyncio.sleep(0.1)
        raise PlayError(f"{what} was not ready within {READY_SECONDS:.0f} s ({url}); its log is in {self.setting.folder}")

    async def _probe(self, outcome: str, text: str) -> None:
        """Wait for a probe run that began from now on and ended in `outcome`."""
        since, deadline = time.time() * 1000, time.monotonic() + PROBE_SECONDS
        while time.monotonic() < deadline:
            runs = (await self.client.get(f"{self.setting.url(self.setting.ports.agent_admin)}/runs")).json()["runs"]
            if any(run["journey"] == JOURNEY and run["started_ms"] >= since and run["outcome"] == outcome for run in runs):
                self.teller.say(text)
                return
            await asyncio.sleep(0.2)
        raise PlayError(f"no probe run that {outcome} was seen within {PROBE_SECONDS:.0f} s")

    async def _set_fault(self, fault: Fault | None) -> None:
        body = asdict(fault) if fault else {"kind": None}
        (await self.client.post(f"{self.setting.url(self.setting.ports.switchboard)}/_faults", json=body)).raise_for_status()

    async def _ask(self) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Ask for the report until it says the truth and has settled, or time is up."""
        truth = truth_body(truth_of(self.world), self.world.seed)
        deadline, report = time.monotonic() + REPORT_SECONDS, None
        self.teller.say("Asking for the report")
        while time.monotonic() < deadline:
            asked = time.monotonic()
            report = await self.reader.impact() or report
            if report and not differences(truth, report) and is_ripe(report):
                break
            # The report costs the same cores that still load and join: ask as seldom as it is slow.
            await asyncio.sleep(max(1.0, 2 * (time.monotonic() - asked)))
        return truth, report


async def _later(walker: Walker, shopper: Shopper, fate: Fate) -> None:
    await asyncio.sleep(shopper.start)
    await walker.walk(shopper, fate)
