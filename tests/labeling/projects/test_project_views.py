import re

import pytest
from django.urls import reverse

from labeling.accounts.models import User
from labeling.projects.actions import invite_person
from labeling.projects.guideline import render_guideline
from labeling.projects.models import Membership, Project, Role
from labeling.projects.queries import guideline_text
from tests.labeling.factories import add_member, make_project, make_user

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}
HOSTILE = "<img src=x onerror=alert(1)>'\"</script><script>alert(2)</script>"
NEW = "/projects/new"


@pytest.fixture
def project(client):
    user = make_user("olga", is_staff=True)
    client.force_login(user)
    return make_project(user, slug="shop")


def page(response):
    return response.content.decode()


def test_an_operator_creates_a_project(client, project):
    form = {"name": "Mail", "classes": "spam | Unwanted\nham", "guideline": "# Look"}
    response = client.post(NEW, form)
    made = Project.objects.get(name="Mail")
    assert (response.status_code, response.headers["Location"]) == (303, reverse("datasets:list", args=[made.slug]))
    assert list(made.classes.values_list("name", "key")) == [("spam", "1"), ("ham", "2")]


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"name": "", "classes": "a\nb"}, "This field is required"),
        ({"name": "x", "classes": "a"}, "at least two classes"),
        ({"name": "x", "classes": "a\nA"}, "There is a class “a” already"),
        ({"name": "x", "classes": "a\nb | | u"}, "is a key of the review screen"),
        ({"name": "x\u202e", "classes": "a\nb"}, "invisible control characters"),
    ],
)
def test_a_refused_project_keeps_the_form(client, project, form, message):
    response = client.post(NEW, form)
    assert (response.status_code, Project.objects.count()) == (422, 1)
    assert message in page(response)


def test_a_preset_fills_the_form_in_and_keeps_the_name(client, project):
    response = client.post(NEW, {"name": "Mine", "preset": "sentiment"})
    assert response.status_code == 200
    assert 'value="Mine"' in page(response)
    assert "negative | The writer is unhappy" in page(response)


def test_the_preview_is_a_fragment_of_tags(client, project):
    response = client.post(NEW, {"classes": f"{HOSTILE}\nb | | 1", "preview": "1"}, headers=HTMX)
    assert page(response).startswith('<div id="class-preview"')
    assert '<span class="tag-key">2</span>' in page(response)
    assert "<img" not in page(response)


def test_htmx_gets_the_form_alone(client, project):
    assert page(client.post(NEW, {"name": ""}, headers=HTMX)).strip().startswith("<form")


def test_details_are_saved(client, project):
    client.post("/p/shop/settings", {"name": "Store", "description": "All of it"})
    project.refresh_from_db()
    assert (project.name, project.description, project.slug) == ("Store", "All of it", "shop")


def test_refused_details_leave_the_name_in_the_bar(client, project):
    response = client.post("/p/shop/settings", {"name": ""})
    assert response.status_code == 422
    assert "Demo" in page(response)


def test_a_guideline_is_saved_and_shown_without_its_html(client, project):
    client.post("/p/shop/settings/guideline", {"guideline": f"**Read** {HOSTILE} [x](javascript:alert(3))"})
    assert guideline_text(project).startswith("**Read**")
    shown = page(client.get("/p/shop/settings"))
    assert "<strong>Read</strong>" in shown
    assert "<img src=x" not in shown
    assert 'href="javascript' not in shown


def test_s06_hostile_markdown_is_harmless():
    html = render_guideline(f"{HOSTILE}\n\n![x](https://example.org/x.png) <b>b</b>\n\n| a |\n|---|\n| {HOSTILE} |")
    assert not re.search(r"<(?!/?(p|table|thead|tbody|tr|th|td)\b)", html)


def change(client, label_class, **data):
    return client.post(f"/p/shop/settings/classes/{label_class.pk}", data, headers=HTMX)


def test_a_class_is_added_changed_moved_retired_restored(client, project):
    client.post("/p/shop/settings/classes", {"name": "mixed", "key": "x"})
    made = project.classes.get(name="mixed")
    change(client, made, verb="save", name="both", description="A bit of each", key="b", slot="7")
    change(client, made, verb="up")
    made.refresh_from_db()
    assert (made.name, made.key, made.slot) == ("both", "b", 7)
    assert [each.name for each in project.classes.all()] == ["negative", "neutral", "both", "positive"]
    change(client, made, verb="retire")
    assert project.classes.get(pk=made.pk).is_retired
    response = change(client, made, verb="restore")
    assert not project.classes.get(pk=made.pk).is_retired
    assert page(response).strip().startswith('<div id="classes"')


def test_a_refused_class_keeps_its_form_open(client, project):
    response = change(client, project.classes.first(), verb="save", name="neutral", key="1", slot="0")
    assert response.status_code == 422
    assert "There is a class “neutral” already" in page(response)
    assert page(response).count("<details open>") == 1


def test_a_class_of_another_project_is_not_found(client, project):
    other = make_project(make_user()).classes.first()
    assert change(client, other, verb="retire").status_code == 404
    assert change(client, project.classes.first(), verb="explode").status_code == 404


def test_s07_hostile_names_are_text_everywhere(client, project):
    project.classes.filter(key="1").update(name=HOSTILE[:100], description=HOSTILE)
    Project.objects.filter(pk=project.pk).update(name=HOSTILE, description=HOSTILE)
    hostile = make_user("<svg onload=alert(4)>")
    add_member(project, hostile)
    for path in ("/p/shop/settings", "/p/shop/members"):
        shown = page(client.get(path))
        assert "<img src=x" not in shown
        assert "<svg onload" not in shown
        assert "&lt;img src=x" in shown


def test_a_new_person_s_link_is_shown_once_and_works(client, project):
    response = client.post("/p/shop/members", {"username": "mara", "role": "annotator"})
    (link,) = set(re.findall(r"http://testserver(/sign-in/[^<\"]+)", page(response)))
    assert "no-store" in response.headers["Cache-Control"]
    assert link not in page(client.get("/p/shop/members"))
    client.logout()
    assert client.post(link).status_code == 302
    assert client.get("/p/shop/label").status_code == 200
    assert client.get("/p/shop/members").status_code == 403


@pytest.mark.parametrize("is_active", [True, False])
def test_s16_an_old_account_never_gets_a_link(client, project, is_active):
    make_user("root", is_staff=True, is_superuser=True, is_active=is_active)
    response = client.post("/p/shop/members", {"username": "ROOT", "role": "annotator"})
    assert "/sign-in/" not in page(response)
    assert Membership.objects.filter(user__username="root").exists() is is_active


def test_s16_a_manager_is_offered_no_owner(client, project):
    client.force_login(manager := make_user())
    add_member(project, manager, Role.MANAGER)
    assert 'value="owner"' not in page(client.get("/p/shop/members"))
    assert client.post("/p/shop/members", {"username": "evil", "role": "owner"}).status_code == 422
    assert not User.objects.filter(username="evil").exists()


def test_roles_change_and_members_go(client, project):
    membership, _is_new = invite_person(project=project, username="mara", role=Role.ANNOTATOR, by=Role.OWNER)
    path = f"/p/shop/members/{membership.pk}"
    client.post(path, {"role": "reviewer"})
    assert Membership.objects.get(pk=membership.pk).role == Role.REVIEWER
    assert client.post(path, {"role": "emperor"}).status_code == 303
    assert Membership.objects.get(pk=membership.pk).role == Role.REVIEWER
    client.post(path, {"verb": "remove"})
    assert not Membership.objects.filter(pk=membership.pk).exists()


def test_a_member_of_another_project_is_not_found(client, project):
    other = make_project(make_user()).memberships.get()
    assert client.post(f"/p/shop/members/{other.pk}", {"verb": "remove"}).status_code == 404


@pytest.mark.parametrize("count", [1, 3])
def test_the_members_take_the_same_queries_however_many(client, project, count, django_assert_num_queries):
    for _number in range(count):
        add_member(project, make_user())
    client.get("/p/shop/members")
    with django_assert_num_queries(8):
        client.get("/p/shop/members")


@pytest.mark.parametrize("count", [1, 3])
def test_the_settings_take_the_same_queries_however_many(client, project, count, django_assert_num_queries):
    for number in range(count):
        client.post("/p/shop/settings/classes", {"name": f"more {number}"})
    client.get("/p/shop/settings")
    with django_assert_num_queries(9):
        client.get("/p/shop/settings")


S14 = [
    "<svg onload=alert(1)></svg>",
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](https://example.org/x.svg)",
    '<a href="https://example.org" onclick="alert(1)">x</a>',
    "<style>body{display:none}</style>",
    "<iframe src=//example.org></iframe>",
    '<https://example.org/"onmouseover=alert(1)>',
    "[x]: javascript:alert(1)\n\n[x]",
    '<math><mi//xlink:href="data:x,<script>alert(1)</script>">',
]


@pytest.mark.parametrize("text", S14)
def test_s14_a_guideline_brings_no_markup_of_its_own(text):
    found = re.findall(r"<([^>]*)>", render_guideline(text))
    allowed = re.compile(r'/?(p|a|em|strong|br|ul|li)( href="https?://[^"<>]*")?( rel="noopener noreferrer")?')
    assert [tag for tag in found if not allowed.fullmatch(tag)] == []


@pytest.mark.parametrize("slot", ["24", "-1", "red", '0" onload="alert(1)', "<svg>", "1.5"])
def test_s15_a_colour_is_one_of_the_palette(client, project, slot):
    before = list(project.classes.values_list("slot", flat=True))
    response = change(client, project.classes.first(), verb="save", name="negative", key="1", slot=slot)
    assert response.status_code == 422
    assert "onload" not in page(response)
    assert client.post("/p/shop/settings/classes", {"name": "more", "slot": slot}).status_code == 422
    assert list(project.classes.values_list("slot", flat=True)) == before
