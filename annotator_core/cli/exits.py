"""The exit statuses of every command. Standard library only."""

from enum import IntEnum
from typing import Final


class Exit(IntEnum):
    """What the shell learns when a command ends; wrong usage is argparse's own 2."""

    DONE = 0
    PROBLEM = 1
    USAGE = 2
    NOT_REACHABLE = 3
    CAP_REACHED = 4
    INTERRUPTED = 130
    BROKEN_PIPE = 141


EXIT_HELP: Final = """\
exit status: 0 done, 1 a problem that the message explains, 2 wrong usage, 3 the target error is not reachable,
4 the cap on what a language model may cost is reached, 130 interrupted, 141 the reader of the output went away.
"""
