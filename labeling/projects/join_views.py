"""The page of an invitation link: join with the own account, or choose a name and password there."""

from typing import Any, cast

from django.contrib import messages
from django.contrib.auth import login
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from labeling.accounts.models import User
from labeling.projects.actions import accept_as_new, accept_invitation
from labeling.projects.forms import JoinForm
from labeling.projects.invitations import live_invitation
from labeling.projects.models import Invitation, Membership, Role
from labeling.projects.pages import show_error
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to

BACKEND = "django.contrib.auth.backends.ModelBackend"


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def join(request: HttpRequest, token: str) -> HttpResponseBase:
    """GET says to what the link leads and changes nothing; POST joins."""
    invitation = live_invitation(token)
    if invitation is None:
        return render(request, "projects/invitation_over.html", status=410)
    if request.user.is_authenticated:
        return _join_as_oneself(request, invitation)
    return _join_as_new(request, invitation)


def _join_as_oneself(request: HttpRequest, invitation: Invitation) -> HttpResponseBase:
    is_member = invitation.project.memberships.filter(user=request.user.pk).exists()
    if request.method == "GET" and not is_member:
        return _render(request, invitation)
    membership = accept_invitation(invitation_id=invitation.pk, user=cast(User, request.user))
    return _welcome(request, membership)


def _join_as_new(request: HttpRequest, invitation: Invitation) -> HttpResponseBase:
    form = JoinForm(request.POST if request.method == "POST" else None)
    if not form.is_valid():
        return _render(request, invitation, form)
    name, password = form.cleaned_data["username"], form.cleaned_data["password"]
    try:
        membership = accept_as_new(invitation_id=invitation.pk, username=name, password=password)
    except ActionError as error:
        show_error(form, error)
        return _render(request, invitation, form)
    login(request, membership.user, backend=BACKEND)
    return _welcome(request, membership)


def _welcome(request: HttpRequest, membership: Membership) -> HttpResponseBase:
    """To the texts who labels, to the project who does more."""
    messages.success(request, _("You are in “%(name)s” now.") % {"name": membership.project.name})
    to = "review:screen" if membership.role == Role.ANNOTATOR else "overview:project"
    return redirect_to(request, to, slug=membership.project.slug)


def _render(request: HttpRequest, invitation: Invitation, form: JoinForm | None = None) -> HttpResponse:
    context: dict[str, Any] = {"invitation": invitation, "role": Role(invitation.role), "form": form}
    return render(request, "projects/join.html", context, status=422 if form and form.errors else 200)
