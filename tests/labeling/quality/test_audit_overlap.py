"""An audit that two people answer: a text counts once they agree, or a reviewer has settled it."""

import pytest

from labeling.labels.actions import adjudicate, settle_overlap, undo
from labeling.labels.audit_queries import blind_answers
from labeling.labels.models import ReviewItem
from labeling.projects.models import Membership
from labeling.quality.actions import draw_audit
from labeling.quality.people_queries import people_answers
from labeling.quality.queries import audit_progress, drawn_hashes
from labeling.review.desk.undoing import send_back
from tests.labeling.factories import add_member, make_project, make_run, make_user
from tests.labeling.quality.audits import answer_items, audit_items, make_framed

pytestmark = pytest.mark.django_db


@pytest.fixture
def people():
    return [make_user(), make_user()]


@pytest.fixture
def project(people):
    project = make_project(people[0])
    add_member(project, people[1])
    return project


@pytest.fixture
def dataset(project):
    dataset = make_framed(project)
    draw_audit(dataset=dataset, count=6, by=None)
    return dataset


def progress(dataset):
    found = audit_progress(dataset)
    return found.answered, found.waiting


def class_id(project, name):
    return project.classes.get(name=name).pk


def test_two_people_answer_a_drawn_text_blind(dataset):
    assert {(item.needed, item.is_blind) for item in audit_items(dataset)} == {(2, True)}


def test_a_text_counts_when_both_have_answered_it_alike(dataset, people):
    items = audit_items(dataset)
    answer_items(items[:4], people[0])
    assert progress(dataset) == (0, 6)
    answer_items(items[:3], people[1])
    assert progress(dataset) == (3, 3)
    answers = people_answers(dataset.pk, drawn_hashes(dataset.pk))
    assert sorted(answer.user_id for answer in answers) == sorted([people[0].pk] * 4 + [people[1].pk] * 3)


def test_a_dispute_counts_when_it_is_settled_and_no_more_when_that_is_undone(project, dataset, people):
    (item, *_rest), mark = audit_items(dataset), "0" * 32
    answer_items([item], people[0], "positive")
    answer_items([item], people[1], "neutral")
    assert progress(dataset) == (0, 6)
    given = {"project": project, "user_id": people[0].pk, "client_id": mark}
    adjudicate(item_id=item.pk, class_id=class_id(project, "negative"), **given)
    assert progress(dataset) == (1, 5)
    found = blind_answers(dataset.pk, [item.text_hash])[item.text_hash]
    assert (found.class_id, found.source) == (class_id(project, "negative"), "adjudicated")
    told = {answer.class_id for answer in people_answers(dataset.pk, [item.text_hash])}
    assert told == {class_id(project, "positive"), class_id(project, "neutral")}
    undo(project=project, user_id=people[0].pk, client_id="1" * 32)
    assert progress(dataset) == (0, 6)


def test_an_answer_after_the_text_was_sent_back_is_none_of_one_s_own(project, dataset, people):
    """Who gets a text back with a reason learns that others said something else."""
    (item, *_rest), first = audit_items(dataset), people[0]
    answer_items([item], first, "positive")
    answer_items([item], people[1], "neutral")
    send_back(project=project, item_id=item.pk, by_id=people[1].pk, reason="look again", to_id=first.pk)
    answer_items([item], first, "neutral")
    assert [answer.user_id for answer in people_answers(dataset.pk, [item.text_hash])] == [people[1].pk]


def test_a_run_that_asks_for_an_audited_text_asks_as_many(project, dataset, people):
    run = make_run(dataset)
    needed = dict(ReviewItem.objects.filter(run=run).values_list("reason", "needed"))
    assert needed == {"audit": 2, "hard": 1}
    answer_items(audit_items(dataset), people[0])
    assert progress(dataset) == (0, 6)
    answer_items(audit_items(dataset), people[1])
    run.refresh_from_db()
    assert (progress(dataset), run.decided) == ((6, 0), sum(item.copies for item in audit_items(dataset, "decided")))


def test_when_one_of_two_leaves_the_others_answers_are_enough(project, dataset, people):
    answer_items(audit_items(dataset)[:2], people[0])
    Membership.objects.filter(project=project, user=people[1]).delete()
    assert settle_overlap(project=project) == 2
    assert progress(dataset) == (2, 4)
