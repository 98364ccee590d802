"""Says how far the demo is, on standard error: a bar on a terminal, plain lines elsewhere."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

Told = Callable[[int, str], None]


class Teller:
    """Tells what happens. `say` a sentence, `counting` a stretch whose end is known."""

    def __init__(self) -> None:
        self._console = Console(stderr=True, highlight=False, soft_wrap=True)
        self._began = time.monotonic()

    def say(self, text: str) -> None:
        """One line."""
        if self._console.is_terminal:
            self._console.print(text, markup=False)
        else:
            print(f"[{time.monotonic() - self._began:5.1f} s] {text}", file=sys.stderr, flush=True)

    @contextmanager
    def counting(self, title: str, total: int) -> Iterator[Told]:
        """Show a stretch: call the yielded function with how many are done and a word beside it."""
        if not self._console.is_terminal:
            self.say(f"{title} …")
            yield lambda done, word: None
            return
        columns = TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed:.0f} of {task.total:.0f}"), TextColumn("{task.fields[word]}")
        with Progress(*columns, TimeElapsedColumn(), console=self._console) as bar:
            task: TaskID = bar.add_task(title, total=total, word="")

            def told(done: int, word: str) -> None:
                bar.update(task, completed=done, word=word)

            yield told
