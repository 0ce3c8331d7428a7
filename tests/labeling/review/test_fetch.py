"""C45: what it costs to get items, however many there are."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from labeling.labels.models import ReviewItem
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.review.wire import texts, write

pytestmark = pytest.mark.django_db
BESIDE = re.compile(r'BEGIN|COMMIT|SAVEPOINT|RELEASE|SELECT .* FROM "(?:django_session|accounts_user)" WHERE')


@pytest.fixture
def project():
    return make_project(make_user())


@pytest.fixture
def page(client, project):
    client.force_login(project.created_by)
    return client


def count(page, project, **letter):
    """Statements of a letter, but for those of the session, the user and the transaction."""
    with CaptureQueriesContext(connection) as captured:
        reply = write(page, project, **letter)
    return len([one for one in captured.captured_queries if not BESIDE.match(one["sql"])]), reply


@pytest.mark.parametrize("size", [1, 3, 30])
def test_c45_a_fetch_takes_five_statements(page, project, size):
    """Who may see the project, the claim, its cards, their votes, the classes."""
    make_run(make_dataset(project, [f"text {number}" for number in range(size)]))
    found, reply = count(page, project, want=3)
    assert (found, len(reply["cards"])) == (5, min(size, 3))


def test_c45_one_more_card_takes_five(page, project):
    make_run(make_dataset(project, [f"text {number}" for number in range(9)]))
    have = texts(write(page, project, want=2))
    found, reply = count(page, project, want=3, have=have)
    assert (found, len(reply["cards"])) == (5, 1)


def test_c45_a_blind_fetch_takes_four(page, project):
    make_run(make_dataset(project, ["one", "two"]))
    ReviewItem.objects.update(is_blind=True)
    assert count(page, project, want=1)[0] == 4


def test_a_heartbeat_takes_three(page, project):
    make_run(make_dataset(project, [f"text {number}" for number in range(9)]))
    reply = write(page, project, want=3)
    found, again = count(page, project, want=3, have=texts(reply), classes=reply["classes"]["mark"])
    assert (found, again["cards"], again["lost"]) == (3, [], [])
