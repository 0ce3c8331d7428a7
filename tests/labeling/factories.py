"""Rows that tests start from, made by the site's own actions where there are any."""

import json
from uuid import uuid4

from django.db import transaction

from annotator_core.texts import hash_text
from labeling.accounts.models import User
from labeling.datasets.models import Dataset, Sample, Upload, UploadState
from labeling.jobs.models import Job, JobState
from labeling.labels.actions.votes import ConsensusRow, record_votes
from labeling.projects.models import GuidelineVersion, LabelClass, Membership, Project, Role
from labeling.runs.actions import end_voting
from labeling.runs.models import PoolGeneration, Run

CLASSES = ("negative", "neutral", "positive")


def make_user(name=None, **fields):
    return User.objects.create_user(name or f"user-{uuid4().hex[:8]}", **fields)


def make_project(user, classes=CLASSES, name="Demo", slug=None, guideline=""):
    slug = slug or f"project-{uuid4().hex[:8]}"
    project = Project.objects.create(slug=slug, name=name, created_by=user)
    for position, class_name in enumerate(classes):
        LabelClass.objects.create(
            project=project,
            name=class_name,
            key=str(position + 1) if position < 9 else "",
            slot=position,
            position=position,
        )
    if guideline:
        GuidelineVersion.objects.create(project=project, text=guideline, created_by=user)
    add_member(project, user, Role.OWNER)
    return project


def add_member(project, user, role=Role.ANNOTATOR):
    return Membership.objects.create(project=project, user=user, role=role)


def make_dataset(project, texts, *, columns=("id", "text"), is_ready=True):
    """A data set as an import leaves it; each sample's other cell is its external id."""
    number = Dataset.objects.filter(project=project).count() + 1
    dataset = Dataset.objects.create(
        project=project,
        number=number,
        name=f"Data {number}",
        columns=list(columns),
        text_column="text",
        row_count=len(texts),
        is_ready=is_ready,
    )
    upload = Upload.objects.create(
        project=project,
        dataset=dataset,
        state=UploadState.DONE,
        filename="data.csv",
        size_bytes=1,
        columns=list(columns),
        text_column="text",
    )
    Sample.objects.bulk_create(
        Sample(
            dataset=dataset,
            upload=upload,
            position=position,
            external_id=f"r{position}",
            text=text,
            text_hash=hash_text(text),
            cells=json.dumps([f"r{position}", None]),
        )
        for position, text in enumerate(texts)
    )
    return dataset


def make_run(dataset, *, hard=None, is_over=True):
    """A run whose votes are in: positions in `hard` (all by default) wait for a person, the others were accepted.

    Scores fall with the position, so that the last hard sample is the first in the queue.
    """
    project = dataset.project
    number = Run.objects.filter(project=project).count() + 1
    run = Run.objects.create(project=project, dataset=dataset, number=number, min_agree=3, row_count=dataset.row_count)
    PoolGeneration.objects.create(run=run)
    Job.objects.create(project=project, kind="run", subject=run.pk, stage="vote", state=JobState.DONE, is_dirty=False)
    vote_rows(run, hard=hard)
    if is_over:
        with transaction.atomic():
            end_voting(run_id=run.pk)
    run.refresh_from_db()
    return run


def vote_rows(run, *, hard=None, low=0, high=None):
    """Record consensus on the samples from position `low` to `high`."""
    classes = list(run.project.classes.all())
    samples = list(run.dataset.samples.filter(position__gte=low).order_by("position"))
    samples = samples if high is None else [sample for sample in samples if sample.position < high]
    rows = [
        ConsensusRow(
            sample_id=sample.pk,
            text_hash=sample.text_hash,
            class_id=classes[sample.position % len(classes)].pk,
            uncertainty=1 / 3,
            score=1 - sample.position / 1000,
            confidence=0.9,
            is_hard=hard is None or sample.position in hard,
        )
        for sample in samples
    ]
    with transaction.atomic():
        record_votes(run=run, generation=0, votes=[], rows=rows, truncated=0)
