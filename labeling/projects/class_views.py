"""Adding and changing classes on the settings page."""

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from labeling.projects.access import Access, project_view
from labeling.projects.actions import create_class, edit_class, move_class, restore_class, retire_class
from labeling.projects.forms import ClassForm
from labeling.projects.models import LabelClass, Role
from labeling.projects.pages import ClassRow, Sent, render_settings, show_error
from labeling.web.errors import ActionError
from labeling.web.rendering import is_fragment_request, redirect_to


@require_POST
@project_view(Role.MANAGER)
def add(request: HttpRequest, access: Access) -> HttpResponseBase:
    """A new class."""
    form = ClassForm(request.POST)
    if form.is_valid():
        data = form.cleaned_data | {"key": form.cleaned_data["key"] or None}
        try:
            made = create_class(project=access.project, **data)
        except ActionError as error:
            show_error(form, error)
        else:
            messages.success(request, _("Class “%(name)s” added.") % {"name": made.name})
            return _answer(request, access)
    return render_settings(request, access, Sent(new_class=form))


@require_POST
@project_view(Role.MANAGER)
def change(request: HttpRequest, access: Access, class_id: int) -> HttpResponseBase:
    """Do with a class what the button says: save, up, down, retire, restore."""
    label_class = access.project.classes.filter(pk=class_id).first()
    if label_class is None:
        raise Http404
    verb = request.POST.get("verb", "save")
    if verb == "save":
        return _save(request, access, label_class)
    try:
        _act(label_class, verb)
    except ActionError as error:
        messages.error(request, error.message)
    return _answer(request, access)


def _save(request: HttpRequest, access: Access, label_class: LabelClass) -> HttpResponseBase:
    form = ClassForm(request.POST, label_class=label_class)
    if form.is_valid():
        try:
            edit_class(label_class=label_class, **form.cleaned_data)
        except ActionError as error:
            show_error(form, error)
        else:
            messages.success(request, _("Saved."))
            return _answer(request, access)
    label_class.refresh_from_db()
    return render_settings(request, access, Sent(changed=ClassRow(label_class, form)))


def _act(label_class: LabelClass, verb: str) -> None:
    """Raises ActionError, Http404 for a verb that is none."""
    if verb in {"up", "down"}:
        move_class(label_class=label_class, step=-1 if verb == "up" else 1)
    elif verb == "retire":
        retire_class(label_class=label_class)
    elif verb == "restore":
        restore_class(label_class=label_class)
    else:
        raise Http404


def _answer(request: HttpRequest, access: Access) -> HttpResponse | HttpResponseBase:
    """The new list for htmx, the page for everybody else."""
    if is_fragment_request(request):
        return render_settings(request, access)
    return redirect_to(request, "projects:settings", slug=access.project.slug)
