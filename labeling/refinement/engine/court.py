"""A trained challenger and its champion, ready to answer on the same rows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from annotator_core.arrays import FloatArray, IntArray
from annotator_core.precision import Precision
from annotator_core.refine.plan import Trained, TrainingRequest
from annotator_core.specialists.contract import Identity, SpecialistSpec
from annotator_core.specialists.table import load_specialist
from annotator_core.types import ABSTAIN
from labeling.refinement.engine.training import champion_of, train, training_request, workplace_of
from labeling.refinement.models import Challenger
from labeling.refinement.row_queries import RoundRow
from labeling.specialists.engine import predict
from labeling.specialists.models import SpecialistVersion

ShouldStop = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Court:
    """What every judgement needs: the challenger's training and its champion, and when to stop."""

    challenger: Challenger
    champion: SpecialistVersion
    request: TrainingRequest
    trained: Trained
    should_stop: ShouldStop

    @property
    def workplace(self) -> Path:
        """The challenger's folder."""
        return workplace_of(self.challenger)

    def gold(self, rows: Sequence[RoundRow]) -> IntArray:
        """Class indices (n,) of the rows."""
        class_ids: list[int] = self.champion.class_ids
        indices = {class_id: index for index, class_id in enumerate(class_ids)}
        return np.array([indices[row.class_id] for row in rows], dtype=np.int64)

    def champion_votes(self, rows: Sequence[RoundRow]) -> IntArray:
        """The champion's class indices (n,), ABSTAIN where it has none."""
        if not rows:
            return np.zeros(0, dtype=np.int64)
        return _votes(predict(self.champion, [row.text for row in rows], should_stop=self.should_stop).probs)

    def votes_of(self, folder: Path, rows: Sequence[RoundRow]) -> IntArray:
        """The class indices (n,) of a model of this training, ABSTAIN where it has none."""
        if not rows:
            return np.zeros(0, dtype=np.int64)
        spec = SpecialistSpec(
            folder=folder,
            label_map=self.trained.label_map,
            n_classes=len(self.request.class_names),
            max_length=self.request.plan.max_length,
            identity=Identity(f"the challenger of {self.champion}"),
        )
        found = load_specialist(self.request.backend, spec).predict(
            [row.text for row in rows], should_stop=self.should_stop
        )
        return _votes(found.probs)


def open_court(challenger: Challenger, should_stop: ShouldStop) -> Court:
    """The challenger with its ended training. One whose workplace was lost is trained again, to the same result."""
    champion = champion_of(challenger)
    precision: Precision = "bf16" if challenger.precision == "bf16" else "fp32"
    request = training_request(challenger, precision)
    return Court(challenger, champion, request, train(request, workplace_of(challenger)), should_stop)


def _votes(probs: FloatArray) -> IntArray:
    return np.where(np.isnan(probs[:, 0]), ABSTAIN, np.nan_to_num(probs).argmax(axis=1)).astype(np.int64)
