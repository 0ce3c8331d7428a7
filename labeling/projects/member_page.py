"""The members page, which the views of members and of invitations answer with."""

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse

from labeling.projects.access import Access
from labeling.projects.forms import InvitationForm, MemberForm, roles_up_to
from labeling.projects.invitations import join_path, may_give
from labeling.projects.models import Invitation, Membership, Role
from labeling.projects.queries import memberships_of, open_invitations
from labeling.projects.sections import people_sections
from labeling.web.rendering import render_page


@dataclass(frozen=True, slots=True)
class InvitationLine:
    """A link as the list shows it; `url` is empty where the viewer may not hand it out."""

    invitation: Invitation
    role: Role
    url: str


def render_members(
    request: HttpRequest,
    access: Access,
    *,
    form: MemberForm | None = None,
    invitation_form: InvitationForm | None = None,
    added: Membership | None = None,
    link: str = "",
) -> HttpResponse:
    """The page with the forms given, and fresh ones for the rest; 422 when one of them was refused."""
    memberships = list(memberships_of(access.project))
    people = [(each, Role(each.role), Role(each.role).rank <= access.role.rank) for each in memberships]
    context = access.context() | {
        "form": form or MemberForm(by=access.role),
        "invitation_form": invitation_form or InvitationForm(by=access.role),
        "invitations": _lines(request, access, memberships),
        "people": people,
        "roles": roles_up_to(access.role),
        "sections": people_sections(access.project, "projects:members"),
        "added": added,
        "link": link,
    }
    status = 422 if any(given is not None and given.errors for given in (form, invitation_form)) else 200
    return render_page(request, "projects/members.html", context, fragment="members", status=status)


def _lines(request: HttpRequest, access: Access, memberships: list[Membership]) -> list[InvitationLine]:
    """The links that work, without the address where the role is above the viewer's: it could make such a person."""
    roles = {each.user_id: Role(each.role) for each in memberships}
    found: list[InvitationLine] = []
    for invitation in open_invitations(access.project):
        role = Role(invitation.role)
        maker = roles.get(invitation.created_by_id or 0)
        if maker is not None and may_give(maker, role):
            url = request.build_absolute_uri(join_path(invitation)) if may_give(access.role, role) else ""
            found.append(InvitationLine(invitation, role, url))
    return found
