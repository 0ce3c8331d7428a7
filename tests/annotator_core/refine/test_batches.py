"""Batches of similar length."""

import random

from annotator_core.refine.batches import group_by_length


def test_group_by_length_holds_each_index_once_beside_its_neighbours() -> None:
    lengths = [9, 1, 5, 2, 8, 1, 6]
    batches = group_by_length(lengths, 2, random.Random(1))
    assert sorted(sorted(lengths[index] for index in batch) for batch in batches) == [[1, 1], [2, 5], [6, 8], [9]]
    assert sorted(index for batch in batches for index in batch) == list(range(7))


def test_group_by_length_differs_from_epoch_to_epoch() -> None:
    rng = random.Random(1)
    assert group_by_length([3] * 20, 4, rng) != group_by_length([3] * 20, 4, rng)


def test_group_by_length_of_nothing_is_nothing() -> None:
    assert group_by_length([], 4, random.Random(1)) == []
