"""Joining by a link: signed, expiring, one role, places, called back (S04)."""

from datetime import timedelta

import pytest
from django.core import signing
from django.utils import timezone

from labeling.accounts.models import User
from labeling.projects.actions import (
    accept_as_new,
    accept_invitation,
    change_role,
    create_invitation,
    remove_member,
    revoke_invitation,
)
from labeling.projects.invitations import invitation_id, join_path, live_invitation
from labeling.projects.models import Invitation, Membership, Role
from labeling.web.errors import ActionError
from tests.labeling.factories import add_member, make_project, make_user

pytestmark = pytest.mark.django_db
PASSWORD = " a long enough secret "
ACCOUNT = {"username": "mara", "password": PASSWORD, "again": PASSWORD}


@pytest.fixture
def owner():
    return make_user("olga")


@pytest.fixture
def project(owner):
    return make_project(owner, slug="shop", name="Shop")


@pytest.fixture
def invitation(project, owner):
    return create_invitation(project=project, role=Role.ANNOTATOR, places=2, days=7, user=owner, by=Role.OWNER)


def page(response):
    return response.content.decode()


def role_of(name):
    return list(Membership.objects.filter(user__username=name).values_list("role", flat=True))


def test_a_person_without_an_account_chooses_name_and_password(client, invitation):
    path = join_path(invitation)
    assert "olga" in page(client.get(path))
    response = client.post(path, ACCOUNT)
    assert (response.status_code, response.headers["Location"]) == (303, "/p/shop/label")
    assert role_of("mara") == [Role.ANNOTATOR]
    assert User.objects.get(username="mara").check_password(PASSWORD)
    assert client.get("/account").status_code == 200


def test_looking_at_a_link_takes_no_place(client, invitation):
    client.get(join_path(invitation))
    client.force_login(make_user("jonas"))
    assert "Join as jonas" in page(client.get(join_path(invitation)))
    invitation.refresh_from_db()
    assert (invitation.places, role_of("jonas")) == (2, [])


def test_who_is_signed_in_joins_with_the_own_account(client, invitation):
    client.force_login(make_user("jonas"))
    assert client.post(join_path(invitation)).status_code == 303
    invitation.refresh_from_db()
    assert (invitation.places, role_of("jonas")) == (1, [Role.ANNOTATOR])


@pytest.mark.parametrize("role", [Role.ANNOTATOR, Role.REVIEWER, Role.OWNER])
def test_a_member_keeps_the_role_and_takes_no_place(client, project, owner, role):
    invitation = create_invitation(project=project, role=Role.MANAGER, places=1, days=1, user=owner, by=Role.OWNER)
    member = make_user("jonas")
    add_member(project, member, role)
    client.force_login(member)
    for response in (client.get(join_path(invitation)), client.post(join_path(invitation))):
        assert response.status_code == 303
    invitation.refresh_from_db()
    assert (invitation.places, role_of("jonas")) == (1, [role])


@pytest.mark.parametrize(
    ("sent", "message"),
    [
        ({"username": "OLGA"}, "This user name is taken"),
        ({"username": "a b"}, "Enter a valid username"),
        ({"username": ""}, "This field is required"),
        ({"password": "short", "again": "short"}, "at least 10 characters"),
        ({"password": "mara mara1", "username": "mara.mara1", "again": "mara mara1"}, "too similar"),
        ({"again": "something else"}, "The two are not the same"),
    ],
)
def test_a_bad_account_is_refused_and_takes_no_place(client, invitation, sent, message):
    response = client.post(join_path(invitation), ACCOUNT | sent)
    assert response.status_code == 422
    assert message in page(response)
    invitation.refresh_from_db()
    assert (invitation.places, User.objects.count()) == (2, 1)


def end_by_time(invitation):
    Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now())


def end_by_places(invitation):
    Invitation.objects.filter(pk=invitation.pk).update(places=0)


def end_by_call(invitation):
    revoke_invitation(invitation=invitation, by=Role.MANAGER)


def end_by_demotion(invitation):
    other = make_user("otto")
    add_member(invitation.project, other, Role.OWNER)
    membership = Membership.objects.get(user=invitation.created_by)
    change_role(membership=membership, role=Role.REVIEWER, by=Role.OWNER)


def end_by_leaving(invitation):
    add_member(invitation.project, make_user("otto"), Role.OWNER)
    remove_member(membership=Membership.objects.get(user=invitation.created_by), by=Role.OWNER)


def end_by_deletion(invitation):
    Membership.objects.filter(user=invitation.created_by).delete()
    invitation.created_by.delete()


ENDS = [end_by_time, end_by_places, end_by_call, end_by_demotion, end_by_leaving, end_by_deletion]


@pytest.mark.parametrize("end", ENDS)
def test_s04_a_link_that_is_over_lets_nobody_in_and_makes_no_account(client, invitation, end):
    path = join_path(invitation)
    end(invitation)
    people = User.objects.count()
    for response in (client.get(path), client.post(path, ACCOUNT)):
        assert response.status_code == 410
        assert "Shop" not in page(response)
    with pytest.raises(ActionError, match="over"):
        accept_as_new(invitation_id=invitation.pk, username="mara", password=PASSWORD)
    with pytest.raises(ActionError, match="over"):
        accept_invitation(invitation_id=invitation.pk, user=make_user("jonas"))
    assert (User.objects.count(), role_of("mara"), role_of("jonas")) == (people + 1, [], [])


def test_s04_a_link_of_another_s_making_is_dead(client, invitation):
    good = join_path(invitation).rsplit("/", 1)[1]
    number, signature = good.split(".")
    forged = signing.Signer(sep=".", salt="another").sign(number)
    for token in ("x", number, f"{int(number) + 1}.{signature}", f"{number}.{signature[:-1]}", f"{number}.", forged):
        assert (invitation_id(token), live_invitation(token)) == (0, None)
        assert client.post(f"/join/{token}", ACCOUNT).status_code == 410
    assert invitation_id(good) == invitation.pk


def test_as_many_join_as_there_are_places(invitation):
    for name in ("ada", "bea"):
        accept_as_new(invitation_id=invitation.pk, username=name, password=PASSWORD)
    with pytest.raises(ActionError, match="over"):
        accept_as_new(invitation_id=invitation.pk, username="cleo", password=PASSWORD)
    assert sorted(User.objects.values_list("username", flat=True)) == ["ada", "bea", "olga"]


@pytest.mark.parametrize("by", Role)
@pytest.mark.parametrize("role", Role)
def test_s16_nobody_invites_above_themselves(project, owner, by, role):
    may = by.rank >= Role.MANAGER.rank and role.rank <= by.rank
    given = {"project": project, "role": role, "places": 1, "days": 1, "user": owner, "by": by}
    if may:
        assert create_invitation(**given).role == role
    else:
        with pytest.raises(ActionError):
            create_invitation(**given)
    assert Invitation.objects.count() == int(may)


@pytest.mark.parametrize(("places", "days"), [(0, 1), (501, 1), (1, 0), (1, 91)])
def test_a_link_without_bounds_is_refused(project, owner, places, days):
    with pytest.raises(ActionError, match="1 to 500 people"):
        create_invitation(project=project, role=Role.ANNOTATOR, places=places, days=days, user=owner, by=Role.OWNER)


def test_a_project_has_so_many_links_and_no_more(project, owner, monkeypatch):
    monkeypatch.setattr("labeling.projects.actions.invitations.LIVE_AT_MOST", 1)
    given = {"project": project, "role": Role.ANNOTATOR, "places": 1, "days": 1, "user": owner, "by": Role.OWNER}
    first = create_invitation(**given)
    with pytest.raises(ActionError, match="1 links already"):
        create_invitation(**given)
    revoke_invitation(invitation=first, by=Role.OWNER)
    assert create_invitation(**given).pk != first.pk


def test_a_manager_makes_copies_and_calls_back_a_link(client, project):
    client.force_login(manager := make_user("maja"))
    add_member(project, manager, Role.MANAGER)
    client.post("/p/shop/members/invite", {"role": "reviewer", "places": "3", "days": "7"})
    made = Invitation.objects.get()
    assert (made.role, made.places, made.created_by) == (Role.REVIEWER, 3, manager)
    assert timedelta(days=6) < made.expires_at - timezone.now() <= timedelta(days=7)
    assert f"http://testserver{join_path(made)}" in page(client.get("/p/shop/members"))
    assert client.post(f"/p/shop/members/invitations/{made.pk}").status_code == 303
    assert join_path(made) not in page(client.get("/p/shop/members"))


@pytest.mark.parametrize("sent", [{"role": "owner"}, {"places": "0"}, {"places": "501"}, {"days": "2"}, {"days": ""}])
def test_a_refused_link_keeps_the_form(client, project, sent):
    client.force_login(manager := make_user())
    add_member(project, manager, Role.MANAGER)
    form = {"role": "annotator", "places": "1", "days": "7"} | sent
    response = client.post("/p/shop/members/invite", form, headers={"HX-Request": "true"})
    assert (response.status_code, Invitation.objects.count()) == (422, 0)
    assert page(response).strip().startswith('<div id="members"')


def test_s16_a_manager_sees_no_owner_s_link_and_cannot_end_it(client, project, owner):
    made = create_invitation(project=project, role=Role.OWNER, places=1, days=7, user=owner, by=Role.OWNER)
    client.force_login(manager := make_user())
    add_member(project, manager, Role.MANAGER)
    shown = page(client.get("/p/shop/members"))
    assert "An owner made this link" in shown
    assert join_path(made) not in shown
    client.post(f"/p/shop/members/invitations/{made.pk}")
    made.refresh_from_db()
    assert made.revoked_at is None


def test_s19_a_link_of_another_project_is_not_found(client, project, owner, invitation):
    other = make_project(make_user())
    client.force_login(owner)
    Invitation.objects.filter(pk=invitation.pk).update(project=other)
    assert client.post(f"/p/shop/members/invitations/{invitation.pk}").status_code == 404


def test_s07_hostile_names_are_text_on_the_page_of_a_link(client, project, owner, invitation):
    hostile = "<img src=x onerror=alert(1)>"
    User.objects.filter(pk=owner.pk).update(username=hostile)
    project.name = hostile
    project.save()
    assert "<img src=x" not in page(client.get(join_path(invitation)))


def test_later_apps_hear_of_every_change_of_people(project, owner, monkeypatch, django_capture_on_commit_callbacks):
    heard = []
    monkeypatch.setattr("labeling.projects.hooks.AFTER_PEOPLE_CHANGE", [lambda one: heard.append(one.pk)])
    invitation = create_invitation(project=project, role=Role.ANNOTATOR, places=1, days=1, user=owner, by=Role.OWNER)
    with django_capture_on_commit_callbacks(execute=True):
        membership = accept_as_new(invitation_id=invitation.pk, username="mara", password=PASSWORD)
        change_role(membership=membership, role=Role.REVIEWER, by=Role.OWNER)
        remove_member(membership=membership, by=Role.OWNER)
    assert heard == [project.pk] * 3


@pytest.mark.parametrize("count", [1, 3])
def test_the_links_take_the_same_queries_however_many(client, project, owner, count, django_assert_num_queries):
    for _number in range(count):
        create_invitation(project=project, role=Role.ANNOTATOR, places=1, days=1, user=owner, by=Role.OWNER)
    client.force_login(owner)
    client.get("/p/shop/members")
    with django_assert_num_queries(8):
        client.get("/p/shop/members")


def removed(client, project, name):
    member = Membership.objects.get(project=project, user__username=name)
    return client.post(f"/p/{project.slug}/members/{member.pk}", {"verb": "remove"}, follow=True)


def test_who_was_removed_does_not_come_back_by_a_link_with_places_left(client, project, owner, invitation):
    client.force_login(make_user("jonas"))
    client.post(join_path(invitation))
    client.force_login(owner)
    assert "The invitation link that still worked is called back" in page(removed(client, project, "jonas"))
    client.force_login(User.objects.get(username="jonas"))
    assert client.post(join_path(invitation)).status_code == 410
    client.logout()
    assert client.post(join_path(invitation), ACCOUNT).status_code == 410
    assert (role_of("jonas"), role_of("mara")) == ([], [])


def test_a_removal_ends_the_live_links_of_the_project_alone(project, owner):
    def make(of=project, role=Role.ANNOTATOR):
        return create_invitation(project=of, role=role, places=2, days=7, user=owner, by=Role.OWNER)

    used, over, _live, _above = make(), make(), make(), make(role=Role.OWNER)
    Invitation.objects.filter(pk=used.pk).update(places=0)
    Invitation.objects.filter(pk=over.pk).update(expires_at=timezone.now() - timedelta(days=1))
    other = make(make_project(owner, slug="other"))
    assert remove_member(membership=add_member(project, make_user()), by=Role.MANAGER) == 2
    assert list(Invitation.objects.filter(revoked_at=None).order_by("pk")) == [used, over, other]


def test_a_removal_without_links_says_nothing_of_them(client, project, owner):
    add_member(project, make_user("jonas"))
    client.force_login(owner)
    shown = page(removed(client, project, "jonas"))
    assert ("“jonas” removed." in shown, "called back" in shown) == (True, False)
