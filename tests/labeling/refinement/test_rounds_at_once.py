"""Rounds that begin or end while somebody else acts, each on a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Barrier

import pytest
from django.db import connection, transaction

from labeling.pipeline.work import advance_dirty
from labeling.refinement.actions.locks import lock_round, lock_run
from labeling.refinement.models import RefinementRound, RoundState
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import make_pool, work_off
from tests.labeling.refinement.learning import PAPER, TEXTS, decide_most, learnable_run, start, train_now

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = 4


def test_rounds_of_several_runs_that_begin_at_once_all_begin(tmp_path):
    project = make_project(make_user())
    versions = make_pool(project, tmp_path, count=2, noise=0.3)
    runs = [decide_most(start(project, make_dataset(project, TEXTS), versions)) for _number in range(RUNS)]
    barrier = Barrier(RUNS)

    def train(run):
        barrier.wait()
        return train_now(run).run_id

    with ThreadPoolExecutor(RUNS) as threads:
        found = [threads.submit(apart, partial(train, run)) for run in runs]
        assert [one.result() for one in found] == [run.pk for run in runs]
    assert sorted(RefinementRound.objects.values_list("number", flat=True)) == [1, 2, 3, 4]


@pytest.mark.only_postgres
def test_a_round_that_is_decided_waits_for_whoever_holds_its_run(tmp_path):
    round_ = train_now(learnable_run(make_project(make_user()), tmp_path, **PAPER))
    for _stage in ("train", "gate"):
        advance_dirty()
        work_off(("refine",))
    with ThreadPoolExecutor(1) as threads:
        with transaction.atomic():
            lock_run(round_.run_id)
            worker = threads.submit(apart, advance_dirty)
            while not is_anybody_waiting():
                pass
            assert lock_round(round_.pk).state == RoundState.JUDGING
        assert worker.result()
    assert RefinementRound.objects.get().state == RoundState.DONE


def apart(function):
    try:
        return function()
    finally:
        connection.close()


def is_anybody_waiting():
    with connection.cursor() as cursor:
        mine = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        return cursor.execute(mine).fetchone()[0]
