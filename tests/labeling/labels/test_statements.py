"""How many statements a decision costs, whatever is around it."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.jobs.models import Event
from labeling.labels.actions.items import withdraw_items
from labeling.labels.models import Lease, VerdictMode
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.labels.answering import choose, item_of, make_people, set_overlap, settle, take_back

pytestmark = pytest.mark.django_db
TRANSACTION = ("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE")


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def people(project):
    return make_people(project, 2)


@pytest.fixture
def count(django_capture_on_commit_callbacks):
    """Counts an action's statements up to the end of its transaction, but for what begins and ends it."""

    def count(action):
        with CaptureQueriesContext(connection) as captured, django_capture_on_commit_callbacks(execute=True):
            action()
        statements = [one["sql"] for one in captured.captured_queries if not one["sql"].startswith(TRANSACTION)]
        # PostgreSQL locks the runs by a statement of its own.
        return len(statements) - connection.features.has_select_for_update

    return count


def prepare(project, texts, others):
    """A run with that many other texts, which has told of itself just now."""
    run = make_run(make_dataset(project, [*texts, *(f"text {number}" for number in range(others))]))
    Event.objects.create(topic=f"run:{run.pk}", seq=1)
    Event.objects.update(created_at="2100-01-01T00:00Z")
    return run


def hold(run, user, text):
    Lease.objects.create(item=item_of(run, text), user=user, expires_at="2100-01-01T00:00Z")


@pytest.mark.parametrize("others", [1, 40])
def test_a_decision_takes_fourteen_statements(project, people, count, others):
    run = prepare(project, ["one"], others)
    hold(run, people[0], "one")
    item, _class = item_of(run, "one"), project.classes.first()
    assert count(lambda: choose(run, people[0], "", item=item)) == 15  # one of them asks for the class of the test


@pytest.mark.parametrize("others", [1, 40])
def test_an_answer_of_several_takes_seven(project, people, count, others):
    set_overlap(project, overlap=2)
    run = prepare(project, ["one"], others)
    hold(run, people[0], "one")
    item = item_of(run, "one")
    assert count(lambda: choose(run, people[0], "", item=item)) == 8


@pytest.mark.parametrize("others", [1, 40])
def test_an_adjudication_and_its_undo(project, people, count, others):
    set_overlap(project, overlap=2)
    run = prepare(project, ["one"], others)
    for user, name in zip(people, ("positive", "neutral"), strict=True):
        choose(run, user, "one", name, mode=VerdictMode.BULK)
    item = item_of(run, "one")
    assert count(lambda: settle(run, people[0], "", item=item)) == 13
    # The samples are locked by one more on PostgreSQL.
    assert count(lambda: take_back(run, people[0])) == 19 + connection.features.has_select_for_update


def test_texts_that_are_withdrawn_are_locked_before_their_leases(project, people):
    """Who asks for the next texts locks these, then renews leases: the other way round both would wait for good."""
    run = prepare(project, ["one"], others=2)
    hold(run, people[0], "one")
    with CaptureQueriesContext(connection) as captured:
        assert withdraw_items(run=run) == 3
    changed = [one["sql"] for one in captured.captured_queries if one["sql"].startswith(("UPDATE", "DELETE"))]
    assert [sql.split('"')[1] for sql in changed] == ["labels_reviewitem", "labels_lease"]
    assert not Lease.objects.exists()
