"""C49: a reviewer corrects what others decided, but for texts by which an audit may measure."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.labels.models import Verdict, VerdictMode
from tests.labeling.review.desk.escalations import answer, item_of, make_team, person

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def project():
    return make_team()


@pytest.fixture
def desk(client, project):
    client.force_login(person(project, "rae"))
    return client


def url(project, name="screen", **more):
    return reverse(f"desk:{name}", kwargs={"slug": project.slug, **more})


def words(html):
    """What the page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


@pytest.fixture
def decided(project):
    """A text on which ann and bea agree."""
    for name in ("ann", "bea"):
        answer(project, "plain text", name, "positive")
    return item_of(project, "plain text")


def corrected(desk, project, item, class_name="negative"):
    chosen = project.classes.get(name=class_name)
    form = {"label_class": chosen.pk, "client_id": str(uuid4()), "finding": "mistake", "note": "Irony"}
    return desk.post(url(project, "correct", item_id=item.pk), form, follow=True).content.decode()


def label_of(item):
    label = item.sample.labels.get(is_current=True)
    return label.label_class.name, label.source


def test_c49_a_reviewer_corrects_what_others_decided_and_may_undo_it(desk, project, decided):
    html = desk.get(url(project, "correct", item_id=decided.pk)).content.decode()
    assert re.search(r"Decided as positive bea positive ann .* positive bea", words(html))
    assert "Corrected." in corrected(desk, project, decided)
    assert label_of(decided) == ("negative", "adjudicated")
    verdict = Verdict.objects.get(mode=VerdictMode.ADJUDICATED)
    assert (verdict.finding, verdict.note, verdict.has_seen_votes) == ("mistake", "Irony", True)
    response = desk.post(url(project, "undo"), {"client_id": str(uuid4())}, headers=HTMX)
    assert "Undone" in response["HX-Trigger"]
    assert label_of(decided) == ("positive", "human")


def test_a_text_by_which_an_audit_may_measure_is_not_corrected(desk, project, decided):
    project.datasets.update(frame_until="f" * 32)
    assert "An audit may measure by this text" in corrected(desk, project, decided)
    assert label_of(decided) == ("positive", "human")


def test_c47_a_text_that_waits_is_not_corrected_nor_its_answers_shown(desk, project):
    answer(project, "plain text", "ann", "negative")
    item = item_of(project, "plain text")
    html = desk.get(url(project, "correct", item_id=item.pk), follow=True).content.decode()
    assert ("Only a decided text is corrected" in html, "desk-answers" in html) == (True, False)
    corrected(desk, project, item)
    assert not Verdict.objects.filter(mode=VerdictMode.ADJUDICATED).exists()


def test_a_correction_that_cannot_be_read_is_refused(desk, project, decided):
    response = desk.post(url(project, "correct", item_id=decided.pk), {"label_class": "x", "client_id": "y"})
    assert (response.status_code, label_of(decided)) == (422, ("positive", "human"))


def test_the_page_of_a_decided_sample_leads_to_the_correction(desk, project, decided):
    sample_url = reverse("overview:sample", kwargs={"slug": project.slug, "sample_id": decided.sample_id})
    link = url(project, "correct", item_id=decided.pk)
    assert link in desk.get(sample_url).content.decode()
    project.datasets.update(frame_until="f" * 32)
    assert link not in desk.get(sample_url).content.decode()
