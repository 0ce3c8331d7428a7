"""What a worker does with errors, a full disk and a dead broker."""

import pytest

from labeling.jobs import actions
from labeling.jobs.models import Chunk, ChunkState, Job, JobState
from labeling.labels.models import Consensus, Vote
from labeling.pipeline import table, work
from labeling.runs.actions import job_of_run, start_run
from labeling.runs.policies import Policy
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.full_disk import room_for
from tests.labeling.pool import make_pool, work_off
from tests.labeling.workers import start_worker, wait_until


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
    broker = {"BROKER_URL": f"redis://127.0.0.1:{free_port}/0", "CHANNEL_URL": ""}
    with start_worker("alone", **broker) as worker:
        try:
            wait_until(lambda: Job.objects.get(pk=job.pk).state == JobState.DONE)
        finally:
            worker.kill()
    assert set(Chunk.objects.filter(job=job).values_list("state", flat=True)) == {ChunkState.DONE}
