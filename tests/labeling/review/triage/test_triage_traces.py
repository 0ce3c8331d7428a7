"""Where else it is told that an answer was confirmed with others: the people's pages, a sample's, the desk."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.labels.audit_queries import blind_answers, seen_labels
from labeling.labels.models import Finding, ReviewItem
from labeling.quality.people_queries import people_answers
from labeling.review.desk.actions import Ruling, correct
from labeling.runs.models import Run
from tests.labeling.quality.audits import answer_items
from tests.labeling.review.triage.grids import class_of, confirm_texts, make_grid_project, take_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_grid_project()


@pytest.fixture
def user(project):
    return project.created_by


@pytest.fixture
def confirmed(project, user):
    """Three texts confirmed together."""
    ids = take_up(project, user)
    confirm_texts(project, user, ids)
    return list(ReviewItem.objects.filter(pk__in=ids).order_by("pk"))


def words(client, name, project, **more):
    html = client.get(reverse(name, kwargs={"slug": project.slug, **more})).content.decode()
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def test_people_s_pages_tell_how_many_were_confirmed_in_triage(client, project, user, confirmed):
    client.force_login(user)
    assert "3 in triage" in words(client, "quality:people", project)
    assert "In triage 3 confirmed with others" in words(client, "quality:own-work", project)


def test_they_say_nothing_where_there_are_none(client, project, user):
    client.force_login(user)
    assert "3 in triage" not in words(client, "quality:people", project)
    assert "In triage 0" not in words(client, "quality:own-work", project)


def test_a_reviewer_reads_it_beside_the_answer(client, project, user, confirmed):
    client.force_login(user)
    assert "confirmed with others" in words(client, "desk:correct", project, item_id=confirmed[0].pk)


def test_no_audit_measures_by_an_answer_confirmed_with_others(project, confirmed):
    hashes = [item.text_hash for item in confirmed]
    dataset_id = confirmed[0].dataset_id
    assert (blind_answers(dataset_id, hashes), people_answers(dataset_id, hashes)) == ({}, [])


def test_the_labels_that_no_audit_measures_are_counted(project, user, confirmed):
    run = Run.objects.get()
    seen, blind = ReviewItem.objects.filter(run=run, state="open")[:2]
    answer_items([seen], user, seen=True)
    answer_items([blind], user)
    assert seen_labels(run) == (4, 3)


def test_a_reviewer_corrects_what_was_confirmed_wrongly(project, user, confirmed):
    ruling = Ruling(confirmed[0].pk, class_of(project, "positive").pk, uuid4(), Finding.MISTAKE)
    assert not correct(project=project, user_id=user.pk, ruling=ruling).is_stale
    assert confirmed[0].sample.labels.get(is_current=True).label_class.name == "positive"
