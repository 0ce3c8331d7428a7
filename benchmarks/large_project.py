"""A project as a run leaves it in the middle of its review, of any size, written straight into the tables.

Of its rows three specialists voted on all; a quarter went to people, who have decided a tenth of it; the rest has its
consensus as label. What pages and the queue ask is answered from these rows as from those of a real run.
"""

import json
import random
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from benchmarks.bulk_rows import fill, settle

CLASSES = ("negative", "neutral", "positive")
STORY = (
    "the parcel came late again and nobody at the shop could say why it was so much better last week than this time "
    "please send another one before friday thank you for quick answer refund broken screen great value never works"
)
WORDS = STORY.split()
SEED = 7
HARD_ONE_IN = 4
DECIDED_ONE_IN = 10  # of the hard ones


class Plan:
    """Which row is what: the same for every call."""

    def __init__(self, project: Any, owner: Any, rows: int) -> None:
        self.project, self.owner, self.rows = project, owner, rows
        self.class_ids = list(project.classes.order_by("position").values_list("id", flat=True))
        self.hard = rows // HARD_ONE_IN
        self.decided = self.hard // DECIDED_ONE_IN

    def is_hard(self, position: int) -> bool:
        """Whether a person reviews the row."""
        return position % HARD_ONE_IN == 0 and position // HARD_ONE_IN < self.hard

    def is_decided(self, position: int) -> bool:
        """Whether a person has."""
        return self.is_hard(position) and position // HARD_ONE_IN < self.decided

    def score(self, position: int) -> float:
        """The doubt, scattered over the rows, 0 to 1."""
        return (position * 7_919 % 1_000_003) / 1_000_003

    def votes(self, position: int) -> tuple[int, int, int]:
        """A class index a specialist: two against one, or all different, where a person reviews it."""
        first = position % 3
        return (first, first, (first + 1) % 3) if self.is_hard(position) else (first, first, first)


def make_large(project: Any, owner: Any, rows: int) -> Any:
    """The run; everything else hangs on it and on the project."""
    plan = Plan(project, owner, rows)
    dataset = _make_dataset(plan)
    base = _fill_samples(plan, dataset)
    versions = [_make_version(project, plan.class_ids, number) for number in range(3)]
    run = _make_run(plan, dataset, versions)
    _fill_votes(plan, base, versions)
    _fill_consensus(plan, base, run)
    items = _fill_items(plan, base, run, dataset)
    _fill_verdicts(plan, items, base)
    _fill_labels(plan, base, run)
    settle()
    return run


def _make_dataset(plan: Plan) -> Any:
    from labeling.datasets.models import Dataset

    names = {"name": "Large", "columns": ["id", "text"], "text_column": "text"}
    return Dataset.objects.create(project=plan.project, number=1, row_count=plan.rows, is_ready=True, **names)


def _fill_samples(plan: Plan, dataset: Any) -> int:
    """The id of the sample at position 0; the others follow it."""
    from annotator_core.texts import hash_text
    from labeling.datasets.models import Sample, Upload, UploadState

    upload = Upload.objects.create(
        project=plan.project, dataset=dataset, state=UploadState.DONE, filename="large.csv", size_bytes=1
    )
    names = ("dataset_id", "upload_id", "position", "external_id", "text", "text_hash", "gold", "cells")
    last = Sample.objects.order_by("-id").values_list("id", flat=True).first() or 0

    def samples() -> Iterator[tuple[object, ...]]:
        chance = random.Random(SEED)
        for position in range(plan.rows):
            text = f"{position} " + " ".join(chance.choices(WORDS, k=14))
            cells = json.dumps([f"r{position}", None])
            yield dataset.pk, upload.pk, position, f"r{position}", text, hash_text(text), "", cells

    fill(Sample, names, samples())
    return int(Sample.objects.filter(dataset=dataset, id__gt=last, position=0).values_list("id", flat=True).get())


def _make_version(project: Any, class_ids: list[int], number: int) -> Any:
    from django.utils import timezone

    from labeling.specialists.models import Source, Specialist, SpecialistState, SpecialistVersion

    labels = {"model_labels": list(CLASSES), "weights_hash": f"large-{number}"}
    specialist = Specialist.objects.create(
        project=project, name=f"model-{number}", source=Source.FOLDER, state=SpecialistState.READY, **labels
    )
    ids = {"targets": class_ids, "class_ids": class_ids}
    return SpecialistVersion.objects.create(
        specialist=specialist, number=1, max_length=128, confirmed_at=timezone.now(), **labels, **ids
    )


def _make_run(plan: Plan, dataset: Any, versions: list[Any]) -> Any:
    from labeling.jobs.models import Job, JobState
    from labeling.runs.models import PoolGeneration, PoolMember, Run, RunState

    accepted = plan.rows - plan.hard
    counts = {"voted": plan.rows, "accepted": accepted, "hard": plan.hard, "decided": plan.decided}
    run = Run.objects.create(
        project=plan.project,
        dataset=dataset,
        number=1,
        state=RunState.REVIEWING,
        min_agree=3,
        row_count=plan.rows,
        **counts,
    )
    generation = PoolGeneration.objects.create(run=run)
    for position, version in enumerate(versions):
        PoolMember.objects.create(generation=generation, version=version, position=position, voted=plan.rows)
    Job.objects.create(
        project=plan.project, kind="run", subject=run.pk, stage="vote", state=JobState.DONE, is_dirty=False
    )
    return run


def _fill_votes(plan: Plan, base: int, versions: list[Any]) -> None:
    from labeling.labels.models import Vote

    fill(
        Vote,
        ("sample_id", "version_id", "label_class_id", "top_probability"),
        (
            (base + position, version.pk, plan.class_ids[index], 0.5 + 0.5 * plan.score(position))
            for position in range(plan.rows)
            for version, index in zip(versions, plan.votes(position), strict=True)
        ),
    )


def _fill_consensus(plan: Plan, base: int, run: Any) -> None:
    from labeling.labels.models import Consensus

    fill(
        Consensus,
        ("run_id", "sample_id", "label_class_id", "uncertainty", "score", "confidence", "route"),
        (
            (run.pk, base + position, plan.class_ids[position % 3], 1 / 3, plan.score(position), 0.8, route)
            for position in range(plan.rows)
            for route in ("review" if plan.is_hard(position) else "accept",)
        ),
    )


def _fill_items(plan: Plan, base: int, run: Any, dataset: Any) -> int:
    """The id of the first item; they follow the hard rows in order."""
    from labeling.datasets.models import Sample
    from labeling.labels.models import ItemState, ReviewItem

    hashes = Sample.objects.filter(dataset=dataset).order_by("position").values_list("position", "text_hash")
    names = ("project_id", "dataset_id", "sample_id", "run_id", "text_hash", "priority", "state", "reason")
    kinds = ("hard", "hard", "uncertain", "random")
    fill(
        ReviewItem,
        names,
        (
            (plan.project.pk, dataset.pk, base + position, run.pk, text_hash, plan.score(position), state, kind)
            for position, text_hash in list(hashes.iterator(chunk_size=20_000))
            if plan.is_hard(position)
            for state in (ItemState.DECIDED if plan.is_decided(position) else ItemState.OPEN,)
            for kind in (kinds[position // HARD_ONE_IN % len(kinds)],)
        ),
    )
    return int(ReviewItem.objects.filter(run=run).order_by("id").values_list("id", flat=True)[0])


def _fill_verdicts(plan: Plan, first_item: int, base: int) -> None:
    from labeling.labels.models import Verdict

    def verdicts() -> Iterator[tuple[object, ...]]:
        for number in range(plan.decided):
            class_id = plan.class_ids[number % 3]
            yield first_item + number, plan.owner.pk, class_id, UUID(int=base + number).hex, 1_500

    fill(Verdict, ("item_id", "user_id", "label_class_id", "client_id", "elapsed_ms"), verdicts())


def _fill_labels(plan: Plan, base: int, run: Any) -> None:
    from django.utils import timezone

    from labeling.labels.models import Label, Verdict

    now = timezone.now()
    verdicts = list(Verdict.objects.filter(item__run=run).order_by("id").values_list("id", "label_class_id"))

    def labels() -> Iterator[tuple[object, ...]]:
        for position in range(plan.rows):
            if plan.is_decided(position):
                verdict_id, class_id = verdicts[position // HARD_ONE_IN]
                yield base + position, class_id, "human", None, verdict_id, now
            elif not plan.is_hard(position):
                yield base + position, plan.class_ids[position % 3], "consensus", run.pk, None, now

    fill(Label, ("sample_id", "label_class_id", "source", "run_id", "verdict_id", "created_at"), labels())
