"""Confirming texts together: each answer its own, sent twice the same, taken back as a whole, never a blind one."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
from django.utils import timezone

from labeling.labels.actions import decide
from labeling.labels.models import ItemReason, ItemState, Label, Lease, ReviewItem, Verdict, VerdictMode
from labeling.projects.models import VotesShown
from labeling.review.actions.undoing import take_back as take_back_last
from labeling.review.triage.actions import GRID, Batch, confirm, take, take_back
from labeling.review.triage.marks import mark_of, marks_beside
from labeling.review.triage.queries import last_confirmation
from labeling.runs.models import Run
from labeling.web.errors import ActionError
from tests.labeling.factories import add_member, make_project, make_user
from tests.labeling.review.triage.grids import class_of, confirm_texts, items_of, make_grid_project, take_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_grid_project()


@pytest.fixture
def user(project):
    return project.created_by


def states(project, *texts):
    return [item.state for item in items_of(project, *texts)]


def answer_alone(project, user, item, name="positive"):
    chosen = class_of(project, name).pk
    return decide(item_id=item.pk, project=project, user_id=user.pk, class_id=chosen, client_id=uuid4())


def test_c47_a_text_left_out_of_the_grid_was_seen_with_its_proposal(project, user):
    first, left, *_rest = take_up(project, user)
    confirm_texts(project, user, [first], left_out=[left])
    answer_alone(project, user, ReviewItem.objects.get(pk=left))
    assert Verdict.objects.get(item=left).has_seen_votes is True


def test_each_text_gets_an_answer_of_its_own_that_says_how_it_came(project, user):
    first, second, third = take_up(project, user)
    done = confirm_texts(project, user, [first, second], left_out=[third])
    assert (done.stored, done.late, done.refused) == (2, 0, 0)
    given = Verdict.objects.values_list("item_id", "mode", "has_seen_votes", "label_class__name", "elapsed_ms")
    assert list(given) == [(pk, VerdictMode.BULK, True, "negative", None) for pk in sorted([first, second])]
    assert Label.objects.filter(is_current=True, source="human").count() == 2
    assert (Run.objects.get().decided, Lease.objects.count()) == (2, 0)
    assert ReviewItem.objects.get(pk=third).state == ItemState.OPEN


def test_a_grid_sent_twice_is_one_confirmation(project, user):
    ids, mark = take_up(project, user), uuid4()
    first = confirm_texts(project, user, ids, mark=mark)
    assert confirm_texts(project, user, ids, mark=mark) == first
    assert (Verdict.objects.count(), Run.objects.get().decided) == (3, 3)


def test_a_confirmation_that_was_cut_short_goes_on_where_it_ended(project, user):
    ids, mark = take_up(project, user), uuid4()
    confirm_texts(project, user, ids[:1], mark=mark)
    assert confirm_texts(project, user, ids, mark=mark).stored == 3
    assert Verdict.objects.count() == 3


def test_the_mark_of_another_persons_answer_is_refused(project, user):
    other, mark = make_user(), uuid4()
    add_member(project, other)
    ids = take_up(project, user)
    confirm_texts(project, user, ids[:1], mark=mark)
    with pytest.raises(ActionError, match="mark of another"):
        confirm_texts(project, other, ids[:1], mark=mark)
    assert Verdict.objects.filter(user=other).count() == 0


def test_a_text_that_another_person_decided_meanwhile_is_late(project, user):
    ids = take_up(project, user)
    other = make_user()
    add_member(project, other)
    Lease.objects.all().delete()
    answer_alone(project, other, ReviewItem.objects.get(pk=ids[0]))
    done = confirm_texts(project, user, ids)
    assert (done.stored, done.late, done.refused) == (2, 1, 0)
    assert Verdict.objects.get(user=user, is_stale=True).item_id == ids[0]
    assert Label.objects.get(sample__items=ids[0], is_current=True).label_class.name == "positive"


def test_an_answer_given_alone_is_not_replaced_by_one_given_with_others(project, user):
    ids = take_up(project, user)
    answer_alone(project, user, ReviewItem.objects.get(pk=ids[0]))
    done = confirm_texts(project, user, ids)
    assert (done.stored, done.late, done.refused) == (2, 0, 1)
    assert Label.objects.get(sample__items=ids[0], is_current=True).label_class.name == "positive"


@pytest.mark.parametrize("change", [{"is_blind": True}, {"needed": 2}])
def test_a_text_that_became_blind_meanwhile_waits_on(project, user, change):
    ids = take_up(project, user)
    ReviewItem.objects.filter(pk=ids[0]).update(**change)
    done = confirm_texts(project, user, ids)
    assert (done.stored, done.refused) == (2, 1)
    assert not Verdict.objects.filter(item=ids[0]).exists()


def close_by_votes(project):
    project.votes_shown = VotesShown.NEVER


def close_by_overlap(project):
    type(project).objects.update(overlap=2)
    add_member(project, make_user())


def close_by_audit(project):
    ReviewItem.objects.filter(sample__text="text 8").update(reason=ItemReason.AUDIT, is_blind=True)


@pytest.mark.parametrize("close", [close_by_votes, close_by_overlap, close_by_audit])
def test_nothing_is_stored_while_the_grid_is_closed(project, user, close):
    ids = take_up(project, user)
    close(project)
    with pytest.raises(ActionError, match="closed"):
        confirm_texts(project, user, ids)
    assert Verdict.objects.count() == 0


def test_another_projects_texts_and_classes_are_out_of_reach(project, user):
    ids, elsewhere = take_up(project, user), make_project(make_user())
    foreign = Batch(uuid4(), class_of(elsewhere, "negative").pk, ids)
    with pytest.raises(ActionError, match="class"):
        confirm(project=project, user_id=user.pk, batch=foreign)
    assert confirm_texts(elsewhere, elsewhere.created_by, ids).refused == 3
    assert Verdict.objects.count() == 0


def test_a_confirmation_is_taken_back_as_a_whole(project, user):
    ids, earlier = take_up(project, user), take_up(project, user, "neutral")
    confirm_texts(project, user, earlier, name="neutral")
    confirm_texts(project, user, ids)
    last, undo_id = last_confirmation(project, user.pk), uuid4()
    assert (last.count, last.label_class.name) == (3, "negative")
    assert take_back(project=project, user_id=user.pk, of=last.mark, client_id=undo_id) == 3
    assert take_back(project=project, user_id=user.pk, of=last.mark, client_id=undo_id) == 0
    assert set(ReviewItem.objects.filter(pk__in=ids).values_list("state", flat=True)) == {ItemState.OPEN}
    assert sorted(Lease.objects.filter(user=user).values_list("item_id", flat=True)) == sorted(ids)
    assert (last_confirmation(project, user.pk).label_class.name, Run.objects.get().decided) == ("neutral", 3)


def test_a_whole_grid_is_taken_back_beyond_the_twenty_steps_of_single_undos():
    project = make_grid_project([f"text {number}" for number in range(3 * GRID)])
    user = project.created_by
    ids = take_up(project, user)
    confirm_texts(project, user, ids)
    last = last_confirmation(project, user.pk)
    assert take_back(project=project, user_id=user.pk, of=last.mark, client_id=uuid4()) == GRID == 24
    assert last_confirmation(project, user.pk) is None


def test_a_text_taken_back_can_be_confirmed_again(project, user):
    ids = take_up(project, user)
    confirm_texts(project, user, ids)
    take_back(project=project, user_id=user.pk, of=last_confirmation(project, user.pk).mark, client_id=uuid4())
    assert confirm_texts(project, user, ids[:2]).stored == 2
    assert last_confirmation(project, user.pk).count == 2


def test_what_was_undone_alone_is_not_undone_again(project, user):
    ids = take_up(project, user)
    confirm_texts(project, user, ids)
    take_back_last(project=project, user_id=user.pk, client_id=uuid4())
    last = last_confirmation(project, user.pk)
    assert take_back(project=project, user_id=user.pk, of=last.mark, client_id=uuid4()) == 2


def test_nobody_takes_back_what_another_person_confirmed(project, user):
    confirm_texts(project, user, take_up(project, user))
    last, other = last_confirmation(project, user.pk), make_user()
    assert take_back(project=project, user_id=other.pk, of=last.mark, client_id=uuid4()) == 0
    assert last_confirmation(project, other.pk) is None


def test_yesterdays_confirmation_is_not_offered_for_undo(project, user):
    confirm_texts(project, user, take_up(project, user))
    Verdict.objects.update(created_at=timezone.now() - timedelta(days=1, hours=1))
    assert last_confirmation(project, user.pk) is None


def test_two_people_get_different_texts(project, user):
    other = make_user()
    add_member(project, other)
    ids = [item.pk for item in items_of(project, "text 0", "text 3", "text 6")]
    mine = take(project=project, user_id=user.pk, item_ids=ids, most=2)
    theirs = take(project=project, user_id=other.pk, item_ids=ids, most=2)
    assert (mine.item_ids, theirs.item_ids) == (ids[:2], ids[2:])


def test_the_same_page_again_renews_its_leases(project, user):
    ids = take_up(project, user)
    Lease.objects.update(expires_at=timezone.now() + timedelta(minutes=1))
    again = take(project=project, user_id=user.pk, item_ids=ids)
    assert (again.item_ids, set(Lease.objects.values_list("expires_at", flat=True))) == (ids, {again.until})


def test_a_lease_that_ended_is_taken_over(project, user):
    ids, other = take_up(project, user), make_user()
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert take(project=project, user_id=other.pk, item_ids=ids).item_ids == ids
    assert set(Lease.objects.values_list("user_id", flat=True)) == {other.pk}


def test_marks_of_a_confirmation_stand_side_by_side():
    whole = UUID("12345678-9abc-4def-8123-456789abcdef")
    low, high = marks_beside(mark_of(whole, 7))
    assert mark_of(whole, 7) == UUID("12345678-9abc-4def-0000-000000000007")
    assert low < mark_of(whole, 2**62) < high
    assert (low, high) == marks_beside(whole)
