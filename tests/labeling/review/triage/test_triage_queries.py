"""What the grid offers, to whom, and when it is closed."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from labeling.labels.actions import escalate
from labeling.labels.models import Consensus, Escalation, ItemReason, Lease, ReviewItem
from labeling.projects.models import VotesShown
from labeling.review.actions import skip
from labeling.review.triage.queries import LONGEST, proposals_for, tiles_of, why_closed
from tests.labeling.factories import add_member, make_dataset, make_run, make_user
from tests.labeling.review.triage.grids import class_of, items_of, make_grid_project, proposed

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_grid_project()


@pytest.fixture
def user(project):
    return project.created_by


def test_texts_come_with_the_class_that_the_specialists_propose_surest_first(project, user):
    assert proposed(project, user, "neutral") == ["text 1", "text 4", "text 7"]


def test_the_most_frequent_class_is_shown_first(project, user):
    Consensus.objects.filter(sample__text="text 0").update(label_class=class_of(project, "positive"))
    found = proposals_for(project, user.pk, None, ())
    assert [(one.name, count) for one, count in found.classes] == [("negative", 2), ("neutral", 3), ("positive", 4)]
    assert found.chosen.name == "positive"


def test_only_the_newest_votes_propose(project, user):
    old = Consensus.objects.get(sample__text="text 0")
    Consensus.objects.filter(pk=old.pk).update(is_current=False)
    old.pk, old.generation, old.label_class = None, 1, class_of(project, "positive")
    old.save(force_insert=True)
    assert proposed(project, user, "negative") == ["text 3", "text 6"]


def test_what_was_left_out_before_does_not_come_again(project, user):
    (item,) = items_of(project, "text 3")
    assert proposed(project, user, "negative", without=[item.pk]) == ["text 0", "text 6"]


READ_ALONE = {
    "blind": {"is_blind": True},
    "overlap": {"needed": 2},
    "random": {"reason": ItemReason.RANDOM},
    "conflict": {"reason": ItemReason.CONFLICT},
    "reopened": {"reason": ItemReason.REOPENED},
    "desk": {"escalation": Escalation.FLAGGED},
    "decided": {"state": "decided"},
    "answered": {"answered_by": ",7,"},
}


@pytest.mark.parametrize("change", READ_ALONE.values(), ids=READ_ALONE)
def test_what_must_be_read_alone_is_never_offered(project, user, change):
    ReviewItem.objects.filter(sample__text="text 0").update(**change)
    assert proposed(project, user, "negative") == ["text 3", "text 6"]


def test_a_text_without_a_proposal_is_not_offered(project, user):
    Consensus.objects.filter(sample__text="text 0").update(label_class=None)
    assert proposed(project, user, "negative") == ["text 3", "text 6"]


def test_a_text_that_is_too_long_for_a_glance_is_read_alone():
    project = make_grid_project(["a" * LONGEST, "neutral", "positive", "b" * (LONGEST + 1)])
    assert proposed(project, project.created_by, "negative") == ["a" * LONGEST]


def test_a_text_for_one_person_or_on_another_screen_is_not_offered(project, user):
    mine, theirs, ended = items_of(project, "text 0", "text 3", "text 6")
    other = make_user()
    soon, ago = timezone.now() + timedelta(minutes=5), timezone.now() - timedelta(minutes=5)
    for item, person, until in ((mine, user, soon), (theirs, other, soon), (ended, other, ago)):
        Lease.objects.create(item=item, user=person, expires_at=until)
    assert proposed(project, user, "negative") == ["text 0", "text 6"]
    ReviewItem.objects.filter(pk=mine.pk).update(assignee=other)
    assert proposed(project, user, "negative") == ["text 6"]


def test_what_the_person_skipped_is_read_alone(project, user):
    (item,) = items_of(project, "text 0")
    skip(project=project, user_id=user.pk, item_id=item.pk, client_id=uuid4())
    assert proposed(project, user, "negative") == ["text 3", "text 6"]


def test_a_flagged_text_waits_on_the_desk_alone(project, user):
    (item,) = items_of(project, "text 0")
    escalate(project=project, item_id=item.pk, why=Escalation.FLAGGED)
    assert proposed(project, user, "negative") == ["text 3", "text 6"]


@pytest.mark.parametrize("size", [3, 90])
def test_proposals_take_two_statements_however_long_the_queue(size, django_assert_num_queries):
    project = make_grid_project([f"text {number}" for number in range(size)])
    with django_assert_num_queries(2):
        found = proposals_for(project, project.created_by_id, None, ())
    assert len(found.item_ids) == size // 3


def test_a_grid_is_open_while_nobody_answers_blind(project):
    assert why_closed(project) is None


def test_a_grid_is_closed_where_votes_are_never_shown(project):
    project.votes_shown = VotesShown.NEVER
    assert why_closed(project) == "never"


def test_a_grid_is_closed_where_several_people_answer(project):
    type(project).objects.update(overlap=2)
    assert why_closed(project) is None  # there is but one person
    add_member(project, make_user())
    assert why_closed(project) == "overlap"


def test_a_grid_is_closed_while_an_audit_waits(project):
    items = ReviewItem.objects.filter(sample__text="text 8")
    items.update(reason=ItemReason.AUDIT)
    assert why_closed(project) == "audit"
    items.update(state="decided")
    assert why_closed(project) is None


def test_a_tile_shows_the_beginning_between_words_and_keeps_the_rest():
    text = "one\ntwo  \nthree\nfour\nfive\nsix" + " seven" * 100
    project = make_grid_project([text, "a " + "b" * 300])
    tiles = tiles_of([item.pk for item in items_of(project, text, "a " + "b" * 300)])
    assert [tile.head + tile.rest for tile in tiles] == [text, "a " + "b" * 300]
    assert (tiles[0].head, len(tiles[1].head)) == ("one\ntwo  \nthree\nfour\nfive", 240)
    assert (tiles[0].copies, tiles[0].sure) == (1, pytest.approx(0.9))


def test_a_second_run_on_other_data_proposes_as_well(project, user):
    make_run(make_dataset(project, ["another"]))
    assert sorted(proposed(project, user, "negative")) == ["another", "text 0", "text 3", "text 6"]
