"""Writes requirements.lock and requirements-dev.lock from the ranges in pyproject.toml, in a fresh environment.

Run by `make lock`. `pip freeze --all`, because torch needs a newer setuptools than Python brings; without pip itself,
and without the `+cpu` of the machine that made the lock, which would not be found elsewhere.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# Made by `make lock` from the ranges in pyproject.toml. Install with `make setup`.\n"


def run(*command: str) -> str:
    """What the command printed; its failure ends the script."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def read_ranges() -> tuple[list[str], list[str]]:
    """What the whole application needs, the engine's own and the site's, and what its developers need beside it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    return [*project["dependencies"], *extras["site"]], extras["dev"]


def freeze(python: str) -> list[str]:
    """The installed packages as sorted `name==version` lines."""
    lines = run(python, "-m", "pip", "freeze", "--all").splitlines()
    pins = [re.sub(r"\+cpu$", "", line) for line in lines if not line.startswith(("pip==", "#"))]
    return sorted(pins, key=str.lower)


def main() -> None:
    """Resolve the runtime, then the development extra on top of it, and write both locks."""
    wanted, dev = read_ranges()
    with tempfile.TemporaryDirectory() as folder:
        run(sys.executable, "-m", "venv", folder)
        python = str(Path(folder) / "bin" / "python")
        run(python, "-m", "pip", "install", "--quiet", "--upgrade", "pip", "setuptools>=77.0.3")
        torch = next(line for line in wanted if line.startswith("torch"))
        run(python, "-m", "pip", "install", "--quiet", *sys.argv[1:], torch)
        run(python, "-m", "pip", "install", "--quiet", *wanted)
        runtime = freeze(python)
        run(python, "-m", "pip", "install", "--quiet", *wanted, *dev)
        run(python, "-m", "pip", "check")
        added = [pin for pin in freeze(python) if pin not in runtime]
    (ROOT / "requirements.lock").write_text(HEADER + "\n".join(runtime) + "\n")
    (ROOT / "requirements-dev.lock").write_text(HEADER + "\n".join(added) + "\n")


if __name__ == "__main__":
    main()
