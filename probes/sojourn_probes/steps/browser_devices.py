"""Devices that Playwright can describe, by name; and what is said of settings that cannot be used."""

import difflib
from typing import Any

from sojourn_probes.result import Failure
from sojourn_probes.semconv import FailureKind


class Unusable(Exception):  # noqa: N818 - a finding about the journey
    """Settings that cannot be used here; `failure` says which and why."""

    def __init__(self, message: str, failure: Failure | None = None) -> None:
        self.failure = failure or Failure(FailureKind.CONFIG, message)
        super().__init__(message)


def device_options(name: str, devices: dict[str, Any]) -> dict[str, Any]:
    """Playwright's description of a device, for `new_context`. Raises `Unusable` with the nearest names."""
    found = devices.get(name)
    if found is None:
        near = difflib.get_close_matches(name, devices, n=3, cutoff=0.5)
        raise Unusable(f"device {name!r} is not known to Playwright; " + (f"did you mean {' or '.join(near)}?" if near else "write it as iPhone 15 or Pixel 7"))
    return {key: value for key, value in found.items() if key != "default_browser_type"}
