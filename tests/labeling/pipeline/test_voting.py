"""A run through its real jobs, with torch-free specialists."""

from uuid import UUID

import numpy as np
import pytest
from django.db.models import Count

from annotator_core.fakes.specialist import FakeSettings, find_answer
from labeling.jobs.models import ChunkState, JobState
from labeling.labels.actions.verdicts import decide, undo
from labeling.labels.engine import unpack
from labeling.labels.models import Consensus, ItemState, Label, ReviewItem, Vote
from labeling.pipeline.work import do_one
from labeling.runs.actions import cancel_run, job_of_run, pause_run, resume_run, retry_run, start_run
from labeling.runs.models import RunState
from labeling.runs.policies import Policy
from labeling.runs.queries import pool_of
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.pool import make_pool, work_off

pytestmark = pytest.mark.django_db
TEXTS = [f"text number {i % 90}" for i in range(100)]  # ten texts stand twice


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def dataset(project):
    return make_dataset(project, TEXTS)


def start(project, dataset, versions, **policy):
    policy = {"min_agree": len(versions)} | policy
    return start_run(project=project, dataset=dataset, versions=versions, policy=Policy(**policy), by=None)


def finish(run):
    work_off()
    run.refresh_from_db()
    return run


def test_every_row_gets_a_vote_of_each_specialist_and_a_route(project, dataset, tmp_path, settings):
    settings.CHUNK_ROWS = 16
    run = finish(start(project, dataset, make_pool(project, tmp_path)))
    assert Vote.objects.filter(sample__dataset=dataset).count() == 300
    assert (run.voted, run.accepted + run.hard, run.state) == (100, 100, RunState.REVIEWING)
    assert job_of_run(run).state == JobState.DONE
    assert 0 < run.hard < 60
    assert_counters_equal_recount(run)


def test_agreement_gives_the_label_with_its_source_and_confidence(project, dataset, tmp_path):
    run = finish(start(project, dataset, make_pool(project, tmp_path, noise=0.0)))
    names = ("negative", "neutral", "positive")
    wanted = [names[find_answer(text, FakeSettings(labels=names))] for text in TEXTS]
    labels = Label.objects.filter(sample__dataset=dataset, is_current=True).order_by("sample__position")
    assert list(labels.values_list("label_class__name", flat=True)) == wanted
    assert set(labels.values_list("source", flat=True)) == {"consensus"}
    assert all(0.5 < confidence <= 1 for confidence in labels.values_list("confidence", flat=True))
    assert (run.state, run.hard, ReviewItem.objects.count()) == (RunState.DONE, 0, 0)


def test_equal_texts_get_equal_votes_one_item_and_one_verdict(project, dataset, tmp_path, settings):
    settings.CHUNK_ROWS = 30
    run = finish(start(project, dataset, make_pool(project, tmp_path, noise=0.5)))
    items = ReviewItem.objects.filter(run=run)
    doubled = items.annotate(n=Count("pk")).filter(copies=2)
    assert items.count() == len(set(items.values_list("text_hash", flat=True))) < run.hard
    item = doubled.first()
    user = make_user()
    class_id = project.classes.first().pk
    decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=UUID("a" * 32))
    run.refresh_from_db()
    assert run.decided == 2
    assert_counters_equal_recount(run)


def test_a_verdict_before_the_copys_votes_counts_the_copy_when_it_is_voted_on(project, tmp_path, settings):
    settings.CHUNK_ROWS = 50
    dataset = make_dataset(project, TEXTS)
    run = start(project, dataset, make_pool(project, tmp_path, noise=0.6))
    assert do_one(["io"], "test")
    assert do_one(["consensus"], "test")
    assert run.dataset.samples.count() == 100
    user = make_user()
    for number, item in enumerate(ReviewItem.objects.filter(run=run, copies=2).order_by("pk")):
        decide(
            item_id=item.pk,
            project=project,
            user_id=user.pk,
            class_id=project.classes.first().pk,
            client_id=UUID(int=number),
        )
    run = finish(run)
    assert run.voted == 100
    assert_counters_equal_recount(run)


def test_reviewing_everything_ends_the_run(project, dataset, tmp_path):
    run = finish(start(project, dataset, make_pool(project, tmp_path)))
    user = make_user()
    for number, item in enumerate(ReviewItem.objects.filter(run=run)):
        decide(
            item_id=item.pk,
            project=project,
            user_id=user.pk,
            class_id=project.classes.last().pk,
            client_id=UUID(int=number),
        )
    run.refresh_from_db()
    assert (run.state, run.to_review) == (RunState.DONE, 0)
    assert Label.objects.filter(sample__dataset=dataset, is_current=True).count() == 100


@pytest.mark.parametrize("budget", [0, 7.5, 30, 100])
def test_a_budget_sends_at_most_that_share_of_the_least_certain_rows(project, dataset, tmp_path, settings, budget):
    settings.CHUNK_ROWS = 32
    run = finish(start(project, dataset, make_pool(project, tmp_path), review_budget=budget))
    assert run.hard <= budget
    assert run.hard >= budget - 2  # a text that stands twice may not fit any more
    scores = Consensus.objects.filter(run=run).values_list("score", "route")
    reviewed = [score for score, route in scores if route == "review"]
    accepted = [score for score, route in scores if route == "accept"]
    assert not reviewed or not accepted or max(reviewed) <= min(accepted)
    assert_counters_equal_recount(run)


def test_m_minus_one_agreeing_is_enough_when_so_asked(project, dataset, tmp_path):
    versions = make_pool(project, tmp_path)
    strict = finish(start(project, dataset, versions))
    cancel_run(run=strict)
    work_off()
    loose = finish(start(project, dataset, versions, min_agree=2))
    assert loose.hard < strict.hard
    assert Vote.objects.filter(sample__dataset=dataset).count() == 300  # votes are taken from the first run


def test_votes_of_an_earlier_run_give_the_same_consensus(project, dataset, tmp_path):
    versions = make_pool(project, tmp_path)
    first = finish(start(project, dataset, versions))
    cancel_run(run=first)
    work_off()
    second = finish(start(project, dataset, versions))
    fields = ("sample_id", "label_class_id", "uncertainty", "score", "confidence", "route")
    rows = [
        list(Consensus.objects.filter(run=run).order_by("sample_id").values_list(*fields)) for run in (first, second)
    ]
    assert rows[0] == rows[1]


def test_a_specialist_that_gives_nan_abstains_and_is_counted(project, dataset, tmp_path):
    run = finish(start(project, dataset, make_pool(project, tmp_path, nan_share=[0.0, 0.0, 0.5])))
    member = pool_of(run)[2]
    assert member.voted + member.abstained == 100
    assert 20 < member.abstained < 80
    assert member.note
    silent = Vote.objects.filter(version=member.version, label_class=None)
    assert silent.count() == member.abstained
    assert set(silent.values_list("probs", "top_probability")) == {(None, None)}
    assert_counters_equal_recount(run)


def test_rows_that_nobody_votes_on_go_to_people_even_without_a_budget_for_them(project, dataset, tmp_path):
    run = finish(start(project, dataset, make_pool(project, tmp_path, nan_share=1.0), review_budget=5))
    assert (run.hard, run.accepted) == (100, 0)


def test_a_specialist_that_crashes_leaves_dead_parts_and_nothing_half_done(project, dataset, tmp_path, settings):
    settings.CHUNK_ROWS = 50
    versions = make_pool(project, tmp_path)
    broken = make_pool(project, tmp_path, count=1, name="broken", crash_from_call=2, crash_calls=3)
    run = start(project, dataset, [*versions, *broken])
    for _try in range(12):
        job_of_run(run).chunks.update(not_before=None)
        work_off()
    run.refresh_from_db()
    job = job_of_run(run)
    dead = job.chunks.get(state=ChunkState.DEAD)
    assert (run.state, run.voted, job.state) == (RunState.RUNNING, 50, JobState.RUNNING)
    assert Consensus.objects.filter(run=run).count() == 50
    assert "broken-0" in dead.error
    assert retry_run(run=run) == 1
    assert finish(run).voted == 100
    assert_counters_equal_recount(run)


def test_pause_stops_claims_and_resume_goes_on(project, dataset, tmp_path, settings):
    settings.CHUNK_ROWS = 25
    run = start(project, dataset, make_pool(project, tmp_path))
    do_one(["io"], "test")
    do_one(["consensus"], "test")
    run.refresh_from_db()
    pause_run(run=run)
    assert finish(run).voted == 25
    assert run.state == RunState.PAUSED
    resume_run(run=run)
    assert finish(run).voted == 100


def test_cancel_keeps_votes_and_verdicts_and_withdraws_open_items(project, dataset, tmp_path):
    run = finish(start(project, dataset, make_pool(project, tmp_path)))
    item = ReviewItem.objects.filter(run=run).first()
    user = make_user()
    decide(
        item_id=item.pk, project=project, user_id=user.pk, class_id=project.classes.first().pk, client_id=UUID("b" * 32)
    )
    cancel_run(run=run)
    finish(run)
    assert run.state == RunState.CANCELLED
    assert set(ReviewItem.objects.exclude(pk=item.pk).values_list("state", flat=True)) == {ItemState.WITHDRAWN}
    assert Vote.objects.filter(sample__dataset=dataset).count() == 300
    assert Label.objects.filter(sample=item.sample, source="human", is_current=True).exists()


def test_stored_probabilities_sum_to_one(project, dataset, tmp_path):
    finish(start(project, dataset, make_pool(project, tmp_path)))
    blobs = [bytes(blob) for blob in Vote.objects.values_list("probs", flat=True)]
    assert np.allclose(unpack(blobs, 3).sum(axis=1), 1, atol=2e-3)


def test_undoing_in_a_finished_run_leaves_it_done_while_another_is_active(project, dataset, tmp_path):
    versions = make_pool(project, tmp_path)
    run = finish(start(project, dataset, versions))
    user = make_user()
    class_id = project.classes.last().pk
    for number, item in enumerate(ReviewItem.objects.filter(run=run)):
        decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=UUID(int=number))
    second = finish(start(project, dataset, versions))
    assert second.state == RunState.DONE  # people have decided all its hard rows before
    third = start(project, dataset, versions)
    undo(project=project, user_id=user.pk, client_id="f" * 32)
    run.refresh_from_db()
    assert (run.state, finish(third).state) == (RunState.DONE, RunState.REVIEWING)
    assert_counters_equal_recount(run)
