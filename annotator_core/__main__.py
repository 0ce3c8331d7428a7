"""``python -m annotator_core``: reads the environment, runs a command, turns errors into messages and exit codes."""

import os
import sys
from pathlib import Path

from annotator_core.cli.arguments import parse
from annotator_core.cli.exits import Exit
from annotator_core.cli.pool import HubAccess
from annotator_core.errors import AnnotatorError, BudgetReached


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status, one of `Exit`; a message on stderr explains what is not 0."""
    try:
        command, named = parse(arguments)
        return command.run(named, _find_hub())
    except BudgetReached as error:
        print(f"error: {error.message}", file=sys.stderr)
        return Exit.CAP_REACHED
    except AnnotatorError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return Exit.PROBLEM
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # What is still buffered has no reader: without this the interpreter would complain when it exits.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.BROKEN_PIPE


def _find_hub() -> HubAccess:
    data = os.environ.get("AUTOANNOTATOR_DATA")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(data) / "hub" if data else Path(cache) / "annotator_core" / "hub"
    named = [os.environ.get(name) for name in ("HF_ENDPOINT", "HF_TOKEN", "OPENAI_API_KEY")]
    return HubAccess(folder, *named)


if __name__ == "__main__":
    sys.exit(main())
