"""`python -m labeling.pipeline.child PARENT NICE MODULE ARGS...`: runs a module, tied to the life of its parent.

A process of its own and not a hook between fork and exec: hooks may hang in a parent that has threads.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Let the kernel send SIGTERM when the parent is gone, be it by `kill -9`. Only Linux can do that."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it went before the kernel was told
        sys.exit(0)


def main() -> None:
    """Become the module that the command line names; the wish survives exec."""
    parent, nice, *module = sys.argv[1:]
    die_with(int(parent))
    os.nice(int(nice))
    os.execv(sys.executable, [sys.executable, "-m", *module])  # noqa: S606 (the command line comes from `up`)


if __name__ == "__main__":
    main()
