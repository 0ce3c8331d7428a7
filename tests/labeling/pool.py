"""Pools of fake specialists, brought in by the site's own actions and jobs."""

from random import Random

from django.utils import timezone

from annotator_core.fakes.specialist import FakeSettings, write_fake_specialist
from labeling.datasets.chunk_queries import random_rows
from labeling.jobs.models import Chunk, ChunkState, Event, Job, JobState
from labeling.pipeline.models import TRIAL_ROWS, _fill, _store
from labeling.pipeline.work import do_one
from labeling.specialists.actions import (
    FETCH,
    TRIAL,
    add_specialist,
    confirm_version,
    record_files,
    record_trial,
    save_map,
)
from labeling.specialists.engine import try_out
from labeling.specialists.models import Source
from labeling.specialists.queries import newest_trial

QUEUES = ("io", "verify", "consensus", "refine")


def work_off(queues=QUEUES):
    """Do all the work there is."""
    while do_one(queues, "test"):
        pass


def add_fake(project, folder, **settings):
    """A fetched specialist that waits for its label map."""
    specialist = _name_fake(project, folder, **settings)
    work_off()
    specialist.refresh_from_db()
    return specialist


def _name_fake(project, folder, **settings):
    names = tuple(project.classes.filter(is_retired=False).values_list("name", flat=True))
    write_fake_specialist(folder, FakeSettings(**{"labels": names} | settings))
    return add_specialist(project=project, source=Source.FOLDER, location=str(folder))


def own_targets(project):
    """Each class by itself, in order."""
    return list(project.classes.filter(is_retired=False).values_list("id", flat=True))


def make_pool(project, folder, count=3, name="fake", **settings):
    """`count` confirmed versions that differ by their seed, as fetching, mapping and trying leave them."""
    versions = []
    for seed in range(count):
        given = {"seed": seed, "noise": 0.1} | {
            name: v[seed] if isinstance(v, list) else v for name, v in settings.items()
        }
        versions.append(_add_confirmed(project, folder / f"{name}-{seed}", **given))
    return versions


def _add_confirmed(project, folder, **settings):
    """The jobs' work without their turns: a pool is made in hundreds of tests, and claims are what takes the time."""
    specialist = _name_fake(project, folder, **settings)
    record_files(specialist_id=specialist.pk, files=_store(folder, ""))
    _end_job(FETCH, specialist.pk, "files", "io")
    specialist.refresh_from_db()
    version = save_map(specialist=specialist, targets=own_targets(project), max_length=128, are_holes_confirmed=False)
    trial = newest_trial(version)
    if rows := random_rows(project.pk, TRIAL_ROWS, Random(version.pk)):
        _fill(trial, version, rows, try_out(version, [row.text for row in rows], lambda: False))
    record_trial(trial=trial)
    _end_job(TRIAL, trial.pk, "predict", "consensus")
    confirm_version(version=version, by=None)
    version.refresh_from_db()
    return version


def _end_job(kind, subject, stage, queue):
    job = Job.objects.get(kind=kind, subject=subject)
    Chunk.objects.create(job=job, stage=stage, idx=0, queue=queue, state=ChunkState.DONE, owner="test", attempts=1)
    job.stage, job.state, job.is_dirty, job.finished_at = stage, JobState.DONE, False, timezone.now()
    job.seq += 1
    job.save()
    Event.objects.create(topic=job.topic, seq=job.seq, state={"job": job.state, "stage": stage})
