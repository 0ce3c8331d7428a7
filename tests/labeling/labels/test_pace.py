from uuid import uuid4

import pytest

from labeling.labels.actions.audit import open_audit_items
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ReviewItem
from labeling.labels.queries import PACE_GUESS_S, pace_of
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.labels.answering import choose, make_people, set_overlap, take_back

pytestmark = pytest.mark.django_db


def test_the_pace_is_a_guess_until_five_decisions_and_their_median_then():
    user = make_user()
    project = make_project(user)
    run = make_run(make_dataset(project, [f"text {number}" for number in range(8)]))
    paces = []
    for item in ReviewItem.objects.filter(run=run).order_by("pk")[:6]:
        decide(
            item_id=item.pk,
            project=project,
            user_id=user.pk,
            class_id=project.classes.first().pk,
            client_id=uuid4(),
            elapsed_ms=1500,
        )
        paces.append(pace_of(project, user.pk).seconds)
    assert paces == [PACE_GUESS_S] * 4 + [1.5] * 2


def test_c47_what_is_left_tells_nothing_of_the_other_s_answer():
    """It falls by each own answer, the first as the second, whether the two agree or not; undo gives it back."""
    project = make_project(make_user())
    first, second = make_people(project, 2)
    set_overlap(project, overlap=2)
    run = make_run(make_dataset(project, ["one", "two", "three"]))
    for text in ("one", "two"):
        choose(run, first, text, "positive")
    left = [pace_of(project, second.pk).left]
    for text, name in (("one", "positive"), ("two", "neutral"), ("three", "neutral")):
        choose(run, second, text, name)
        left.append(pace_of(project, second.pk).left)
    take_back(run, second)
    assert [*left, pace_of(project, second.pk).left] == [3, 2, 1, 0, 1]
    assert pace_of(project, first.pk).left == 1


def test_what_is_left_tells_no_text_of_an_audit_from_others():
    project = make_project(make_user())
    person, _other = make_people(project, 2)
    run = make_run(make_dataset(project, ["sure", "hard", "doubtful"]), hard={1, 2})
    open_audit_items(dataset=run.dataset, hashes=[run.dataset.samples.get(text="sure").text_hash])
    audited = ReviewItem.objects.get(sample__text="sure")
    left = [pace_of(project, person.pk).left]
    for item in (audited, *ReviewItem.objects.exclude(pk=audited.pk).order_by("pk")):
        choose(run, person, "", item=item)
        left.append(pace_of(project, person.pk).left)
    assert (left, audited.needed) == ([3, 2, 1, 0], 2)
