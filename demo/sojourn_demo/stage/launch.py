"""Becomes another program that dies when its parent dies. Run as a file: `python -I launch.py PARENT_PID PROGRAM ARGUMENTS…`.

The wish is made here, between fork and exec, in a process of one thread; the kernel keeps it over exec (prctl(2), PR_SET_PDEATHSIG).
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask for SIGTERM at the parent's death, then become the program."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the demo is gone")
    os.execv(program[0], program)  # noqa: S606 — no shell is the point


if __name__ == "__main__":
    main()
