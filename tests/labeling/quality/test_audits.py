"""Drawing an audit: random texts of the frame, blind items among the others, and what becomes of them."""

from importlib import import_module
from statistics import mean
from threading import Thread
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import connection
from django.utils import timezone

from annotator_core.contract.frame import third_of
from annotator_core.types import LabelSource
from labeling.datasets.actions.imports import archive_dataset
from labeling.datasets.models import Dataset
from labeling.labels.actions import reopen, undo
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.models import ItemReason, ItemState, Lease, ReviewItem
from labeling.labels.queries import rows_to_review
from labeling.pipeline.voting import advance
from labeling.quality.actions import draw_audit, withdraw_audit
from labeling.quality.models import Audit, AuditRow
from labeling.quality.queries import audit_progress, drawn_hashes
from labeling.review.actions import claim
from labeling.runs.actions import cancel_run
from labeling.web.errors import ActionError
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.datasets.imports import import_file
from tests.labeling.factories import make_project, make_run, make_user
from tests.labeling.generations import run_job
from tests.labeling.quality.audits import answer_items, append_rows, audit_items, framed, make_framed

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def project(user):
    return make_project(user)


@pytest.fixture
def dataset(project):
    """190 texts, 38 of them in the audit frame."""
    return make_framed(project)


def draw(dataset, count=20):
    return draw_audit(dataset=dataset, count=count, by=None)


def progress(dataset):
    found = audit_progress(dataset)
    return found.drawn, found.answered, found.waiting, found.left


def test_a_draw_is_a_random_part_of_the_frame_with_its_probability(dataset, user):
    audit = draw_audit(dataset=dataset, count=20, by=user)
    rows = list(audit.rows.all())
    assert {row.text_hash for row in rows} < framed(dataset)
    assert (audit.number, audit.drawn, audit.frame_texts, audit.created_by) == (1, 20, 38, user)
    assert {row.inclusion for row in rows} == {20 / 190}
    assert [row.third for row in rows] == [third_of(row.text_hash) for row in rows]
    copies = dict(ReviewItem.objects.values_list("text_hash", "copies"))
    assert [row.copies for row in rows] == [copies[row.text_hash] for row in rows]


def test_a_later_draw_goes_on_where_the_one_before_ended(dataset):
    draw(dataset, 10)
    draw(dataset, 15)
    whole = drawn_hashes(dataset.pk)
    assert (len(whole), Audit.objects.filter(dataset=dataset).count()) == (25, 2)
    assert sorted(AuditRow.objects.values_list("inclusion", flat=True).distinct()) == [25 / 190]
    AuditRow.objects.filter(audit__number=1).update(inclusion=10 / 190)  # as it was stored before
    import_module("labeling.quality.migrations.0003_inclusion_of_all_draws").take_newest(apps, None)
    assert sorted(AuditRow.objects.values_list("inclusion", flat=True).distinct()) == [25 / 190]
    AuditRow.objects.all().delete()
    draw(dataset, 25)
    assert drawn_hashes(dataset.pk) == whole


def test_more_than_the_frame_holds_is_refused_with_the_number_left(dataset):
    draw(dataset, 30)
    with pytest.raises(ActionError, match="Only 8 texts are left"):
        draw(dataset, 9)
    draw(dataset, 8)
    assert progress(dataset) == (38, 0, 38, 0)


@pytest.mark.parametrize("field", ["archived_at", "is_ready", "frame_until"])
def test_no_audit_of_a_data_set_that_cannot_have_one(dataset, field):
    setattr(dataset, field, {"archived_at": timezone.now(), "is_ready": False, "frame_until": ""}[field])
    dataset.save()
    with pytest.raises(ActionError):
        draw(dataset)
    assert not Audit.objects.exists()


def test_new_items_are_blind_and_stand_anywhere_in_the_queue(dataset):
    run = make_run(dataset, hard=range(0, 200, 2))
    draw(dataset, 38)
    mine = ReviewItem.objects.filter(reason=ItemReason.AUDIT, run=None)
    places = sorted(ReviewItem.objects.filter(run=run).values_list("priority", flat=True))
    taken = sorted(mine.values_list("priority", flat=True))
    assert set(mine.values_list("is_blind", flat=True)) == {True}
    assert set(taken) < set(places)
    assert abs(mean(taken) - mean(places)) < 0.3 * (places[-1] - places[0])


def test_an_item_that_waits_already_is_used_and_stays_the_runs(dataset):
    run = make_run(dataset)
    ReviewItem.objects.update(is_blind=False)
    before = dict(ReviewItem.objects.values_list("pk", "priority"))
    draw(dataset, 20)
    assert dict(ReviewItem.objects.values_list("pk", "priority")) == before
    items = audit_items(dataset)
    assert ({item.run_id for item in items}, {item.is_blind for item in items}) == ({run.pk}, {True})
    assert_counters_equal_recount(run)


def test_an_item_whose_votes_a_person_has_seen_does_not_become_blind(dataset, user):
    run = make_run(dataset)
    ReviewItem.objects.update(is_blind=False)
    item = ReviewItem.objects.filter(text_hash__in=framed(dataset)).first()
    answer_items([item], user)
    undo(project=run.project, user_id=user.pk, client_id=uuid4())
    draw(dataset, 38)
    answer_items([item], user)
    assert progress(dataset) == (38, 0, 37, 0)
    assert not ReviewItem.objects.get(pk=item.pk).is_blind


def test_answers_that_are_there_count_at_once(dataset, user):
    make_run(dataset)
    hashes = sorted(framed(dataset))
    answer_items(ReviewItem.objects.filter(text_hash__in=hashes[:5]), user)
    known = dataset.samples.filter(text_hash__in=hashes[5:12])
    class_id = dataset.project.classes.first().pk
    set_labels(rows=[LabelRow(one.pk, class_id) for one in known], source=LabelSource.IMPORTED)
    draw(dataset, 38)
    assert progress(dataset) == (38, 12, 26, 0)


def test_a_text_that_was_answered_after_seeing_votes_is_asked_again(dataset, user):
    make_run(dataset)
    item = ReviewItem.objects.filter(text_hash__in=framed(dataset)).first()
    ReviewItem.objects.filter(pk=item.pk).update(is_blind=False)  # else nobody can have seen any
    answer_items([item], user, seen=True)
    draw(dataset, 38)
    again = ReviewItem.objects.get(text_hash=item.text_hash, run=None)
    assert (again.state, again.is_blind, progress(dataset)) == (ItemState.OPEN, True, (38, 0, 38, 0))
    answer_items([again], make_user())
    assert progress(dataset)[1] == 1


def test_undo_takes_an_answer_out_and_the_text_waits_again(dataset, user):
    draw(dataset, 10)
    items = audit_items(dataset)
    answer_items(items[:3], user)
    assert progress(dataset) == (10, 3, 7, 28)
    undo(project=dataset.project, user_id=user.pk, client_id=uuid4())
    reopen(project=dataset.project, item_id=items[0].pk)
    assert progress(dataset) == (10, 1, 9, 28)


def test_withdrawn_texts_stay_drawn_and_come_back_first(dataset, user):
    draw(dataset, 10)
    answer_items(audit_items(dataset)[:4], user)
    claim(project=dataset.project, user_id=user.pk)
    assert (withdraw_audit(dataset=dataset), withdraw_audit(dataset=dataset)) == (6, 0)
    assert (progress(dataset), Lease.objects.count(), rows_to_review(dataset.project)) == ((10, 4, 0, 28), 0, 0)
    audit = draw(dataset, 8)
    assert (audit.drawn, progress(dataset), ReviewItem.objects.count()) == (2, (12, 4, 8, 26), 12)


def test_withdrawing_leaves_to_the_run_what_it_asks_for(dataset):
    run = make_run(dataset)
    draw(dataset, 20)
    assert withdraw_audit(dataset=dataset) == 0
    assert ReviewItem.objects.filter(reason=ItemReason.HARD, state=ItemState.OPEN).count() == 190
    assert_counters_equal_recount(run)


@pytest.mark.parametrize("is_drawn_first", [True, False])
def test_a_cancelled_run_leaves_the_audit_its_texts(dataset, user, is_drawn_first):
    if is_drawn_first:
        draw(dataset, 20)
    run = make_run(dataset)
    if not is_drawn_first:
        draw(dataset, 20)
    claim(project=dataset.project, user_id=user.pk)
    cancel_run(run=run)
    advance(run_job(run))
    assert (progress(dataset), {item.run_id for item in audit_items(dataset)}) == ((20, 0, 20, 18), {None})
    assert ReviewItem.objects.filter(state=ItemState.OPEN).count() == 20
    item = audit_items(dataset)[0]
    answer_items([item], user)
    undo(project=dataset.project, user_id=user.pk, client_id=uuid4())
    assert progress(dataset) == (20, 0, 20, 18)


def test_a_run_that_starts_later_asks_for_the_same_items(dataset, user):
    draw(dataset, 38)
    answer_items(audit_items(dataset)[:5], user)
    run = make_run(dataset)
    assert (len(audit_items(dataset)), {item.run_id for item in audit_items(dataset)}) == (33, {run.pk})
    assert (ReviewItem.objects.count(), run.decided > 0) == (190, True)
    assert rows_to_review(dataset.project) == run.to_review


def test_the_frame_grows_with_appended_rows_and_the_next_draw_takes_them_in(dataset):
    draw(dataset, 30)
    before = framed(dataset)
    append_rows(dataset, [f"appended {number}" for number in range(200)])
    added = framed(dataset) - before
    assert progress(dataset) == (30, 0, 30, 8 + len(added))
    assert draw(dataset, 20).frame_texts == 38 + len(added)
    assert drawn_hashes(dataset.pk) & added


def test_rows_of_an_import_that_has_not_ended_are_not_drawn(dataset):
    append_rows(dataset, [f"appended {number}" for number in range(200)])
    Dataset.objects.filter(pk=dataset.pk).update(row_count=200)
    with pytest.raises(ActionError, match="Only 38"):
        draw(dataset, 39)


def test_a_replaced_data_set_ends_its_audit_and_the_new_one_knows_peoples_answers(project, user):
    rows = "id,text\n" + "".join(f"{number},text {number}\n" for number in range(200))
    old = import_file(project, rows).dataset
    draw(old, 40)
    answer_items(audit_items(old)[:9], user)
    new = import_file(project, rows, mode="replace", target=old).dataset
    assert (audit_items(old), new.frame_until) == ([], old.frame_until)
    draw(new, 40)
    assert progress(new) == (40, 9, 31, 0)


def test_an_archived_data_set_can_still_be_cleared_of_its_audit(dataset):
    draw(dataset, 10)
    archive_dataset(dataset=dataset)
    assert withdraw_audit(dataset=dataset) == 10


@pytest.mark.only_postgres
@pytest.mark.django_db(transaction=True)
def test_two_managers_at_once_draw_different_texts(dataset):
    def press():
        draw(Dataset.objects.get(pk=dataset.pk), 15)
        connection.close()

    threads = [Thread(target=press) for _number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (progress(dataset), set(Audit.objects.values_list("number", "drawn"))) == (
        (30, 0, 30, 8),
        {(1, 15), (2, 15)},
    )
