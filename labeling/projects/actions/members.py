"""Writes about members. `by` is the role of the person who asks: nobody gives or touches a role above their own."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.accounts.actions import create_user
from labeling.accounts.models import User
from labeling.projects.hooks import people_changed
from labeling.projects.models import Membership, Project, Role
from labeling.projects.queries import open_invitations
from labeling.web.errors import ActionError


@transaction.atomic
def add_member(*, project: Project, user: User, role: Role, by: Role = Role.OWNER) -> Membership:
    """Make the person a member. Raises ActionError when they are one already or the role is above `by`."""
    _check_rank(role, by)
    lock_people(project.pk)
    try:
        with transaction.atomic():
            made: Membership = Membership.objects.create(project=project, user=user, role=role)
    except IntegrityError as error:
        raise ActionError(
            _("“%(name)s” is a member already. Change the role in the list.") % {"name": user.username},
            field="username",
        ) from error
    people_changed(project)
    return made


@transaction.atomic
def invite_person(*, project: Project, username: str, role: Role, by: Role) -> tuple[Membership, bool]:
    """The membership, and whether the account is new. Raises ActionError.

    Only for a new account may the caller hand out a sign-in link: for an old one that would be a way to take it over.
    """
    _check_rank(role, by)
    user = User.objects.filter(username__iexact=username.strip()).first()
    is_new = user is None
    if user is None:
        user = create_user(username=username)
    elif not user.is_active:
        raise ActionError(_("This account is switched off. Ask an operator."), field="username")
    return add_member(project=project, user=user, role=role, by=by), is_new


@transaction.atomic
def change_role(*, membership: Membership, role: Role, by: Role) -> None:
    """Give the member another role. Raises ActionError above `by`, and for the last owner."""
    _check_rank(role, by)
    current = _locked(membership)
    _check_rank(Role(current.role), by)
    if role != Role.OWNER:
        _keep_owner(current)
    current.role = role
    current.save(update_fields=["role"])
    people_changed(current.project)


@transaction.atomic
def remove_member(*, membership: Membership, by: Role) -> int:
    """Take the person out of the project; their decisions stay. Raises ActionError as change_role does.

    Every invitation link of the project ends, also those above `by`, and their number comes back: whoever was in the
    project may know them, and would be back by one, under another name too.
    """
    current = _locked(membership)
    _check_rank(Role(current.role), by)
    _keep_owner(current)
    project = current.project
    current.delete()
    ended = open_invitations(project).update(revoked_at=timezone.now())
    people_changed(project)
    return ended


@transaction.atomic
def switch_account(*, user: User, is_active: bool) -> int:
    """Let the account sign in, or not any more; returns how many projects follow. Decisions and memberships stay.

    Whoever is switched off is waited for no more, holds no text and has none waiting.
    """
    User.objects.filter(pk=user.pk).update(is_active=is_active)
    projects = list(Project.objects.filter(memberships__user=user).order_by("id"))
    for project in projects:
        people_changed(project)
    return len(projects)


def _locked(membership: Membership) -> Membership:
    """The membership as it stands, with the project's row locked: two owners cannot step down at once."""
    lock_people(membership.project_id)
    current = Membership.objects.select_related("project").filter(pk=membership.pk).first()
    if current is None:
        raise ActionError(_("This person is no member any more. Load the page again."))
    return current


def lock_people(project_id: int) -> None:
    """Changes of people wait for one another; inserts that name the project do not wait for them."""
    Project.objects.select_for_update(no_key=True).get(pk=project_id)


def _check_rank(role: Role, by: Role) -> None:
    if role.rank > by.rank or by.rank < Role.MANAGER.rank:
        raise ActionError(_("Only an owner can make owners, change their role or remove them."), field="role")


def _keep_owner(membership: Membership) -> None:
    if membership.role != Role.OWNER:
        return
    owners = Membership.objects.filter(project_id=membership.project_id, role=Role.OWNER)
    if not owners.exclude(pk=membership.pk).exists():
        raise ActionError(_("A project needs an owner. Make somebody else an owner first."), field="role")
