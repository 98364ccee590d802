"""Bodies of requests that only an admin may send: read by hand once it is known who asks, so that nobody without a key has theirs parsed."""

import json
from typing import TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError

M = TypeVar("M", bound=BaseModel)


async def asked_of(request: Request, model: type[M], *, largest: int, example: str, empty: bytes = b"") -> M | str:
    """The body, or what is wrong with it in a sentence.

    :param largest: bytes.
    :param example: a body that would do.
    :param empty: what no body at all stands for.
    """
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > largest:
            return f"The body is larger than {largest >> 10} KiB."
    try:
        return model.model_validate(json.loads(bytes(raw) or empty))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:80]
        return f"{place}: {first['msg']}." if place else f"The body must be a JSON object such as {example}."
    except (ValueError, RecursionError):
        return f"The body is not JSON; send an object such as {example}."
