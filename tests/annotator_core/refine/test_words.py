"""The gradient of word vectors: what torch gives, to the bit, in an array that stays."""

from typing import Any

import pytest

from annotator_core.refine.words import keep_word_gradient


class _Model:
    """What is asked of a model here: its word vectors."""

    def __init__(self, **options: Any) -> None:
        import torch

        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(20, 4, **options)

    def get_input_embeddings(self) -> Any:
        return self.embedding

    def learn(self, ids: list[list[int]]) -> None:
        import torch

        self.embedding.weight.grad = None
        factors = torch.rand(len(ids), len(ids[0]), 4, generator=torch.Generator().manual_seed(1))
        (self.embedding(torch.tensor(ids)) * factors).square().sum().backward()


BATCHES = ([[3, 5, 3], [7, 0, 3]], [[5, 5, 19], [1, 0, 0]], [[2, 2, 2], [2, 2, 2]])


@pytest.mark.parametrize("options", [{}, {"padding_idx": 0}])
def test_each_step_has_the_gradient_that_torch_gives(options: dict[str, Any]) -> None:
    plain, kept = _Model(**options), _Model(**options)
    words = keep_word_gradient(kept)
    assert words is not None
    places = set()
    for ids in BATCHES:
        plain.learn(ids)
        kept.learn(ids)
        words.spread()
        found = kept.embedding.weight.grad
        assert not found.is_sparse
        assert found.equal(plain.embedding.weight.grad)
        assert found.abs().sum() > 0
        places.add(found.data_ptr())
    assert len(places) == 1


def test_without_a_backward_pass_nothing_changes() -> None:
    model = _Model()
    words = keep_word_gradient(model)
    assert words is not None
    words.spread()
    assert model.embedding.weight.grad is None


@pytest.mark.parametrize("options", [{"max_norm": 1.0}, {"scale_grad_by_freq": True}])
def test_other_embeddings_are_left_as_they_were(options: dict[str, Any]) -> None:
    model = _Model(**options)
    assert keep_word_gradient(model) is None
    model.learn(BATCHES[0])
    assert not model.embedding.weight.grad.is_sparse


def test_frozen_vectors_need_no_gradient() -> None:
    model = _Model()
    model.embedding.weight.requires_grad_(False)
    assert keep_word_gradient(model) is None
