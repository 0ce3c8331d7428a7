from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.jobs import actions
from labeling.jobs.models import Chunk, ChunkState, Event, Job, JobState
from labeling.jobs.queries import progress_of
from labeling.pipeline.work import do_one
from labeling.web.errors import ActionError
from tests.labeling.factories import make_project, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def job():
    job = actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=1, total=40)
    Job.objects.filter(pk=job.pk).update(is_dirty=False, stage="count")
    actions.add_chunks(job=job, stage="count", queue="io", ranges=[(0, 10), (10, 20)])
    return job


def claim(owner="a", queues=("io",)):
    return actions.claim(queues=queues, owner=owner)


def expire(chunk_id):
    Chunk.objects.filter(pk=chunk_id).update(lease_until=timezone.now() - timedelta(seconds=1))


def test_chunks_added_twice_are_there_once(job):
    actions.add_chunks(job=job, stage="count", queue="io", ranges=[(0, 10), (10, 20)])
    assert job.chunks.count() == 2


def test_claim_gives_each_chunk_once_and_then_none(job):
    assert [claim().low, claim("b").low, claim()] == [0, 10, None]


def test_claim_looks_at_its_own_queues_only(job):
    assert claim(queues=("consensus",)) is None


def test_claim_takes_over_an_expired_lease_with_a_new_fence(job):
    first = claim()
    expire(first.chunk_id)
    second = claim("a")
    assert (second.chunk_id, second.attempts) == (first.chunk_id, 2)
    with pytest.raises(actions.LeaseLost), actions.finishing(first):
        pytest.fail("an expired claim of the same owner must not store anything")
    with actions.finishing(second):
        pass
    assert Chunk.objects.get(pk=first.chunk_id).state == ChunkState.DONE


def test_finish_stores_nothing_after_a_cancel(job):
    taken = claim()
    actions.set_state(job=job, state=JobState.CANCELLED)
    with pytest.raises(actions.LeaseLost), actions.finishing(taken):
        pytest.fail("a cancelled job takes no results")


def test_finish_twice_is_refused(job):
    taken = claim()
    with actions.finishing(taken):
        pass
    with pytest.raises(actions.LeaseLost), actions.finishing(taken):
        pytest.fail("done is done")


def finish_and_break(taken):
    with actions.finishing(taken) as locked:
        locked.progress += 10
        raise ZeroDivisionError


def test_finish_rolls_back_with_its_results(job):
    taken = claim()
    with pytest.raises(ZeroDivisionError):
        finish_and_break(taken)
    chunk = Chunk.objects.get(pk=taken.chunk_id)
    assert (chunk.state, Job.objects.get(pk=job.pk).progress) == (ChunkState.RUNNING, 0)


def test_paused_jobs_chunks_are_not_claimed_and_their_leases_not_renewed(job):
    taken = claim()
    actions.set_state(job=job, state=JobState.PAUSED)
    assert (claim(), actions.renew(taken), actions.report(taken, 3)) == (None, False, False)
    actions.give_back(taken)
    actions.set_state(job=job, state=JobState.RUNNING)
    assert claim().chunk_id == taken.chunk_id


def test_giving_back_counts_neither_as_error_nor_as_lost_lease(job):
    for _attempt in range(10):
        actions.give_back(claim())
    chunk = job.chunks.first()
    assert (chunk.errors, chunk.lost_leases, chunk.state) == (0, 0, ChunkState.TODO)


def test_a_chunk_given_back_with_not_before_waits(job):
    first = claim()
    actions.give_back(first, not_before=timezone.now() + timedelta(hours=1))
    assert [claim().low, claim()] == [10, None]


def test_three_errors_make_a_chunk_dead_and_the_others_go_on(job):
    for attempt in range(3):
        Chunk.objects.filter(idx=0).update(not_before=None)
        actions.fail(claim(), f"error {attempt}")
    dead = job.chunks.get(idx=0)
    assert (dead.state, dead.error) == (ChunkState.DEAD, "error 2")
    assert claim().idx == 1


def test_an_error_that_no_retry_mends_is_final_at_once(job):
    actions.fail(claim(), "no such file", is_final=True)
    assert job.chunks.get(idx=0).state == ChunkState.DEAD


def test_five_lost_leases_make_a_chunk_dead(job):
    actions.give_back(claim(), not_before=None)
    for _attempt in range(5):
        taken = claim()
        assert taken.idx == 0
        expire(taken.chunk_id)
    claim()
    assert job.chunks.get(idx=0).state == ChunkState.DEAD


def test_retry_gives_dead_chunks_another_chance(job):
    actions.fail(claim(), "no such file", is_final=True)
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED)
    assert actions.retry_dead(job=job) == 1
    assert claim().idx == 0


def test_a_job_that_is_over_cannot_be_changed(job):
    actions.set_state(job=job, state=JobState.CANCELLED)
    with pytest.raises(ActionError):
        actions.set_state(job=job, state=JobState.RUNNING)


def test_events_are_numbered_snapshots(job):
    with actions.finishing(claim()) as locked:
        locked.progress += 10
    events = list(Event.objects.filter(topic="dummy:1").order_by("seq").values_list("seq", "state__progress"))
    assert events == [(1, 10)]


def test_a_dummy_job_runs_to_its_end():
    job = actions.open_job(project_id=make_project(make_user()).pk, kind="dummy", subject=7, total=95)
    while do_one(["io"], "test"):
        pass
    job.refresh_from_db()
    assert (job.state, job.progress, job.is_dirty) == (JobState.DONE, 95, False)
    assert set(job.chunks.values_list("state", flat=True)) == {ChunkState.DONE}


def test_a_later_stage_counts_from_its_own_beginning(job):
    hours_ago = timezone.now() - timedelta(hours=5)
    Job.objects.filter(pk=job.pk).update(created_at=hours_ago, counted_from=hours_ago)
    job.refresh_from_db()
    actions.begin_stage(job=job, stage="again", total=100)
    job.finished_at = job.counted_from + timedelta(seconds=10)
    job.progress = 50
    assert progress_of(job).rate == pytest.approx(5.0)
