"""A whole run through the shell's machinery against the bare time of its votes, and its memory at a million rows."""

import csv
import json
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from annotator_core.cli.passes import Job, label_in_one_pass
from annotator_core.cli.policies import PolicyOptions
from annotator_core.cli.tables import open_source
from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.loading import load_tokenizer
from annotator_core.specialists.runner import Runtime
from annotator_core.specialists.tokens import TokenisedTexts, tokenise
from annotator_core.specialists.torch_backend import TorchSpecialist
from benchmarks.runtime_models import LABELS, MAX_LENGTH, Bench, open_specialist

PAPER = PolicyOptions(
    min_agree=None, budget=None, take_majority=False, aggregator="majority", gold_column=None, target_error=None,
    confidence=0.95, is_anyway=False, seed=0,
)  # fmt: skip
_PEAK = """
import json, resource, subprocess, sys
status = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
print(json.dumps([status, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024]))
"""
"""Runs a command from a small process, whose own memory does not count as the command's."""


def write_table(path: Path, texts: Sequence[str]) -> Path:
    """A CSV with an id and a text in each row."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows([f"r{number}", text] for number, text in enumerate(texts))
    return path


def measure_run(bench: Bench, bases: Sequence[Path], texts: list[str]) -> list[float]:
    """A run of three models over the bare time of their votes, by round; models are loaded before either."""
    pool = [open_specialist(base, Runtime(None, bench.device), f"base-{number}") for number, base in enumerate(bases)]
    for specialist in pool:
        specialist.predict(texts[:300] if bench.has_bf16 else texts[:16])
    tokenizer = load_tokenizer(inspect_folder(bases[0]))
    ratios = []
    for number in range(bench.size(2, 4)):
        # Another text at the end, so that no round finds its tokens in the cache.
        rows = [*texts, f"round {number}"]
        source, out = write_table(bench.models / "run.csv", rows), bench.models / "run.out.csv"
        out.unlink(missing_ok=True)
        tokens = tokenise(tokenizer, rows, MAX_LENGTH)
        ratios.append(
            compare_in_turns(bench, number, partial(_label, source, out, pool), partial(_vote_barely, tokens, pool))
        )
    return ratios


def compare_in_turns(bench: Bench, number: int, whole: Callable[[], None], bare: Callable[[], None]) -> float:
    """The seconds of the whole over those of the bare; what goes first of them changes with the number of the round."""
    calls = [bare, whole] if number % 2 == 0 else [whole, bare]
    seconds = {call: bench.time(call) for call in calls}
    return seconds[whole] / seconds[bare]


def _vote_barely(tokens: TokenisedTexts, pool: Sequence[TorchSpecialist]) -> None:
    for specialist in pool:
        for _outcome in specialist.engine.run(tokens, np.arange(len(tokens.lengths))):
            pass


def _label(source: Path, out: Path, pool: Sequence[TorchSpecialist]) -> None:
    with open_source(source, "text") as table:
        label_in_one_pass(Job(table, pool, LABELS, PAPER, out, "csv", {"bench": 1}, is_anew=True))


def measure_memory(folder: Path, texts: Sequence[str], n_rows: int) -> tuple[float, float]:
    """Peak MB and rows a second of `label` with the fake specialist on so many rows, in a process of its own."""
    fake = write_fake_specialist(folder / "fake", FakeSettings(labels=LABELS))
    rows = (f"{texts[number % len(texts)]} {number}" for number in range(n_rows))
    source, out = write_table(folder / "rows.csv", rows), folder / "rows.out.csv"
    command = [
        *(sys.executable, "-m", "annotator_core", "label", str(source), "--text-column", "text"),
        *("--classes", ",".join(LABELS), "--specialist", str(fake), "--allow-fake", "--out", str(out), "--restart"),
    ]
    start = time.perf_counter()
    answer = subprocess.run([sys.executable, "-c", _PEAK, *command], check=True, capture_output=True, text=True)
    seconds = time.perf_counter() - start
    status, peak_mb = json.loads(answer.stdout)
    assert status == 0, command
    for path in (source, out):
        path.unlink()
    return float(peak_mb), n_rows / seconds
