"""People decide while pools vote and vote again, each on a connection of their own."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from uuid import uuid4

import pytest
from django.db import connection

from labeling.jobs.models import Chunk
from labeling.labels.actions.verdicts import decide, undo
from labeling.labels.models import Label, Verdict
from labeling.pipeline.work import do_one
from labeling.review.actions import claim
from tests.labeling.counts import assert_counters_equal_recount
from tests.labeling.factories import make_dataset, make_project, make_user
from tests.labeling.generations import QUEUES, finish, next_generation, open_items, start
from tests.labeling.pool import make_pool

pytestmark = pytest.mark.django_db(transaction=True)
TEXTS = [f"text number {i % 150}" for i in range(200)]
PEOPLE = 4


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def versions(project, tmp_path):
    return make_pool(project, tmp_path, noise=0.4)


@pytest.fixture
def better(project, tmp_path):
    return make_pool(project, tmp_path, name="better", noise=0.0)


@pytest.fixture
def dataset(project, settings):
    settings.CHUNK_ROWS = 20
    return make_dataset(project, TEXTS)


def apart(function, *args):
    """The function's answer, on a connection that is closed again; a fault of the database fails the test (C15)."""
    try:
        return function(*args)
    finally:
        connection.close()


def work(is_over):
    """Do all parts until nobody decides any more."""
    while do_one(QUEUES, "worker") or not is_over.is_set():
        pass


def choose(project, person, item_id):
    class_id = project.classes.first().pk
    return decide(item_id=item_id, project=project, user_id=person.pk, class_id=class_id, client_id=uuid4())


def decide_while_it_works(project, people, task):
    """What the people's tasks gave, with a worker beside them that never meets an error."""
    is_over = Event()
    with ThreadPoolExecutor(PEOPLE + 1) as threads:
        worker = threads.submit(apart, work, is_over)
        found = list(threads.map(lambda person: apart(task, person), people))
        is_over.set()
        worker.result()
    assert not Chunk.objects.filter(errors__gt=0).exists()
    return [one for part in found for one in part]


def test_no_answer_is_lost_or_counted_twice_while_texts_leave_the_queue(project, dataset, versions, better):
    run = finish(start(project, dataset, versions))
    items, people = open_items(run), [make_user() for _ in range(PEOPLE)]
    shares = {person.pk: items[number::PEOPLE] for number, person in enumerate(people)}
    next_generation(run, better)

    def task(person):
        return [choose(project, person, item.pk) for item in shares[person.pk][::2]]

    decisions = decide_while_it_works(project, people, task)
    assert {one.is_stale for one in decisions} == {False}
    labels = Label.objects.filter(verdict__in=[one.verdict_id for one in decisions], is_current=True, source="human")
    assert labels.count() == sum(one.copies for one in decisions) > 20
    finish(run)
    assert run.to_review == 0
    assert_counters_equal_recount(run)


def test_texts_that_people_hold_stay_until_they_decide(project, dataset, versions, better):
    run = finish(start(project, dataset, versions))
    people = [make_user() for _ in range(PEOPLE)]
    next_generation(run, better)

    def task(person):
        held = claim(project=project, user_id=person.pk, n=3)
        return [choose(project, person, one.item.pk) for one in held]

    decisions = decide_while_it_works(project, people, task)
    assert {one.is_stale for one in decisions} <= {False}
    assert Verdict.objects.filter(is_stale=True).count() == 0
    finish(run)
    assert_counters_equal_recount(run)


def test_copies_of_a_text_are_decided_and_undone_while_rows_are_voted_on(project, dataset, versions, better):
    run = start(project, dataset, versions)
    people = [make_user() for _ in range(PEOPLE)]

    def task(person):
        decisions = []
        for number in range(12):
            for one in claim(project=project, user_id=person.pk):
                decisions.append(choose(project, person, one.item.pk))
                if number % 4 == 3:
                    undo(project=project, user_id=person.pk, client_id=uuid4())
        return decisions

    assert {one.is_stale for one in decide_while_it_works(project, people, task)} <= {False}
    finish(run)
    assert run.voted == 200
    assert_counters_equal_recount(run)
    next_generation(run, better)
    finish(run)
    assert_counters_equal_recount(run)
