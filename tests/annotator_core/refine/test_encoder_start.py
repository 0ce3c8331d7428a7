"""Encoder specialists for a project that no model fits: a fresh head, more steps, one folder in the end."""

from pathlib import Path

import pytest

from annotator_core.errors import BadInput
from annotator_core.refine.encoder_start import EncoderRecipe, encoder_recipes, plan_encoder, train_encoder
from annotator_core.refine.plan import Step, TrainingPlan, TrainingRow
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.folder import hash_folder, inspect_folder
from annotator_core.specialists.table import load_specialist
from annotator_core.types import LabelMap

NAMES = ("bad", "good", "fine")
TEXTS = ("the parcel was {}", "very {}", "{}", "{} parcel", "the {} parcel was very {}")
ROWS = [TrainingRow(text.format(name, name), index) for text in TEXTS for index, name in enumerate(NAMES)]
PLAN = TrainingPlan(epochs=8, learning_rate=2e-2, batch_size=4, max_length=16)


def train(base: Path, tmp_path: Path, recipe_changes: dict | None = None, **options: object) -> Path:
    recipe = EncoderRecipe(**({"base": base, "name": "encoder-1", "seed": 1} | (recipe_changes or {})))
    return train_encoder(recipe, ROWS, NAMES, tmp_path / "out", tmp_path / "work", **({"plan": PLAN} | options))


def test_train_encoder_gives_a_specialist_that_knows_the_classes(tiny_model: Path, tmp_path: Path) -> None:
    folder = train(tiny_model, tmp_path)
    assert inspect_folder(folder).labels == NAMES
    specialist = load_specialist("torch", SpecialistSpec(folder, LabelMap(NAMES, (0, 1, 2)), 3))
    assert specialist.predict(["bad", "very good", "fine parcel"]).probs.argmax(axis=1).tolist() == [0, 1, 2]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "tiny"]


def test_train_encoder_killed_goes_on_to_the_same_bytes(tiny_model: Path, tmp_path: Path) -> None:
    def stop(step: Step) -> None:
        if step.number == 20:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny_model, tmp_path / "one", on_step=stop)
    assert not (tmp_path / "one" / "out").exists()
    one, two = train(tiny_model, tmp_path / "one"), train(tiny_model, tmp_path / "two")
    assert hash_folder(one) == hash_folder(two)


def test_train_encoder_finished_before_returns_at_once_and_tidies_up(tiny_model: Path, tmp_path: Path) -> None:
    steps: list[Step] = []
    folder = train(tiny_model, tmp_path)
    (tmp_path / "work").mkdir()
    assert train(tiny_model, tmp_path, on_step=steps.append) == folder
    assert (steps, (tmp_path / "work").exists()) == ([], False)


def test_train_encoder_leaves_out_its_slice(tiny_model: Path, tmp_path: Path) -> None:
    steps: list[Step] = []
    train(tiny_model, tmp_path, {"left_out": 0}, plan=TrainingPlan(epochs=1, batch_size=1), on_step=steps.append)
    assert len(steps) == 12


def test_train_encoder_by_its_own_plan(tiny_model: Path, tmp_path: Path) -> None:
    steps: list[Step] = []
    train(tiny_model, tmp_path, plan=None, on_step=steps.append)
    assert len(steps) == 24


def test_train_encoder_refuses_a_class_without_rows(tiny_model: Path, tmp_path: Path) -> None:
    recipe = EncoderRecipe(tiny_model, "encoder-1", 1)
    with pytest.raises(BadInput, match="Label at least one text of good and fine"):
        train_encoder(recipe, ROWS[:1], NAMES, tmp_path / "out", tmp_path / "work")


@pytest.mark.parametrize(
    ("width", "n_rows", "expected"),
    [
        (768, 100, (12, 5e-5)),
        (384, 100, (12, 3e-4)),
        (1024, 300, (4, 5e-5)),
        (768, 5_000, (3, 5e-5)),
        (None, 1, (12, 5e-5)),
    ],
)
def test_plan_encoder(width: int | None, n_rows: int, expected: tuple[int, float], tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(f'{{"hidden_size": {width}}}' if width else "{}")
    plan = plan_encoder(tmp_path, n_rows, 7, "bf16")
    assert (plan.epochs, plan.learning_rate) == expected
    assert (plan.batch_size, plan.seed, plan.precision) == (8, 7, "bf16")


def test_encoder_recipes_take_bases_in_turn() -> None:
    one, two = Path("one"), Path("two")
    assert encoder_recipes([one, two], 3, seed=5) == (
        EncoderRecipe(one, "encoder-1", 5, None),
        EncoderRecipe(two, "encoder-2", 6, 0),
        EncoderRecipe(one, "encoder-3", 7, 1),
    )


@pytest.mark.parametrize(("bases", "count"), [([], 1), ([Path("one")], 0)])
def test_encoder_recipes_refuse_nothing(bases: list[Path], count: int) -> None:
    with pytest.raises(BadInput, match="At least one specialist must be trained, from at least one encoder"):
        encoder_recipes(bases, count)
