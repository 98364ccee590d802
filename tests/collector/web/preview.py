"""The report over made-up answers, in a real server: for the browser tests, and by hand for pictures of every page:

`python -m tests.collector.web.preview FOLDER`
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI, Response
from playwright.async_api import async_playwright

from sojourn_collector.context import Context
from sojourn_collector.web.pages import build_pages, mount_static
from sojourn_probes import chromium
from tests.collector.web import fixtures, told
from tests.serving import served

SIZES = {"laptop": (1280, 860), "phone": (390, 844)}


def build_app(answers: Any, *, simulated: bool = False) -> FastAPI:
    """Pages over `answers`."""
    app = FastAPI(openapi_url=None)
    clock = fixtures.Clock(fixtures.SIMULATED) if simulated else fixtures.Clock()
    mount_static(app)

    @app.get("/evidence/{kind}")
    def evidence(kind: str) -> Response:
        """A picture of a page, and files."""
        shot = Path(__file__).parents[3] / "docs/report-today.png"
        return Response(shot.read_bytes(), media_type="image/png") if kind == "screenshot" else Response("status 502\n", media_type="text/plain")

    app.include_router(build_pages(cast("Context", clock), answers))
    return app


async def pictures(folder: Path, only: set[str]) -> None:
    """A picture of every page, light and dark, on a laptop and a phone."""
    choice = chromium.find()
    folder.mkdir(parents=True, exist_ok=True)
    async with served(build_app(told.Shop(), simulated=True)) as shop, served(build_app(told.Nothing())) as nothing, async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=choice.path, args=list(choice.args))
        wanted = {name: shop + path for name, path in told.PAGES.items()} | {
            "empty": nothing + "/",
            "no-feedback": nothing + "/feedback",
            "no-tickets": nothing + "/tickets",
            "nobody-silent": nothing + "/silent",
        }
        for scheme in ("light", "dark"):
            for size, (width, height) in SIZES.items():
                context = await browser.new_context(color_scheme=scheme, viewport={"width": width, "height": height}, reduced_motion="reduce")
                page = await context.new_page()
                page.on("console", lambda message: print(message.text, file=sys.stderr))
                page.on("pageerror", lambda error: print(error, file=sys.stderr))
                for name, address in wanted.items():
                    if only and name not in only:
                        continue
                    await page.goto(address)
                    await page.wait_for_timeout(300)
                    overflow = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
                    if overflow > 0:
                        print(f"{name} {size}: {overflow} px wider than the screen", file=sys.stderr)
                    await page.screenshot(path=folder / f"{name}-{size}-{scheme}.png", full_page=True)
                await context.close()
        await browser.close()


if __name__ == "__main__":
    asyncio.run(pictures(Path(sys.argv[1]), set(sys.argv[2:])))
