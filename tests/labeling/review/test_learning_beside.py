"""C54: what specialists learn from a decision is no business of the request that brings it."""

import re
from collections import Counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.jobs.models import Chunk, Event, Job
from labeling.labels.models import ReviewItem
from labeling.pipeline.work import advance_dirty
from labeling.refinement.models import RefinementRound, RoundState
from tests.labeling.factories import make_project, make_user
from tests.labeling.refinement.made_rounds import make_pooled_run, make_round, make_versions
from tests.labeling.review.wire import answer, outcomes, texts, write

pytestmark = pytest.mark.django_db
WRITES = re.compile(r'(?:INSERT INTO|UPDATE|DELETE FROM) "?([a-z]+_[a-z]+)')


def nothing_due():
    """A run whose hard pool is far from full."""
    project = make_project(make_user())
    return make_pooled_run(project, make_versions(project), beta=1_000)


def round_due():
    """The next decision fills the hard pool."""
    project = make_project(make_user())
    return make_pooled_run(project, make_versions(project), beta=1)


def round_at_work():
    """Specialists learn already, and the next round will be due."""
    run = round_due()
    make_round(run, RoundState.TRAINING)
    return run


@pytest.fixture
def decide(client, django_capture_on_commit_callbacks):
    """Sends an answer, as a page that wants the next text; returns how often that wrote to which table."""

    def decide(run):
        client.force_login(run.project.created_by)
        (item,) = texts(write(client, run.project))
        Event.objects.create(topic=f"run:{run.pk}", seq=1_000_000)  # the run has told of itself just now
        Event.objects.update(created_at="2100-01-01T00:00Z")
        sent = answer(ReviewItem.objects.get(pk=item))
        with CaptureQueriesContext(connection) as captured, django_capture_on_commit_callbacks(execute=True):
            reply = write(client, run.project, sent)
        assert (outcomes(reply), len(reply["cards"])) == (["stored"], 1)
        return Counter(name for one in captured.captured_queries for name in WRITES.findall(one["sql"]))

    return decide


@pytest.mark.parametrize("beside", [round_due, round_at_work])
def test_c54_a_decision_does_no_work_of_a_round(decide, beside):
    """It marks the run's job for a worker, and writes nothing else than where no round is near."""
    alone, run = decide(nothing_due()), beside()
    before = [model.objects.count() for model in (RefinementRound, Job, Chunk)]
    assert decide(run) - alone == {"jobs_job": 1}
    assert [model.objects.count() for model in (RefinementRound, Job, Chunk)] == before


def test_c54_the_round_that_a_decision_makes_due_begins_in_a_worker(decide):
    decide(round_due())
    assert not RefinementRound.objects.exists()
    advance_dirty()
    assert RefinementRound.objects.exists()
