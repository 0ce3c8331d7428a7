"""Makes `.venv` from a lock: torch first, so that a machine without a GPU is spared gigabytes of CUDA packages.

Standard library only, run by the system's Python: `python3 scripts/install.py runtime|dev [--cuda] [--cpu-index URL]`.
A lock that is already installed costs nothing: its hash stands in a stamp file inside `.venv`.
"""

import argparse
import hashlib
import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
RUNTIME = ROOT / "requirements.lock"
LOCKS = {"runtime": [RUNTIME], "dev": [RUNTIME, ROOT / "requirements-dev.lock"]}


def pip(*arguments: str) -> str:
    """What pip printed.

    Raises:
        SystemExit: pip failed; what it said is shown.
    """
    command = [str(PYTHON), "-m", "pip", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, check=False, stdout=subprocess.PIPE, text=True, cwd=ROOT)
    if done.returncode:
        advice = "If packages of another lock are in the way: rm -rf .venv, then again."
        sys.exit(f"{done.stdout}pip {' '.join(arguments[:3])} failed. {advice}")
    return done.stdout


def stamp(extra: str) -> Path:
    """The file that says that this lock is installed; its name changes with the lock."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in LOCKS[extra])).hexdigest()[:16]
    return VENV / f"installed-{extra}-{digest}"


def torch_pin() -> str:
    """The line of the runtime lock that pins torch."""
    return next(line for line in RUNTIME.read_text().splitlines() if line.startswith("torch=="))


def needs_cpu_index(pin: str) -> bool:
    """Whether pip's own plan for torch holds nvidia packages, so that another index must be asked for the CPU build."""
    report = json.loads(pip("install", "--quiet", "--dry-run", "--report", "-", pin) or "{}")
    names = [item["metadata"]["name"].lower() for item in report.get("install", [])]
    return any(name.startswith("nvidia-") for name in names)


def install_torch(*, use_cuda: bool, cpu_index: str) -> None:
    """Install the pinned torch; the CPU build unless CUDA is wanted."""
    pin = torch_pin()
    from_index = [] if use_cuda or not needs_cpu_index(pin) else ["--index-url", cpu_index]
    pip("install", "--quiet", "--no-deps", *from_index, pin)


def install(extra: str, *, use_cuda: bool, cpu_index: str) -> None:
    """Bring `.venv` to the lock and check that what is in it fits together."""
    if not PYTHON.exists():
        subprocess.run([sys.executable, "-m", "venv", str(VENV)], check=True)
    # Older pips download a package in full only to say what they would install.
    pip("install", "--quiet", "pip>=25")
    print(f"Installing {extra} requirements into .venv (a minute or two at the first time) ...", flush=True)
    install_torch(use_cuda=use_cuda, cpu_index=cpu_index)
    locks = [argument for path in LOCKS[extra] for argument in ("-r", path.name)]
    # With CUDA torch brings packages that the lock does not name.
    pip("install", "--quiet", *([] if use_cuda else ["--no-deps"]), *locks)
    pip("check")
    for done in ("runtime", extra):
        stamp(done).touch()


def main() -> None:
    """Install, or do nothing when the stamp of this lock is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("extra", choices=LOCKS)
    parser.add_argument("--cuda", action="store_true", help="take whatever torch the package index offers")
    parser.add_argument("--cpu-index", default="", help="where the CPU build of torch is when the index has only CUDA")
    options = parser.parse_args()
    if sys.version_info < (3, 11):  # noqa: UP036  # run by whatever python3 the machine has
        sys.exit("Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 ...")
    if not (PYTHON.exists() and stamp(options.extra).exists()):
        install(options.extra, use_cuda=options.cuda, cpu_index=options.cpu_index)


if __name__ == "__main__":
    main()
