"""A review budget when an audit changes how votes are combined: the cut is found anew over all that is undecided."""

from random import Random

import pytest

from annotator_core.types import Route
from labeling.labels.models import Consensus, Label, Vote
from labeling.pipeline.work import do_one
from labeling.review.actions import claim
from labeling.runs.actions import pause_run, resume_run
from labeling.runs.models import PoolGeneration, RunState
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import (
    QUEUES,
    answer,
    facts_of,
    finish,
    next_generation,
    open_items,
    rescale,
    single,
    start,
    until_chunk,
)
from tests.labeling.pool import make_pool

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]
TEXTS = [f"text number {i % 90}" for i in range(100)]  # ten texts stand twice
BUDGET = 30


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path, noise=[0.2, 0.3, 0.6])


@pytest.fixture
def run(project, versions, settings):
    settings.CHUNK_ROWS = 20
    return finish(start(project, make_dataset(project, TEXTS), versions, review_budget=BUDGET))


def routes_of(run, *fields):
    rows = Consensus.objects.filter(run=run, is_current=True).order_by("score", "sample__text_hash")
    return list(rows.values_list(*fields, "route"))


def least_certain(run):
    """Text hashes in rising order of (score, hash), as far as the budget reaches."""
    pairs = [text_hash for text_hash, _route in routes_of(run, "sample__text_hash")]
    border = max(count for count in range(BUDGET + 1) if count == 100 or pairs[count - 1] != pairs[count])
    return set(pairs[:border])


def reviewed(run):
    return {text_hash for text_hash, route in routes_of(run, "sample__text_hash") if route == Route.REVIEW}


def test_the_least_certain_rows_under_the_new_scores_are_reviewed_and_no_model_is_asked(run):
    before, votes = reviewed(run), Vote.objects.count()
    rescale(run, single(2))
    finish(run)
    generation = run.generations.get(number=1)
    assert reviewed(run) == least_certain(run) != before
    assert generation.taken_off > 0
    assert (run.state, run.renewed, set(generation.members.values_list("seconds", flat=True))) == (
        RunState.REVIEWING,
        1,
        {0.0},
    )
    assert Vote.objects.count() == votes
    assert_counters_equal_recount(run)


def test_decided_rows_count_and_keep_their_labels(run, user):
    answer(run, user, open_items(run)[::2])
    person = set(Label.objects.filter(is_current=True, source="human").values_list("id", "label_class"))
    decided = run.decided
    rescale(run, single(2))
    finish(run)
    assert (run.decided, run.hard <= BUDGET) == (decided, True)
    assert run.to_review > 0
    assert set(Label.objects.filter(is_current=True, source="human").values_list("id", "label_class")) == person
    assert_counters_equal_recount(run)


def test_what_stands_on_a_screen_stays_and_counts(run, user):
    held = [lease.item for lease in claim(project=run.project, user_id=user.pk, n=20)]
    rescale(run, single(2))
    finish(run)
    staying = {item.text_hash for item in held}
    assert staying <= reviewed(run)
    assert staying - least_certain(run)
    assert run.hard <= BUDGET
    assert_counters_equal_recount(run)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_budget_is_never_exceeded_whatever_people_do_meanwhile(run, user, seed):
    """Between any two parts people take texts on their screens, decide some, and the winner changes again."""
    random = Random(seed)
    for index in (2, 0, 1):
        rescale(run, single(index))
        while do_one(QUEUES, "test"):
            run.refresh_from_db()
            assert run.hard <= BUDGET
            if random.random() < 0.2:
                claim(project=run.project, user_id=user.pk, n=random.randrange(1, 4))
            if random.random() < 0.2 and (items := open_items(run)):
                answer(run, user, random.sample(items, min(2, len(items))))
        assert_counters_equal_recount(run)
    assert not Consensus.objects.filter(run=run, is_current=True, route=None).exists()


@pytest.mark.parametrize("stage", ["revote", "renew", "recut", "leave", "route"])
def test_a_part_that_is_killed_and_done_again_changes_nothing(run, stage, lose_part):
    rescale(run, single(2))
    until_chunk(run, stage)
    lose_part(run)
    finish(run)
    assert reviewed(run) == least_certain(run)
    assert Consensus.objects.filter(run=run, generation=1).count() == 100
    assert_counters_equal_recount(run)


def test_the_same_winner_twice_gives_the_same_rows(run, versions, project):
    rescale(run, single(2))
    again = finish(start(project, make_dataset(project, TEXTS), versions, review_budget=BUDGET))
    rescale(again, single(2))
    finish(again)
    run.refresh_from_db()
    assert facts_of(run) == facts_of(again)


def test_a_winner_while_votes_come_in_scores_the_first_rows_anew_before_the_first_cut(
    project, versions, settings, run, user
):
    answer(run, user)
    other = start(project, make_dataset(project, TEXTS), versions, review_budget=BUDGET)
    until_chunk(other, "vote")
    assert do_one(("consensus",), "test")
    rescale(other, single(2))
    finish(other)
    assert reviewed(other) == least_certain(other)
    assert set(Consensus.objects.filter(run=other, is_current=True).values_list("generation", flat=True)) == {1}
    assert (other.state, other.renewed) == (RunState.REVIEWING, 1)
    assert_counters_equal_recount(other)


@pytest.mark.parametrize("stage", ["cut", "route"])
def test_a_winner_around_a_cut_leaves_no_row_without_a_route(project, versions, run, stage, user):
    answer(run, user)
    other = start(project, make_dataset(project, TEXTS), versions, review_budget=BUDGET)
    until_chunk(other, stage)
    rescale(other, single(2))
    finish(other)
    assert reviewed(other) == least_certain(other)
    assert_counters_equal_recount(other)


@pytest.mark.parametrize("stage", ["recut", "leave"])
def test_pause_and_resume_around_the_new_cut(run, stage):
    rescale(run, single(2))
    until_chunk(run, stage)
    run.refresh_from_db()
    pause_run(run=run)
    assert finish(run).state == RunState.PAUSED
    resume_run(run=run)
    assert finish(run).state == RunState.REVIEWING
    assert reviewed(run) == least_certain(run)
    assert_counters_equal_recount(run)


def test_the_next_round_goes_on_from_the_new_cut(run, project, tmp_path):
    rescale(run, single(2))
    finish(run)
    old = PoolGeneration.objects.get(run=run, number=0)
    cut = PoolGeneration.objects.get(run=run, number=1).cut_score
    assert cut != old.cut_score
    assert next_generation(run, [member.version for member in old.members.all()]).cut_score == cut
    assert finish(run).hard <= BUDGET
    assert_counters_equal_recount(run)
