"""The one list of forms in which `sojourn` gives its results."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sojourn_probes.cli_streams import hand_over, say
from sojourn_probes.diff import Difference
from sojourn_probes.errors import Problem
from sojourn_probes.journey import Journey
from sojourn_probes.output import as_github, as_human, as_json, as_junit
from sojourn_probes.output.walked import Walked


@dataclass(frozen=True, slots=True)
class Form:
    """How runs, and how the findings of `validate`, are written. Each gives the whole text for stdout, without colour."""

    runs: Callable[[Sequence[Walked]], str]
    findings: Callable[[Sequence[Journey], Sequence[Problem], Sequence[Problem]], str] | None = None
    """Takes the good journeys, the problems, and what is still missing here to run them."""
    differences: Callable[[Sequence[Difference]], str] | None = None
    """Takes what becomes of each journey."""
    write: Callable[[str], None] = say
    """How the text gets out: for people in the terminal's encoding, for programs as UTF-8."""


FORMS: Final[dict[str, Form]] = {
    "human": Form(as_human.runs, as_human.findings, as_human.differences),
    "json": Form(as_json.runs, as_json.findings, as_json.differences, write=hand_over),
    "junit": Form(as_junit.runs, write=hand_over),
    "github": Form(as_github.runs, as_github.findings, as_github.differences),
}
"""Form by the word given to --output."""
