"""Two real worker processes on one job; one is killed with -9, the other goes on."""

import pytest

from labeling.jobs import actions
from labeling.jobs.models import ChunkState, Heartbeat, Job, JobState
from tests.labeling.factories import make_project, make_user
from tests.labeling.workers import start_worker, wait_until

FAST = {"LEASE_S": "2", "SWEEP_S": "0.2", "LIGHT_HANDS": "1"}


@pytest.mark.timeout(200)
@pytest.mark.django_db(transaction=True)
def test_a_dummy_job_survives_the_kill_of_one_of_its_two_workers():
    workers = [start_worker("one", **FAST), start_worker("two", **FAST)]
    try:
        wait_until(lambda: Heartbeat.objects.count() == 2)
        project = make_project(make_user())
        job = actions.open_job(project_id=project.pk, kind="dummy", subject=1, total=8_000_000)
        wait_until(lambda: job.chunks.filter(state=ChunkState.DONE).exists())
        workers[0].kill()
        workers[0].wait()
        workers[0] = start_worker("one", **FAST)
        wait_until(lambda: Job.objects.get(pk=job.pk).state == JobState.DONE)
    finally:
        for worker in workers:
            worker.kill()
            worker.wait()
    job.refresh_from_db()
    assert job.progress == 8_000_000
    assert set(job.chunks.values_list("state", "errors")) == {(ChunkState.DONE, 0)}
