"""S16, S20: every route x every kind of person x GET and POST, read from the URL configuration itself.

A route that is missing in NEEDS fails: whoever adds a page says here who may open it.
"""

import pytest
from django.urls import get_resolver, reverse

from labeling.projects.models import Role
from tests.labeling.factories import add_member, make_project, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]

PUBLIC, SIGNED_IN, STAFF = "public", "signed in", "staff"
ANNOTATOR, REVIEWER, MANAGER = Role.ANNOTATOR, Role.REVIEWER, Role.MANAGER
NEEDS = {
    "web:csp-report": PUBLIC,
    "web:favicon": PUBLIC,
    "web:components": STAFF,
    "accounts:sign-in": PUBLIC,
    "accounts:sign-out": SIGNED_IN,
    "accounts:signin-link": PUBLIC,
    "accounts:session": PUBLIC,
    "accounts:account": SIGNED_IN,
    "projects:new": STAFF,
    "projects:settings": MANAGER,
    "projects:guideline": MANAGER,
    "projects:add-class": MANAGER,
    "projects:change-class": MANAGER,
    "projects:members": MANAGER,
    "projects:change-member": MANAGER,
    "projects:invite": MANAGER,
    "projects:revoke-invitation": MANAGER,
    "projects:join": PUBLIC,
    "datasets:list": MANAGER,
    "datasets:detail": MANAGER,
    "datasets:archive": MANAGER,
    "datasets:upload": MANAGER,
    "datasets:act": MANAGER,
    "datasets:refused": MANAGER,
    "datasets:refused-csv": MANAGER,
    "specialists:list": MANAGER,
    "specialists:add": MANAGER,
    "specialists:detail": MANAGER,
    "specialists:map": MANAGER,
    "specialists:act": MANAGER,
    "specialists:search": MANAGER,
    "specialists:search-act": MANAGER,
    "specialists:search-add": MANAGER,
    "scripts:list": MANAGER,
    "scripts:detail": MANAGER,
    "scripts:download": MANAGER,
    "scripts:act": MANAGER,
    "llm:connections": MANAGER,
    "llm:add": MANAGER,
    "llm:connection": MANAGER,
    "llm:act": MANAGER,
    "llm:add-price": MANAGER,
    "llm:drop-price": MANAGER,
    "llm:costs": MANAGER,
    "llm:cap": MANAGER,
    "llm:ledger-csv": MANAGER,
    "cold:train": MANAGER,
    "cold:act": MANAGER,
    "runs:list": MANAGER,
    "runs:new": MANAGER,
    "runs:detail": MANAGER,
    "runs:act": MANAGER,
    "runs:cap": MANAGER,
    "review:keys": SIGNED_IN,
    "review:auto-advance": SIGNED_IN,
    "review:policy": MANAGER,
    "review:screen": ANNOTATOR,
    "review:decide": ANNOTATOR,
    "review:skip": ANNOTATOR,
    "review:undo": ANNOTATOR,
    "review:flag": ANNOTATOR,
    "review:comment": ANNOTATOR,
    "review:votes": ANNOTATOR,
    "review:send": ANNOTATOR,
    "review:release": ANNOTATOR,
    "review:free": MANAGER,
    "triage:grid": ANNOTATOR,
    "triage:confirm": ANNOTATOR,
    "triage:undo": ANNOTATOR,
    "desk:screen": REVIEWER,
    "desk:decide": REVIEWER,
    "desk:send-back": REVIEWER,
    "desk:undo": REVIEWER,
    "desk:keep": REVIEWER,
    "desk:leave": REVIEWER,
    "desk:correct": REVIEWER,
    "desk:queue": MANAGER,
    "desk:act": MANAGER,
    "desk:free": MANAGER,
    "quality:page": MANAGER,
    "quality:draw": MANAGER,
    "quality:act": MANAGER,
    "quality:people": MANAGER,
    "quality:agreement-csv": MANAGER,
    "quality:person": MANAGER,
    "quality:own-work": ANNOTATOR,
    "refinement:list": MANAGER,
    "refinement:detail": MANAGER,
    "refinement:start": MANAGER,
    "refinement:act": MANAGER,
    "refinement:decide": MANAGER,
    "refinement:source-test": MANAGER,
    "refinement:free-disk": MANAGER,
    "exports:list": MANAGER,
    "exports:detail": MANAGER,
    "exports:retry": MANAGER,
    "exports:download": MANAGER,
    "exports:manifest": MANAGER,
    "exports:script": MANAGER,
    "overview:home": SIGNED_IN,
    "overview:project": ANNOTATOR,
    "overview:return": REVIEWER,
    "overview:samples": REVIEWER,
    "overview:sample": REVIEWER,
    "overview:forecast": MANAGER,
    "overview:pilots": MANAGER,
    "overview:pilot-act": MANAGER,
    "overview:doctor": STAFF,
    "overview:banner": SIGNED_IN,
    "overview:live": PUBLIC,
    "overview:ready": PUBLIC,
}
# Routes that speak JSON: a redirect would hand their caller a page.
WIRE = {"review:send"}
VERBS = {
    "datasets:act": "retry",
    "cold:act": "stop",
    "specialists:act": "try",
    "specialists:search-act": "stop",
    "scripts:act": "retry",
    "llm:act": "test",
    "runs:act": "pause",
    "overview:pilot-act": "stop",
    "desk:act": "return",
    "quality:act": "measure",
    "refinement:act": "retry",
    "refinement:decide": "keep",
}
NOBODY = 999_999


def routes(patterns=None, space=""):
    """(name, parameters) of every route."""
    for pattern in get_resolver().url_patterns if patterns is None else patterns:
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, f"{space}{pattern.namespace}:" if pattern.namespace else space)
        else:
            yield f"{space}{pattern.name}", tuple(pattern.pattern.regex.groupindex)


ROUTES = dict(routes())
IN_PROJECT = [name for name in ROUTES if isinstance(NEEDS.get(name), Role)]


def address(name, project):
    words = {"slug": project.slug, "name": "x", "token": "x-y", "source": "hub", "verb": VERBS.get(name, "")}
    return reverse(name, kwargs={key: words.get(key, NOBODY) for key in ROUTES[name]})


def answers(client, url):
    """The status codes of GET and POST, without those of methods that the page does not have."""
    found = {client.get(url).status_code, client.post(url).status_code} - {405}
    assert found
    return found


@pytest.fixture
def project():
    return make_project(make_user())


def person(client, project, role):
    user = make_user()
    add_member(project, user, role)
    client.force_login(user)


def test_s16_every_route_says_who_may_open_it():
    assert set(ROUTES) == set(NEEDS)


def test_s16_every_project_route_is_a_role_s():
    assert {name for name, words in ROUTES.items() if "slug" in words} == set(IN_PROJECT)


@pytest.mark.parametrize("name", [name for name in ROUTES if NEEDS.get(name) != PUBLIC and name not in WIRE])
def test_s20_the_anonymous_are_sent_to_sign_in(client, project, name):
    for response in (client.get(address(name, project)), client.post(address(name, project))):
        assert response.status_code == 302
        assert response.headers["Location"].startswith(reverse("accounts:sign-in"))


@pytest.mark.parametrize("name", sorted(WIRE))
def test_s20_the_anonymous_are_told_where_to_sign_in(client, project, name):
    response = client.post(address(name, project))
    assert (response.status_code, response.json()) == (401, {"sign_in": reverse("accounts:sign-in")})


@pytest.mark.parametrize("name", IN_PROJECT)
@pytest.mark.parametrize("is_staff", [False, True], ids=["member elsewhere", "operator"])
def test_s16_a_stranger_finds_no_project(client, project, name, is_staff):
    stranger = make_user(is_staff=is_staff, is_superuser=is_staff)
    make_project(stranger, name="Elsewhere")
    client.force_login(stranger)
    assert answers(client, address(name, project)) == {404}


@pytest.mark.parametrize("name", IN_PROJECT)
@pytest.mark.parametrize("role", Role)
def test_s16_a_member_opens_what_the_role_allows(client, project, name, role):
    person(client, project, role)
    found = answers(client, address(name, project))
    if role.rank < NEEDS[name].rank:
        assert found == {403}
    else:
        assert 403 not in found


@pytest.mark.parametrize("name", [name for name in ROUTES if NEEDS.get(name) == STAFF])
def test_s16_operators_pages_are_closed_to_owners(client, project, name):
    person(client, project, Role.OWNER)
    assert answers(client, address(name, project)) == {403}
