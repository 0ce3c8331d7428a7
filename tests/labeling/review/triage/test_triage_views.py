"""The triage grid as a page: plain forms without JavaScript, what it shows, and what it says when it is closed."""

import re
from uuid import uuid4

import pytest
from django.urls import reverse

from labeling.labels.models import ItemReason, Lease, ReviewItem, Verdict
from labeling.projects.models import Role, VotesShown
from tests.labeling.factories import add_member, make_dataset, make_run, make_user
from tests.labeling.review.triage.grids import class_of, items_of, make_grid_project

pytestmark = pytest.mark.django_db


@pytest.fixture
def project():
    return make_grid_project()


@pytest.fixture
def page(client, project):
    client.force_login(project.created_by)
    return client


def url(project, name="grid", class_name=None):
    address = reverse(f"triage:{name}", kwargs={"slug": project.slug})
    return f"{address}?label_class={class_of(project, class_name).pk}" if class_name else address


def words(html):
    """What the page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


def shown(html):
    """The texts on the grid, in order."""
    return re.findall(r'class="tile-text"[^>]*>([^<]*)</span>', html)


def fields(html, name):
    return [int(value) for value in re.findall(rf'name="{name}" value="(\d+)"', html)]


def form(html, *ticked, **more):
    chosen = re.search(r'name="label_class" value="(\d+)"', html)[1]
    given = {"client_id": str(uuid4()), "label_class": chosen, "shown": fields(html, "shown"), "item": list(ticked)}
    return given | more


def open_grid(page, project, class_name=None):
    return page.get(url(project, class_name=class_name)).content.decode()


def test_grid_shows_the_texts_ticked_with_their_class(page, project):
    html = open_grid(page, project, "neutral")
    assert shown(html) == ["text 1", "text 4", "text 7"]
    assert len(re.findall(r'name="item" value="\d+" autocomplete="off" checked', html)) == 3
    assert "Confirm the ticked ones as neutral" in words(html)
    assert "negative 3 neutral 3 positive 3" in words(html)
    assert Lease.objects.filter(user=project.created_by).count() == 3


def test_confirming_without_javascript_leaves_what_is_not_ticked(page, project):
    html = open_grid(page, project, "neutral")
    ids = fields(html, "item")
    response = page.post(url(project, "confirm"), form(html, *ids[:2]), follow=True)
    assert response.redirect_chain == [(url(project, class_name="neutral"), 303)]
    assert Verdict.objects.filter(mode="bulk").count() == 2
    said = words(response.content.decode())
    assert "Last: 2 texts as neutral" in said
    assert "No text waits here as neutral" in said  # the one left out does not come back to the grid
    assert not Lease.objects.filter(item=ids[2]).exists()


def test_what_was_left_out_waits_on_the_review_screen(page, project):
    html = open_grid(page, project, "neutral")
    page.post(url(project, "confirm"), form(html))
    html = page.get(reverse("review:screen", kwargs={"slug": project.slug})).content.decode()
    assert Verdict.objects.count() == 0
    assert "of 9 rows left" in words(html)


def test_undo_brings_the_texts_back_to_the_grid(page, project):
    html = open_grid(page, project, "neutral")
    html = page.post(url(project, "confirm"), form(html, *fields(html, "item")), follow=True).content.decode()
    of = re.search(r'name="of" value="([0-9a-f-]+)"', html)[1]
    sent = {"of": of, "client_id": str(uuid4()), "label_class": class_of(project, "neutral").pk}
    for _time in range(2):
        response = page.post(url(project, "undo"), sent, follow=True)
        assert shown(response.content.decode()) == ["text 1", "text 4", "text 7"]
    assert ReviewItem.objects.filter(state="open").count() == 9


def test_another_class_frees_the_texts_of_the_one_before(page, project):
    open_grid(page, project, "neutral")
    open_grid(page, project, "positive")
    held = Lease.objects.values_list("item__sample__text", flat=True)
    assert sorted(held) == ["text 2", "text 5", "text 8"]


def test_a_lease_on_the_review_screen_is_not_lost_to_the_grid(page, project):
    page.get(reverse("review:screen", kwargs={"slug": project.slug}))
    open_grid(page, project, "neutral")
    open_grid(page, project, "negative")
    assert Lease.objects.filter(item__sample__text="text 8").exists()


def test_two_people_never_see_the_same_text(page, project, client):
    first = shown(open_grid(page, project, "neutral"))
    other = make_user()
    add_member(project, other)
    client.force_login(other)
    assert (len(first), shown(open_grid(client, project, "neutral"))) == (3, [])


def test_late_and_refused_texts_are_told(page, project):
    html = open_grid(page, project, "neutral")
    late, blind, _fine = items_of(project, "text 1", "text 4", "text 7")
    ReviewItem.objects.filter(pk=late.pk).update(state="decided")
    ReviewItem.objects.filter(pk=blind.pk).update(is_blind=True)
    said = page.post(url(project, "confirm"), form(html, *fields(html, "item")), follow=True).content.decode()
    assert "1 text was decided or taken off meanwhile" in said
    assert "1 text cannot be confirmed with others any more" in said
    assert Verdict.objects.filter(is_current=True).count() == 1


BROKEN = [{"client_id": "x"}, {"shown": []}, {"label_class": ""}, {"item": ["nine"]}]


@pytest.mark.parametrize("broken", BROKEN, ids=[str(one) for one in BROKEN])
def test_a_form_that_cannot_be_read_stores_nothing(page, project, broken):
    html = open_grid(page, project)
    response = page.post(url(project, "confirm"), form(html, *fields(html, "item")) | broken)
    assert response.status_code == 422
    assert "Nothing was stored" in response.content.decode()
    assert Verdict.objects.count() == 0
    assert page.post(url(project, "undo"), {"of": "x"}).status_code == 422


@pytest.mark.parametrize("query", ["?label_class=x", "?label_class=999999", "?label_class=-1"])
def test_a_class_that_is_none_shows_the_most_frequent(page, project, query):
    assert len(shown(page.get(url(project) + query).content.decode())) == 3


def test_a_project_without_proposals_says_what_comes_here(client):
    project = make_grid_project([])
    client.force_login(project.created_by)
    assert "Nothing to confirm together" in open_grid(client, project)


def never(project):
    type(project).objects.update(votes_shown=VotesShown.NEVER)


def overlap(project):
    type(project).objects.update(overlap=2)
    add_member(project, make_user())


def audit(project):
    ReviewItem.objects.filter(sample__text="text 8").update(reason=ItemReason.AUDIT)


@pytest.mark.parametrize(
    ("close", "why"),
    [
        (never, "this project shows nobody what they voted"),
        (overlap, "Several people answer each text"),
        (audit, "The grid is closed while an audit waits"),
    ],
)
def test_a_closed_grid_says_why_and_shows_no_text_nor_class(page, project, close, why):
    open_grid(page, project)
    close(project)
    html = open_grid(page, project)
    assert (why in words(html), shown(html), "triage-class" in html) == (True, [], False)
    assert Lease.objects.count() == 0
    said = page.post(url(project, "confirm"), form_of(project), follow=True).content.decode()
    assert "Nothing was stored" in said
    assert Verdict.objects.count() == 0


def form_of(project):
    ids = list(ReviewItem.objects.values_list("pk", flat=True))
    return {"client_id": str(uuid4()), "label_class": class_of(project, "neutral").pk, "shown": ids, "item": ids}


@pytest.mark.parametrize("is_manager", [False, True])
def test_only_a_manager_is_led_to_the_settings(client, project, is_manager):
    never(project)
    person = make_user()
    add_member(project, person, Role.MANAGER if is_manager else Role.ANNOTATOR)
    client.force_login(person)
    html = re.search(r'<section class="triage".*</section>', open_grid(client, project), re.DOTALL)[0]
    assert ("/settings" in html) is is_manager


@pytest.mark.parametrize("change", [{}, {"votes_shown": "never"}, {"overlap": 2}])
def test_the_review_screen_leads_to_the_grid_where_it_may_open(page, project, change):
    type(project).objects.update(**change)
    html = page.get(reverse("review:screen", kwargs={"slug": project.slug})).content.decode()
    assert (f'href="{url(project)}"' in html) is (not change)


@pytest.mark.parametrize("size", [3, 60])
def test_the_page_takes_as_many_queries_for_one_text_as_for_many(client, size, django_assert_num_queries):
    project = make_grid_project([])
    make_run(make_dataset(project, [f"text {number}" for number in range(size)]))
    client.force_login(project.created_by)
    open_grid(client, project)
    with django_assert_num_queries(25):
        open_grid(client, project)


def test_hostile_texts_and_names_are_text(page, project):
    hostile = "<img src=x onerror=alert(1)>"
    project.classes.filter(name="negative").update(name=hostile)
    make_run(make_dataset(project, [hostile + " word" * 90]))
    html = page.get(f"{url(project)}?label_class={project.classes.first().pk}").content.decode()
    assert hostile not in html
    assert html.count("&lt;img src=x onerror=alert(1)&gt;") > 3
