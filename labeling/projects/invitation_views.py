"""Making and calling back invitation links on the members page."""

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from labeling.accounts.models import User
from labeling.projects.access import Access, project_view
from labeling.projects.actions import create_invitation, revoke_invitation
from labeling.projects.forms import InvitationForm
from labeling.projects.member_page import render_members
from labeling.projects.models import Role
from labeling.projects.pages import show_error
from labeling.web.errors import ActionError
from labeling.web.rendering import is_fragment_request, redirect_to


@never_cache
@require_POST
@project_view(Role.MANAGER)
def invite(request: HttpRequest, access: Access) -> HttpResponseBase:
    """A new link, which the list then shows."""
    form = InvitationForm(request.POST, by=access.role)
    if form.is_valid():
        data = form.cleaned_data | {"role": Role(form.cleaned_data["role"])}
        try:
            create_invitation(project=access.project, user=cast(User, request.user), by=access.role, **data)
        except ActionError as error:
            show_error(form, error)
        else:
            messages.success(request, _("The link is made. Copy it and send it."))
            return _answer(request, access)
    return render_members(request, access, invitation_form=form)


@never_cache
@require_POST
@project_view(Role.MANAGER)
def revoke(request: HttpRequest, access: Access, invitation_id: int) -> HttpResponseBase:
    """End a link."""
    invitation = access.project.invitations.filter(pk=invitation_id).first()
    if invitation is None:
        raise Http404
    try:
        revoke_invitation(invitation=invitation, by=access.role)
        messages.success(request, _("The link works no more."))
    except ActionError as error:
        messages.error(request, error.message)
    return _answer(request, access)


def _answer(request: HttpRequest, access: Access) -> HttpResponseBase:
    if is_fragment_request(request):
        return render_members(request, access)
    return redirect_to(request, "projects:members", slug=access.project.slug)
