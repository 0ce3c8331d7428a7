"""Fetch and trial jobs: files into the model store, and a hundred rows before a version may vote."""

import shutil
from collections import Counter
from pathlib import Path
from random import Random

from django.conf import settings

from annotator_core.errors import PredictionStopped
from annotator_core.specialists.folder import inspect_folder
from annotator_core.specialists.hub import fetch as fetch_from_hub
from annotator_core.specialists.store import store_folder
from annotator_core.types import ABSTAIN
from labeling.datasets.chunk_queries import TrialRow, random_rows
from labeling.jobs.actions import Claim, add_chunks, finishing
from labeling.jobs.models import ChunkState, Job, JobState
from labeling.jobs.queries import has_open_chunks
from labeling.pipeline.hand import Hand, StopWork
from labeling.projects.models import LabelClass
from labeling.specialists.actions import (
    StoredFiles,
    record_fetch_failure,
    record_files,
    record_trial,
    record_trial_failure,
)
from labeling.specialists.engine import Tryout, better_map, try_out
from labeling.specialists.models import Source, Specialist, SpecialistVersion, Trial
from labeling.specialists.search.engine import take_tried_files

TRIAL_ROWS = 100
EXAMPLES = 12
DEFAULT_MAX_LENGTH = 128


def fetch(claim: Claim, hand: Hand) -> None:
    """Bring the specialist's files into the model store: hub models through a folder in which downloads resume."""
    specialist = Specialist.objects.get(pk=claim.subject)
    folder, revision = Path(specialist.location), ""
    incoming = Path(settings.MODEL_STORE) / ".incoming" / str(specialist.pk)
    if specialist.source == Source.HUB:
        folder, revision = incoming, _download(specialist, incoming)
    hand.check()
    stored = _store(folder, revision)
    with finishing(claim):
        record_files(specialist_id=specialist.pk, files=stored)
    shutil.rmtree(incoming, ignore_errors=True)


def _download(specialist: Specialist, incoming: Path) -> str:
    """Bring the files into the folder; the commit they are pinned to. What a search has tried is not fetched again."""
    take_tried_files(specialist, incoming)
    wanted, limit = specialist.revision or None, settings.MODEL_MAX_BYTES
    return fetch_from_hub(
        specialist.location, wanted, incoming, max_bytes=limit, endpoint=settings.HF_ENDPOINT
    ).revision


def _store(folder: Path, revision: str) -> StoredFiles:
    card = inspect_folder(folder, allow_fake=settings.IS_FAKE_BACKEND_ALLOWED)
    stored = store_folder(folder, Path(settings.MODEL_STORE))
    return StoredFiles(
        weights_hash=stored.hash,
        revision=revision,
        backend=card.backend,
        model_labels=card.labels,
        architecture=card.architecture,
        license=card.license or "",
        size_bytes=card.size_bytes,
        max_length=min(card.max_length or DEFAULT_MAX_LENGTH, DEFAULT_MAX_LENGTH),
    )


def advance_fetch(job: Job) -> None:
    """One part; when it is dead the specialist shows why."""
    if error := _one_part(job, "files", "io"):
        record_fetch_failure(specialist_id=job.subject, error=error)


def run_trial(claim: Claim, hand: Hand) -> None:
    """Let a version answer on a hundred random rows outside the audit frame; compare with gold where there is any."""
    trial = Trial.objects.select_related("version__specialist").get(pk=claim.subject)
    version = trial.version
    rows = random_rows(version.specialist.project_id, TRIAL_ROWS, Random(version.pk))  # noqa: S311 (seeded, so that a trial repeats)
    if rows:
        try:
            _fill(trial, version, rows, try_out(version, [row.text for row in rows], hand.should_stop))
        except PredictionStopped as error:
            raise StopWork from error
    with finishing(claim):
        record_trial(trial=trial)


def _fill(trial: Trial, version: SpecialistVersion, rows: list[TrialRow], tryout: Tryout) -> None:
    counts = Counter(index for index in tryout.classes if index != ABSTAIN)
    trial.row_count, trial.abstained = len(rows), tryout.classes.count(ABSTAIN)
    trial.truncated, trial.seconds = tryout.truncated, tryout.seconds
    trial.shares = {str(class_id): counts[index] / len(rows) for index, class_id in enumerate(version.class_ids)}
    trial.examples = [
        {
            "text": row.text[:300],
            "class_id": None if index == ABSTAIN else version.class_ids[index],
            "top": round(top, 3),
            "reason": reason,
        }
        for row, index, top, reason in list(zip(rows, tryout.classes, tryout.tops, tryout.reasons, strict=True))[
            :EXAMPLES
        ]
    ]
    _compare_with_gold(trial, version, rows, tryout)


def _compare_with_gold(trial: Trial, version: SpecialistVersion, rows: list[TrialRow], tryout: Tryout) -> None:
    names = {label.name.casefold(): label.pk for label in LabelClass.objects.filter(pk__in=version.class_ids)}
    indices = {class_id: index for index, class_id in enumerate(version.class_ids)}
    gold = [indices.get(names.get(row.gold.casefold(), 0), ABSTAIN) for row in rows]
    known = [(truth, answer) for truth, answer in zip(gold, tryout.classes, strict=True) if truth != ABSTAIN]
    trial.gold_rows = len(known)
    if not known:
        return
    trial.gold_accuracy = sum(truth == answer for truth, answer in known) / len(known)
    better = better_map(version, tryout, gold)
    if better is not None:
        trial.better_accuracy = better.accuracy
        trial.better_targets = [None if t == ABSTAIN else version.class_ids[t] for t in better.label_map.targets]


def advance_trial(job: Job) -> None:
    """One part; when it is dead the trial shows why."""
    if error := _one_part(job, "predict", "consensus"):
        record_trial_failure(trial_id=job.subject, error=error)


def _one_part(job: Job, stage: str, queue: str) -> str:
    """Open the job's only part, and close the job with it. The error when the part is dead, else empty."""
    if not job.stage:
        job.stage = stage
        add_chunks(job=job, stage=stage, queue=queue, ranges=[(0, 0)])
        return ""
    dead = job.chunks.filter(state=ChunkState.DEAD).first()
    if dead:
        job.state, job.error = JobState.FAILED, dead.error
        return dead.error
    if not has_open_chunks(job, stage):
        job.state = JobState.DONE
    return ""
