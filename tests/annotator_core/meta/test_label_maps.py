"""Maps are proposed by name, card and rows, tried on rows they were not read off, and never settled."""

import numpy as np
import pytest

from annotator_core.errors import TryLater
from annotator_core.meta.label_maps import Origin, propose_by_words, try_on_rows
from annotator_core.meta.reading import Reading
from annotator_core.types import ABSTAIN
from annotator_core.verifiers.contract import Failure, FailureKind
from tests.annotator_core.meta.made import make_language_model

CLASSES = ("negative", "neutral", "positive")
NAMED = Reading("a/named", labels=("NEG", "NEU", "POS"))
UNNAMED = Reading("a/unnamed", labels=("LABEL_0", "LABEL_1", "LABEL_2"), card="LABEL_0 means negative")


def test_names_that_say_it_need_nobody() -> None:
    model = make_language_model()
    found = propose_by_words(NAMED, CLASSES, model)
    assert found.label_map.targets == (0, 1, 2)
    assert found.origins == (Origin.NAME,) * 3
    assert model.asker.calls == []


def test_numbers_for_names_stay_open_without_a_language_model() -> None:
    found = propose_by_words(UNNAMED, CLASSES)
    assert (found.label_map.targets, found.origins) == ((ABSTAIN,) * 3, (Origin.NONE,) * 3)


def test_a_language_model_reads_them_off_the_card() -> None:
    answer = {"map": {"LABEL_0": "negative", "LABEL_1": None, "LABEL_2": "wonderful", "LABEL_9": "positive"}}
    found = propose_by_words(UNNAMED, CLASSES, make_language_model(answer))
    assert found.label_map.targets == (0, ABSTAIN, ABSTAIN)
    assert found.origins == (Origin.LANGUAGE_MODEL, Origin.NONE, Origin.NONE)


@pytest.mark.parametrize("answers", [("no", "no"), ({"map": []}, {"map": 3})])
def test_an_unreadable_map_leaves_the_labels_open(answers: tuple[object, ...]) -> None:
    assert propose_by_words(UNNAMED, CLASSES, make_language_model(*answers)).origins == (Origin.NONE,) * 3


def test_a_pause_is_the_callers_business() -> None:
    with pytest.raises(TryLater):
        propose_by_words(UNNAMED, CLASSES, make_language_model(Failure(FailureKind.RATE_LIMITED, "busy")))


def test_rows_with_a_known_class_say_what_numbers_mean_and_the_other_half_tests_it() -> None:
    gold = np.tile([0, 1, 2], 20)
    found = try_on_rows(propose_by_words(UNNAMED, CLASSES), (gold + 1) % 3, gold, 3)
    assert found.label_map.targets == (2, 0, 1)
    assert found.origins == (Origin.ROWS,) * 3
    assert found.is_held_out == (False, True) * 30


def test_names_that_fit_clearly_worse_are_corrected() -> None:
    gold = np.tile([0, 1, 2], 40)
    found = try_on_rows(propose_by_words(NAMED, CLASSES), 2 - gold, gold, 3)
    assert found.label_map.targets == (2, 1, 0)
    assert found.origins == (Origin.ROWS, Origin.NAME, Origin.ROWS)


@pytest.mark.parametrize(("told", "origin"), [("c", Origin.ROWS), ("a", Origin.LANGUAGE_MODEL)])
def test_rows_have_the_last_word_over_a_language_model(told: str, origin: Origin) -> None:
    """Also where it read two labels as the same class, which no other order of the classes mends."""
    gold = np.tile([0, 1, 2], 40)
    names = dict(zip(UNNAMED.labels, (told, "b", "c"), strict=True))
    classes = ("a", "b", "c")
    proposed = propose_by_words(UNNAMED, classes, make_language_model({"map": names}))
    assert proposed.origins == (Origin.LANGUAGE_MODEL,) * 3
    found = try_on_rows(proposed, gold, gold, 3)
    assert (found.label_map.targets, found.origins[0]) == ((0, 1, 2), origin)
    assert all(found.is_held_out) == (told == "a")


def test_names_that_fit_are_tested_on_all_rows() -> None:
    gold = np.tile([0, 1, 2], 20)
    found = try_on_rows(propose_by_words(NAMED, CLASSES), gold, gold, 3)
    assert (found.label_map.targets, all(found.is_held_out)) == ((0, 1, 2), True)


@pytest.mark.parametrize("n_known", [0, 19])
def test_too_few_known_rows_say_nothing(n_known: int) -> None:
    gold = np.where(np.arange(60) < n_known, np.tile([0, 1, 2], 20), ABSTAIN)
    found = try_on_rows(propose_by_words(UNNAMED, CLASSES), np.tile([0, 1, 2], 20), gold, 3)
    assert (found.origins, all(found.is_held_out)) == ((Origin.NONE,) * 3, True)


def test_a_label_whose_rows_are_of_all_classes_stays_open() -> None:
    gold = np.tile([0, 1, 2], 40)
    found = try_on_rows(propose_by_words(UNNAMED, CLASSES), np.zeros(120, dtype=np.int64), gold, 3)
    assert found.origins == (Origin.NONE,) * 3
