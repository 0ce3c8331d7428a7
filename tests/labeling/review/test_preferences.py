"""The page "Review keys" (C19, S09)."""

import json

import pytest

from labeling.projects.models import Role
from labeling.review.models import Preferences
from labeling.review.preferences.actions import save_keys
from labeling.review.preferences.queries import screen_preferences
from labeling.web.errors import ActionError
from tests.labeling.factories import add_member, make_project, make_user

pytestmark = pytest.mark.django_db
PAGE = "/account/keys"


@pytest.fixture
def user(client):
    made = make_user("mara")
    client.force_login(made)
    return made


def stored(user):
    return list(Preferences.objects.filter(user=user).values_list("keys", flat=True))


def test_nobody_has_a_row_before_they_change_something(client, user):
    assert client.get(PAGE).status_code == 200
    assert stored(user) == []
    assert screen_preferences(user.pk, "").is_auto_advancing is True


def test_keys_are_kept_and_shown(client, user):
    assert client.post(PAGE, {"skip": "X", "undo": "u"}).status_code == 303
    assert stored(user) == [{"skip": "x"}]
    assert 'value="x"' in client.get(PAGE).content.decode()
    assert screen_preferences(user.pk, "123").keymap["skip"] == ["x"]


def test_the_defaults_come_back(client, user):
    save_keys(user_id=user.pk, keys={"skip": "x"})
    client.post(PAGE, {"skip": "y", "verb": "reset"})
    assert stored(user) == [{}]


def test_s09_nobody_writes_another_s_keys(client, user):
    other = make_user("jonas")
    save_keys(user_id=other.pk, keys={"skip": "x"})
    client.post(PAGE, {"skip": "y", "user": other.pk, "user_id": other.pk, "id": "1", "pk": "1"})
    client.post("/account/auto-advance", {"user": other.pk, "user_id": other.pk})
    theirs = Preferences.objects.get(user=other)
    assert (theirs.keys, theirs.is_auto_advancing) == ({"skip": "x"}, True)
    assert stored(user) == [{"skip": "y"}]


def test_c19_a_clash_is_refused_and_says_with_what(client, user):
    response = client.post(PAGE, {"skip": "x", "flag": "x"})
    assert response.status_code == 422
    assert "“x” is the key of “Skip” already." in response.content.decode()
    assert stored(user) == []


@pytest.mark.parametrize("is_member", [True, False])
def test_c19_the_key_of_a_class_in_ones_projects_is_refused(user, is_member):
    project = make_project(make_user(), classes=("spam", "ham"), name="Mail")
    project.classes.filter(name="spam").update(key="k")
    if not is_member:
        save_keys(user_id=user.pk, keys={"skip": "k"})
        assert stored(user) == [{"skip": "k"}]
        return
    add_member(project, user, Role.ANNOTATOR)
    with pytest.raises(ActionError, match="“k” is the key of the class “spam” in “Mail”") as refused:
        save_keys(user_id=user.pk, keys={"skip": "k"})
    assert refused.value.field == "skip"


def test_c19_a_class_that_came_later_wins_its_key(user):
    save_keys(user_id=user.pk, keys={"skip": "k"})
    assert screen_preferences(user.pk, "k").keymap["skip"] == ["s"]


@pytest.mark.parametrize("bad", [{"skip": "<img src=x onerror=alert(1)>"}, {"skip": "</script>"}, {"skip": "12"}])
def test_s09_what_is_no_key_is_not_stored(client, user, bad):
    response = client.post(PAGE, bad)
    assert response.status_code == 422
    assert "<img src=x" not in response.content.decode()
    assert stored(user) == []


def test_s09_a_hostile_row_reaches_no_page(client, user):
    hostile = {"skip": "</script><script>alert(1)</script>", "undo": ["x"], "nothing": 1}
    Preferences.objects.create(user=user, keys=hostile)
    assert "<script>alert" not in client.get(PAGE).content.decode()
    assert "alert" not in json.dumps(screen_preferences(user.pk, "").keymap)


@pytest.mark.parametrize(("sent", "is_on"), [({"is_auto_advancing": "on"}, True), ({}, False)])
def test_going_on_by_itself_is_a_switch(client, user, sent, is_on):
    assert client.post("/account/auto-advance", sent).status_code == 303
    assert screen_preferences(user.pk, "").is_auto_advancing is is_on
    response = client.post("/account/auto-advance", sent, headers={"Accept": "application/json"})
    assert (response.status_code, response.content) == (204, b"")


def test_the_page_reads_one_row_beside_what_every_page_reads(client, user, django_assert_num_queries):
    with django_assert_num_queries(6):
        client.get(PAGE)
