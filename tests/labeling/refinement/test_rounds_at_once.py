"""Rounds of several runs of a project that begin at the same moment, each on a connection of its own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from labeling.refinement.models import RefinementRound
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import make_pool
from tests.labeling.refinement.learning import TEXTS, decide_most, start, train_now

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = 4


def test_rounds_of_several_runs_that_begin_at_once_all_begin(tmp_path):
    project = make_project(make_user())
    versions = make_pool(project, tmp_path, count=2, noise=0.3)
    runs = [decide_most(start(project, make_dataset(project, TEXTS), versions)) for _number in range(RUNS)]
    barrier = Barrier(RUNS)

    def train(run):
        try:
            barrier.wait()
            return train_now(run).run_id
        finally:
            connection.close()

    with ThreadPoolExecutor(RUNS) as threads:
        assert list(threads.map(train, runs)) == [run.pk for run in runs]
    assert sorted(RefinementRound.objects.values_list("number", flat=True)) == [1, 2, 3, 4]
