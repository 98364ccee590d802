"""The live tree of a run on a terminal."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text
from rich.tree import Tree

from sojourn_probes.events import AttemptEnded, AttemptStarted, Event, RunEnded, StepEnded, StepStarted
from sojourn_probes.journey import Journey
from sojourn_probes.output.as_human import SIGNS, ending, heading, phases_of, step_lines
from sojourn_probes.output.plain import one_line
from sojourn_probes.result import StepResult
from sojourn_probes.semconv import Outcome

_STYLES = {
    Outcome.PASSED: "green",
    Outcome.DEGRADED: "yellow",
    Outcome.FAILED: "red",
    Outcome.INCONCLUSIVE: "magenta",
    Outcome.SKIPPED: "dim",
}


@contextmanager
def live_tree(journey: Journey, console: Console, which: str = "") -> Iterator[Callable[[Event], None]]:
    """Shows `journey` being walked; yields what `run` is to tell its events. `which` stands behind the journey's name."""
    tree = _Tree(journey, which, console)
    # Other programs' lines are not redirected: nobody else writes here while a journey is walked.
    with Live(tree.root, console=console, refresh_per_second=12, redirect_stdout=False, redirect_stderr=False) as live:

        def hear(event: Event) -> None:
            tree.hear(event)
            live.refresh()

        try:
            yield hear
        except BaseException:
            tree.stopped()
            raise


class _Running:
    """A step on its way: a spinner, its name, and how long it has been going."""

    def __init__(self, name: str, width: int, *, ascii_only: bool) -> None:
        self.spinner = Spinner("line" if ascii_only else "dots")
        self.name, self.width, self.began = name, width, time.monotonic()

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        self.spinner.update(text=Text(f"{self.name:<{self.width}}  {time.monotonic() - self.began:.1f} s", style="dim"))
        yield self.spinner


class _Tree:
    def __init__(self, journey: Journey, which: str, console: Console) -> None:
        self.root = Tree(Text(heading(journey), style="bold").append(which, style="dim"), guide_style="dim")
        self.width = max((len(step.title) for step in journey.walked), default=0)
        self.ascii_only = console.options.ascii_only
        self.attempt = self.root
        self.current: Tree | None = None
        self.name = ""

    def hear(self, event: Event) -> None:
        match event:
            case AttemptStarted(number=number) if number > 1:
                self.attempt = self.root.add(Text(f"attempt {number}", style="dim"))
            case StepStarted(name=name):
                self.name = one_line(name)
                self.current = self.attempt.add(_Running(self.name, self.width, ascii_only=self.ascii_only))
            case StepEnded(result=result):
                self._ended(_line(result, self.width))
            case AttemptEnded(result=attempt, again=True):
                self.root.add(Text(f"attempt {attempt.number} {attempt.outcome}; once more", style="dim"))
            case RunEnded(result=run):
                self.root.add(Text(ending(run), style=_STYLES[run.outcome]))

    def stopped(self) -> None:
        """Say of the step on its way that it was not walked to its end."""
        if self.current is not None:
            self._ended(Text(f"{self.name}  stopped", style="dim"))

    def _ended(self, shown: Text) -> None:
        if self.current is None:
            self.attempt.add(shown)
        else:
            self.current.label = shown
        self.current = None


def _line(result: StepResult, width: int) -> Text:
    lines = [line[2:] for line in step_lines(result, width)]
    shown = Text("\n".join(lines))
    shown.stylize(_STYLES[result.outcome], 0, len(SIGNS[result.outcome]))
    if phases := phases_of(result):
        shown.stylize("dim", len(lines[0]) - len(phases), len(lines[0]))
    if result.failure is not None:
        shown.stylize(_STYLES[result.outcome], len(lines[0]), len(lines[0]) + 1 + len(lines[1]))
    return shown
