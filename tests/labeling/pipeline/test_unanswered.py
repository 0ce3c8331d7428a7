"""Votes on texts that no audit has drawn: random ones beside the frame, and none before they are random."""

import numpy as np
import pytest

from labeling.labels.models import Vote
from labeling.pipeline import unanswered
from labeling.pipeline.unanswered import unanswered_ballots
from labeling.pipeline.work import do_one
from labeling.quality.row_queries import texts_beside_frame
from labeling.runs.queries import pool_of
from tests.labeling.factories import make_project, make_user
from tests.labeling.generations import finish, next_generation, start, until_chunk
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.audits import framed, make_framed

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def dataset(project):
    """100 texts, 20 of them in the audit frame; 10 stand twice."""
    return make_framed(project, texts=110, copies=10, frame=20)


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path, noise=[0.1, 0.2, 0.5])


def ballots_of(run, taught=()):
    run.refresh_from_db()
    return unanswered_ballots(run, pool_of(run), taught)


def test_texts_beside_the_frame_stand_for_all(dataset, versions):
    run = finish(start(dataset.project, dataset, versions))
    texts = texts_beside_frame(run, 1_000)
    assert (len(texts), set(texts) & framed(dataset), texts == sorted(texts)) == (80, set(), True)
    found = ballots_of(run)
    assert (found.votes.shape, found.probs.shape) == ((80, 3), (80, 3, 3))
    assert np.array_equal(found.votes, ballots_of(run).votes)


def test_there_are_no_more_than_memory_and_time_allow(dataset, versions, monkeypatch):
    run = finish(start(dataset.project, dataset, versions))
    monkeypatch.setattr(unanswered, "TEXTS_MOST", 30)
    assert len(ballots_of(run)) == 30
    monkeypatch.setattr(unanswered, "CELLS_MOST", 7 * 9)
    assert len(ballots_of(run)) == 7


def test_texts_that_taught_a_member_are_left_out(dataset, versions):
    run = finish(start(dataset.project, dataset, versions))
    assert len(ballots_of(run, texts_beside_frame(run, 5))) == 75


def test_before_every_row_is_voted_on_there_are_none(dataset, versions, settings):
    settings.CHUNK_ROWS = 20
    run = start(dataset.project, dataset, versions)
    until_chunk(run, "vote")
    assert do_one(("consensus",), "test")
    assert (Vote.objects.exists(), ballots_of(run)) == (True, None)
    assert len(ballots_of(finish(run))) == 80


def test_a_new_pool_has_votes_on_random_texts_once_accepted_rows_have_theirs(dataset, versions, project, tmp_path):
    run = finish(start(dataset.project, dataset, versions, renews_accepted=False))
    next_generation(run, make_pool(project, tmp_path, name="other", noise=0.05))
    work_off(("io", "consensus"))
    assert ballots_of(run) is None
