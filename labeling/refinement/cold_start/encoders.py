"""Training of encoders: a base model gets a fresh head over the project's classes and learns the verified rows."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from annotator_core.refine.cold_start import find_wilson
from annotator_core.refine.encoder_start import EncoderRecipe
from annotator_core.refine.encoder_start import train_encoder as train_from_base
from annotator_core.refine.plan import Step, TrainingRow
from annotator_core.refine.slices import SLICES, keep_slice
from annotator_core.specialists.contract import SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.types import LabelMap
from labeling.refinement.cold_start.recipes import Recipe

TRAINED = 0.9  # the share of the work that the training is


def train_encoder(
    recipe: Recipe,
    rows: Sequence[TrainingRow],
    class_names: tuple[str, ...],
    workplace: Path,
    report: Callable[[float], None],
) -> tuple[Path, dict[str, Any]]:
    """The trained folder, and its test on the fifth of the rows that it did not learn.

    Each specialist leaves out another fifth: so they differ, and each is tested without five more trainings. It goes
    on where an earlier attempt in the workplace stopped. Raises AnnotatorError's children; `report` may raise to stop.
    """
    seed = recipe.seed + recipe.position
    found = EncoderRecipe(Path(recipe.base), recipe.name, seed, left_out=recipe.position % SLICES)

    def follow(step: Step) -> None:
        report(TRAINED * step.number / step.of)

    folder = train_from_base(found, rows, class_names, workplace / "model", workplace / "attempt", on_step=follow)
    learned = {row.text for row in keep_slice(rows, found.left_out, found.seed)}
    return folder, _test(folder, class_names, [row for row in rows if row.text not in learned])


def _test(folder: Path, class_names: tuple[str, ...], unseen: Sequence[TrainingRow]) -> dict[str, Any]:
    """The share of unseen rows that it gets right, with its 95% interval; empty where there is none."""
    if not unseen:
        return {}
    identity = LabelMap(class_names, tuple(range(len(class_names))))
    spec = SpecialistSpec(folder=folder, label_map=identity, n_classes=len(class_names), max_length=128)
    answers = load_specialist("torch", spec).predict([row.text for row in unseen]).probs.argmax(axis=1).tolist()
    right = sum(answer == row.class_index for answer, row in zip(answers, unseen, strict=True))
    low, high = find_wilson(right, len(unseen))
    return {"accuracy": right / len(unseen), "low": low, "high": high, "rows": len(unseen), "folds": 1}
