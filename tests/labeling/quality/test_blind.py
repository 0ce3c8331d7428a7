"""On the screen an audit's text looks like any other: the same page and the same data, and no reason anywhere."""

import json
import re
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.jobs.models import Event
from labeling.labels.models import ItemState, ReviewItem, Verdict
from labeling.quality.actions import draw_audit
from labeling.review.desk.queries import is_audit_waiting
from tests.labeling.factories import add_member, make_project, make_run, make_user
from tests.labeling.quality.audits import make_framed
from tests.labeling.review.wire import action, write

pytestmark = pytest.mark.django_db


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


def show(client, project, item):
    """Put the item first in the queue and on the screen; the page."""
    ReviewItem.objects.filter(pk=item.pk).update(priority=-1)
    html = client.get(url(project)).content.decode()
    assert f'data-item="{item.pk}"' in html
    return html


def skip(client, project, item):
    assert client.post(url(project, "skip"), {"item": item.pk, "client_id": str(uuid4())}).status_code == 303


def without_own(html, item):
    """The page without what differs between any two texts."""
    html = html.replace('data-keyed="undo" disabled', 'data-keyed="undo"')  # before anything was done
    html = re.sub(rf'(data-item|name="item" value)="{item.pk}"', "*", html)
    for own in (item.sample.text, item.sample.external_id):
        html = html.replace(f">{own}<", ">*<")
    html = re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|\d{4}-\d\d-\d\dT[^\"]+|nonce=\"[^\"]*\"", "*", html)
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"|"x-csrftoken": ?"\w+"', "*", html, flags=re.IGNORECASE)


def test_the_page_of_an_audited_text_is_that_of_any_other(annotator, project, items):
    pages = []
    for item in items:
        pages.append(without_own(show(annotator, project, item), item))
        skip(annotator, project, item)
    hard, audited = pages
    assert hard == audited
    assert not re.search(r"audit|blind|reason|disagree|models:", audited, re.IGNORECASE)


def test_a_text_that_an_audit_shares_with_the_queue_keeps_the_others_silent(annotator, project, items):
    """The last one that an audit waits for may be a random text of the queue, which keeps its own reason."""
    hard, audited = items
    skip(annotator, project, audited)
    ReviewItem.objects.exclude(pk__in=[one.pk for one in items]).update(state=ItemState.WITHDRAWN)
    told = []
    for reason, is_audited in (("audit", False), ("random", True), ("random", False)):
        ReviewItem.objects.filter(pk=audited.pk).update(
            reason=reason, is_audited=is_audited, is_blind=reason == "audit" or is_audited
        )
        told.append((is_audit_waiting(project), hard.get_reason_display() in show(annotator, project, hard)))
    assert told == [(True, False), (True, False), (False, True)]


def test_the_answers_data_and_the_events_tell_nothing(annotator, project, items):
    letters = []
    for item in items:
        show(annotator, project, item)
        letters.append(write(annotator, project, have=[item.pk], want=1))
        skip(annotator, project, item)
    hard, audited = ({name: value for name, value in one.items() if name != "until"} for one in letters)
    assert hard == audited
    states = json.dumps(list(Event.objects.values_list("state", flat=True)))
    assert not re.search(r"audit|blind|reason|hash", states)


def test_an_answer_to_an_audit_s_text_is_blind(annotator, project, items):
    class_id = project.classes.first().pk
    for item in items:
        show(annotator, project, item)
        decision = action("decide", item=item.pk, **{"class": class_id})
        last = write(annotator, project, decision, want=0)["last"]
        assert "review-last" in last
    assert Verdict.objects.filter(item=items[1], has_seen_votes=False, is_current=True).exists()
