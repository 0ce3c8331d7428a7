"""Tables under docs/benchmarks/: each names the machine, the versions and the command that makes it."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "docs" / "benchmarks"
IN_A_BROWSER = ("review", "load")
HARDWARE = {"-gpu": "on a GPU", "-amx": "with a matrix unit", "-fp32": "without bf16 hardware"}
"""What one command measures on unlike machines has a page for each: how its name ends, and what its title says."""
_MADE_BY = "Made by `"
PACKAGES = ("Django", "celery", "torch", "transformers")


def machine() -> str:
    """One line about what it was measured on."""
    model = platform.processor() or platform.machine()
    for line in Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith("model name"):
            model = line.split(":", 1)[1].strip()
            break
    versions = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return f"{os.cpu_count()} cores ({model}){_name_gpu()}, Python {platform.python_version()}, {versions}."


def _name_gpu() -> str:
    import torch

    return f", {torch.cuda.get_device_name()}" if torch.cuda.is_available() else ""


def table(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def write(name: str, title: str, text: str) -> Path:
    """docs/benchmarks/NAME.md; a note written by hand into the page before is printed: it was about other figures."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    path = FOLDER / f"{name}.md"
    note = _read_note(path)
    command = f"{_MADE_BY}{_command(name)}` on {machine()}"
    path.write_text(f"# {title}\n\n{command}\n\n{text}\n", encoding="utf-8")
    print(f"{text}\n\nwritten to {path}")
    if note:
        print(f"\nGone from that page is a note written by hand. Put it back if it still holds:\n\n{note}")
    return path


def _read_note(path: Path) -> str:
    """What stands between the title and the line about the machine."""
    if not path.is_file():
        return ""
    _title, _break, rest = path.read_text(encoding="utf-8").partition("\n")
    return rest.partition(_MADE_BY)[0].strip()


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
    for ending in HARDWARE:
        name = name.removesuffix(ending)
    return f"make {'bench-ui' if name in IN_A_BROWSER else 'bench'} ARGS={name}"


def _pages(pattern: str) -> list[Path]:
    return sorted(FOLDER.glob(pattern))


def _title(page: Path) -> str:
    return page.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
