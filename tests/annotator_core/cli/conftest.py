"""The commands as a shell calls them, on a pool of fakes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from annotator_core.__main__ import main

Label = Callable[..., int]


@pytest.fixture
def pool(fake_folder: Callable[..., Path]) -> list[str]:
    return [str(fake_folder(f"f{seed}", seed=seed, noise=0.3)) for seed in range(3)]


@pytest.fixture
def label(pool: list[str]) -> Label:
    """Run the command: label(source, out, *more, specialists=...)."""

    def run(source: Path, out: Path, *more: str, specialists: list[str] | None = None) -> int:
        named = [f"--specialist={name}" for name in (pool if specialists is None else specialists)]
        fixed = ["label", str(source), "--text-column=text", "--out", str(out), "--allow-fake"]
        return main([*fixed, "--classes=negative,neutral,positive", *named, *more])

    return run
