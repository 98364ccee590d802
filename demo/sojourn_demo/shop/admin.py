"""The switchboard's private listener: switch faults, see what the shop is doing. Loopback only, never linked from the shop."""

import json
from dataclasses import asdict, dataclass

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from sojourn_demo.faults import Fault, read_fault
from sojourn_demo.shop.feeds import Feeds
from sojourn_demo.shop.html import fill
from sojourn_demo.shop.switchboard import Switchboard


@dataclass(slots=True)
class Admin:
    """Handlers of the private listener."""

    switchboard: Switchboard
    feeds: Feeds
    seed: int
    shop_url: str

    async def page(self, _request: Request) -> Response:
        """Buttons for whoever plays with the demo."""
        return HTMLResponse(fill("switchboard", {"state": _say(self.switchboard.fault), "shop": self.shop_url}))

    async def set_fault(self, request: Request) -> Response:
        """Switch a fault on or off; see `read_fault` for the body."""
        try:
            self.switchboard.fault = read_fault(json.loads(await request.body()), self.seed)
        except ValueError as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return await self.state(request)

    async def state(self, _request: Request) -> Response:
        """Which fault is on, and how far the feeds are."""
        fault = self.switchboard.fault
        feeds = {feed.kind: {"waiting": len(feed.waiting), "sent": feed.sent, "refused": feed.refused} for feed in self.feeds.all}
        return JSONResponse({"fault": asdict(fault) if fault else None, "feeds": feeds})


def _say(fault: Fault | None) -> str:
    if fault is None:
        return "Everything works."
    return f"Fault on: {fault.kind.replace('_', ' ')} at {fault.step} for {fault.share:.0%} of the tries."


def build_admin(admin: Admin) -> Starlette:
    """The app of the private listener."""
    return Starlette(routes=[Route("/", admin.page), Route("/_faults", admin.set_fault, methods=["POST"]), Route("/_state", admin.state)])
