"""The data pages: list and upload, one data set."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.datasets.access import access_dataset
from labeling.datasets.actions.imports import archive_dataset
from labeling.datasets.actions.uploads import receive_upload
from labeling.datasets.forms import UploadForm
from labeling.datasets.queries import active_run_number, datasets_of, first_samples, frame_rows, open_uploads
from labeling.datasets.streaming import upload_error
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

PAGE = 100


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def list_data(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The project's data sets, what is coming in, and the upload form."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    goal = request.GET.get("goal", "new")[:30]
    if request.method == "POST":
        upload_id = _receive(request, access, form)
        if upload_id:
            url = reverse("datasets:upload", kwargs={"slug": access.project.slug, "upload_id": upload_id})
            return redirect_to(request, f"{url}?goal={goal}" if goal.replace(":", "").isalnum() else url)
    context = access.context() | _list_context(access, form, goal)
    return render_page(request, "datasets/list.html", context, fragment="upload", status=422 if form.errors else 200)


def _receive(request: HttpRequest, access: Access, form: UploadForm) -> int | None:
    """The id of the new upload; None when the form holds an error instead."""
    stopped = upload_error(request)
    if stopped:
        form.is_valid()
        form.errors.pop("file", None)
        form.add_error("file", stopped)
    if not form.is_valid():
        return None
    try:
        file = form.cleaned_data["file"]
        return receive_upload(project=access.project, file=file, by=cast(User, request.user)).pk
    except ActionError as error:
        form.add_error("file", error.message)
        return None


def _list_context(access: Access, form: UploadForm, goal: str) -> dict[str, Any]:
    return {
        "form": form,
        "goal": goal,
        "datasets": list(datasets_of(access.project)[:200]),
        "uploads": open_uploads(access.project),
        "max_bytes": settings.UPLOAD_MAX_BYTES,
    }


@require_GET
@project_view(Role.MANAGER)
def detail(request: HttpRequest, access: Access, number: int) -> HttpResponse:
    """One data set: its columns, its first rows, and what can be done with it."""
    dataset = access_dataset(access.project, number)
    context = access.context() | {
        "dataset": dataset,
        "samples": first_samples(dataset),
        "frame_rows": frame_rows(dataset),
        "run_number": active_run_number(dataset),
        "uploads": list(dataset.uploads.all()[:50]),
    }
    return render_page(request, "datasets/detail.html", context)


@require_POST
@project_view(Role.MANAGER)
def archive(request: HttpRequest, access: Access, number: int) -> HttpResponseBase:
    """Take a data set out of use."""
    dataset = access_dataset(access.project, number)
    archive_dataset(dataset=dataset)
    messages.success(request, _("Archived. Its votes and decisions stay."))
    return redirect_to(request, "datasets:detail", slug=access.project.slug, number=number)
