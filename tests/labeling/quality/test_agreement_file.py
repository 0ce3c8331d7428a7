"""C48: agreement between people as a file, with the engine's own figures."""

import csv
import io

import numpy as np
import pytest

from annotator_core.agreement import cohen_kappa, fleiss_kappa, krippendorff_alpha
from labeling.accounts.actions import create_user
from labeling.quality.agreement_file import COLUMNS
from tests.labeling.factories import make_project, make_user
from tests.labeling.quality.test_people import NEUTRAL, POSITIVE, answer, make_items

pytestmark = pytest.mark.django_db
FILE = "/p/shop/people/agreement.csv"


@pytest.fixture
def project(client):
    project = make_project(make_user("olga"), slug="shop")
    client.force_login(project.created_by)
    return project


def lines_of(client):
    """The lines of the file, by column."""
    response = client.get(FILE)
    assert response.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert response.headers["Content-Disposition"] == 'attachment; filename="shop-agreement.csv"'
    return list(csv.DictReader(io.StringIO(response.content.decode(), newline="")))


def line(measure, first, second, engine):
    numbers = (engine.value, engine.low, engine.high, engine.n_items, engine.n_raters)
    return dict(
        zip(COLUMNS, (measure, first, second, *("" if one is None else str(one) for one in numbers), ""), strict=True)
    )


def test_c48_the_file_has_the_engine_s_figures(client, project):
    people = [make_user("mara"), make_user("Jonas"), project.created_by]
    table = np.array([[0, 0, -1], [1, 1, 1], [2, 0, -1], [-1, 2, 2], [0, 0, 1], [1, -1, 1]])
    for item, row in zip(make_items(project, len(table)), table, strict=True):
        for user, place in zip(people, row, strict=True):
            if place >= 0:
                answer(user, item, int(place))
    cohen, *lines = lines_of(client)
    assert (cohen["measure"], cohen["value"], cohen["people"], cohen["why_not"]) == ("cohen", "", "3", "two_raters")
    pairs = {("Jonas", "mara"): (0, 1), ("Jonas", "olga"): (1, 2), ("mara", "olga"): (0, 2)}
    assert lines == [
        line("fleiss", "", "", fleiss_kappa(table)),
        line("krippendorff", "", "", krippendorff_alpha(table)),
        *(line("cohen", *names, cohen_kappa(table[:, columns])) for names, columns in pairs.items()),
    ]


def test_c48_the_file_says_why_there_is_no_value(client, project):
    assert [one["why_not"] for one in lines_of(client)] == ["one_rater"] * 3
    people = [make_user(), make_user()]
    for item in make_items(project, 3):
        for user in people:
            answer(user, item, NEUTRAL)
    found = [(one["measure"], one["value"], one["why_not"]) for one in lines_of(client)]
    assert found == [(measure, "", "one_category") for measure in ("cohen", "fleiss", "krippendorff", "cohen")]


def test_s21_a_name_is_no_formula(client, project):
    people = [create_user(username="@lisa"), make_user("mara")]
    for item in make_items(project, 3):
        for user, place in zip(people, (NEUTRAL, POSITIVE), strict=True):
            answer(user, item, place)
    assert (lines_of(client)[-1]["first"], lines_of(client)[-1]["second"]) == ("'@lisa", "mara")


def test_the_page_leads_to_the_file(client, project):
    people = [make_user(), make_user()]
    for user in people:
        answer(user, make_items(project, 1)[0], NEUTRAL)
    assert FILE not in client.get("/p/shop/people").content.decode()
    (item,) = make_items(project, 1)
    for user in people:
        answer(user, item, NEUTRAL)
    assert f'href="{FILE}"' in client.get("/p/shop/people").content.decode()


@pytest.mark.parametrize("count", [1, 3])
def test_the_file_takes_the_same_queries_however_many(client, project, count, django_assert_num_queries):
    for item in make_items(project, count):
        for _number in range(count + 1):
            answer(make_user(), item, NEUTRAL)
    with django_assert_num_queries(7):
        client.get(FILE)
