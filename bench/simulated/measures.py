"""Families of the other scores, each asked through the answer that the product gives."""

from collections.abc import Callable, Mapping

from bench.simulated.fixes import FIX, fix
from bench.simulated.measured import Measured
from bench.simulated.surveys import THANKS, survey

MEASURES: Mapping[str, Callable[[int], Measured]] = {THANKS: survey, FIX: fix}
"""By family; the one list of them."""
