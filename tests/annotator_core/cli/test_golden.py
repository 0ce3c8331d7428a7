"""Outputs stay byte for byte what they were when each file of the folder golden was written."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.annotator_core.cli.conftest import Label

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize(
    ("expected", "source", "more"),
    [
        ("agree-csv.csv", "in.csv", []),
        ("agree-csv.jsonl", "in.csv", ["--min-agree=2"]),
        ("majority-jsonl.jsonl", "in.jsonl", ["--take-majority"]),
        ("budget-jsonl.csv", "in.jsonl", ["--budget=30"]),
        ("budget-csv.csv", "in.csv", ["--budget=50", "--take-majority"]),
    ],
)
def test_label_gives_the_golden_bytes(
    label: Label, tmp_path: Path, fake_folder: Callable[..., Path], expected: str, source: str, more: list[str]
) -> None:
    faults = [{}, {"nan_share": 0.2}, {"outside_share": 0.2}]
    pool = [str(fake_folder(f"f{seed}", seed=seed, noise=0.3, **fault)) for seed, fault in enumerate(faults)]
    out = tmp_path / expected
    assert label(GOLDEN / source, out, *more, specialists=pool) == 0
    assert out.read_bytes() == (GOLDEN / expected).read_bytes()
