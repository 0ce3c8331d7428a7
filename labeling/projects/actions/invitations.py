"""Writes about invitations: made, called back, accepted."""

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.accounts.actions import create_user
from labeling.accounts.models import User
from labeling.projects.actions.members import add_member, lock_people
from labeling.projects.invitations import is_live, may_give
from labeling.projects.models import Invitation, Membership, Project, Role
from labeling.projects.queries import open_invitations
from labeling.web.errors import ActionError

PLACES_AT_MOST = 500
DAYS_AT_MOST = 90
LIVE_AT_MOST = 50  # of a project; chosen: more are a mistake


def create_invitation(*, project: Project, role: Role, places: int, days: int, user: User, by: Role) -> Invitation:
    """A link for `places` people that works for `days` days. Raises ActionError above the role `by` of its maker."""
    if not may_give(by, role):
        raise ActionError(_("You can invite people up to your own role."), field="role")
    if not 1 <= places <= PLACES_AT_MOST or not 1 <= days <= DAYS_AT_MOST:
        raise ActionError(_("A link is for 1 to %(places)d people and 1 to %(days)d days.") % _limits())
    expires_at = timezone.now() + timedelta(days=days)
    with transaction.atomic():
        locked = Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        if open_invitations(locked).count() >= LIVE_AT_MOST:
            raise ActionError(_("This project has %(n)d links already. Call one back first.") % {"n": LIVE_AT_MOST})
        made: Invitation = Invitation.objects.create(
            project=locked, role=role, places=places, created_by=user, expires_at=expires_at
        )
    return made


def revoke_invitation(*, invitation: Invitation, by: Role) -> None:
    """End the link for everybody; who has joined by it stays. Raises ActionError above `by`."""
    if not may_give(by, Role(invitation.role)):
        raise ActionError(_("This link is for a role above yours. Ask an owner."))
    Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=timezone.now())


@transaction.atomic
def accept_invitation(*, invitation_id: int, user: User) -> Membership:
    """The person's membership. Who is a member already keeps the role and takes no place. Raises ActionError."""
    invitation = _locked(invitation_id)
    member = Membership.objects.filter(project=invitation.project_id, user=user).first()
    return member or _take_place(invitation, user)


@transaction.atomic
def accept_as_new(*, invitation_id: int, username: str, password: str) -> Membership:
    """A new account with the name and password that the person chose, as a member: all of it or nothing.

    Raises ActionError: a link that is over makes no account (S04).
    """
    invitation = _locked(invitation_id)
    return _take_place(invitation, create_user(username=username, password=password))


def _locked(invitation_id: int) -> Invitation:
    """The invitation, locked: two people cannot take its last place. Raises ActionError when it is over.

    After its project, as for a removal, which ends the links: the other way round each would wait for the other.
    """
    for project_id in Invitation.objects.filter(pk=invitation_id).values_list("project_id", flat=True):
        lock_people(project_id)
    found = Invitation.objects.select_for_update(of=("self",)).select_related("project").filter(pk=invitation_id)
    invitation = found.first()
    if invitation is None or not is_live(invitation):
        raise ActionError(_("This invitation is over. Ask for a new link."))
    return invitation


def _take_place(invitation: Invitation, user: User) -> Membership:
    invitation.places -= 1
    invitation.save(update_fields=["places"])
    return add_member(project=invitation.project, user=user, role=Role(invitation.role))


def _limits() -> dict[str, int]:
    return {"places": PLACES_AT_MOST, "days": DAYS_AT_MOST}
