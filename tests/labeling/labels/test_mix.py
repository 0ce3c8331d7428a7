"""Accepted rows drawn at random, reviewed among the hard ones."""

import pytest

from annotator_core.types import LabelSource
from labeling.datasets.models import Dataset
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import Consensus, ItemReason, ReviewItem
from labeling.refinement.queries import round_at_work
from labeling.runs.models import RunState
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import (
    answer,
    do_while,
    end_round,
    finish,
    next_generation,
    open_items,
    start,
    until_chunk,
)
from tests.labeling.pool import make_pool

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
TEXTS = [f"text number {i % 90}" for i in range(100)]
SHARE = {"beta": 10, "random_share": 0.5, "renews_accepted": False}


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path, noise=0.25)


def drawn(run):
    items = ReviewItem.objects.filter(run=run, reason=ItemReason.RANDOM)
    return set(items.values_list("text_hash", flat=True))


def test_half_a_pool_of_accepted_texts_stands_among_the_hard_ones(project, versions):
    run = finish(start(project, make_dataset(project, TEXTS), versions, **SHARE))
    reasons = [item.reason for item in open_items(run)]
    assert len(drawn(run)) == 5
    assert reasons[:10] == ["hard", "random"] * 5
    assert set(reasons[10:]) == {"hard"}
    assert_counters_equal_recount(run)


def test_all_accepted_copies_of_a_drawn_text_go_to_review(project, versions):
    run = finish(start(project, make_dataset(project, TEXTS), versions, **SHARE | {"beta": 60}))
    rows = Consensus.objects.filter(run=run, sample__text_hash__in=drawn(run))
    assert set(rows.values_list("route", flat=True)) == {"review"}
    assert rows.count() > len(drawn(run)) == 30
    assert_counters_equal_recount(run)


def test_the_same_seed_draws_the_same_texts_and_another_one_others(project, versions):
    runs = [
        finish(start(project, make_dataset(project, TEXTS), versions, **SHARE | {"seed": seed})) for seed in (1, 1, 2)
    ]
    first, second, third = (drawn(run) for run in runs)
    assert first == second != third


def test_neither_the_audit_frame_nor_verified_rows_are_drawn(project, versions):
    dataset = make_dataset(project, TEXTS)
    hashes = sorted(dataset.samples.values_list("text_hash", flat=True))
    Dataset.objects.filter(pk=dataset.pk).update(frame_until=hashes[40])
    dataset.refresh_from_db()
    verified = dataset.samples.filter(text_hash__gt=hashes[70])
    class_id = project.classes.first().pk
    set_labels(rows=[LabelRow(sample.pk, class_id) for sample in verified], source=LabelSource.IMPORTED)
    run = finish(start(project, dataset, versions, **SHARE | {"beta": 40, "random_share": 0.9}))
    assert hashes[40] < min(drawn(run)) <= max(drawn(run)) <= hashes[70]
    assert_counters_equal_recount(run)


def test_each_round_draws_again_and_a_vote_again_leaves_the_drawn_texts_in_their_places(
    project, versions, user, tmp_path
):
    others = make_pool(project, tmp_path, name="other", seed=[7, 8, 9], noise=0.25)
    run = finish(start(project, make_dataset(project, TEXTS), versions, **SHARE))
    answer(run, user, open_items(run)[:10])
    finish(run)
    assert round_at_work(run).random_rows > 0
    assert len(drawn(run)) == 5
    end_round(run, others)
    finish(run)
    assert len(drawn(run)) == 10
    places = [(item.text_hash, item.priority) for item in open_items(run) if item.reason == "random"]
    next_generation(run, versions)
    finish(run)
    assert [(item.text_hash, item.priority) for item in open_items(run) if item.reason == "random"] == places
    assert len(drawn(run)) == 10
    answer(run, user)
    finish(run)
    assert_counters_equal_recount(run)


def test_nothing_is_drawn_where_no_pool_could_be_filled(project, versions, user, tmp_path):
    better = make_pool(project, tmp_path, name="better", noise=0.0)
    run = finish(start(project, make_dataset(project, TEXTS), versions, **SHARE))
    answer(run, user, open_items(run)[:10])
    finish(run)
    end_round(run, better)
    assert (finish(run).state, len(drawn(run)), open_items(run)) == (RunState.DONE, 5, [])
    assert_counters_equal_recount(run)


@pytest.mark.parametrize("budget", [20, 15, 5])
def test_a_budget_holds_the_random_rows_too(project, versions, budget):
    run = finish(start(project, make_dataset(project, TEXTS), versions, review_budget=budget, **SHARE))
    assert run.hard <= budget
    assert bool(drawn(run)) is (budget >= 10)  # where the budget fills a hard pool
    assert_counters_equal_recount(run)


def test_a_run_without_the_option_draws_nothing(project, versions):
    run = finish(start(project, make_dataset(project, TEXTS), versions, beta=10))
    assert (drawn(run), run.state) == (set(), RunState.REVIEWING)


def test_a_run_that_a_better_pool_leaves_without_hard_rows_ends(project, versions, user, tmp_path, settings):
    settings.CHUNK_ROWS = 40
    sure = make_pool(project, tmp_path, name="sure", noise=0.0)
    run = start(project, make_dataset(project, TEXTS), versions, **SHARE)
    until_chunk(run, "vote")
    do_while(lambda: next_generation(run, sure))
    assert (finish(run).state, drawn(run), run.to_review) == (RunState.DONE, set(), 0)
    assert_counters_equal_recount(run)
