"""What a worker does with errors, a full disk and a dead broker."""

import os
import subprocess
import sys

import pytest
from django.db import connection

from labeling.jobs import actions
from labeling.jobs.models import Chunk, ChunkState, Job, JobState
from labeling.labels.models import Consensus, Vote
from labeling.pipeline import table, work
from labeling.runs.actions import Policy, job_of_run, start_run
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.full_disk import room_for
from tests.labeling.pool import make_pool, work_off


@pytest.mark.only_sqlite
@pytest.mark.django_db(transaction=True)
def test_a_full_disk_while_voting_says_so_and_loses_nothing(tmp_path, settings):
    settings.CHUNK_ROWS = 1000
    project = make_project(make_user())
    dataset = make_dataset(project, [f"text {i}" for i in range(3000)])
    run = start_run(project=project, dataset=dataset, versions=make_pool(project, tmp_path), policy=Policy(3), by=None)
    work.do_one(["io"], "test")
    with room_for(20):
        work.do_one(["consensus"], "test")
    chunk = job_of_run(run).chunks.get(idx=0)
    assert (Vote.objects.count(), Consensus.objects.count(), chunk.state) == (0, 0, ChunkState.TODO)
    assert chunk.error.startswith("The disk of the server is full.")
    job_of_run(run).chunks.update(not_before=None)
    work_off()
    run.refresh_from_db()
    assert run.voted == 3000
    assert_counters_equal_recount(run)


@pytest.mark.django_db
def test_c28_an_unknown_error_is_stored_with_its_kind_and_the_next_part_goes_on(monkeypatch):
    def broken(claim, hand):
        if claim.idx == 0:
            raise KeyError("what")
        with actions.finishing(claim):
            pass

    monkeypatch.setitem(table.HANDLERS, ("dummy", "count"), f"{__name__}.given")
    globals()["given"] = broken
    job = actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1, total=20)
    for _try in range(4):
        job.chunks.update(not_before=None)
        work_off()
    dead = job.chunks.get(state=ChunkState.DEAD)
    assert dead.error == "KeyError: 'what'"
    assert job.chunks.filter(state=ChunkState.DONE).count() == 19


@pytest.mark.django_db
def test_a_stopping_worker_gives_its_part_back(monkeypatch):
    def slow(claim, hand):
        hand.check()
        pytest.fail("the worker is leaving")

    monkeypatch.setitem(table.HANDLERS, ("dummy", "count"), f"{__name__}.given")
    globals()["given"] = slow
    job = actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1, total=20)
    work.do_one(["io"], "test")
    work.do_one(["io"], "test", lambda: True)
    chunk = job.chunks.get(idx=0)
    assert (chunk.state, chunk.errors, chunk.lost_leases) == (ChunkState.TODO, 0, 0)


@pytest.mark.timeout(120)
@pytest.mark.django_db(transaction=True)
def test_c24_a_worker_without_its_broker_still_works(free_port):
    """Celery never becomes ready; the hands do not wait for it."""
    job = actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1, total=40)
    given = connection.settings_dict
    url = f"sqlite:///{given['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{given['USER']}@{given['HOST']}:{given['PORT'] or 5432}/{given['NAME']}"
    environment = os.environ | {  # noqa: TID251 (handed on to the worker)
        "DATABASE_URL": url,
        "BROKER_URL": f"redis://127.0.0.1:{free_port}/0",
        "CHANNEL_URL": "",
    }
    command = [sys.executable, "-m", "celery", "-A", "labeling.conf", "worker", "-P", "threads", "-c", "1", "-Q", "io"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as worker:
        try:
            wait_until(lambda: Job.objects.get(pk=job.pk).state == JobState.DONE)
        finally:
            worker.kill()
    assert set(Chunk.objects.filter(job=job).values_list("state", flat=True)) == {ChunkState.DONE}


def wait_until(is_over):
    from threading import Event
    from time import monotonic

    end = monotonic() + 90
    while not is_over():
        assert monotonic() < end, "the worker did nothing"
        Event().wait(0.2)
