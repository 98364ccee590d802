"""The live tree of a run on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.text import Text
from rich.tree import Tree

from sojourn_probes.events import AttemptEnded, AttemptStarted, Event, RunEnded, StepEnded, StepStarted
from sojourn_probes.journey import Journey
from sojourn_probes.output.as_human import SIGNS, ending, heading, step_lines
from sojourn_probes.semconv import Outcome

_STYLES = {
    Outcome.PASSED: "green",
    Outcome.DEGRADED: "yellow",
    Outcome.FAILED: "red",
    Outcome.INCONCLUSIVE: "magenta",
    Outcome.SKIPPED: "dim",
}


@contextmanager
def live_tree(journey: Journey, console: Console) -> Iterator[Callable[[Event], None]]:
    """Shows `journey` being walked; yields what `run` is to tell its events."""
    tree = _Tree(journey)
    with Live(tree.root, console=console, refresh_per_second=12) as live:

        def hear(event: Event) -> None:
            tree.hear(event)
            live.refresh()

        yield hear


class _Tree:
    def __init__(self, journey: Journey) -> None:
        self.root = Tree(Text(heading(journey), style="bold"), guide_style="dim")
        self.width = max(len(step.title) for step in journey.steps)
        self.attempt = self.root
        self.current: Tree | None = None

    def hear(self, event: Event) -> None:
        match event:
            case AttemptStarted(number=number) if number > 1:
                self.attempt = self.root.add(Text(f"attempt {number}", style="dim"))
            case StepStarted(name=name):
                self.current = self.attempt.add(Spinner("dots", Text(name)))
            case StepEnded(result=result):
                lines = [line[2:] for line in step_lines(result, self.width)]
                shown = Text("\n".join(lines))
                shown.stylize(_STYLES[result.outcome], 0, len(SIGNS[result.outcome]))
                if self.current is None:
                    self.attempt.add(shown)
                else:
                    self.current.label = shown
                self.current = None
            case AttemptEnded(result=attempt, again=True):
                self.root.add(Text(f"attempt {attempt.number} {attempt.outcome}; once more", style="dim"))
            case RunEnded(result=run):
                self.root.add(Text(ending(run), style=_STYLES[run.outcome]))
