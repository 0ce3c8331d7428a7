"""The demo's specialists as a standalone script's voters, and the script as a program of its own."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

from annotator_core.demo import CLASSES, feedback_path, label_maps, specialist_folders
from annotator_core.scripts.compose import write_script
from annotator_core.scripts.plan import ScriptPlan, ScriptVoter
from annotator_core.specialists.folder import hash_folder, inspect_folder
from annotator_core.types import LabelMap

MAX_LENGTH = 64


def demo_voters() -> tuple[ScriptVoter, ...]:
    maps = label_maps()
    voters = []
    for name, folder in specialist_folders().items():
        card = inspect_folder(folder)
        targets = tuple(CLASSES.index(maps[name][label]) for label in card.labels)
        label_map = LabelMap(card.labels, targets)
        voters.append(
            ScriptVoter(name, "torch", hash_folder(folder), label_map, folder=str(folder), max_length=MAX_LENGTH)
        )
    return tuple(voters)


def demo_texts(count: int) -> list[str]:
    """Some of the demo's texts, the first one twice, and two that nobody can vote on."""
    with feedback_path().open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file)][: count - 3]
    return [*texts, texts[0], "", "   "]


class Program:
    """A written script in a folder of its own, run by a Python that knows the installed packages alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, plan: ScriptPlan, texts: list[str], **files: list[tuple[str, str]]) -> list[dict[str, str]]:
        (self.folder / "run.py").write_text(write_script(plan), encoding="utf-8")
        self.write("in.csv", [("text",), *((text,) for text in texts)])
        options = []
        for name, rows in files.items():
            self.write(f"{name}.csv", [("text", "label"), *rows])
            options += [f"--{name}", f"{name}.csv"]
        done = self.start("run.py", "in.csv", "out.csv", "--device", "cpu", *options)
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        with (self.folder / "out.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    def write(self, name: str, rows: list[tuple[str, ...]]) -> None:
        with (self.folder / name).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)

    def start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """-I: neither this folder, nor PYTHONPATH, nor the person's own packages can be imported from."""
        environment = {"OMP_NUM_THREADS": "1", "PATH": "/usr/bin"}
        return subprocess.run(
            [sys.executable, "-I", *arguments],
            check=False, cwd=self.folder, capture_output=True, text=True, env=environment,
        )  # fmt: skip


@pytest.fixture
def program(tmp_path: Path) -> Program:
    return Program(tmp_path)
