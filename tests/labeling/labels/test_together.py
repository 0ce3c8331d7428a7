"""Many people answer the same texts at the same moment, each on a connection of their own."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from django.db import connection
from django.db.models import Count

from labeling.labels.actions import adjudicate, decide, undo
from labeling.labels.models import ItemState, Label, ReviewItem, Verdict
from labeling.runs.models import Run
from tests.labeling.counts import recount
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.labels.answering import make_people, set_overlap

pytestmark = pytest.mark.django_db(transaction=True)
TEXTS = [f"text {number % 12}" for number in range(16)]


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def people(project):
    return make_people(project, 4)


@pytest.fixture
def run(project, people):
    set_overlap(project, overlap=3)
    return make_run(make_dataset(project, TEXTS))


def together(task, people):
    """What the people's tasks gave; a fault of the database in any of them fails the test."""

    def apart(person):
        try:
            return task(person)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(people)) as threads:
        return list(threads.map(apart, people))


def answers(run, person, name):
    class_id = run.project.classes.get(name=name).pk
    given = {"project": run.project, "user_id": person.pk, "class_id": class_id}
    ids = list(ReviewItem.objects.filter(run=run).order_by("id").values_list("id", flat=True))
    return [decide(item_id=pk, client_id=uuid4(), **given) for pk in ids]


def test_c07_c15_each_person_has_one_answer_an_item_and_three_are_enough(run, people):
    found = together(lambda person: answers(run, person, "positive"), people)
    assert [sum(not one.is_stale for one in part) for part in zip(*found, strict=True)] == [3] * 12
    assert set(ReviewItem.objects.values_list("state", "escalation")) == {(ItemState.DECIDED, "")}
    counting = Verdict.objects.filter(is_stale=False).values("item").annotate(n=Count("user", distinct=True))
    assert set(counting.values_list("n", flat=True)) == {3}
    run = Run.objects.get(pk=run.pk)
    assert (run.decided, Label.objects.filter(is_current=True).count()) == (recount(run)[3], 16)


def test_c08_of_answers_and_adjudications_at_once_one_label_stands(project, run, people):
    names = dict(zip([person.pk for person in people], ("positive", "neutral", "positive", "neutral"), strict=True))
    together(lambda person: answers(run, person, names[person.pk]), people)
    assert set(ReviewItem.objects.values_list("state", "escalation")) == {(ItemState.OPEN, "conflict")}

    def settle(person):
        class_id = project.classes.get(name=names[person.pk]).pk
        given = {"project": project, "user_id": person.pk, "class_id": class_id}
        ids = list(ReviewItem.objects.order_by("id").values_list("id", flat=True))
        return [adjudicate(item_id=pk, client_id=uuid4(), **given) for pk in ids]

    found = together(settle, people)
    assert [sum(not one.is_stale for one in part) for part in zip(*found, strict=True)] == [1] * 12
    assert Run.objects.get(pk=run.pk).decided == recount(run)[3] == 16


def test_answers_and_undos_at_once_leave_true_counters(project, run, people):
    def answer_and_undo(person):
        answers(run, person, "positive")
        mine = Verdict.objects.filter(user=person, is_current=True, is_undo=False)
        for mark in list(mine.order_by("id").values_list("client_id", flat=True)[:3]):
            undo(project=project, user_id=person.pk, client_id=uuid4(), of=mark)

    together(answer_and_undo, people)
    assert Run.objects.get(pk=run.pk).decided == recount(run)[3]
    for item in ReviewItem.objects.all():
        standing = item.verdicts.filter(is_current=True, is_undo=False).count()
        assert (item.state == ItemState.DECIDED) == (standing >= 3)
