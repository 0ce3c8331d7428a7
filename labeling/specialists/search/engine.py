"""The bridge to the engine's search: rows become its values, its values become rows."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from time import time

import numpy as np
from django.conf import settings

from annotator_core.arrays import IntArray
from annotator_core.meta.choice import Standing, choose
from annotator_core.meta.hub_api import Hub
from annotator_core.meta.label_maps import Origin, ProposedMap, try_on_rows
from annotator_core.meta.proof import Proof, map_votes, prove
from annotator_core.meta.reading import Reading, Refusal
from annotator_core.meta.task import Task
from annotator_core.types import ABSTAIN, LabelMap
from labeling.specialists.models import Candidate, ModelSearch, Specialist

TOP = 3
"""How many are recommended: the paper's pool has three. Source: AutoAnnotator (arXiv 2506.16393), section 4."""

KEPT_S = 24 * 3_600.0
"""Seconds for which tried files are kept; chosen: long enough to look at what was found and add it."""


def hub() -> Hub:
    """Where models are looked for."""
    return Hub(settings.HF_ENDPOINT)


def folder_of(search_id: int) -> Path:
    """Where the files of a search's candidates lie while they are tried, and those of recommended ones after."""
    return Path(settings.MODEL_STORE) / ".searches" / str(search_id)


def take_tried_files(specialist: Specialist, target: Path) -> bool:
    """Move the files that a search has tried to `target`, where the specialist was added from it at that commit.

    Whether there were any; what `target` holds already stays.
    """
    tried = Candidate.objects.filter(specialist=specialist, revision=specialist.revision).first()
    folder = folder_of(tried.search_id) / str(tried.pk) if tried else None
    if folder is None or target.exists() or not folder.is_dir():
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    folder.replace(target)
    return True


def forget_untaken_files(search_id: int) -> None:
    """Keep the files of recommended candidates that are not added yet, for a day; the others go."""
    kept = Candidate.objects.filter(search=search_id, specialist=None)
    names = {str(one.pk) for one in kept if one.is_recommended}
    folder = folder_of(search_id)
    for one in folder.iterdir() if folder.is_dir() else ():
        if one.name not in names:
            shutil.rmtree(one, ignore_errors=True)
    if not names:
        shutil.rmtree(folder, ignore_errors=True)


def forget_old_files() -> None:
    """Remove what searches have left for more than a day: who adds a model then fetches it anew."""
    before = time() - KEPT_S
    root = Path(settings.MODEL_STORE) / ".searches"
    for folder in root.iterdir() if root.is_dir() else ():
        if folder.stat().st_mtime < before:
            shutil.rmtree(folder, ignore_errors=True)


def task_of(search: ModelSearch, texts: Sequence[str] = ()) -> Task:
    """The search's task in the engine's words."""
    return Task(search.description, tuple(search.class_names), tuple(texts))


def reading_of(candidate: Candidate) -> Reading:
    """What was read of the candidate, as the engine knows it."""
    return Reading(
        model_id=candidate.model_id,
        revision=candidate.revision,
        size_bytes=candidate.size_bytes,
        license=candidate.license,
        downloads=candidate.downloads,
        likes=candidate.likes,
        architecture=candidate.architecture,
        labels=tuple(candidate.model_labels),
        card=candidate.card,
        refusals=tuple(Refusal(why) for why in candidate.refusals),
    )


def map_of(candidate: Candidate, class_ids: Sequence[int]) -> ProposedMap:
    """The map proposed by words, as the engine knows it."""
    indices = {class_id: index for index, class_id in enumerate(class_ids)}
    targets = tuple(indices.get(target, ABSTAIN) for target in candidate.targets)
    return ProposedMap(LabelMap(tuple(candidate.model_labels), targets), tuple(map(Origin, candidate.origins)))


def targets_of(proposed: ProposedMap, class_ids: Sequence[int]) -> list[int | None]:
    """For each model label a class id or None, as a row holds it."""
    return [None if target == ABSTAIN else class_ids[target] for target in proposed.label_map.targets]


class Judged:
    """Candidates in the order given, with their maps, proofs and places."""

    def __init__(self, search: ModelSearch, candidates: Sequence[Candidate]) -> None:
        """Try the maps on the rows with a known class, prove all candidates on them, and choose."""
        class_ids = search.class_ids
        gold = _gold(search)
        labels: list[IntArray] = [np.array(one.answers, dtype=np.int64) for one in candidates]
        self.candidates = list(candidates)
        self.maps = [
            try_on_rows(map_of(one, class_ids), answers, gold, len(class_ids))
            for one, answers in zip(candidates, labels, strict=True)
        ]
        votes = [map_votes(one, made.label_map.targets) for one, made in zip(labels, self.maps, strict=True)]
        held_out = [made.is_held_out for made in self.maps]
        self.proofs: tuple[Proof, ...] = prove(labels, votes, gold, held_out, len(class_ids))
        similarities = [one.similarity or 0.0 for one in candidates]
        standings = [Standing(*parts) for parts in zip(similarities, self.proofs, votes, strict=True)]
        self.choices = {choice.index: choice for choice in choose(standings, gold, TOP)}


def _gold(search: ModelSearch) -> IntArray:
    indices = {class_id: index for index, class_id in enumerate(search.class_ids)}
    return np.array([indices.get(class_id, ABSTAIN) for _sample, class_id in search.rows], dtype=np.int64)
