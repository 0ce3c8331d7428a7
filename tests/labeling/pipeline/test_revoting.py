"""A newer pool votes again: open texts ahead of the people, accepted rows when the queue is empty."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from labeling.labels.actions.verdicts import undo
from labeling.labels.models import Consensus, ItemState, Label, Lease, ReviewItem, Vote
from labeling.pipeline.work import do_one
from labeling.review.actions import claim
from labeling.runs.actions import ask_renewal, cancel_run, pause_run, resume_run
from labeling.runs.models import GenerationOrigin, PoolMember, RunState
from labeling.runs.queries import renewal_cost
from labeling.specialists.models import SpecialistVersion
from labeling.web.errors import ActionError
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import (
    answer,
    do_while,
    finish,
    next_generation,
    open_items,
    run_job,
    start,
    until_chunk,
)
from tests.labeling.pool import make_pool

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
TEXTS = [f"text number {i % 90}" for i in range(100)]  # ten texts stand twice


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def old(project, tmp_path):
    return make_pool(project, tmp_path, noise=0.3)


@pytest.fixture
def better(project, tmp_path):
    """Fakes without noise: they agree on every text."""
    return make_pool(project, tmp_path, name="better", noise=0.0)


@pytest.fixture
def run(project, old, settings):
    settings.CHUNK_ROWS = 20
    return finish(start(project, make_dataset(project, TEXTS), old))


def take_back(run, user, mark="f"):
    return undo(project=run.project, user_id=user.pk, client_id=mark * 32)


def test_texts_that_the_newer_pool_agrees_on_leave_the_queue(run, better):
    hard = run.hard
    generation = next_generation(run, better)
    until_chunk(run, "renew")
    run.refresh_from_db()
    generation.refresh_from_db()
    assert hard > 20
    assert (run.hard, run.accepted, run.state) == (0, 100, RunState.REVIEWING)
    assert (generation.voted_again, generation.taken_off) == (hard, hard)
    assert set(ReviewItem.objects.values_list("state", flat=True)) == {ItemState.WITHDRAWN}
    labels = Label.objects.filter(is_current=True, run=run, generation=1, source="consensus")
    assert labels.count() == hard
    assert_counters_equal_recount(run)


def test_accepted_rows_get_new_labels_when_the_queue_is_empty(run, better):
    accepted, before = run.accepted, dict(Label.objects.filter(is_current=True).values_list("sample", "label_class"))
    generation = next_generation(run, better)
    finish(run)
    generation.refresh_from_db()
    labels = dict(Label.objects.filter(is_current=True).values_list("sample", "label_class"))
    changed = sum(labels[sample] != label_class for sample, label_class in before.items())
    assert (run.state, run.renewed, generation.renewed) == (RunState.DONE, 1, accepted)
    assert (generation.relabeled, changed) == (changed, generation.relabeled)
    assert changed > 0
    assert Label.objects.filter(run=run, generation=0).count() == accepted  # the old labels stay as history
    assert (run_job(run).state, run_job(run).progress) == ("done", run_job(run).total)
    assert_counters_equal_recount(run)


def test_accepted_rows_wait_until_the_queue_is_empty_or_a_manager_asks(run, project, tmp_path):
    next_generation(run, make_pool(project, tmp_path, name="similar", noise=0.25))
    assert finish(run).renewed == 0
    assert 0 < run.to_review < run.hard + 1
    ask_renewal(run=run)
    finish(run)
    assert (run.renewed, run.is_renewal_asked, run.state) == (1, False, RunState.REVIEWING)
    assert set(Consensus.objects.filter(is_current=True).values_list("generation", flat=True)) == {1}
    with pytest.raises(ActionError, match="No newer"):
        ask_renewal(run=run)
    assert_counters_equal_recount(run)


def test_a_text_on_a_screen_stays_and_one_whose_lease_ended_leaves(run, better, user):
    held = claim(project=run.project, user_id=user.pk, n=2)
    Lease.objects.filter(item=held[1].item).update(expires_at=timezone.now() - timedelta(seconds=1))
    next_generation(run, better)
    finish(run)
    assert [item.pk for item in open_items(run)] == [held[0].item.pk]
    assert Lease.objects.count() == 1
    assert_counters_equal_recount(run)
    answer(run, user)
    assert finish(run).state == RunState.DONE
    assert_counters_equal_recount(run)


def test_an_answer_while_the_pool_computes_is_the_label_and_counts_once(run, better, user):
    item = open_items(run)[0]
    next_generation(run, better)
    until_chunk(run, "revote")
    do_while(lambda: answer(run, user, [item]))
    finish(run)
    item.refresh_from_db()
    assert (item.state, run.decided) == (ItemState.DECIDED, item.copies)
    assert set(Label.objects.filter(sample=item.sample, is_current=True).values_list("source", flat=True)) == {"human"}
    assert_counters_equal_recount(run)


def test_an_answer_after_the_text_was_taken_off_is_the_label_too(run, better, user):
    item = open_items(run)[0]
    next_generation(run, better)
    finish(run)
    answer(run, user, [item])
    item.refresh_from_db()
    assert (item.state, run.decided, run.accepted) == (ItemState.DECIDED, 0, 100)
    assert Label.objects.get(sample=item.sample, is_current=True).source == "human"
    assert_counters_equal_recount(run)
    take_back(run, user)
    item.refresh_from_db()
    assert item.state == ItemState.WITHDRAWN
    assert Label.objects.get(sample=item.sample, is_current=True).source == "consensus"
    assert_counters_equal_recount(run)


def test_a_worse_pool_sends_accepted_rows_to_review_and_never_touches_a_persons_label(
    project, old, better, user, tmp_path
):
    run = finish(start(project, make_dataset(project, TEXTS), old, min_agree=2))
    answer(run, user)
    person = set(Label.objects.filter(is_current=True, source="human").values_list("id", "label_class"))
    items = set(ReviewItem.objects.values_list("id", flat=True))
    next_generation(run, make_pool(project, tmp_path, name="worse", noise=[0.0, 0.9, 0.9]))
    finish(run)
    assert (run.state, run.renewed) == (RunState.REVIEWING, 1)
    assert run.to_review > 10
    assert not items & {item.pk for item in open_items(run)}
    assert set(Label.objects.filter(is_current=True, source="human").values_list("id", "label_class")) == person
    assert_counters_equal_recount(run)


def test_rolling_back_takes_the_stored_votes_and_opens_the_same_items_again(run, old, better):
    hard, items = run.hard, {item.pk for item in open_items(run)}
    next_generation(run, better)
    finish(run)
    votes = Vote.objects.count()
    next_generation(run, old, GenerationOrigin.ROLLBACK)
    finish(run)
    assert (run.hard, {item.pk for item in open_items(run)}) == (hard, items)
    assert Vote.objects.count() == votes
    assert set(PoolMember.objects.filter(generation__number=2).values_list("seconds", flat=True)) == {0.0}
    assert_counters_equal_recount(run)


def test_the_job_ends_when_people_decide_everything_while_texts_are_voted_on_again(project, old, better, user):
    run = finish(start(project, make_dataset(project, TEXTS), old, renews_accepted=False))
    next_generation(run, better)
    until_chunk(run, "revote")
    do_while(lambda: answer(run, user))
    finish(run)
    assert (run.state, run_job(run).state, run.decided) == (RunState.DONE, "done", run.hard)
    assert_counters_equal_recount(run)


def test_a_round_that_cannot_start_says_why_and_the_run_ends_all_the_same(project, old, user):
    run = finish(start(project, make_dataset(project, TEXTS), old, beta=5))
    SpecialistVersion.objects.filter(pk=old[0].pk).update(pruned_at=timezone.now())
    answer(run, user)
    finish(run)
    assert (run.state, run.learned) == (RunState.DONE, 0)
    assert "cannot learn" in run_job(run).error


def test_undo_after_a_round_brings_the_text_back_and_a_screen_keeps_it(run, better, user):
    items = open_items(run)
    answer(run, user, items[:3])
    next_generation(run, better)
    finish(run)
    assert run.state == RunState.DONE
    item = take_back(run, user)
    run.refresh_from_db()
    assert (run.state, run.to_review) == (RunState.REVIEWING, items[2].copies)
    assert [one.pk for one in open_items(run)] == [item.pk]
    next_generation(run, better)
    finish(run)
    assert [one.pk for one in open_items(run)] == [item.pk]
    assert_counters_equal_recount(run)


@pytest.mark.parametrize("stage", ["revote", "renew"])
def test_pause_and_resume_while_it_votes_again(run, better, stage):
    next_generation(run, better)
    until_chunk(run, stage)
    run.refresh_from_db()
    pause_run(run=run)
    assert finish(run).state == RunState.PAUSED
    assert run_job(run).stage == stage
    resume_run(run=run)
    assert finish(run).state == RunState.DONE
    assert_counters_equal_recount(run)


@pytest.mark.parametrize("stage", ["vote", "revote", "renew"])
def test_cancel_in_the_middle_of_a_part_leaves_true_counters(project, old, better, stage, settings):
    settings.CHUNK_ROWS = 20
    run = start(project, make_dataset(project, TEXTS), old)
    if stage != "vote":
        next_generation(finish(run), better)
    until_chunk(run, stage)
    do_while(lambda: cancel_run(run=run))
    finish(run)
    assert run.state == RunState.CANCELLED
    assert open_items(run) == []
    assert_counters_equal_recount(run)
    with pytest.raises(ActionError, match="cancelled"):
        next_generation(run, better)


@pytest.mark.parametrize("stage", ["revote", "renew"])
def test_a_part_done_twice_changes_nothing(run, better, stage):
    next_generation(run, better)
    until_chunk(run, stage)

    def lose():
        run_job(run).chunks.filter(state="running").update(lease_until=timezone.now() - timedelta(seconds=1))
        assert do_one(("consensus",), "other")

    do_while(lose)
    assert finish(run).state == RunState.DONE
    assert Consensus.objects.filter(run=run, generation=1).count() == 100
    assert_counters_equal_recount(run)


def test_a_generation_opened_while_rows_are_voted_on_takes_the_later_parts(project, old, better, settings):
    settings.CHUNK_ROWS = 20
    run = start(project, make_dataset(project, TEXTS), old)
    until_chunk(run, "vote")
    do_while(lambda: next_generation(run, better))
    numbers = Consensus.objects.filter(run=run).values_list("generation", flat=True)
    assert set(numbers) == {0}
    assert do_one(("consensus",), "test")
    assert set(numbers.all()) == {0, 1}
    finish(run)
    assert (run.state, run.hard, run.renewed) == (RunState.DONE, 0, 1)
    assert_counters_equal_recount(run)


def test_the_cost_of_a_renewal_is_told_from_what_was_measured(run, old, better):
    PoolMember.objects.update(seconds=50.0)
    next_generation(run, [*old[:2], better[0]])
    run.refresh_from_db()
    assert (renewal_cost(run).rows, renewal_cost(run).seconds) == (run.accepted, None)
    next_generation(run, [old[1], old[0], old[2]])
    run.refresh_from_db()
    assert renewal_cost(run).seconds == 0.0
    finish(run)
    assert renewal_cost(run).rows == (run.accepted if run.is_renewal_due else 0)


def test_a_revote_takes_the_same_statements_however_many_rows(project, tmp_path, old):
    worse, counts, hard = make_pool(project, tmp_path, name="worse", noise=[0.0, 1.0, 1.0]), [], []
    for count in (20, 80):
        run = finish(start(project, make_dataset(project, [f"text {i} of {count}" for i in range(count)]), worse))
        next_generation(run, old)
        until_chunk(run, "revote")
        with CaptureQueriesContext(connection) as statements:
            assert do_one(("consensus",), "test")
        counts.append(len(statements))
        hard.append(run.generations.get(number=1).voted_again)
    assert hard[1] > 2 * hard[0]
    assert counts[0] == counts[1] < 50
