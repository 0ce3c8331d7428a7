"""The desk over HTTP: what a reviewer reads before deciding, what is kept from them, and who may come in."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils.html import escape

from labeling.datasets.models import Sample
from labeling.labels.models import ItemReason, ItemState, ReviewItem, Verdict, VerdictMode, Vote
from labeling.projects.models import GuidelineVersion, Role
from labeling.review.actions.comments import add_comment
from labeling.review.models import Return
from labeling.runs.models import PoolMember
from tests.labeling.factories import add_member, make_dataset, make_project, make_run, make_user
from tests.labeling.pool import make_pool
from tests.labeling.review.desk.escalations import (
    answer,
    flag_text,
    item_of,
    make_team,
    person,
    skip_text,
    split,
)

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


def read(desk, project, query="", **more):
    return desk.get(url(project) + query, **more).content.decode()


def sent(project, text, class_name="neutral", **more):
    chosen = project.classes.get(name=class_name)
    return {"item": item_of(project, text).pk, "label_class": chosen.pk, "client_id": str(uuid4()), **more}


def words(html):
    """What the page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html)).replace(" :", ":")


def test_an_empty_desk_says_when_texts_come(desk, project):
    html = read(desk, project)
    assert "The desk is empty" in html
    assert 'hx-trigger="every 5s"' in html


def test_c46_all_answers_stand_side_by_side_with_their_time(desk, project):
    split(project)
    said = words(read(desk, project))
    assert "People disagree" in said
    assert re.search(r"negative ann 42 s .* positive bea 4 s", said)


def test_flags_skips_comments_and_returns_are_read_in_the_order_of_time(desk, project):
    text, ann = "flagged text", person(project, "ann")
    add_comment(project=project, user_id=ann.pk, item_id=item_of(project, text).pk, client_id=uuid4(), text="Hm")
    skip_text(project, text, ("bea",))
    flag_text(project, text)
    said = words(read(desk, project))
    assert re.search(r"Flagged .* ann remarked: Hm .* bea skipped it .* ann flagged it: Two feelings in one", said)


def test_an_earlier_return_and_the_answers_before_it_stay_readable(desk, project):
    split(project)
    back = {"item": item_of(project, "split text").pk, "to": person(project, "ann").pk, "reason": "Again"}
    desk.post(url(project, "send-back"), back)
    answer(project, "split text", "ann", "negative")
    said = words(read(desk, project))
    assert "rae sent it back to ann: Again" in said
    assert "1 answer before" in said


def test_adjudicating_plain_redirects_to_the_next_text(desk, project):
    split(project)
    flag_text(project)
    form = sent(project, "split text", finding="guideline", note="Sarcasm is not covered", elapsed_ms=5000)
    response = desk.post(url(project, "decide"), form, follow=True)
    assert response.redirect_chain == [(url(project), 303)]
    html = response.content.decode()
    assert ">flagged text</p>" in html
    assert "The guideline has a gap" in words(html)
    verdict = Verdict.objects.get(mode=VerdictMode.ADJUDICATED)
    assert (verdict.user.username, verdict.finding, verdict.note) == ("rae", "guideline", "Sarcasm is not covered")


def test_adjudicating_by_htmx_answers_with_the_desk_alone(desk, project):
    split(project)
    response = desk.post(url(project, "decide"), sent(project, "split text"), headers=HTMX)
    html = response.content.decode()
    assert (response.status_code, "<html" in html, html.lstrip().startswith("<section")) == (200, False, True)
    assert "The desk is empty" in html
    assert item_of(project, "split text").state == ItemState.DECIDED


def test_the_chosen_kind_stays(desk, project):
    split(project)
    flag_text(project)
    flag_text(project, "plain text")
    html = desk.post(
        url(project, "decide"), sent(project, "flagged text", kind="flagged"), headers=HTMX
    ).content.decode()
    assert ">plain text</p>" in html
    response = desk.post(url(project, "decide"), sent(project, "plain text", kind="flagged"))
    assert response.url == f"{url(project)}?kind=flagged"
    assert "None of this kind" in read(desk, project, "?kind=flagged")


def test_later_shows_the_next_text_and_comes_round(desk, project):
    for text in ("flagged text", "plain text"):
        flag_text(project, text)
    first, second = sorted([item_of(project, text) for text in ("flagged text", "plain text")], key=lambda one: one.pk)
    assert f">{second.sample.text}</p>" in read(desk, project, f"?after={first.pk}")
    assert f">{second.sample.text}</p>" in read(desk, project)
    assert f">{first.sample.text}</p>" in read(desk, project, f"?after={second.pk}")


def test_undo_shows_the_text_again(desk, project):
    split(project)
    desk.post(url(project, "decide"), sent(project, "split text"))
    html = desk.post(url(project, "undo"), {"client_id": str(uuid4())}, follow=True).content.decode()
    assert ">split text</p>" in html
    response = desk.post(url(project, "undo"), {"client_id": str(uuid4())}, headers=HTMX)
    assert "no adjudication to undo" in response["HX-Trigger"]


def test_undo_shows_a_text_of_another_kind_than_the_chosen_one(desk, project):
    split(project)
    flag_text(project)
    desk.post(url(project, "decide"), sent(project, "split text"))
    form = {"client_id": str(uuid4()), "kind": "flagged"}
    assert ">split text</p>" in desk.post(url(project, "undo"), form, headers=HTMX).content.decode()


def test_c47_answers_on_a_text_that_is_not_on_the_desk_cannot_be_asked_for(desk, project):
    answer(project, "plain text", "ann", "negative")
    html = read(desk, project, f"?item={item_of(project, 'plain text').pk}")
    assert ("plain text" in html, "ann" in words(html)) == (False, False)


def test_c18_sending_back_to_a_person_needs_a_reason(desk, project):
    split(project)
    back = {"item": item_of(project, "split text").pk, "to": person(project, "ann").pk}
    response = desk.post(url(project, "send-back"), back, headers=HTMX)
    assert (response.status_code, Return.objects.count()) == (422, 0)
    assert "Say why" in response["HX-Trigger"]
    assert ">split text</p>" in response.content.decode()
    desk.post(url(project, "send-back"), back | {"reason": "Read it to the end"})
    assert item_of(project, "split text").assignee.username == "ann"


def test_putting_back_into_the_queue_needs_none(desk, project):
    skip_text(project)
    desk.post(url(project, "send-back"), {"item": item_of(project, "skipped text").pk, "to": "", "reason": ""})
    item = item_of(project, "skipped text")
    assert (item.state, item.escalation, item.assignee) == (ItemState.OPEN, "", None)


def test_those_who_answered_come_first_among_whom_to_send_it_to(desk, project):
    split(project)
    html = read(desk, project)
    options = re.findall(r"<option[^>]*>([^<]+)</option>", html)
    assert options == ["Everybody: into the queue", "ann", "bea", "olga", "rae"]


def test_the_second_reviewer_is_told_what_happened(desk, project, client):
    split(project)
    read(desk, project)
    client.force_login(person(project, "olga"))
    client.post(url(project, "decide"), sent(project, "split text", "positive"))
    client.force_login(person(project, "rae"))
    html = client.post(url(project, "decide"), sent(project, "split text", "negative"), headers=HTMX).content.decode()
    assert "olga had decided the text meanwhile" in words(html)


def test_a_retired_class_changes_nothing_and_says_so(desk, project):
    split(project)
    form = sent(project, "split text")
    project.classes.filter(name="neutral").update(is_retired=True)
    html = desk.post(url(project, "decide"), form, headers=HTMX).content.decode()
    assert "not in use any more" in html
    assert ">split text</p>" in html
    assert item_of(project, "split text").state == ItemState.OPEN


@pytest.mark.parametrize("change", [{"item": "x"}, {"label_class": "-1"}, {"client_id": "7"}, {"finding": "nonsense"}])
def test_a_form_that_cannot_be_read_is_refused(desk, project, change):
    split(project)
    response = desk.post(url(project, "decide"), sent(project, "split text") | change, headers=HTMX)
    assert (response.status_code, Verdict.objects.filter(mode=VerdictMode.ADJUDICATED).count()) == (422, 0)


def test_a_note_that_is_too_long_is_refused(desk, project):
    split(project)
    response = desk.post(url(project, "decide"), sent(project, "split text", note="x" * 2001), headers=HTMX)
    assert (response.status_code, item_of(project, "split text").state) == (422, ItemState.OPEN)


def test_what_cannot_be_read_in_the_address_counts_as_not_asked(desk, project):
    split(project)
    assert ">split text</p>" in read(desk, project, "?item=x&after=-1&kind=none&votes=2")


@pytest.fixture
def voted(project, tmp_path):
    """Two specialists voted on the flagged text; nobody else is asked about it."""
    run = project.runs.get()
    project.items.update(is_blind=False)
    versions = make_pool(project, tmp_path, count=2)
    generation = run.generations.get()
    sample = item_of(project, "flagged text").sample
    for position, version in enumerate(versions):
        PoolMember.objects.create(generation=generation, version=version, position=position)
        chosen = project.classes.get(position=position)
        Vote.objects.create(sample=sample, version=version, label_class=chosen, top_probability=0.75)
    flag_text(project)
    return versions


def votes_in(html):
    return re.findall(r"version 1 · (\d+%)", words(html))


def test_models_votes_are_shown_when_asked_for_and_recorded_as_seen(desk, project, voted):
    html = read(desk, project)
    assert (votes_in(html), 'name="seen"' in html, "votes=1" in html) == ([], False, True)
    html = read(desk, project, "?votes=1")
    assert (votes_in(html), 'name="seen"' in html) == (["75%", "75%"], True)
    desk.post(url(project, "decide"), sent(project, "flagged text", seen="on"))
    assert Verdict.objects.get().has_seen_votes


def hide_by_setting(project):
    project.votes_shown = "never"
    project.save()


def hide_by_audit(project):
    ReviewItem.objects.filter(sample__text="plain text").update(reason=ItemReason.AUDIT, is_blind=True)


def hide_in_frame(project):
    project.datasets.update(frame_until="f" * 32)


@pytest.mark.parametrize("hide", [hide_by_setting, hide_by_audit, hide_in_frame])
def test_c47_models_votes_stay_hidden(desk, project, voted, hide):
    hide(project)
    html = read(desk, project, "?votes=1")
    assert (votes_in(html), 'name="seen"' in html, 'data-key="v"' in html) == ([], False, False)


def test_while_an_audit_waits_no_text_tells_why_it_is_in_the_queue(desk, project):
    flag_text(project)
    assert "The specialists disagree" in words(read(desk, project))
    hide_by_audit(project)
    assert "The specialists disagree" not in words(read(desk, project))


def test_a_kept_gold_label_is_not_at_the_desk(desk, project):
    flag_text(project)
    project.datasets.update(columns=["id", "text", "truth"])
    Sample.objects.update(gold="polar bear", cells='["r0", null, "polar bear"]')
    project.uploads.update(gold_column="truth")
    html = read(desk, project)
    assert (">r0<" in html, "truth" in html, "polar bear" in html) == (True, False, False)


def test_votes_are_there_at_once_where_the_project_shows_them(desk, project, voted):
    project.votes_shown = "shown"
    project.save()
    html = read(desk, project)
    assert (votes_in(html), 'name="seen"' in html) == (["75%", "75%"], True)


@pytest.mark.parametrize("count", [1, 3])
def test_the_desk_takes_as_many_queries_for_one_mark_as_for_three(desk, project, count, django_assert_num_queries):
    for number in range(count):
        add_comment(
            project=project,
            user_id=person(project, "ann").pk,
            item_id=item_of(project, "flagged text").pk,
            client_id=uuid4(),
            text=f"remark {number}",
        )
    flag_text(project)
    if count == 3:
        flag_text(project, name="bea")
    read(desk, project)
    with django_assert_num_queries(25):
        read(desk, project, headers=HTMX)


PAYLOAD = "<img src=x onerror=alert(1)>{{ 7|add:7 }}"


def test_s06_whatever_people_wrote_is_shown_as_text(client):
    project = make_team()
    client.force_login(person(project, "rae"))
    GuidelineVersion.objects.create(project=project, text=PAYLOAD)
    flag_text(project, note=PAYLOAD)
    split(project)
    ann, item = person(project, "ann"), item_of(project, "split text")
    add_comment(project=project, user_id=ann.pk, item_id=item.pk, client_id=uuid4(), text=PAYLOAD)
    client.post(url(project, "send-back"), {"item": item.pk, "to": ann.pk, "reason": PAYLOAD})
    answer(project, "split text", "ann", "neutral")
    for one in (item, item_of(project, "flagged text")):
        html = read(client, project, f"?item={one.pk}")
        assert escape(PAYLOAD) in html
        assert "<img src=x" not in html


ROLES = [("stranger", 404, 404), (Role.ANNOTATOR, 403, 403), (Role.REVIEWER, 200, 403), (Role.MANAGER, 200, 200)]


@pytest.mark.parametrize(("role", "at_desk", "at_queue"), ROLES)
def test_c49_reviewers_reach_the_desk_and_managers_the_queue(client, project, role, at_desk, at_queue):
    someone = make_user()
    if role != "stranger":
        add_member(project, someone, role)
    client.force_login(someone)
    assert client.get(url(project)).status_code == at_desk
    assert client.get(url(project, "queue")).status_code == at_queue


@pytest.mark.parametrize("name", ["decide", "send-back", "keep"])
def test_s19_a_text_of_another_project_is_not_found(desk, project, name):
    other = make_project(make_user())
    make_run(make_dataset(other, ["foreign"]))
    form = sent(project, "plain text") | {"item": item_of(other, "foreign").pk}
    response = desk.post(url(project, name), form)
    found = response.json() if name == "keep" else response.status_code
    assert found == ({"kept": False, "until": None} if name == "keep" else 404)
    assert not Verdict.objects.exists()


def test_the_heartbeat_keeps_the_text(desk, project):
    split(project)
    read(desk, project)
    item = item_of(project, "split text").pk
    assert desk.post(url(project, "keep"), {"item": item}).json()["kept"] is True


def test_annotators_see_no_tab_of_the_desk(client, project):
    for name, is_there in (("ann", False), ("rae", True), ("olga", True)):
        client.force_login(person(project, name))
        html = client.get(reverse("overview:project", kwargs={"slug": project.slug})).content.decode()
        assert (f'href="{url(project)}"' in html) == is_there


def test_the_project_page_says_what_waits_on_the_desk_to_those_who_may_settle_it(client, project):
    split(project)
    flag_text(project)
    for name, is_there in (("ann", False), ("rae", True)):
        client.force_login(person(project, name))
        html = client.get(reverse("overview:project", kwargs={"slug": project.slug})).content.decode()
        assert ("2 texts wait on the reviewers&#x27; desk." in html) == is_there
