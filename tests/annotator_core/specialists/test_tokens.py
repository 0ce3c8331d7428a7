"""Texts as tokens and padded batches: no text spoils another."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.loading import load_tokenizer
from annotator_core.specialists.tokens import NO_TOKENS, pad_batch, tokenise


@pytest.fixture
def tokenizer(classifier_template: Path) -> Any:
    return load_tokenizer(inspect_folder(classifier_template))


class _Fussy:
    """A tokenizer that does not survive one word."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer, self.model_input_names = tokenizer, tokenizer.model_input_names

    def __call__(self, texts: list[str], **options: Any) -> Any:
        if any("awful" in text for text in texts):
            raise KeyError("awful")
        return self._tokenizer(texts, **options)


def test_a_text_that_the_tokenizer_does_not_survive_fails_alone(tokenizer: Any) -> None:
    texts = ["good movie", "awful", "bad", "fine fine fine"]
    found = tokenise(_Fussy(tokenizer), texts, 32)
    assert found.failures == {1: "The tokenizer failed on this text: KeyError: 'awful'"}
    assert found.lengths.tolist() == [4, 0, 3, 5]
    plain = tokenise(tokenizer, [texts[0], *texts[2:]], 32)
    assert found.inputs["input_ids"].tolist() == plain.inputs["input_ids"].tolist()
    assert found.inputs["token_type_ids"].tolist() == plain.inputs["token_type_ids"].tolist()


def test_a_text_without_a_token_is_a_failure(tokenizer: Any) -> None:
    from tokenizers import processors

    tokenizer.backend_tokenizer.post_processor = processors.Sequence([])
    assert tokenise(tokenizer, ["good", "\u200b", "bad"], 32).failures == {1: NO_TOKENS}


def test_nothing_is_tokenised_to_nothing(tokenizer: Any) -> None:
    assert tokenise(tokenizer, [], 32).lengths.tolist() == []


@pytest.mark.parametrize("side", ["right", "left"])
def test_batches_equal_the_tokenizers_own(tokenizer: Any, side: str) -> None:
    tokenizer.padding_side = side
    texts = ["good movie", "bad", "the movie was not very good", "fine"]
    found = pad_batch(tokenizer, tokenise(tokenizer, texts, 32), np.array([2, 0, 3]))
    expected = tokenizer([texts[2], texts[0], texts[3]], padding=True, return_tensors="np")
    assert {name: array.tolist() for name, array in found.items()} == {
        name: array.tolist() for name, array in expected.items()
    }


def test_a_batch_without_padding_has_no_mask(tokenizer: Any) -> None:
    found = pad_batch(tokenizer, tokenise(tokenizer, ["good movie", "bad flight"], 32), np.array([0, 1]))
    assert sorted(found) == ["input_ids", "token_type_ids"]
