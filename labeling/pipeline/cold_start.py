"""When the first specialists are trained: one part each, in the heavy worker."""

import shutil
from pathlib import Path
from time import monotonic

from django.conf import settings

from annotator_core.refine.plan import TrainingRow
from labeling.jobs.actions import Claim, add_chunks, finishing, storing
from labeling.jobs.models import OPEN_CHUNK_STATES, Chunk, ChunkState, Job, JobState
from labeling.pipeline.hand import Hand
from labeling.projects.models import LabelClass
from labeling.refinement.cold_start.actions import STEPS
from labeling.refinement.cold_start.outcomes import close_round, record_begin, record_failure, record_trained
from labeling.refinement.cold_start.queries import rows_of, unlabeled_texts
from labeling.refinement.cold_start.recipes import Recipe
from labeling.refinement.cold_start.training import UNLABELED, Lesson, store, train, write_manifest
from labeling.refinement.models import Challenger, ChallengerState, RefinementRound

QUEUE = "refine"
STAGE = "train"


def train_one(claim: Claim, hand: Hand) -> None:
    """Train one specialist in a folder of its own, put it into the store, and have its version tried."""
    challenger = Challenger.objects.select_related("round__dataset", "specialist__project").get(
        round=claim.subject, position=claim.idx
    )
    with storing(claim):
        record_begin(challenger=challenger)
    begun = monotonic()
    recipe = Recipe.from_json(challenger.recipe)
    lesson, class_ids = _lesson(challenger.round)
    workplace = workplace_of(challenger)
    made = train(recipe, lesson, workplace, lambda share: hand.report(round(share * (STEPS - 1))))
    manifest = write_manifest(made, recipe, lesson)
    files = store(made.folder)
    hand.check()
    with finishing(claim) as job:
        record_trained(
            challenger=challenger, files=files, class_ids=class_ids, manifest=manifest, seconds=monotonic() - begun
        )
        job.progress += STEPS
    shutil.rmtree(workplace, ignore_errors=True)


def workplace_of(challenger: Challenger) -> Path:
    """Where the specialist is trained before it is whole."""
    return _folder_of(challenger.round_id) / str(challenger.position)


def _folder_of(round_id: int) -> Path:
    return Path(settings.MODEL_STORE) / ".rounds" / str(round_id)


def _lesson(round_: RefinementRound) -> tuple[Lesson, list[int]]:
    """The frozen rows, and the id of each class in the order of the specialist's labels."""
    rows = rows_of(round_)
    names = dict(LabelClass.objects.filter(project_id=round_.project_id).values_list("pk", "name"))
    class_ids = sorted({class_id for _text, class_id, _weight in rows})
    index = {class_id: at for at, class_id in enumerate(class_ids)}
    learned = tuple(TrainingRow(text, index[class_id], weight) for text, class_id, weight in rows)
    unlabeled = unlabeled_texts(round_.dataset, UNLABELED)
    return Lesson(learned, unlabeled, tuple(names[class_id] for class_id in class_ids)), class_ids


def advance(job: Job) -> None:
    """A part for each specialist; what failed waits for a retry and never stops the others."""
    if job.state == JobState.CANCELLED:
        shutil.rmtree(_folder_of(job.subject), ignore_errors=True)
        return
    if not job.stage:
        job.stage = STAGE
        count = Challenger.objects.filter(round=job.subject).count()
        add_chunks(job=job, stage=STAGE, queue=QUEUE, ranges=[(at, at + 1) for at in range(count)])
        return
    dead = list(job.chunks.filter(stage=STAGE, state=ChunkState.DEAD))
    for chunk in dead:
        _record_dead(job, chunk)
    if job.chunks.filter(stage=STAGE, state__in=OPEN_CHUNK_STATES).exists():
        return
    error = dead[0].error if dead else ""
    job.state, job.error = (JobState.FAILED if dead else JobState.DONE), error
    close_round(round_id=job.subject, error=error)


def _record_dead(job: Job, chunk: Chunk) -> None:
    open_ones = Challenger.objects.filter(round=job.subject, position=chunk.idx).exclude(state=ChallengerState.FAILED)
    for challenger in open_ones:
        record_failure(challenger=challenger, error=chunk.error)
