"""Votes and trainings take turns on one heavy hand."""

import pytest

from labeling.jobs.actions import add_chunks, open_job
from labeling.jobs.models import ChunkState
from labeling.pipeline.work import do_one
from labeling.refinement.models import RoundState
from tests.labeling.factories import make_project, make_user
from tests.labeling.pool import work_off
from tests.labeling.refinement.learning import PAPER, finish_round, learnable_run, train_now

pytestmark = pytest.mark.django_db
HEAVY = ("consensus", "refine")


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def training(project, tmp_path):
    round_ = train_now(learnable_run(project, tmp_path, **PAPER))
    work_off(("io",))
    return round_


def votes(project, count):
    """Parts of another job in the votes' queue."""
    job = open_job(project_id=project.pk, kind="dummy", subject=1, total=count)
    job.stage = "count"
    job.save()
    add_chunks(job=job, stage="count", queue="consensus", ranges=[(at, at + 1) for at in range(count)])
    return job


def done_of(job):
    return job.chunks.filter(state=ChunkState.DONE).count()


def job_of(round_):
    return round_.project.jobs.get(kind="round", subject=round_.pk)


def test_a_training_gives_way_at_its_checkpoint_and_loses_nothing(project, training):
    waiting = votes(project, 2)
    assert do_one(["refine"], "hand")
    chunk = job_of(training).chunks.get(idx=0)
    assert (chunk.state, chunk.errors, chunk.lost_leases, chunk.not_before is None) == (ChunkState.TODO, 0, 0, False)
    challenger = training.challengers.first()
    assert challenger.step == challenger.step_count // 3
    work_off(("io", "consensus"))
    assert done_of(waiting) == 2
    assert finish_round(training).state == RoundState.DONE


def test_a_training_goes_on_without_a_stop_when_no_votes_wait(training):
    assert do_one(["refine"], "hand")
    assert done_of(job_of(training)) == 1


def test_older_votes_do_not_keep_a_training_waiting(project, tmp_path):
    run = learnable_run(project, tmp_path, **PAPER)
    waiting = votes(project, 4)
    round_ = train_now(run)
    work_off(("io",))
    served = []
    for _part in range(4):
        job_of(round_).chunks.update(not_before=None)
        assert do_one(HEAVY, "hand")
        served.append((done_of(waiting), sum(job_of(round_).chunks.values_list("attempts", flat=True))))
    assert served in ([(1, 0), (1, 1), (2, 1), (2, 2)], [(0, 1), (1, 1), (1, 2), (2, 2)])


def test_a_hand_with_one_heavy_queue_serves_it_alone(project, training):
    waiting = votes(project, 2)
    while do_one(["consensus"], "hand"):
        pass
    assert (done_of(waiting), done_of(job_of(training))) == (2, 0)
