"""A person who is far ahead of the others gets the next text as fast as one who has just begun."""

import json
from uuid import uuid4

import pytest
from django.db import connection, transaction

from labeling.accounts.models import User
from labeling.labels.actions import decide, undo
from labeling.labels.actions.judging import crowd_of
from labeling.labels.models import ItemState, ReviewItem, Verdict
from labeling.projects.models import Project, ReviewOrder
from labeling.review.actions import claim, release, skip
from labeling.review.actions.returns import return_item
from labeling.review.actions.undoing import take_back
from labeling.review.models import Skip
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def people(project):
    found = [make_user() for _ in range(3)]
    for person in found:
        add_member(project, person)
    return found


def make_queue(project, texts):
    Project.objects.filter(pk=project.pk).update(overlap=2)
    make_run(make_dataset(project, texts))


def settle():
    """The tables as they are after a while: without the rows that were replaced, and known to the planner."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE labels_reviewitem, labels_verdict, labels_lease, review_skip")


def answer(project, person, items):
    """What `decide` stores for a first answer of two, of many texts at once."""
    chosen = project.classes.first()
    given = [Verdict(item=item, user=person, label_class=chosen, client_id=uuid4()) for item in items]
    Verdict.objects.bulk_create(given)
    ids = [item.pk for item in items]
    for low in range(0, len(ids), 500):
        ReviewItem.objects.filter(pk__in=ids[low : low + 500]).update(answered_by=crowd_of([person.pk]))


def work_of(action):
    """How much the database does: steps of SQLite's machine, or blocks that PostgreSQL's statements look at."""
    if connection.vendor == "sqlite":
        steps = []
        connection.connection.set_progress_handler(lambda: steps.append(1), 10)
        action()
        connection.connection.set_progress_handler(None, 10)
        return len(steps)
    blocks = []

    def see(execute, sql, params, many, context):
        if "picked" in sql and not sql.startswith("EXPLAIN"):
            blocks.append(_blocks(sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(see):
        action()
    return sum(blocks)


def _blocks(sql, params):
    """Of the statement when it is run; what it stores is not kept."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        (plan,) = cursor.fetchone()
        transaction.set_rollback(True)
    found = plan if isinstance(plan, list) else json.loads(plan)
    return found[0]["Plan"]["Shared Hit Blocks"]


def get_far_ahead(project, people, order, pass_by):
    """The first person passes nearly all texts by, at no more work for a claim: the texts, and the work at first."""
    make_queue(project, [f"text {number}" for number in range(2_000)])
    Project.objects.filter(pk=project.pk).update(review_order=order)
    project.refresh_from_db()
    items = list(ReviewItem.objects.order_by("priority", "id"))
    pass_by(project, people[0], items[:10])
    settle()
    claim(project=project, user_id=people[1].pk)  # statements are composed, and the tables are in memory
    few = work_of(lambda: claim(project=project, user_id=people[0].pk))
    pass_by(project, people[0], items[10:1_990])
    settle()
    many = work_of(lambda: claim(project=project, user_id=people[0].pk, n=2))
    assert many < 4 * few + 300
    return items, few


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", ReviewOrder.values)
def test_a_claim_costs_the_same_however_much_the_person_has_answered(project, people, order):
    items, few = get_far_ahead(project, people, order, answer)
    answer(project, people[0], [one for one in items[1_990:] if not one.leases.exists()])
    settle()
    assert work_of(lambda: claim(project=project, user_id=people[0].pk, n=4)) < 4 * few + 300


def skip_all(project, person, items):
    """What `skip` stores, of many texts at once."""
    Skip.objects.bulk_create([Skip(item=item, user=person, client_id=uuid4()) for item in items])
    ids = [item.pk for item in items]
    for low in range(0, len(ids), 500):
        ReviewItem.objects.filter(pk__in=ids[low : low + 500]).update(skipped_by=crowd_of([person.pk]))


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("order", ReviewOrder.values)
def test_a_claim_costs_the_same_however_much_the_person_has_passed_over(project, people, order):
    get_far_ahead(project, people, order, skip_all)


def skippers():
    return dict(ReviewItem.objects.values_list("sample__text", "skipped_by"))


def test_an_item_names_who_passes_it_over_until_the_skip_ends(project, people):
    make_queue(project, ["two", "one"])
    first, second = people[:2]
    item = ReviewItem.objects.get(sample__text="one")
    for person in (second, first, first):
        skip(project=project, user_id=person.pk, item_id=item.pk)
    assert skippers() == {"one": f",{first.pk},{second.pk},", "two": ""}
    take_back(project=project, user_id=first.pk, client_id=uuid4())
    assert skippers()["one"] == f",{second.pk},"
    return_item(project=project, item_id=item.pk, by_id=people[2].pk)
    assert skippers()["one"] == ""


def test_who_has_passed_a_text_over_is_offered_it_last_and_others_in_its_place(project, people):
    make_queue(project, ["three", "two", "one"])
    skip(project=project, user_id=people[0].pk, item_id=ReviewItem.objects.get(sample__text="one").pk)
    choose(project, people[1], "one")
    assert claimed(project, people[2], n=3) == ["one", "two", "three"]
    release(project=project, user_id=people[2].pk)
    assert claimed(project, people[0], n=3) == ["two", "three", "one"]


def choose(project, person, text, name="positive"):
    item, chosen = ReviewItem.objects.get(sample__text=text), project.classes.get(name=name)
    return decide(item_id=item.pk, project=project, user_id=person.pk, class_id=chosen.pk, client_id=uuid4())


def crowds():
    return dict(ReviewItem.objects.values_list("sample__text", "answered_by"))


def claimed(project, person, n=1):
    return [held.item.sample.text for held in claim(project=project, user_id=person.pk, n=n)]


def test_the_queue_keeps_its_order_across_crowds(project, people):
    make_queue(project, ["five", "four", "three", "two", "one"])
    choose(project, people[0], "two")
    choose(project, people[1], "four")
    assert claimed(project, people[2], n=5) == ["one", "two", "three", "four", "five"]
    release(project=project, user_id=people[2].pk)
    assert claimed(project, people[0], n=5) == ["one", "three", "four", "five"]


def test_an_item_s_crowd_is_who_has_answered_it(project, people):
    make_queue(project, ["two", "one"])
    first, second = people[:2]
    choose(project, first, "one")
    choose(project, second, "two")
    assert crowds() == {"one": f",{first.pk},", "two": f",{second.pk},"}
    undo(project=project, user_id=first.pk, client_id=uuid4())
    assert crowds()["one"] == ""
    choose(project, first, "two")
    assert (crowds()["two"], ReviewItem.objects.get(sample__text="two").state) == ("", ItemState.DECIDED)
    undo(project=project, user_id=second.pk, client_id=uuid4())
    assert crowds()["two"] == f",{first.pk},"


def test_a_crowd_of_number_12_is_not_one_of_number_1(project, people):
    make_queue(project, ["one"])
    stranger = User.objects.create(pk=people[0].pk * 10 + 2, username="twelve")
    add_member(project, stranger)
    choose(project, stranger, "one")
    assert claimed(project, people[0]) == ["one"]


def test_a_half_answered_text_that_left_the_queue_comes_back_with_its_crowd(project, people):
    make_queue(project, ["one"])
    choose(project, people[0], "one")
    ReviewItem.objects.update(state=ItemState.WITHDRAWN)
    assert undo(project=project, user_id=people[0].pk, client_id=uuid4()).answered_by == ""
    assert crowds() == {"one": ""}
