"""One loaded model over batches: what fails fails alone, and the budget fits the memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.loading import load_classifier, load_tokenizer
from annotator_core.specialists.runner import Runner, fit_tokens
from annotator_core.specialists.tokens import TokenisedTexts, tokenise
from annotator_core.specialists.windows import Failed
from tests.annotator_core.conftest import LABELS, SENTENCE

TEXTS = [" ".join(SENTENCE.split()[start : start + 4]) for start in range(16)]


class _SmallMemory:
    """A model whose memory holds two rows."""

    def __init__(self, model: Any) -> None:
        self._model, self.device, self.sizes = model, model.device, []
        self.get_input_embeddings = model.get_input_embeddings

    def __call__(self, **inputs: Any) -> Any:
        import torch

        self.sizes.append(inputs["input_ids"].shape[0])
        if self.sizes[-1] > 2:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return self._model(**inputs)


def _load(folder: Path) -> tuple[Any, Any, TokenisedTexts]:
    card = inspect_folder(folder)
    tokenizer = load_tokenizer(card)
    return load_classifier(card, "fp32", "cpu"), tokenizer, tokenise(tokenizer, TEXTS, 32)


def _collect(runner: Runner, tokens: TokenisedTexts) -> np.ndarray:
    logits = np.full((len(TEXTS), 3), np.nan, np.float32)
    for rows, outcome in runner.run(tokens, np.arange(len(TEXTS))):
        logits[rows] = outcome
    return logits


def test_out_of_memory_runs_in_smaller_batches(classifier_template: Path) -> None:
    model, tokenizer, tokens = _load(classifier_template)
    small = _SmallMemory(model)
    assert np.allclose(
        _collect(Runner(small, tokenizer, 3), tokens), _collect(Runner(model, tokenizer, 3), tokens), atol=1e-5
    )
    assert small.sizes[:4] == [16, 8, 4, 2]


def test_an_error_inside_the_model_is_each_rows_failure(classifier_template: Path) -> None:
    import torch

    model, tokenizer, tokens = _load(classifier_template)
    model.classifier = torch.nn.Linear(7, 3)
    outcomes = [outcome for _rows, outcome in Runner(model, tokenizer, 3).run(tokens, np.arange(3))]
    assert [type(outcome) for outcome in outcomes] == [Failed] * 3
    assert "RuntimeError" in outcomes[0].reason


def test_another_number_of_labels_than_named_is_each_rows_failure(classifier_template: Path) -> None:
    model, tokenizer, tokens = _load(classifier_template)
    outcomes = [outcome for _rows, outcome in Runner(model, tokenizer, len(LABELS) + 1).run(tokens, np.arange(2))]
    assert outcomes == [Failed("it gives numbers of shape (3,), not 4.", is_memory=False)] * 2


def test_the_callers_threads_stay(classifier_template: Path) -> None:
    import torch

    model, tokenizer, tokens = _load(classifier_template)
    before = torch.get_num_threads()
    _collect(Runner(model, tokenizer, 3), tokens)
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(("free_gib", "tokens"), [(2, 32_768), (16, 65_536), (32, 131_072), (140, 131_072)])
def test_a_gpus_budget_follows_its_free_memory(free_gib: int, tokens: int) -> None:
    assert fit_tokens(free_gib << 30) == tokens
