"""``python -m annotator_core``: reads the environment, runs a command, turns errors into messages and exit codes."""

import os
import sys
from pathlib import Path

from annotator_core.cli.arguments import parse_label
from annotator_core.cli.label import label_table
from annotator_core.cli.pool import HubAccess
from annotator_core.errors import AnnotatorError


def main(arguments: list[str] | None = None) -> int:
    """Return the exit status: 0 done, 1 a problem that the message on stderr explains, 130 interrupted."""
    try:
        options = parse_label(arguments)
        report = label_table(options, _find_hub())
    except AnnotatorError as error:
        print(f"error: {error.message}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: no output was written.", file=sys.stderr)
        return 130
    print(report.tell(options), end="", file=sys.stderr)
    return 0


def _find_hub() -> HubAccess:
    data = os.environ.get("AUTOANNOTATOR_DATA")
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(data) / "hub" if data else Path(cache) / "annotator_core" / "hub"
    return HubAccess(folder, os.environ.get("HF_ENDPOINT"), os.environ.get("HF_TOKEN"))


if __name__ == "__main__":
    sys.exit(main())
