"""On the screen an audit's text looks like any other: the same page and the same data, and no reason anywhere."""

import json
import re
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.jobs.models import Event
from labeling.labels.models import ItemState, ReviewItem, Verdict
from labeling.quality.actions import draw_audit
from tests.labeling.factories import add_member, make_project, make_run, make_user
from tests.labeling.quality.audits import make_framed

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


@pytest.fixture
def project():
    return make_project(make_user("owner"))


@pytest.fixture
def items(project):
    """A hard text and one of the audit alone, of one copy each."""
    dataset = make_framed(project, texts=200, copies=0)
    run = make_run(dataset, hard=range(100))
    draw_audit(dataset=dataset, count=40, by=None)
    mine = ReviewItem.objects.filter(state=ItemState.OPEN).select_related("sample")
    return mine.filter(run=run, reason="hard").first(), mine.filter(run=None, reason="audit").first()


@pytest.fixture
def annotator(client, project):
    user = make_user("ann")
    add_member(project, user)
    client.force_login(user)
    return client


def url(project, name="screen"):
    return reverse(f"review:{name}", kwargs={"slug": project.slug})


def shown(client, project, item, **headers):
    """The screen with the item, without what differs between any two texts."""
    ReviewItem.objects.filter(pk=item.pk).update(priority=-1)
    html = client.get(url(project), **headers).content.decode()
    assert f'data-item="{item.pk}"' in html
    client.post(url(project, "skip"), {"item": item.pk})
    html = re.sub(rf'(data-item|name="item" value)="{item.pk}"', "*", html)
    for own in (item.sample.text, item.sample.external_id):
        html = html.replace(f">{own}<", ">*<")
    html = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[^\"]+|nonce=\"[^\"]*\"", "*", html)
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"x-csrftoken": ?"\w+"', "*", html, flags=re.IGNORECASE)


@pytest.mark.parametrize("headers", [{}, {"headers": HTMX}])
def test_the_page_of_an_audited_text_is_that_of_any_other(annotator, project, items, headers):
    hard, audited = (shown(annotator, project, item, **headers) for item in items)
    assert hard.replace("You skipped this text before; nothing else is free.", "") == audited
    assert not re.search(r"audit|blind|reason|disagree|models:", audited, re.IGNORECASE)


def test_the_answers_data_and_the_events_tell_nothing(annotator, project, items):
    kept = []
    for item in items:
        ReviewItem.objects.filter(pk=item.pk).update(priority=-1)
        annotator.get(url(project))
        kept.append(annotator.post(url(project, "keep"), {"item": item.pk}).json())
        annotator.post(url(project, "skip"), {"item": item.pk})
    assert [sorted(one) for one in kept] == [["until"], ["until"]]
    states = json.dumps(list(Event.objects.values_list("state", flat=True)))
    assert not re.search(r"audit|blind|reason|hash", states)


def test_after_the_decision_no_votes_are_shown_on_a_blind_text(annotator, project, items):
    class_id = project.classes.first().pk
    for item in items:
        ReviewItem.objects.filter(pk=item.pk).update(priority=-1)
        annotator.get(url(project))
        sent = {"item": item.pk, "label_class": class_id, "client_id": str(uuid4())}
        html = annotator.post(url(project, "decide"), sent, headers=HTMX).content.decode()
        assert "review-last" in html
    assert "models:" not in html
    assert Verdict.objects.filter(item=items[1], has_seen_votes=False, is_current=True).exists()
