"""The pages of a new project, and of a project's name and guideline."""

from typing import cast

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.projects.access import Access, project_view
from labeling.projects.actions import create_project, edit_project, save_guideline
from labeling.projects.forms import DetailsForm, GuidelineForm, NewProjectForm
from labeling.projects.models import Role
from labeling.projects.pages import Sent, preview, render_settings, show_error
from labeling.projects.presets import PRESETS, preset_named
from labeling.projects.queries import may_create_projects
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page


@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponseBase:
    """A form for a new project; a preset's button fills in its classes and guideline."""
    if not may_create_projects(request.user):
        raise PermissionDenied(_("Projects are made by the operators of this installation. Ask one of them."))
    if "preview" in request.POST:
        return render_page(request, "projects/new.html", {"preview": preview(request.POST)}, fragment="preview")
    preset = preset_named(request.POST.get("preset", ""))
    if preset is not None:
        filled = {"classes": preset.lines, "guideline": str(preset.guideline)}
        form = NewProjectForm(initial=request.POST.dict() | filled)
        return _render_new(request, form)
    form = NewProjectForm(request.POST or None)
    return (form.is_valid() and _create(request, form)) or _render_new(request, form)


def _create(request: HttpRequest, form: NewProjectForm) -> HttpResponseBase | None:
    """The way to the new project; None when it was refused and the form says why."""
    try:
        project = create_project(owner=cast(User, request.user), **form.cleaned_data)
    except ActionError as error:
        show_error(form, error)
        return None
    messages.success(request, _("Project created. Now add data."))
    return redirect_to(request, "datasets:list", slug=project.slug)


def _render_new(request: HttpRequest, form: NewProjectForm) -> HttpResponse:
    context = {"form": form, "presets": PRESETS, "preview": preview(form.data or form.initial)}
    return render_page(request, "projects/new.html", context, fragment="form", status=422 if form.errors else 200)


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def settings(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Name and description, classes, guideline."""
    if request.method == "GET":
        return render_settings(request, access)
    form = DetailsForm(request.POST)
    if form.is_valid():
        try:
            edit_project(project=access.project, **form.cleaned_data)
        except ActionError as error:
            show_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return redirect_to(request, "projects:settings", slug=access.project.slug)
    access.project.refresh_from_db()
    return render_settings(request, access, Sent(details=form))


@require_POST
@project_view(Role.MANAGER)
def guideline(request: HttpRequest, access: Access) -> HttpResponseBase:
    """Store the guideline as a new version."""
    form = GuidelineForm(request.POST)
    if form.is_valid():
        text = form.cleaned_data["guideline"]
        try:
            is_new = save_guideline(project=access.project, text=text, user=cast(User, request.user))
        except ActionError as error:
            show_error(form, error)
        else:
            messages.success(request, _("Guideline saved.") if is_new else _("Nothing had changed."))
            return redirect_to(request, "projects:settings", slug=access.project.slug)
    return render_settings(request, access, Sent(guideline=form))
