"""Specialists for a project that no model fits, from a base encoder with a fresh head and about a hundred labeled rows.

Source: engine section 3 (cold start).
"""

import math
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from annotator_core.errors import BadInput
from annotator_core.precision import Precision
from annotator_core.refine.folders import report_disk, sync
from annotator_core.refine.heads import write_fresh_head
from annotator_core.refine.plan import OnCheckpoint, OnStep, TrainingPlan, TrainingRequest, TrainingRow
from annotator_core.refine.slices import SLICES, check_classes, keep_slice
from annotator_core.refine.trainer import train
from annotator_core.specialists.config import read_json
from annotator_core.types import LabelMap

BASE_RATE: Final = 5e-5
"""For encoders of base size and above, the upper end of what BERT's authors fine-tune with."""
SMALL_RATE: Final = 3e-4
"""For narrower ones: MiniLM (384 wide) with 100 labels of 20 classes of banking77 came to 50% right at 5e-5, 59% at
1e-4 and 73% at 3e-4."""
_BASE_WIDTH: Final = 768
_BATCH: Final = 8
_STEPS: Final = 150
_FEWEST_EPOCHS: Final = 3
_MOST_EPOCHS: Final = 12


@dataclass(frozen=True, slots=True)
class EncoderRecipe:
    """All but the rows that decides an encoder specialist.

    base: the folder of an encoder, or of a classifier whose head is left behind. left_out: the fifth of the rows, 0 to
    4, that it does not see; None for none.
    """

    base: Path
    name: str
    seed: int
    left_out: int | None = None


def encoder_recipes(bases: Sequence[Path], count: int, seed: int = 0) -> tuple[EncoderRecipe, ...]:
    """Return that many recipes that differ in base (in turn), in seed, and but for the first in the rows left out.

    Raises BadInput without a base or for a count under 1.
    """
    if not bases or count < 1:
        raise BadInput("At least one specialist must be trained, from at least one encoder.")
    return tuple(
        EncoderRecipe(bases[index % len(bases)], f"encoder-{index + 1}", seed + index, _pick_slice(index))
        for index in range(count)
    )


def _pick_slice(index: int) -> int | None:
    return (index - 1) % SLICES if index else None


def plan_encoder(base: Path, n_rows: int, seed: int, precision: Precision = "fp32") -> TrainingPlan:
    """Return how to train a fresh head and its encoder on so few rows: small batches, and epochs enough for 150 steps.

    3 epochs, right for a model that knows its classes, are 40 steps of a hundred rows: a head that begins at random
    hardly moves in so few. Raises BadModelFolder for a base without a readable config.
    """
    width = read_json(base / "config.json").get("hidden_size", _BASE_WIDTH)
    epochs = math.ceil(_STEPS * _BATCH / max(1, n_rows))
    return TrainingPlan(
        epochs=min(_MOST_EPOCHS, max(_FEWEST_EPOCHS, epochs)),
        learning_rate=SMALL_RATE if width < _BASE_WIDTH else BASE_RATE,
        batch_size=_BATCH,
        seed=seed,
        precision=precision,
    )


def train_encoder(  # noqa: PLR0913 - what and from what, and the trainer's own callbacks, keyword-only
    recipe: EncoderRecipe,
    rows: Sequence[TrainingRow],
    class_names: Sequence[str],
    out_folder: Path,
    workplace: Path,
    *,
    plan: TrainingPlan | None = None,
    on_step: OnStep | None = None,
    on_checkpoint: OnCheckpoint | None = None,
) -> Path:
    """Return `out_folder`, which now holds a classifier over the classes, its labels in their order.

    plan: `plan_encoder` where None is given. workplace: a folder for this training alone, on the same disk, where a
    killed one goes on; it holds each epoch's model and is removed at the end. Returns at once where `out_folder` stands
    already. Raises BadInput where a class has no row, BadModelFolder for a base that is refused, StorageError or
    StoreFull.
    """
    check_classes(rows, class_names)
    if out_folder.exists():
        shutil.rmtree(workplace, ignore_errors=True)
        return out_folder
    kept = tuple(keep_slice(rows, recipe.left_out, recipe.seed))
    fresh = workplace / "fresh"
    if not fresh.exists():
        write_fresh_head(recipe.base, class_names, fresh, seed=recipe.seed)
    names = tuple(class_names)
    identity = LabelMap(names, tuple(range(len(names))))
    figures = plan or plan_encoder(recipe.base, len(kept), recipe.seed)
    request = TrainingRequest(fresh, "torch", kept, identity, names, figures)
    trained = train(request, workplace / "training", on_step=on_step, on_checkpoint=on_checkpoint)
    return _publish(trained.folders[-1], out_folder, workplace)


def _publish(folder: Path, out_folder: Path, workplace: Path) -> Path:
    with report_disk(f"The folder {out_folder}"):
        out_folder.parent.mkdir(parents=True, exist_ok=True)
        folder.rename(out_folder)
        sync(out_folder.parent)
        shutil.rmtree(workplace)
    return out_folder
