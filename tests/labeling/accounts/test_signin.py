"""Coming in: by password, by a one-time link; who may not."""

import re

import pytest
from django.urls import reverse

from labeling.accounts.actions import create_user, ensure_operator, set_password
from labeling.accounts.links import peek, redeem, signin_path, tokens
from labeling.accounts.models import User
from labeling.web.errors import ActionError
from tests.labeling.factories import make_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough secret"
SIGN_IN = "/sign-in"


@pytest.fixture
def user():
    made = create_user(username="mara")
    set_password(user=made, password=PASSWORD)
    return made


def sign_in(client, password=PASSWORD, **fields):
    return client.post(SIGN_IN, {"username": "mara", "password": password} | fields)


def is_in(client):
    return "_auth_user_id" in client.session


def page(response):
    return response.content.decode()


def test_a_password_opens(client, user):
    assert sign_in(client).headers["Location"] == "/"
    assert is_in(client)


def test_a_wrong_password_shows_the_form_again(client, user):
    response = sign_in(client, "wrong")
    assert (response.status_code, is_in(client)) == (422, False)
    assert 'value="mara"' in page(response)


def test_the_fifth_wrong_password_locks_and_says_how_long(client, user):
    codes = [sign_in(client, "wrong").status_code for _try in range(5)]
    assert codes == [422, 422, 422, 422, 429]
    response = sign_in(client)
    assert (response.status_code, is_in(client)) == (429, False)
    assert "15 minutes" in page(response)


def test_a_lockout_stops_neither_others_nor_a_link(client, user):
    for _try in range(5):
        sign_in(client, "wrong")
    set_password(user=make_user("jonas"), password=PASSWORD)
    assert sign_in(client, username="jonas").status_code == 302
    client.logout()
    assert client.post(signin_path(user)).status_code == 302


@pytest.mark.parametrize("path", ["https://evil.example/", "//evil.example/", "javascript:alert(1)", "/\\evil.example"])
def test_nobody_is_sent_to_another_site(client, user, path):
    assert client.post(signin_path(user), {"next": path}).headers["Location"] == "/"
    client.logout()
    assert sign_in(client, next=path).headers["Location"] == "/"


def test_people_come_back_to_their_page(client, user):
    location = client.get("/account?tab=1").headers["Location"]
    assert location == f"{SIGN_IN}?next=/account%3Ftab%3D1"
    assert 'name="next" value="/account?tab=1"' in page(client.get(location))
    assert sign_in(client, next="/account?tab=1").headers["Location"] == "/account?tab=1"


def test_signing_out_needs_a_post(client, user):
    sign_in(client)
    assert client.get("/sign-out").status_code == 405
    assert client.post("/sign-out").headers["Location"] == SIGN_IN
    assert not is_in(client)


def test_a_link_shows_a_button_and_signs_in_once(client):
    user = create_user(username="mara")
    link = signin_path(user)
    assert "mara" in page(client.get(link))
    assert not is_in(client)
    assert client.post(f"{link}", {"next": "/account"}).headers["Location"] == "/account"
    assert is_in(client)
    client.logout()
    for response in (client.get(link), client.post(link)):
        assert response.status_code == 410
        assert "This link is used up" in page(response)


def test_a_link_dies_when_another_one_is_used():
    user = create_user(username="mara")
    first, second = (reverse_parts(signin_path(user)) for _link in range(2))
    assert redeem(*second) == user
    assert peek(*first) is None


def reverse_parts(path):
    return path.split("/")[2:]


def test_a_link_dies_with_its_age(settings):
    name, token = reverse_parts(signin_path(create_user(username="mara")))
    settings.SIGNIN_LINK_AGE_S = -1
    assert (peek(name, token), redeem(name, token)) == (None, None)


def test_a_link_s_age_is_counted_by_the_clock_that_wrote_it(settings, monkeypatch):
    name, token = reverse_parts(signin_path(create_user(username="mara")))
    made = tokens._now()
    settings.SIGNIN_LINK_AGE_S = 3600
    monkeypatch.setattr(tokens, "_now", lambda: made.replace(year=made.year + 1))
    assert peek(name, token) is None


def test_a_link_dies_with_the_password_and_the_account():
    user = create_user(username="mara")
    name, token = reverse_parts(signin_path(user))
    user.is_active = False
    user.save()
    assert redeem(name, token) is None
    user.is_active = True
    set_password(user=user, password=PASSWORD)
    assert redeem(name, token) is None


@pytest.mark.parametrize("name", ["x", "AAAAAAAAAAE", "__________8", "~", "AAAA", "é"])
@pytest.mark.parametrize("token", ["x", "x-y", "didl-0", "-"])
def test_a_wrong_link_is_a_dead_one(client, name, token):
    assert client.post(reverse("accounts:signin-link", args=[name, token])).status_code == 410


def test_one_person_s_token_is_not_another_s():
    mara, jonas = create_user(username="mara"), create_user(username="jonas")
    name, _token = reverse_parts(signin_path(jonas))
    assert redeem(name, reverse_parts(signin_path(mara))[1]) is None


def test_who_came_by_a_link_sets_a_password_without_the_old_one(client, user):
    client.post(signin_path(user))
    new = "another long secret"
    assert client.post("/account", {"password": new, "again": new}).status_code == 302
    assert is_in(client)
    client.logout()
    assert sign_in(client, new).status_code == 302


def test_who_came_by_password_must_know_it(client, user):
    sign_in(client)
    new = "another long secret"
    response = client.post("/account", {"current": "wrong", "password": new, "again": new})
    assert "This is not your current password" in page(response)
    assert client.post("/account", {"password": new, "again": new}).status_code == 422
    assert client.post("/account", {"current": PASSWORD, "password": new, "again": new}).status_code == 302


def test_a_password_keeps_its_spaces(client, user):
    client.post(signin_path(user))
    new = "  spaces around it  "
    client.post("/account", {"password": new, "again": new})
    client.logout()
    assert sign_in(client, new.strip()).status_code == 422
    assert sign_in(client, new).status_code == 302


@pytest.mark.parametrize(
    ("password", "again", "message"),
    [("short", "short", "at least 10 characters"), ("one long secret", "other long one", "not the same")],
)
def test_a_bad_new_password_is_refused(client, password, again, message):
    client.post(signin_path(create_user(username="mara")))
    response = client.post("/account", {"password": password, "again": again})
    assert response.status_code == 422
    assert message in page(response)


def test_s18_the_first_operator_has_no_password_and_is_made_once():
    first = ensure_operator()
    assert (first.username, first.is_staff, first.has_usable_password()) == ("admin", True, False)
    assert ensure_operator() == first
    assert User.objects.count() == 1


def test_s18_nobody_guesses_a_default(client):
    ensure_operator()
    for password in ("admin", "password", "12345678", ""):
        assert client.post(SIGN_IN, {"username": "admin", "password": password}).status_code == 422


def test_s04_there_is_no_sign_up(client):
    assert client.get("/sign-up").status_code == 404
    assert not re.search(r"sign.?up|register", page(client.get(SIGN_IN)), re.IGNORECASE)


@pytest.mark.parametrize("name", ["", "a b", "<script>", "x" * 151, "Mara", "\uff2dara"])
def test_a_bad_or_taken_user_name_is_refused(user, name):
    with pytest.raises(ActionError) as caught:
        create_user(username=name)
    assert caught.value.field == "username"


def test_a_quiet_banner_offers_a_password_to_who_has_none(client, user):
    client.post(signin_path(create_user(username="jonas")))
    assert "Set a password for later" in page(client.get("/"))
    client.logout()
    sign_in(client)
    assert "Set a password for later" not in page(client.get("/"))
