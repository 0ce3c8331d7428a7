"""`python -m benchmarks [name ...]`: runs the named benchmarks, or all, each in a process of its own."""

import subprocess
import sys

NAMES = (
    "files",
    "million",
    "pages",
    "main_job",
    "cold_start",
    "refinement",
    "annotating",
    "aggregation",
    "fusion",
    "contract",
    "runtime",
    "verifier",
)


def main() -> int:
    """The exit status of the first benchmark that fails, else 0."""
    for name in sys.argv[1:] or NAMES:
        if name not in NAMES:
            print(f"no benchmark {name!r}: {', '.join(NAMES)}")
            return 2
        status = subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode
        if status:
            return status
    return 0


if __name__ == "__main__":
    sys.exit(main())
