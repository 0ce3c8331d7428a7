"""Cold start: specialists that differ, from a few labeled rows, offline."""

from pathlib import Path

import numpy as np
import pytest

from annotator_core.errors import BadInput
from annotator_core.linear.model import read_linear
from annotator_core.refine.cold_start import balance, cross_validate, find_wilson, linear_recipes, train_linear
from annotator_core.refine.plan import TrainingRow
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.folder import hash_folder
from annotator_core.specialists.table import load_specialist
from annotator_core.types import LabelMap

NAMES = ("billing", "bug", "praise")
WORDS = {0: "invoice refund charged card price", 1: "crash error broken screen fails", 2: "love great thanks nice best"}
OTHERS = [
    "the payment for my invoice was charged twice",
    "app crash after login",
    "a great and nice team",
    "",
    "bonjour",
]


def make_rows(count: int = 60) -> list[TrainingRow]:
    rng = np.random.default_rng(4)
    words = {index: text.split() for index, text in WORDS.items()}
    return [
        TrainingRow(f"the {' and '.join(rng.choice(words[number % 3], 2))} number {number}", number % 3)
        for number in range(count)
    ]


ROWS = make_rows()


def test_linear_recipes_differ_in_features_seed_and_slice() -> None:
    recipes = linear_recipes(4, seed=10)
    assert [recipe.name for recipe in recipes] == ["linear-both", "linear-words", "linear-characters", "linear-both-2"]
    assert [[block.analyzer for block in recipe.blocks] for recipe in recipes] == [
        ["word", "char_wb"],
        ["word"],
        ["char_wb"],
        ["word", "char_wb"],
    ]
    assert [(recipe.seed, recipe.left_out) for recipe in recipes] == [(10, None), (11, 0), (12, 1), (13, 2)]
    assert len(set(linear_recipes(12))) == 12


def test_linear_recipes_of_none_are_refused() -> None:
    with pytest.raises(BadInput, match="At least one specialist"):
        linear_recipes(0)


@pytest.mark.parametrize("index", range(3))
def test_train_linear_gives_a_specialist_that_knows_the_classes(index: int, tmp_path: Path) -> None:
    folder = train_linear(linear_recipes(3)[index], ROWS, OTHERS, NAMES, tmp_path / "out")
    specialist = load_specialist("linear", SpecialistSpec(folder, LabelMap(NAMES, (0, 1, 2)), 3))
    texts = ["please refund my card", "it fails with an error", "best support, thanks"]
    assert specialist.predict(texts).probs.argmax(axis=1).tolist() == [0, 1, 2]


def test_train_linear_learns_words_from_unlabeled_texts(tmp_path: Path) -> None:
    recipe = linear_recipes(2)[1]
    with_others = read_linear(train_linear(recipe, ROWS, OTHERS, NAMES, tmp_path / "one"))
    alone = read_linear(train_linear(recipe, ROWS, [], NAMES, tmp_path / "two"))
    assert "bonjour" in with_others.terms[0]
    assert "bonjour" not in alone.terms[0]
    assert (alone.labels, alone.strength) == (NAMES, 30.0)


def test_train_linear_is_the_same_to_the_byte(tmp_path: Path) -> None:
    recipe = linear_recipes(1)[0]
    one = train_linear(recipe, ROWS, OTHERS, NAMES, tmp_path / "one")
    two = train_linear(recipe, ROWS, OTHERS[::-1], NAMES, tmp_path / "two")
    other = train_linear(linear_recipes(1, seed=5)[0], ROWS[1:], OTHERS, NAMES, tmp_path / "three")
    assert (hash_folder(one), hash_folder(one) == hash_folder(other)) == (hash_folder(two), False)


def test_train_linear_refuses_a_class_without_rows_and_texts_without_words(tmp_path: Path) -> None:
    recipe = linear_recipes(2)[1]
    with pytest.raises(BadInput, match="Label at least one text of praise"):
        train_linear(recipe, ROWS[:2], OTHERS, NAMES, tmp_path / "out")
    marks = [TrainingRow(text, index) for index, text in enumerate(("!", "?", ":-)"))]
    with pytest.raises(BadInput, match="The labeled texts hold no word"):
        train_linear(recipe, marks, [], NAMES, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_balance_lets_classes_count_the_same() -> None:
    rows = [TrainingRow("a", 0), TrainingRow("b", 0), TrainingRow("c", 0, 2.0), TrainingRow("d", 1)]
    assert balance(rows).tolist() == [0.625, 0.625, 1.25, 2.5]


def test_cross_validate_measures_rows_not_learned() -> None:
    done = cross_validate(linear_recipes(1)[0], ROWS, NAMES, unlabeled=OTHERS)
    assert (done.accuracy, done.rows) == (1.0, 60)
    assert (done.low, done.high) == find_wilson(60, 60)


def test_cross_validate_of_random_labels_is_at_chance() -> None:
    rng = np.random.default_rng(1)
    rows = [TrainingRow(f"{' '.join(rng.choice(list('abcdefgh'), 4))} {number}", number % 3) for number in range(90)]
    done = cross_validate(linear_recipes(2)[1], rows, NAMES, folds=3, seed=2)
    assert 0.15 < done.accuracy < 0.5


def test_cross_validate_of_a_class_with_one_text() -> None:
    rows = [*[row for row in ROWS if row.class_index < 2], TrainingRow("love it", 2)]
    assert cross_validate(linear_recipes(2)[1], rows, NAMES).accuracy == 40 / 41


def test_find_wilson_by_hand() -> None:
    assert find_wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert find_wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
