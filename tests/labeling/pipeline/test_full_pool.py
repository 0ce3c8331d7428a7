"""Votes that stop at a full pool, as in the paper: vote, decide, learn, go on; and the same again gives the same."""

from datetime import timedelta

import pytest
from django.utils import timezone

from labeling.labels.models import Consensus, ReviewItem, Vote
from labeling.pipeline.work import do_one
from labeling.refinement.models import RefinementRound
from labeling.refinement.queries import round_at_work
from labeling.runs.actions import cancel_run, pause_run, resume_run, retry_run
from labeling.runs.models import Run, RunState
from labeling.web.errors import ActionError
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import (
    PAPER,
    answer,
    do_while,
    end_round,
    facts_of,
    finish,
    next_generation,
    open_items,
    run_job,
    start,
    until_chunk,
)
from tests.labeling.pool import make_pool

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
TEXTS = [f"text number {i % 90}" for i in range(100)]
BETA = 12


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def pools(project, tmp_path):
    """Five pools, better from one to the next."""
    return [make_pool(project, tmp_path, name=f"pool-{i}", noise=0.3 - 0.05 * i) for i in range(5)]


def paper_run(project, versions, texts=TEXTS, beta=BETA):
    return start(project, make_dataset(project, texts), versions, **PAPER, beta=beta)


def walk(run, pools, user):
    """People decide, the round ends, the next pool votes, until the rows are at their end."""
    for versions in [*pools, *([pools[-1]] * 9)]:
        if finish(run).state == RunState.DONE:
            return
        answer(run, user)
        finish(run)
        if round_at_work(run):
            end_round(run, versions)


def test_votes_end_with_the_row_that_fills_the_pool(project, pools, settings):
    settings.CHUNK_ROWS = 30
    run = finish(paper_run(project, pools[0]))
    generation = run.generations.get()
    last = Consensus.objects.filter(run=run).order_by("-sample__position").first()
    assert (run.hard, run.state, run_job(run).state) == (BETA, RunState.REVIEWING, "running")
    assert (generation.until, last.route) == (run.voted, "review")
    assert Consensus.objects.filter(run=run).count() == run.voted < 100
    assert Vote.objects.count() == 3 * 30 * -(-run.voted // 30)  # votes on the rest of the part are kept
    assert_counters_equal_recount(run)


def test_a_decided_pool_starts_a_round_and_its_end_goes_on_from_there(project, pools, user):
    run = finish(paper_run(project, pools[0]))
    voted, items = run.voted, open_items(run)
    answer(run, user, items[:-1])
    finish(run)
    assert RefinementRound.objects.count() == 0
    answer(run, user)
    finish(run)
    assert (run.learned, run.pool_size, run.voted, run.state) == (BETA, 0, voted, RunState.REVIEWING)
    assert RefinementRound.objects.get().pool_rows == BETA
    end_round(run, pools[1])
    finish(run)
    assert (run.hard, run.generation) == (2 * BETA, 1)
    assert Consensus.objects.filter(run=run, generation=1).count() == run.voted - voted > 0
    assert ReviewItem.objects.filter(run=run).count() < 2 * BETA + 1
    assert_counters_equal_recount(run)


def test_the_run_ends_at_the_end_of_the_rows(project, pools, user):
    run = paper_run(project, pools[0])
    walk(run, pools, user)
    assert (run.state, run.voted, run.to_review) == (RunState.DONE, 100, 0)
    assert run.generation == run.hard // BETA >= 2
    assert run.generations.order_by("-number").first().until is None
    assert set(Consensus.objects.filter(run=run).values_list("is_current", flat=True)) == {True}
    assert_counters_equal_recount(run)


def test_the_same_run_again_gives_the_same_whatever_the_size_of_its_parts(project, pools, user, settings):
    found = []
    for size in (7, 50, 7):
        settings.CHUNK_ROWS = size
        run = paper_run(project, pools[0])
        walk(run, pools, user)
        found.append(facts_of(run))
    assert found[0] == found[1] == found[2]


def test_a_lost_part_is_done_again_and_gives_the_same(project, pools, user, settings):
    settings.CHUNK_ROWS = 25
    plain, lossy = paper_run(project, pools[0]), paper_run(project, pools[0])
    walk(plain, pools, user)
    finish(plain)
    for versions in pools:
        until_chunk_or_pool(lossy)
        if run_job(lossy).chunks.filter(state="todo").exists():
            do_while(lambda: lose(lossy))
        finish(lossy)
        answer(lossy, user)
        finish(lossy)
        if round_at_work(lossy):
            end_round(lossy, versions)
    walk(lossy, pools[-1:], user)
    assert facts_of(lossy) == facts_of(plain)
    assert_counters_equal_recount(lossy)


def until_chunk_or_pool(run):
    while not run_job(run).chunks.filter(state="todo").exists() and do_one(("io",), "test"):
        pass


def lose(run):
    run_job(run).chunks.filter(state="running").update(lease_until=timezone.now() - timedelta(seconds=1))
    assert do_one(("consensus",), "other")


def test_pause_at_a_full_pool_and_cancel_in_a_part(project, pools, user):
    run = finish(paper_run(project, pools[0]))
    pause_run(run=run)
    assert finish(run).state == RunState.PAUSED
    resume_run(run=run)
    assert finish(run).state == RunState.REVIEWING
    answer(run, user)
    finish(run)
    end_round(run, pools[1])
    until_chunk(run, "vote")
    do_while(lambda: cancel_run(run=run))
    assert finish(run).state == RunState.CANCELLED
    assert_counters_equal_recount(run)


def test_a_pause_that_waited_for_the_part_that_fills_the_pool_can_be_resumed(project, pools):
    run = paper_run(project, pools[0])
    assert run.state == RunState.RUNNING
    finish(Run.objects.get(pk=run.pk))
    pause_run(run=run)  # as it was read before that part was stored
    run.refresh_from_db()
    assert (run.state, run_job(run).state) == (RunState.PAUSED, "paused")
    resume_run(run=run)
    assert finish(run).state == RunState.REVIEWING


def test_a_cancelled_run_cannot_be_retried(project, pools):
    run = paper_run(project, pools[0])
    until_chunk(run, "vote")
    cancel_run(run=run)
    with pytest.raises(ActionError, match="over already"):
        retry_run(run=run)
    assert run_job(run).state == "cancelled"


def test_copies_of_texts_decided_before_fill_pools_that_nobody_waits_for(project, pools, user):
    run = finish(paper_run(project, pools[0], texts=[f"text number {i % 9}" for i in range(90)]))
    answer(run, user)
    finish(run)
    end_round(run, pools[0])
    finish(run)
    assert (run.hard, run.decided, run.state) == (40, 40, RunState.DONE)
    assert run.generation == 3
    assert list(RefinementRound.objects.order_by("number").values_list("pool_rows", flat=True)) == [4, 0, 0]
    assert_counters_equal_recount(run)


def test_a_generation_that_people_open_while_the_pool_fills_takes_the_later_parts(project, pools, settings):
    settings.CHUNK_ROWS = 5
    run = paper_run(project, pools[0])
    until_chunk(run, "vote")
    do_while(lambda: next_generation(run, pools[4]))
    finish(run)
    numbers = list(Consensus.objects.order_by("sample__position").values_list("generation", flat=True))
    assert numbers == [0] * 5 + [1] * (run.voted - 5)
    assert (run.hard, run.state) == (BETA, RunState.REVIEWING)
    assert_counters_equal_recount(run)
