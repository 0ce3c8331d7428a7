"""``python -m annotator_core``: reads the environment, runs a command, turns errors into messages and exit codes."""

import argparse
import os
import sys
from pathlib import Path

from annotator_core.cli.arguments import Command, parse
from annotator_core.cli.exits import Exit
from annotator_core.cli.outputs import report_writing
from annotator_core.cli.pool import HubAccess
from annotator_core.errors import AnnotatorError, BudgetReached


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status, one of `Exit`; a message on stderr explains what is not 0."""
    if sys.stderr is None:
        # Closed by who called: nobody reads what is told there, and no command ends for that.
        sys.stderr = Path(os.devnull).open("w")  # noqa: SIM115 - it stays open to the end
    try:
        command, named = _parse(arguments)
        return command.run(named, _find_hub())
    except BudgetReached as error:
        return _end(Exit.CAP_REACHED, f"error: {error.message}")
    except AnnotatorError as error:
        return _end(Exit.PROBLEM, f"error: {error.message}")
    except KeyboardInterrupt:
        return _end(Exit.INTERRUPTED, "Interrupted.")
    except BrokenPipeError:
        return _end(Exit.BROKEN_PIPE)


def _parse(arguments: list[str] | None) -> tuple[Command, argparse.Namespace]:
    """Return what `parse` does, after a help text got to where it goes."""
    with report_writing("Standard output"):
        try:
            return parse(arguments)
        finally:
            if sys.stdout is not None:
                sys.stdout.flush()


def _end(status: Exit, message: str = "") -> Exit:
    """Return the status once the message is told, and what standard output did not take is let go."""
    if message:
        print(message, file=sys.stderr)
    if sys.stdout is not None:
        try:
            sys.stdout.flush()
        except OSError:
            # It has no reader, or no room: without this the interpreter would complain of it and end with 120.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return status


def _find_hub() -> HubAccess:
    data = os.environ.get("AUTOANNOTATOR_DATA")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(data) / "hub" if data else Path(cache) / "annotator_core" / "hub"
    named = [os.environ.get(name) for name in ("HF_ENDPOINT", "HF_TOKEN", "OPENAI_API_KEY")]
    return HubAccess(folder, *named)


if __name__ == "__main__":
    sys.exit(main())
