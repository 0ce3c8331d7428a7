"""A review budget when a newer pool votes again: what leaves the queue, and what is left of the budget."""

import pytest

from labeling.labels.models import Consensus
from labeling.pipeline.work import do_one
from labeling.runs.actions import ask_renewal, cancel_run, pause_run, resume_run
from labeling.runs.models import PoolGeneration, RunState
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import answer, do_while, finish, next_generation, open_items, start, until_chunk
from tests.labeling.pool import make_pool

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
TEXTS = [f"text number {i % 90}" for i in range(100)]
BUDGET = 30


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def other(project, tmp_path):
    return make_pool(project, tmp_path, name="other", noise=0.05)


@pytest.fixture
def run(project, tmp_path, settings):
    settings.CHUNK_ROWS = 20
    versions = make_pool(project, tmp_path, noise=0.3)
    return finish(start(project, make_dataset(project, TEXTS), versions, review_budget=BUDGET))


def cut_of(run, number):
    return PoolGeneration.objects.values_list("cut_score", "cut_hash").get(run=run, number=number)


def unrouted(run):
    return Consensus.objects.filter(run=run, is_current=True, route=None)


def test_a_generation_keeps_the_cut_and_texts_above_it_leave(run, other):
    generation = next_generation(run, other)
    assert cut_of(run, 1) == cut_of(run, 0)
    finish(run)
    generation.refresh_from_db()
    rows = Consensus.objects.filter(run=run, is_current=True, generation=1)
    pairs = rows.values_list("score", "sample__text_hash", "route")
    assert {(score, text_hash) <= cut_of(run, 0) for score, text_hash, route in pairs if route == "review"} == {True}
    assert {(score, text_hash) <= cut_of(run, 0) for score, text_hash, route in pairs if route == "accept"} == {False}
    assert generation.taken_off == sum(route == "accept" for *_pair, route in pairs) > 0
    assert_counters_equal_recount(run)


def test_accepted_rows_wait_for_a_new_cut_over_the_rest_of_the_budget(run, other):
    next_generation(run, other)
    finish(run)
    spent = run.hard
    ask_renewal(run=run)
    until_chunk(run, "cut")
    assert unrouted(run).count() == 100 - BUDGET
    assert spent < BUDGET
    assert_counters_equal_recount(run)
    finish(run)
    assert (run.state, run.renewed, unrouted(run).count()) == (RunState.REVIEWING, 1, 0)
    assert BUDGET - 2 <= run.hard <= BUDGET  # a text that stands twice may not fit any more
    assert PoolGeneration.objects.get(run=run, number=1).renewed == 100 - BUDGET
    assert_counters_equal_recount(run)


def test_a_spent_budget_sends_nothing_more_and_the_next_pool_keeps_the_queue(run):
    next_generation(run, pool_of_before(run))
    ask_renewal(run=fresh(run))
    finish(run)
    assert (run.hard, cut_of(run, 1)) == (BUDGET, (-1.0, ""))
    before = {item.pk for item in open_items(run)}
    next_generation(run, pool_of_before(run))
    finish(run)
    assert {item.pk for item in open_items(run)} == before
    assert_counters_equal_recount(run)


def fresh(run):
    run.refresh_from_db()
    return run


def pool_of_before(run):
    return [member.version for member in run.generations.get(number=0).members.select_related("version__specialist")]


def test_a_generation_between_two_parts_of_a_renewal_leaves_no_row_without_a_route(run, other, project, tmp_path):
    next_generation(run, other)
    answer(run, make_user())
    until_chunk(run, "renew")
    assert do_one(("consensus",), "test")
    assert unrouted(run).count() > 0
    next_generation(run, make_pool(project, tmp_path, name="third", noise=0.1))
    finish(run)
    assert (run.renewed, unrouted(run).count()) == (2, 0)
    assert_counters_equal_recount(run)
    answer(run, make_user())
    assert finish(run).state == RunState.DONE
    assert_counters_equal_recount(run)


@pytest.mark.parametrize("stage", ["cut", "route"])
def test_pause_and_cancel_around_the_second_cut(run, other, stage):
    next_generation(run, other)
    ask_renewal(run=fresh(run))
    until_chunk(run, stage)
    pause_run(run=fresh(run))
    assert finish(run).state == RunState.PAUSED
    resume_run(run=run)
    cancel_run(run=fresh(run))
    finish(run)
    assert run.state == RunState.CANCELLED
    assert_counters_equal_recount(run)


def test_an_answer_while_accepted_rows_are_voted_on_again_stays(run, other):
    user = make_user()
    answer(run, user, open_items(run)[1:])
    next_generation(run, other)
    ask_renewal(run=fresh(run))
    until_chunk(run, "renew")
    items = open_items(run)
    do_while(lambda: answer(run, user, items))
    finish(run)
    assert run.hard <= BUDGET
    assert_counters_equal_recount(run)
