"""Benchmarks in parts, each in a process of its own (Django reads its settings once), their bars in one document."""

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass

from benchmarks.bars import Bar, bar_table
from benchmarks.report import write, write_index
from benchmarks.scratch_site import ROOT

MARK = "BARS "


@dataclass(frozen=True, slots=True)
class Part:
    """A heading, how it was measured, and the measuring itself; `measure(is_quick)` says what was found."""

    heading: str
    how: str
    measure: Callable[[bool], Sequence[Bar]]


def run(name: str, title: str, intro: str, parts: Mapping[str, Part]) -> None:
    """Measure all parts or the chosen ones; docs/benchmarks/NAME.md when all were measured in full."""
    options = _options(parts)
    if options.part:
        bars = parts[options.part].measure(options.quick)
        print(MARK + json.dumps([asdict(bar) for bar in bars]), flush=True)
        return
    chosen = options.only or list(parts)
    module = f"benchmarks.{name}"
    texts = [intro]
    for key in chosen:
        bars = _measure(module, key, is_quick=options.quick)
        texts.append(f"## {parts[key].heading}\n\n{parts[key].how}\n\n{bar_table(bars)}")
        print(texts[-1], flush=True)
    if not (options.quick or options.show or options.only):
        write(name, title, "\n\n".join(texts))
        write_index()


def _options(parts: Mapping[str, Part]) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true", help="a small run that shows that it works; writes no file")
    parser.add_argument("--show", action="store_true", help="print the tables, write no file")
    parser.add_argument("--only", choices=parts, action="append", help="this part alone; writes no file")
    parser.add_argument("--part", choices=parts, help=argparse.SUPPRESS)
    return parser.parse_args()


def _measure(module: str, part: str, *, is_quick: bool) -> list[Bar]:
    """The part's bars, out of a process of its own. Raises CalledProcessError."""
    command = [sys.executable, "-m", module, "--part", part, *(["--quick"] if is_quick else [])]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    line = next(line for line in reversed(done.stdout.splitlines()) if line.startswith(MARK))
    return [Bar(**bar) for bar in json.loads(line.removeprefix(MARK))]
