"""What newer pools do with texts that an audit waits for, and with those that it has labeled."""

import pytest

from labeling.labels.models import Consensus, ItemReason, ItemState, ReviewItem
from labeling.quality.actions import ask_assessment, draw_audit
from labeling.quality.figures import from_json
from labeling.quality.models import Assessment
from labeling.review.actions import claim
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_project, make_user
from tests.labeling.generations import finish, next_generation, open_items, start
from tests.labeling.pool import make_pool, work_off
from tests.labeling.quality.audits import answer_items, audit_items, make_framed
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
