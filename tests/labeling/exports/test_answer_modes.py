"""How each answer of a text was given stands in the file: alone, with others, or by a reviewer."""

from uuid import uuid4

import pytest

from labeling.exports.columns import OWN_COLUMNS
from labeling.exports.queries import read_pages, read_source
from labeling.exports.rows import build_rows
from labeling.labels.actions.adjudication import adjudicate
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import ReviewItem, VerdictMode
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user

pytestmark = pytest.mark.django_db


def said_of(dataset):
    """(label_source, labels_by_annotator, answer_modes) of each row."""
    source = read_source(dataset)
    places = [OWN_COLUMNS.index(name) for name in ("label_source", "labels_by_annotator", "answer_modes")]
    rows = [row for page in read_pages(source) for row in build_rows(source, page)]
    return [tuple(row.values[place] for place in places) for row in rows]


@pytest.fixture
def people():
    return [make_user(name) for name in ("ada", "bob", "eve")]


@pytest.fixture
def run(people):
    project = make_project(people[0])
    for person in people[1:]:
        add_member(project, person)
    return make_run(make_dataset(project, ["one", "two"]))


def answer(run, text, user, name, mode=VerdictMode.SINGLE):
    decide(
        item_id=ReviewItem.objects.get(sample__text=text).pk,
        project=run.project,
        user_id=user.pk,
        class_id=run.project.classes.get(name=name).pk,
        client_id=uuid4(),
        mode=mode,
    )


def test_one_of_many_confirmed_together_is_told_from_one_given_alone(run, people):
    answer(run, "one", people[0], "neutral")
    answer(run, "two", people[0], "neutral", VerdictMode.BULK)
    assert said_of(run.dataset) == [
        ("human", "ada=neutral", "ada=single"),
        ("human", "ada=neutral", "ada=bulk"),
    ]


def test_a_settled_text_names_all_answers_and_the_reviewer_last(run, people):
    ReviewItem.objects.filter(sample__text="one").update(needed=2)
    ada, bob, eve = people
    answer(run, "one", ada, "neutral")
    answer(run, "one", bob, "negative")
    assert said_of(run.dataset)[0] == (None, None, None)
    item, positive = ReviewItem.objects.get(sample__text="one"), run.project.classes.get(name="positive")
    adjudicate(project=run.project, item_id=item.pk, user_id=eve.pk, class_id=positive.pk, client_id=uuid4())
    assert said_of(run.dataset)[0] == (
        "adjudicated",
        "ada=neutral; bob=negative; eve=positive",
        "ada=single; bob=single; eve=adjudicated",
    )
