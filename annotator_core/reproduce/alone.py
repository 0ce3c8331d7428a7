"""Work in a process of its own, so that its memory can be told from that of everything else."""

from collections.abc import Callable
from math import nan
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from annotator_core.errors import AnnotatorError, SpecialistCrashed

_STATUS: Final = Path("/proc/self/status")


def run_alone(work: Callable[..., Any], *arguments: Any) -> tuple[Any, float]:
    """Return what a function gives in a new process, and the most bytes of memory that this process held.

    Bytes are NaN where the system does not tell them. Raises the function's own AnnotatorError, and SpecialistCrashed
    where the process ended without a result: the system may have run out of memory.
    """
    context = get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_work, args=(sender, work, arguments), daemon=True)
    child.start()
    sender.close()
    try:
        found, peak_bytes = receiver.recv()
    except (EOFError, OSError) as error:
        child.join()
        raise SpecialistCrashed(
            f"The process of the specialists ended without a vote (exit status {child.exitcode}): see what it said "
            "above; below 0 it was killed, which is what happens where memory runs out."
        ) from error
    except BaseException:
        child.terminate()
        raise
    finally:
        receiver.close()
        child.join()
    if isinstance(found, AnnotatorError):
        raise found
    return found, peak_bytes


def find_peak_bytes(status: Path = _STATUS) -> float:
    """Return the most bytes of memory that this process has held since it began, NaN where the system does not tell."""
    # A new process inherits its parent's ru_maxrss on Linux; VmHWM, the same figure, begins anew.
    if not status.is_file():
        return nan
    lines = status.read_text(encoding="utf-8").splitlines()
    held = next((line for line in lines if line.startswith("VmHWM:")), None)
    return nan if held is None else float(held.split()[1]) * 1024


def _work(sender: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        found = work(*arguments)
    except AnnotatorError as error:
        found = error
    sender.send((found, find_peak_bytes()))
    sender.close()
