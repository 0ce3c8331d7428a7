"""C17, C18: texts put back into the queue from the samples pages, many at once or one, with a reason."""

from uuid import uuid4

import pytest

from labeling.labels.actions.returns import escalate
from labeling.labels.actions.verdicts import decide
from labeling.labels.models import Escalation, ItemReason, ItemState, Label, ReviewItem
from labeling.overview.samples.forms import ROWS_AT_MOST
from labeling.review.models import Return, Skip
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.overview.happenings import TEXTS, choose, item_of, sample_url, url
from tests.labeling.quality.made_assessments import make_audit

pytestmark = pytest.mark.django_db


@pytest.fixture
def user():
    return make_user("ann")


@pytest.fixture
def bob():
    return make_user("bob")


@pytest.fixture
def project(user, bob):
    project = make_project(user, name="Shop")
    add_member(project, bob)
    return project


@pytest.fixture
def run(project, user):
    """Zero and three are decided, one is skipped by one of two, two by all; four and five were never asked about."""
    run = make_run(make_dataset(project, TEXTS), hard={0, 1, 2, 3})
    choose(run, user, "zero")
    choose(run, user, "three")
    for text in ("one", "two"):
        Skip.objects.create(item=item_of(run, text), user=user, client_id=uuid4())
    escalate(project=project, item_id=item_of(run, "two").pk, why=Escalation.SKIPPED)
    return run


@pytest.fixture
def page(client, user):
    client.force_login(user)
    return client


def ids(run, *texts):
    return [run.dataset.samples.get(text=text).pk for text in texts]


def send(page, run, **sent):
    response = page.post(url(run.project, "return"), {"scope": "chosen", "reason": "read page 2"} | sent)
    return response, [str(message) for message in response.wsgi_request._messages]


def states(run):
    return {
        item.sample.text: (item.state, item.escalation, item.skips.filter(ended_at=None).count())
        for item in ReviewItem.objects.select_related("sample")
    }


def test_c17_chosen_rows_come_back_to_the_queue_with_a_reason(page, run, user):
    _response, told = send(page, run, sample=ids(run, "zero", "one", "two", "four"))
    assert states(run) == {
        "zero": (ItemState.OPEN, "", 0),
        "one": (ItemState.OPEN, "", 0),
        "two": (ItemState.OPEN, "", 0),
        "three": (ItemState.DECIDED, "", 0),
    }
    assert told == ["3 texts are back in the queue.", "1 text stayed: no person was asked about it."]
    assert (
        list(Return.objects.order_by("item__sample__position").values_list("by", "reason", "to"))
        == [(user.pk, "read page 2", None)] * 3
    )
    assert not Label.objects.filter(sample__text="zero", is_current=True).exists()


def test_c17_all_rows_of_a_page_come_back(page, run):
    sent = {"scope": "page", "shown": ids(run, *TEXTS), "sample": ids(run, "zero")}
    _response, told = send(page, run, **sent)
    assert told[0] == "4 texts are back in the queue."
    assert {state for state, *_rest in states(run).values()} == {ItemState.OPEN}


def test_c18_one_text_goes_back_to_one_person(page, run, bob):
    send(page, run, sample=ids(run, "zero"), to=bob.pk)
    assert item_of(run, "zero").assignee == bob
    (back,) = Return.objects.all()
    assert (back.to, back.reason) == (bob, "read page 2")


def test_a_text_that_waits_already_stays_and_says_so(page, run):
    send(page, run, sample=ids(run, "zero"))
    _response, told = send(page, run, sample=ids(run, "zero"))
    assert len(told) == 2
    assert told[-1].startswith("1 text stayed: ")
    assert Return.objects.count() == 1


def test_equal_texts_come_back_once(page, project, user):
    run = make_run(make_dataset(project, ["same", "same"]))
    item, class_id = ReviewItem.objects.get(), project.classes.first().pk
    decide(item_id=item.pk, project=project, user_id=user.pk, class_id=class_id, client_id=uuid4())
    _response, told = send(page, run, sample=list(run.dataset.samples.values_list("pk", flat=True)))
    assert told == ["1 text is back in the queue."]


def test_nobody_gets_a_text_who_is_no_member(page, run):
    _response, told = send(page, run, sample=ids(run, "zero"), to=make_user().pk)
    assert told == ["1 text stayed: This person is no member of the project."]
    assert item_of(run, "zero").state == ItemState.DECIDED


def test_a_text_that_only_an_audit_asks_about_counts_as_one_that_nobody_was_asked_about(page, project):
    run = make_run(make_dataset(project, TEXTS), hard=set())
    drawn = make_audit(run.dataset, drawn=1).rows.get().sample
    _response, told = send(page, run, sample=[drawn.pk])
    assert told == ["1 text stayed: no person was asked about it."]
    assert ReviewItem.objects.get().reason == ItemReason.AUDIT
    assert Return.objects.count() == 0


def test_s19_rows_of_another_project_stay_as_they_are(page, run, user):
    foreign = make_run(make_dataset(make_project(user), ["foreign"]))
    choose(foreign, user, "foreign")
    _response, told = send(page, run, sample=ids(foreign, "foreign"))
    assert told == []
    assert item_of(foreign, "foreign").state == ItemState.DECIDED


@pytest.mark.parametrize(
    "sent",
    [
        {"sample": ["1; drop table"]},
        {"sample": ["9" * 40]},
        {"sample": list(range(1, ROWS_AT_MOST + 2))},
        {"sample": ["1"], "scope": "everything"},
        {"sample": ["1"], "to": "bob"},
        {"sample": ["1"], "reason": "x" * 501},
    ],
)
def test_s22_what_the_page_never_sends_is_refused(page, run, sent):
    _response, told = send(page, run, **sent)
    assert told[0].endswith("Nothing was changed.")
    assert Return.objects.count() == 0


def test_nothing_chosen_changes_nothing(page, run):
    assert send(page, run)[1] == ["No row was chosen."]


@pytest.mark.parametrize(
    ("back", "lands"),
    [
        ("?state=decided&after=3", True),
        ("https://example.org/", False),
        ("//example.org/p/x/samples?", False),
        ("", False),
    ],
)
def test_the_person_lands_on_the_page_they_came_from(page, run, back, lands):
    list_url = url(run.project)
    sent = list_url + back if back.startswith("?") else back
    response, _told = send(page, run, sample=ids(run, "zero"), back=sent)
    assert (response.status_code, response.headers["Location"]) == (303, sent if lands else list_url)


def test_from_a_sample_s_page_back_to_it(page, run):
    response, _told = send(page, run, sample=ids(run, "zero"), back=sample_url(run, "zero"))
    assert response.headers["Location"] == sample_url(run, "zero")
