"""The members page."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from labeling.accounts.links import signin_path
from labeling.projects.access import Access, project_view
from labeling.projects.actions import change_role, invite_person, remove_member
from labeling.projects.forms import MemberForm
from labeling.projects.member_page import render_members
from labeling.projects.models import Membership, Role
from labeling.projects.pages import show_error
from labeling.projects.queries import memberships_of
from labeling.web.errors import ActionError
from labeling.web.rendering import is_fragment_request, redirect_to
from labeling.web.wording import word_number


@never_cache
@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def members(request: HttpRequest, access: Access) -> HttpResponse:
    """Who is in the project; POST adds a person. The answer to it, and nothing later, shows a new account's link."""
    if request.method == "GET":
        return render_members(request, access)
    form = MemberForm(request.POST, by=access.role)
    if not form.is_valid():
        return render_members(request, access, form=form)
    name, role = form.cleaned_data["username"], Role(form.cleaned_data["role"])
    try:
        membership, is_new = invite_person(project=access.project, username=name, role=role, by=access.role)
    except ActionError as error:
        show_error(form, error)
        return render_members(request, access, form=form)
    link = request.build_absolute_uri(signin_path(membership.user)) if is_new else ""
    return render_members(request, access, added=membership, link=link)


@require_POST
@project_view(Role.MANAGER)
def change(request: HttpRequest, access: Access, member_id: int) -> HttpResponseBase:
    """Give the member another role, or (verb "remove") take the person out."""
    membership = memberships_of(access.project).filter(pk=member_id).first()
    if membership is None:
        raise Http404
    try:
        if request.POST.get("verb") == "remove":
            ended = remove_member(membership=membership, by=access.role)
            messages.success(request, _removed(membership.user.username, ended))
        else:
            change_role(membership=membership, role=_role(request), by=access.role)
            messages.success(request, _("Role changed."))
    except ActionError as error:
        messages.error(request, error.message)
    return _answer(request, access, membership)


def _removed(name: str, ended: int) -> str:
    text = ngettext(
        "“%(name)s” removed. The invitation link that still worked is called back, since it would let them in again.",
        "“%(name)s” removed. The %(n)s invitation links that still worked are called back, since they would let them in"
        " again.",
        ended,
    )
    return (text if ended else _("“%(name)s” removed.")) % {"name": name, "n": word_number(ended)}


def _role(request: HttpRequest) -> Role:
    try:
        return Role(request.POST.get("role", ""))
    except ValueError as error:
        raise ActionError(_("There is no such role.")) from error


def _answer(request: HttpRequest, access: Access, membership: Membership) -> HttpResponseBase:
    """The page again; somebody who gave up the right to see it goes to the project."""
    if membership.user_id == request.user.pk:
        return redirect_to(request, "/")
    if is_fragment_request(request):
        return render_members(request, access)
    return redirect_to(request, "projects:members", slug=access.project.slug)
