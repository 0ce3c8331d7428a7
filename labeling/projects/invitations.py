"""Invitation links: the signed id of a row that says for which role, for how many people and until when."""

from django.core import signing
from django.urls import reverse
from django.utils import timezone

from labeling.projects.models import Invitation, Membership, Role

_SIGNER = "labeling.projects.invitation"


def join_path(invitation: Invitation) -> str:
    """The path of the link. It is the same at every call: what ends it stands in the row."""
    return reverse("projects:join", kwargs={"token": _signer().sign(str(invitation.pk))})


def invitation_id(token: str) -> int:
    """The id in the link; 0, which no row has, when we have not signed it."""
    try:
        pk = int(_signer().unsign(token))
    except (signing.BadSignature, ValueError):
        return 0
    return pk


def live_invitation(token: str) -> Invitation | None:
    """The invitation of a link that works now, with its project and who made it."""
    found = Invitation.objects.filter(pk=invitation_id(token)).select_related("project", "created_by").first()
    return found if found and is_live(found) else None


def is_live(invitation: Invitation) -> bool:
    """Whether it has places and time left, was not called back, and its maker may still give that role."""
    if invitation.revoked_at or invitation.places < 1 or invitation.expires_at <= timezone.now():
        return False
    maker = Membership.objects.filter(project=invitation.project_id, user=invitation.created_by_id).first()
    return maker is not None and may_give(Role(maker.role), Role(invitation.role))


def may_give(by: Role, role: Role) -> bool:
    """Whether somebody of role `by` may bring people into `role`: managers and owners, never above themselves."""
    return by.rank >= Role.MANAGER.rank and role.rank <= by.rank


def _signer() -> signing.Signer:
    return signing.Signer(sep=".", salt=_SIGNER)
