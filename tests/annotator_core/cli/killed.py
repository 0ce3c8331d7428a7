"""A command that kills itself: ``python -m tests.annotator_core.cli.killed CALL ROWS ...`` sends SIGKILL at that call.

All calls of functions count, C's too, from the first vote on; 0 kills never, and the number of calls is the last line
on stderr. ROWS is the size of a window, so that a small table has many.
"""

import itertools
import os
import signal
import sys
from types import FrameType

import tqdm  # noqa: F401 - imported before the calls are counted

from annotator_core.__main__ import main
from annotator_core.cli import tables
from annotator_core.fakes import specialist  # noqa: F401 - imported before the calls are counted


def run(kill_at: int, arguments: list[str]) -> int:
    calls = itertools.count(1)

    def wait(frame: FrameType, event: str, argument: object) -> None:
        if frame.f_code.co_name == "cast_votes":
            sys.setprofile(count)

    def count(frame: FrameType, event: str, argument: object) -> None:
        if event in ("call", "c_call") and next(calls) == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(wait)
    status = main(arguments)
    sys.setprofile(None)
    sys.stderr.write(f"{next(calls)}\n")
    return status


if __name__ == "__main__":
    tables.WINDOW_ROWS = int(sys.argv[2])
    sys.exit(run(int(sys.argv[1]), sys.argv[3:]))
