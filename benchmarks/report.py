"""Tables under docs/benchmarks/: each names the machine, the versions and the command that makes it."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
IN_A_BROWSER = ("review", "load")
ON_AMX = "-amx"
"""Ends the name of a page that has a sister of the same command, made where the processor multiplies matrices."""
PACKAGES = ("Django", "celery", "torch", "transformers")


def machine() -> str:
    """One line about what it was measured on."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{os.cpu_count()} cores ({model}), Python {platform.python_version()}, {versions}."


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write(name: str, title: str, text: str) -> Path:
    """docs/benchmarks/NAME.md."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.md"
    command = f"Made by `{_command(name)}` on {machine()}"
    path.write_text(f"# {title}\n\n{command}\n\n{text}\n", encoding="utf-8")
    print(f"{text}\n\nwritten to {path}")
    return path


def write_index() -> Path:
    """docs/benchmarks.md: the title of every table, linked."""
    lines = [f"- [{_title(page)}](benchmarks/{page.name}) (`{_command(page.stem)}`)" for page in _pages("*.md")]
    # What the engine's shell measures and writes by itself.
    lines += [
        f"- [{_title(page)}](benchmarks/{page.parent.name}/{page.name}) (`python -m annotator_core {page.parent.name}`)"
        for page in _pages("*/report.md")
    ]
    path = FOLDER.parent / "benchmarks.md"
    intro = "Measured tables; each names its machine, versions and command. Ratios count, not absolute rates."
    path.write_text(f"# Benchmarks\n\n{intro}\n\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def _command(name: str) -> str:
    return f"make {'bench-ui' if name in IN_A_BROWSER else 'bench'} ARGS={name.removesuffix(ON_AMX)}"


def _pages(pattern: str) -> list[Path]:
    return sorted(FOLDER.glob(pattern))


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
