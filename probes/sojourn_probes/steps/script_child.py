"""The process that runs a script: reads what to run from standard input, writes what came of it to standard output, one JSON object each.

What the script itself prints goes to standard error.
"""

import asyncio
import contextlib
import importlib.util
import inspect
import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any

MOST_SAID = 100_000
"""Characters of an exception's text that are passed on; they are cut further once secrets are out of them."""


def main() -> None:
    """Run the script and say what it returned, or what was wrong."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.set_inheritable(answer.fileno(), False)
    os.dup2(2, 1)
    asked = json.loads(sys.stdin.read())
    json.dump(_outcome(Path(asked["file"]), asked["args"]), answer)
    answer.flush()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    # Threads that a script left running would keep the process, and the step, until the deadline.
    os._exit(0)


def _outcome(file: Path, args: dict[str, Any]) -> dict[str, Any]:
    try:
        spec = importlib.util.spec_from_file_location("sojourn_script", file)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        run = getattr(module, "run", None)
        if not callable(run):
            return {"config": f"{file.name} has no function run(args); add one"}
        value = run(args)
        if inspect.iscoroutine(value):
            value = asyncio.run(value)
    except SystemExit as ended:
        return {"failed": f"the script ended itself with {ended.code!r}; let run() return instead"}
    except BaseException as fault:  # noqa: BLE001 - whatever a script raises is the step's failure
        return {"failed": f"{type(fault).__name__}: {_text(fault)[:MOST_SAID]}", "place": _place(fault, file)}
    try:
        return {"value": json.loads(json.dumps(value, allow_nan=False))}
    except (TypeError, ValueError, RecursionError) as fault:
        return {"failed": f"run() returned what is no JSON ({fault}); return dicts, lists, texts, numbers, true, false or None"}


def _text(fault: BaseException) -> str:
    try:
        return str(fault)
    except Exception as worse:  # noqa: BLE001 - an exception of a script's own may not even have a text
        return f"its text cannot be had ({type(worse).__name__})"


def _place(fault: BaseException, file: Path) -> str:
    """The last line of the script itself on the way to the fault."""
    lines = [frame.lineno for frame in traceback.extract_tb(fault.__traceback__) if Path(frame.filename) == file]
    line = lines[-1] if lines else getattr(fault, "lineno", None)
    return f" ({file.name}, line {line})" if line else f" ({file.name})"


if __name__ == "__main__":
    main()
