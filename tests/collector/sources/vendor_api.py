"""A vendor's API on loopback, which answers what a test says and remembers what it was asked."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.serving import served


@dataclass
class VendorApi:
    """`answers` by path: one after the other, the last for ever. A number is a status, a Response itself, all else is JSON."""

    url: str = ""
    answers: dict[str, list[Any]] = field(default_factory=dict)
    asked: list[Request] = field(default_factory=list)

    async def answer(self, request: Request) -> Response:
        """What comes next for this path."""
        self.asked.append(request)
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        left = self.answers.get(target) or self.answers.get(request.url.path)
        if not left:
            return Response(status_code=404)
        said = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(said, Response):
            return said
        if isinstance(said, int):
            return Response(status_code=said)
        return Response(json.dumps(said), media_type="application/json")


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[VendorApi]:
    """It listens."""
    api = VendorApi()
    async with served(Starlette(routes=[Route("/{path:path}", api.answer, methods=["GET", "POST"])])) as url:
        api.url = url
        yield api
