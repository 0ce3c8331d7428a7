"""The engine's words."""

import subprocess
import sys

import pytest

from annotator_core.types import LabelMap, LabelSource, Route, rank_source


def test_values_are_the_words_of_the_files() -> None:
    assert [str(route) for route in Route] == ["accept", "verify", "review"]
    assert sorted(LabelSource) == ["adjudicated", "consensus", "fused", "human", "imported", "verifier"]


def test_ranks_order_the_sources() -> None:
    ranked = ["consensus", "verifier", "imported", "human", "adjudicated"]
    assert sorted(ranked, key=lambda word: rank_source(LabelSource(word))) == ranked
    assert rank_source(LabelSource.VERIFIER) == rank_source(LabelSource.FUSED)


def test_label_map_of_different_lengths_is_refused() -> None:
    with pytest.raises(ValueError, match="2 model labels but 1 targets"):
        LabelMap(("a", "b"), (0,))


def test_light_modules_import_nothing_heavy() -> None:
    light = "types, errors, texts, paths, specialists.folder, specialists.label_map, specialists.hub, specialists.store"
    code = (
        "import importlib, sys\n"
        f"for name in '{light}'.split(', '): importlib.import_module('annotator_core.' + name)\n"
        "print([m for m in ('numpy', 'torch', 'transformers', 'scipy', 'huggingface_hub') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
