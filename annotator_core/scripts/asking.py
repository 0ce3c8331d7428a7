"""How the box is asked for votes by a script, whichever of the two kinds that can vote."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from annotator_core.scripts.box import Errand
from annotator_core.scripts.kinds import CONTRACTS, Kind
from annotator_core.types import LabelMap

VotingKind = Literal[Kind.DEPLOY, Kind.ANNOTATE]
MODEL: Final = "/given/model"
"""Where the model's folder stands in the box."""


@dataclass(frozen=True, slots=True)
class Subject:
    """The specialist that a script is about: a transformer's folder, its map, and the length that texts are cut at."""

    folder: Path
    label_map: LabelMap
    n_classes: int
    max_length: int


def ask_for_votes(kind: VotingKind, code: str, subject: Subject, texts: Sequence[str]) -> Errand:
    """Return the errand whose answer has one row for each text.

    A row of annotate is over the subject's classes, one of deploy over the model's own labels.
    """
    function, folders = CONTRACTS[kind].function, {"model": subject.folder}
    if kind is Kind.DEPLOY:
        return Errand(code, function, (MODEL, list(texts)), folders, is_called_again=True)
    targets = list(subject.label_map.targets)
    arguments = (list(texts), MODEL, targets, subject.n_classes, subject.max_length)
    return Errand(code, function, arguments, folders)
