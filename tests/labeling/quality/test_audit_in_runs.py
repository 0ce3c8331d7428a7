"""What newer pools do with texts that an audit waits for, and with those that it has labeled."""

import pytest

from annotator_core.types import LabelSource
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.actions.rows import ConsensusRow
from labeling.labels.models import Consensus, ItemReason, ItemState, ReviewItem
from labeling.pipeline.fates import fates_now
from labeling.quality.actions import ask_assessment, draw_audit
from labeling.quality.figures import from_json
from labeling.quality.models import Assessment
from labeling.quality.row_queries import Fate
from labeling.review.actions import claim
from labeling.runs.queries import highest_cut
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_project, make_user
from tests.labeling.generations import finish, next_generation, open_items, rescale, single, start
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.audits import answer_items, audit_items, framed, make_framed
from tests.labeling.refinement.learning import answer_to

pytestmark = pytest.mark.django_db


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
def dataset(project):
    return make_framed(project, texts=100, copies=10, frame=60)


def test_a_text_that_nobody_doubts_any_more_waits_on_for_the_audit_alone(dataset, old, better, user):
    run = finish(start(dataset.project, dataset, old, renews_accepted=False))
    draw_audit(dataset=dataset, count=60, by=user)
    joined = {item.pk for item in audit_items(dataset) if item.run_id}
    next_generation(run, better)
    finish(run)
    assert (len(joined) > 5, joined <= {item.pk for item in audit_items(dataset)}) == (True, True)
    assert {item.run_id for item in audit_items(dataset)} == {None}
    assert (run.hard, run.accepted, len(audit_items(dataset))) == (0, 100, 60)
    assert_counters_equal_recount(run)


def test_a_text_that_is_hard_again_is_the_runs_and_the_audits(dataset, old, better, user):
    run = finish(start(dataset.project, dataset, old))
    hard = {item.text_hash for item in open_items(run)}
    draw_audit(dataset=dataset, count=60, by=user)
    drawn = {item.text_hash for item in audit_items(dataset)}
    next_generation(run, better)
    finish(run)
    next_generation(run, old)
    finish(run)
    items = ReviewItem.objects.filter(run=run, state=ItemState.OPEN)
    assert {item.text_hash for item in items} == hard
    assert {item.text_hash for item in items if item.reason == ItemReason.AUDIT} == hard & drawn
    assert_counters_equal_recount(run)


def test_a_text_on_a_screen_stays_there_for_the_run(dataset, old, better, user):
    run = finish(start(dataset.project, dataset, old, renews_accepted=False))
    draw_audit(dataset=dataset, count=60, by=user)
    ReviewItem.objects.exclude(run=None).filter(reason=ItemReason.AUDIT).update(priority=-1)
    held = claim(project=dataset.project, user_id=user.pk)[0].item
    next_generation(run, better)
    finish(run)
    assert ([item.pk for item in open_items(run)], held.reason) == ([held.pk], ItemReason.AUDIT)
    assert_counters_equal_recount(run)


def test_labels_of_a_renewal_are_measured_though_audited_rows_keep_their_votes(dataset, old, better, user):
    """A person's label keeps a row out of the renewal; the others get labels of the better pool, all right."""
    run = finish(start(dataset.project, dataset, old, min_agree=2))
    class_ids = sorted(dataset.project.classes.values_list("id", flat=True))
    draw_audit(dataset=dataset, count=60, by=user)
    answer_items(audit_items(dataset), user, lambda item: class_ids[answer_to(item.sample.text)])
    ask_assessment(run=run)
    work_off(("io", "consensus"))
    before = from_json(Assessment.objects.first().figures).accepted
    answer_items(open_items(run), user, lambda item: class_ids[answer_to(item.sample.text)])
    next_generation(run, better)
    finish(run)
    after = from_json(Assessment.objects.first().figures).accepted
    kept = Consensus.objects.filter(run=run, is_current=True, route="accept", generation=0)
    assert (run.renewed, kept.count() > 20) == (1, True)
    assert (before.value < 1, after.value, after.rows >= before.rows) == (True, 1.0, True)


def truth(item):
    """The class that a fake without noise gives."""
    return sorted(item.project.classes.values_list("id", flat=True))[answer_to(item.sample.text)]


def measured(run):
    """What the audit says of the run now."""
    ask_assessment(run=run)
    work_off(("io", "consensus"))
    return from_json(Assessment.objects.filter(run=run).first().figures)


def test_a_hard_text_answered_before_the_run_stands_for_those_that_leave_the_queue(dataset, old, better, user):
    """The run never asks anybody for it; the others like it are accepted as soon as nobody doubts them any more."""
    draw_audit(dataset=dataset, count=60, by=user)
    answer_items(audit_items(dataset), user, truth)
    run = finish(start(dataset.project, dataset, old, renews_accepted=False))
    hard = Consensus.objects.filter(run=run, route="review", sample__text_hash__in=framed(dataset))
    texts = hard.values("sample__text_hash").distinct().count()
    before = measured(run).accepted
    next_generation(run, better)
    after = measured(finish(run)).accepted
    assert (texts > 5, before.rows, after.rows) == (True, 60 - texts, 60)
    assert_counters_equal_recount(run)


@pytest.mark.parametrize("is_promoted", [False, True])
def test_a_text_that_an_earlier_run_asked_for_is_a_reviewed_one(dataset, old, better, user, is_promoted):
    """So are all that it asked for: whether this run accepts them or not, people's labels stand there."""
    first = finish(start(dataset.project, dataset, old, renews_accepted=False))
    asked = {item.text_hash for item in open_items(first)} & framed(dataset)
    answer_items(open_items(first), user, truth)
    draw_audit(dataset=dataset, count=60, by=user)
    answer_items(audit_items(dataset), user, truth)
    run = finish(start(dataset.project, dataset, old if is_promoted else better))
    if is_promoted:
        next_generation(run, better)
        finish(run)
    assert (len(asked) > 5, measured(run).accepted.rows) == (True, 60 - len(asked))


def test_under_a_budget_the_highest_cut_tells_which_texts_would_leave_the_queue(dataset, old, better):
    run = finish(start(dataset.project, dataset, old, review_budget=20))
    generation, (cut, _hash) = next_generation(run, better), highest_cut(run)
    stored = [Fate(1, "review", 0)] * 3
    fresh = [
        ConsensusRow(1, str(by), class_id, 0, cut + by, 0.9, None) for by, class_id in ((0.1, 2), (-0.1, 2), (0, None))
    ]
    assert [fate.route for fate in fates_now(run, generation, stored, fresh)] == ["accept", "review", "review"]
    anew = rescale(run, single(2))
    assert {fate.route for fate in fates_now(run, anew, stored, fresh)} == {"review"}


def test_labels_that_came_in_as_verified_are_none_of_the_pools(dataset, old, user):
    """All labels are right where each is verified, however often the pool would have erred."""
    class_ids = sorted(dataset.project.classes.values_list("id", flat=True))
    rows = [LabelRow(one.pk, class_ids[answer_to(one.text)]) for one in dataset.samples.all()]
    set_labels(rows=rows, source=LabelSource.IMPORTED)
    run = finish(start(dataset.project, dataset, old, min_agree=2))
    draw_audit(dataset=dataset, count=60, by=user)
    figures = measured(run)
    assert (figures.accepted.value < 1, figures.overall.value) == (True, 1.0)
