"""The manager's page of the queue: C04, C05, C17, C18."""

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from labeling.accounts.models import User
from labeling.labels.models import ItemReason, Lease, ReviewItem
from labeling.review.actions.queue import claim
from labeling.review.actions.returns import return_item
from labeling.review.desk.actions import take_up
from labeling.review.models import Return
from tests.labeling.factories import make_dataset, make_project, make_run, make_user
from tests.labeling.review.desk.escalations import (
    flag_text,
    item_of,
    make_team,
    person,
    queue_of,
    skip_text,
    split,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_team()


@pytest.fixture
def page(client, project):
    client.force_login(person(project, "olga"))
    return client


def url(project, name="queue", **more):
    return reverse(f"desk:{name}", kwargs={"slug": project.slug, **more})


def read(page, project, query=""):
    html = page.get(url(project) + query).content.decode()
    main = html[html.index("<main") : html.index("</main")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).replace(" :", ":")


def test_nothing_waits_in_a_new_project(page, project):
    said = read(page, make_project(User.objects.get(username="olga")))
    assert "Nobody has a text on the screen" in said
    assert "Nothing waits" in said
    assert "No text waits for a reviewer" in said


def test_totals_tell_the_queue_from_the_desk(page, project):
    split(project)
    flag_text(project)
    said = read(page, project)
    assert re.search(r"Wait in the queue 2 .* On the desk 2 .* People disagree 1 .* Flagged 1", said)
    assert "The specialists disagree 4" in said


def test_while_an_audit_waits_no_total_tells_how_much_of_the_queue_it_is(page, project):
    drawn = item_of(project, "plain text")
    ReviewItem.objects.filter(pk=drawn.pk).update(reason=ItemReason.AUDIT, run=None)
    said = read(page, project)
    assert "Wait in the queue 3 " in said
    assert "An audit waits for its answers" in said
    assert "The specialists disagree" not in said


def test_c04_it_is_told_who_holds_what_until_when(page, project):
    claim(project=project, user_id=person(project, "bea").pk, n=2)
    until = timezone.now() + timedelta(minutes=5)
    Lease.objects.update(expires_at=until)
    said = read(page, project)
    assert f"bea 2 texts, until {timezone.localtime(until):%H:%M}" in said
    assert "plain text" in said
    Lease.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert "Nobody has a text on the screen" in read(page, project)


def test_while_an_audit_waits_no_held_text_is_named(page, project):
    claim(project=project, user_id=person(project, "bea").pk)
    ReviewItem.objects.filter(sample__text="split text").update(reason=ItemReason.AUDIT)
    said = read(page, project)
    assert ("bea 1 text" in said, "plain text" in said) == (True, False)


def test_c05_a_manager_frees_what_a_person_holds(page, project):
    claim(project=project, user_id=person(project, "bea").pk, n=2)
    flag_text(project)
    take_up(project=project, user_id=person(project, "bea").pk)
    response = page.post(url(project, "free", user_id=person(project, "bea").pk), follow=True)
    assert "3 freed for everybody" in response.content.decode()
    assert not Lease.objects.exists()


def test_c05_a_manager_frees_only_what_is_held_in_this_project(page, project):
    bea, other = person(project, "bea"), make_project(make_user())
    make_run(make_dataset(other, ["elsewhere"]))
    claim(project=other, user_id=bea.pk)
    page.post(url(project, "free", user_id=bea.pk))
    assert Lease.objects.get().item.project == other


def test_c17_skipped_and_flagged_texts_have_lists_with_who_and_why(page, project):
    skip_text(project, "plain text", ("ann",))
    skip_text(project)
    flag_text(project)
    skipped, flagged = read(page, project, "?show=skipped"), read(page, project, "?show=flagged")
    assert re.search(
        r"skipped text Skipped by all ann .* bea .* plain text In the queue ann|"
        r"plain text In the queue ann .* skipped text Skipped by all ann .* bea",
        skipped,
    )
    assert re.search(r"flagged text Flagged ann: Two feelings in one", flagged)
    assert ("skipped text" in flagged, "flagged text" in skipped) == (False, False)


def test_c17_many_go_back_at_once(page, project):
    for text in ("skipped text", "plain text"):
        skip_text(project, text)
    chosen = [item_of(project, text).pk for text in ("skipped text", "plain text")]
    sent = {"item": chosen, "reason": "Discussed on Monday", "show": "skipped"}
    response = page.post(url(project, "act", verb="return"), sent, follow=True)
    assert response.redirect_chain == [(f"{url(project)}?show=skipped", 303)]
    assert "2 texts are back in the queue" in response.content.decode()
    assert {one.reason for one in Return.objects.all()} == {"Discussed on Monday"}
    assert set(queue_of(project, "ann")) >= {"skipped text", "plain text"}


def test_a_text_is_given_to_a_person_and_to_everybody_again(page, project):
    flag_text(project)
    item, ann = item_of(project, "flagged text"), person(project, "ann")
    page.post(url(project, "act", verb="give"), {"item": [item.pk], "to": ann.pk, "reason": "Yours", "show": "flagged"})
    said = read(page, project, "?show=assigned")
    assert re.search(
        r"flagged text For ann sent back by olga : Yours|flagged text For ann sent back by olga: Yours", said
    )
    assert queue_of(project, "ann")[0] == "flagged text"
    response = page.post(url(project, "act", verb="clear"), {"item": [item.pk], "show": "assigned"}, follow=True)
    assert "1 text is for everybody again" in response.content.decode()
    assert "flagged text" in queue_of(project, "bea")


WRONG = [
    ("return", {}, "Choose a text first."),
    ("give", {"item": "first"}, "Choose a person first."),
    ("return", {"item": ["x"]}, "Enter a whole number."),
    ("return", {"item": "first", "reason": "x" * 501}, "at most 500"),
    ("return", {"item": range(1, 202)}, "more texts than one page shows"),
]


@pytest.mark.parametrize(("verb", "sent", "told"), WRONG)
def test_what_cannot_be_done_is_said_and_changes_nothing(page, project, verb, sent, told):
    flag_text(project)
    sent = {key: item_of(project, "flagged text").pk if value == "first" else value for key, value in sent.items()}
    html = page.post(url(project, "act", verb=verb), sent, follow=True).content.decode()
    assert told in html
    assert item_of(project, "flagged text").escalation == "flagged"


def test_a_text_that_cannot_be_moved_is_told_with_the_reason(page, project):
    sent = {"item": [item_of(project, "plain text").pk], "show": "skipped"}
    html = page.post(url(project, "act", verb="return"), sent, follow=True).content.decode()
    assert "1 text was left as it is: The text waits in the queue already." in html


def test_s19_texts_of_other_projects_are_not_moved(page, project):
    other = make_team_elsewhere()
    flagged = item_of(other, "elsewhere")
    page.post(url(project, "act", verb="return"), {"item": [flagged.pk]})
    assert item_of(other, "elsewhere").assignee is None
    assert not Return.objects.exists()


def make_team_elsewhere():
    other = make_project(make_user())
    make_run(make_dataset(other, ["elsewhere"]))
    return other


def test_a_text_of_somebody_who_has_left_is_told(page, project):
    item, ann = item_of(project, "plain text"), person(project, "ann")
    page.post(url(project, "act", verb="give"), {"item": [item.pk], "to": ann.pk})
    project.memberships.filter(user=ann).delete()
    assert "plain text For ann, who has left" in read(page, project, "?show=assigned")
    page.post(url(project, "act", verb="clear"), {"item": [item.pk]})
    assert "plain text" in queue_of(project, "bea")


@pytest.mark.parametrize("count", [1, 3])
def test_a_list_takes_as_many_queries_for_one_row_as_for_three(page, project, count, django_assert_num_queries):
    for text in ("flagged text", "plain text", "skipped text")[:count]:
        flag_text(project, text)
    page.get(url(project))
    with django_assert_num_queries(21):
        page.get(f"{url(project)}?show=flagged")


def test_pages_of_a_long_list_follow_each_other(page, project):
    project = make_project(User.objects.get(username="olga"))
    run = make_run(make_dataset(project, [f"text {n:02}" for n in range(53)]))
    run.items.update(assignee=project.created_by)
    shown = []
    html = page.get(f"{url(project)}?show=assigned").content.decode()
    while True:
        shown += re.findall(r">(text \d\d)</label>", html)
        older = re.search(r'href="([^"]+)" rel="next"|rel="next"[^>]*href="([^"]+)"|href="([^"]+before=\d+)"', html)
        if older is None:
            break
        html = page.get(next(found for found in older.groups() if found).replace("&amp;", "&")).content.decode()
    assert sorted(shown) == [f"text {n:02}" for n in range(53)]


def test_a_returned_text_that_is_decided_leaves_the_lists(page, project):
    skip_text(project)
    return_item(project=project, item_id=item_of(project, "skipped text").pk, by_id=person(project, "olga").pk)
    assert "Nobody has skipped a text" in read(page, project, "?show=skipped")
