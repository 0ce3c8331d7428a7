"""Seed texts: drawn at random outside the audit frame, labeled blind in the ordinary queue, counted, withdrawn."""

from uuid import uuid4

import pytest

from annotator_core.types import LabelSource
from labeling.datasets.engine import frame_threshold
from labeling.labels.actions.labels import LabelRow, set_labels
from labeling.labels.actions.seeds import draw_seeds, hand_over_seeds, withdraw_seeds
from labeling.labels.actions.verdicts import decide, undo
from labeling.labels.models import ItemReason, ItemState, Label, Lease, ReviewItem
from labeling.labels.queries import rows_to_review
from labeling.labels.seed_queries import seed_counts
from labeling.overview.queries import cards_of, standing_of
from labeling.review.actions import claim
from labeling.review.queries import screen_of
from labeling.web.errors import ActionError
from tests.labeling.factories import make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user()


@pytest.fixture
def dataset(user):
    """200 texts with 10 copies, a fifth of them in the audit frame."""
    dataset = make_dataset(make_project(user), [f"text {n % 190}" for n in range(200)])
    dataset.frame_until = frame_threshold(dataset.pk)
    dataset.save()
    return dataset


def hashes(**conditions):
    return list(ReviewItem.objects.filter(**conditions).order_by("pk").values_list("text_hash", flat=True))


def decide_next(project, user):
    item = claim(project=project, user_id=user.pk)[0].item
    class_id = project.classes.first().pk
    return decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())


def test_seeds_are_blind_once_each_and_outside_the_frame(dataset):
    assert draw_seeds(dataset=dataset, count=50) == 50
    items = list(ReviewItem.objects.all())
    assert {(item.run_id, item.reason, item.is_blind, item.state) for item in items} == {(None, "seed", True, "open")}
    assert len({item.text_hash for item in items}) == 50
    assert min(item.text_hash for item in items) > dataset.frame_until


def test_seeds_come_in_random_order(dataset):
    draw_seeds(dataset=dataset, count=50)
    queue = list(ReviewItem.objects.order_by("priority", "id"))
    positions = [item.sample.position for item in queue]
    assert positions != sorted(positions)
    assert [item.text_hash for item in queue] != sorted(item.text_hash for item in queue)


def test_drawing_again_adds_others_until_nothing_is_left(dataset):
    assert [draw_seeds(dataset=dataset, count=100), draw_seeds(dataset=dataset, count=100)] == [100, 52]
    assert len(set(hashes())) == 152
    with pytest.raises(ActionError, match="Every text"):
        draw_seeds(dataset=dataset, count=100)


def test_texts_that_people_labeled_are_not_drawn(dataset):
    known = dataset.samples.filter(position__lt=100)
    class_id = dataset.project.classes.first().pk
    set_labels(rows=[LabelRow(one.pk, class_id) for one in known], source=LabelSource.IMPORTED)
    draw_seeds(dataset=dataset, count=500)
    assert set(hashes()) & set(known.values_list("text_hash", flat=True)) == set()


@pytest.mark.parametrize("count", [19, 501])
def test_too_few_or_too_many_are_refused(dataset, count):
    with pytest.raises(ActionError, match="Between 20 and 500"):
        draw_seeds(dataset=dataset, count=count)


def test_a_seed_is_decided_undone_and_decided_again(dataset, user):
    project = dataset.project
    draw_seeds(dataset=dataset, count=20)
    decide_next(project, user)
    assert (seed_counts(project).decided, Label.objects.filter(source="human").exists()) == (1, True)
    undo(project=project, user_id=user.pk, client_id=uuid4())
    assert (seed_counts(project).decided, Label.objects.filter(is_current=True).exists()) == (0, False)
    decide_next(project, user)
    assert (seed_counts(project).decided, seed_counts(project).left) == (1, 19)


def test_the_screen_shows_no_vote_and_counts_the_seeds(dataset, user):
    project = dataset.project
    draw_seeds(dataset=dataset, count=20)
    decide_next(project, user)
    held = claim(project=project, user_id=user.pk)[0]
    screen = screen_of(project, user, held.item.pk, held.until)
    rows = sum(ReviewItem.objects.filter(state="open").values_list("copies", flat=True))
    assert (screen.last.tally, screen.pace.today, screen.pace.left) == ([], 1, rows)


def test_counts_know_the_seeds(dataset, user):
    draw_seeds(dataset=dataset, count=150)
    rows = sum(ReviewItem.objects.values_list("copies", flat=True))
    assert rows > 150
    assert (rows_to_review(dataset.project), standing_of(dataset.project).left) == (rows, rows)
    assert [card.left for card in cards_of(user)] == [rows]


def test_withdrawing_keeps_labels_and_frees_the_texts_for_another_draw(dataset, user):
    project = dataset.project
    draw_seeds(dataset=dataset, count=20)
    decide_next(project, user)
    claim(project=project, user_id=user.pk)
    assert (withdraw_seeds(project=project), withdraw_seeds(project=project)) == (19, 0)
    assert (Lease.objects.count(), rows_to_review(project), seed_counts(project).drawn) == (0, 0, 1)
    assert (draw_seeds(dataset=dataset, count=20), ReviewItem.objects.count()) == (20, 21)


def test_open_seeds_become_the_items_of_a_run(dataset, user):
    draw_seeds(dataset=dataset, count=20)
    decided = decide_next(dataset.project, user).copies
    run = make_run(dataset)
    seeds = ReviewItem.objects.filter(reason=ItemReason.SEED, state=ItemState.OPEN)
    assert set(seeds.values_list("run_id", flat=True)) == {run.pk}
    assert (seeds.count(), ReviewItem.objects.count()) == (19, 190)
    assert rows_to_review(dataset.project) == run.to_review == 200 - decided


def test_a_seed_whose_text_the_run_asks_for_already_is_withdrawn(dataset):
    run = make_run(dataset)
    item = ReviewItem.objects.filter(text_hash__gt=dataset.frame_until).first()
    twin = ReviewItem.objects.get(pk=item.pk)
    twin.pk, twin.run, twin.reason = None, None, ItemReason.SEED
    twin.save()
    hand_over_seeds(run=run, hashes=[item.text_hash])
    assert ReviewItem.objects.get(run=None).state == ItemState.WITHDRAWN
