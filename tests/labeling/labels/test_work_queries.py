"""How much is left of how much: from counters, and without telling what others answered."""

from uuid import uuid4

import pytest

from labeling.labels.actions import decide
from labeling.labels.models import ReviewItem
from labeling.labels.queries import pace_of
from labeling.labels.work_queries import answers_to_come, work_of
from labeling.runs.models import Run
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    project = make_project(make_user())
    type(project).objects.update(overlap=2)
    add_member(project, make_user("second"))
    make_run(make_dataset(project, ["one", "two", "three", "two"]))
    return project


def answer(project, text, user, name="positive"):
    item = ReviewItem.objects.get(project=project, sample__text=text)
    class_id = project.classes.get(name=name).pk
    return decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())


def work(project):
    found = work_of(project)
    return found.left, found.total


def test_an_empty_project_has_nothing_left_of_nothing():
    assert work(make_project(make_user())) == (0, 0)


def test_what_people_decide_leaves_the_rest_of_the_same_total(project):
    first, second = project.created_by, project.members.get(username="second")
    assert work(project) == (4, 4)
    answer(project, "two", first)
    assert work(project) == (4, 4)
    answer(project, "two", second)
    assert work(project) == (2, 4)


@pytest.mark.parametrize("others", ["positive", "negative"])
def test_the_line_tells_nobody_whether_others_agree(project, others):
    first, second = project.created_by, project.members.get(username="second")
    answer(project, "one", second, others)
    answer(project, "one", first)
    pace = pace_of(project, first.pk)
    assert (pace.today, pace.left, pace.total) == (1, 3, 4)


def test_what_is_to_come_counts_every_person_s_answer(project):
    """Three texts by two people each; equal texts are one."""
    first, second = project.created_by, project.members.get(username="second")
    counts = [answers_to_come(project)]
    for text, user, name in (("two", first, "positive"), ("two", second, "positive"), ("one", first, "positive")):
        answer(project, text, user, name)
        counts.append(answers_to_come(project))
    assert counts == [6, 5, 4, 3]
    answer(project, "one", second, "negative")
    # A reviewer's answer on "one", two on "three".
    assert answers_to_come(project) == 3
    assert answers_to_come(make_project(make_user())) == 0


def test_rows_of_a_language_model_are_not_for_people(project):
    Run.objects.update(asking=1, verified=1)
    assert work(project) == (2, 2)


def test_a_cancelled_run_asks_for_nothing(project):
    Run.objects.update(state="cancelled")
    assert work(project) == (0, 0)


def test_texts_that_no_run_asked_for_count_until_they_are_withdrawn(project):
    ReviewItem.objects.filter(sample__text="two").update(run=None, copies=2)
    Run.objects.update(hard=2)
    assert work(project) == (4, 4)
    ReviewItem.objects.filter(run=None).update(state="decided")
    assert work(project) == (2, 4)
    ReviewItem.objects.filter(run=None).update(state="withdrawn")
    assert work(project) == (2, 2)


@pytest.mark.parametrize("size", [1, 30])
def test_two_statements_whatever_there_is(size, django_assert_num_queries):
    project = make_project(make_user())
    for number in range(size):
        make_run(make_dataset(project, [f"text {number}"]))
    with django_assert_num_queries(2):
        assert work(project) == (size, size)
