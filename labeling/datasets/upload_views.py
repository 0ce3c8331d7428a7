"""One upload: preview and mapping, live progress, refused rows."""

import csv
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.datasets.access import access_upload
from labeling.datasets.actions.imports import KIND, retry_import, start_import, stop_import
from labeling.datasets.actions.uploads import Plan, discard_upload
from labeling.datasets.engine import path_of, reading_of
from labeling.datasets.forms import ImportForm, ReadingForm, reading_data
from labeling.datasets.models import GoldUse, RefusedRow, Upload, UploadState
from labeling.datasets.queries import refused_page
from labeling.datasets.readers.parts import Reading, UnreadableFile
from labeling.datasets.readers.preview import Preview, read_preview
from labeling.jobs.queries import job_of, progress_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.web.cells import guard
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

PAGE = 100
VERBS = {"stop": stop_import, "retry": retry_import, "discard": discard_upload}


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def upload(request: HttpRequest, access: Access, upload_id: int) -> HttpResponseBase:
    """The upload as it stands: to be mapped, in work, done or failed."""
    found = access_upload(access.project, upload_id)
    if found.state == UploadState.PREVIEW:
        return _map(request, access, found)
    job = job_of(KIND, found.pk)
    context = access.context() | {"upload": found, "progress": progress_of(job) if job else None, "job": job}
    return render_page(request, "datasets/upload.html", context | {"topic": f"{KIND}:{found.pk}"}, fragment="work")


def _map(request: HttpRequest, access: Access, found: Upload) -> HttpResponseBase:
    """The preview with its two forms; a POST starts the import."""
    data = request.POST if request.method == "POST" else request.GET
    reading_form = ReadingForm(reading_data(reading_of(found)) | {key: data[key] for key in data})
    reading = reading_form.reading() if reading_form.is_valid() else reading_of(found)
    context = access.context() | {"upload": found, "reading_form": reading_form, "goal": data.get("goal", "new")}
    try:
        preview = read_preview(path_of(found), reading)
    except (UnreadableFile, FileNotFoundError) as error:
        flaw = getattr(error, "message", "") or _("The uploaded file is gone from the server. Upload it again.")
        return render_page(request, "datasets/upload.html", context | {"flaw": flaw}, fragment="work", status=422)
    form = _import_form(request, access, found, preview)
    if request.method == "POST" and _start(found, reading, form):
        return redirect_to(request, "datasets:upload", slug=access.project.slug, upload_id=found.pk)
    context |= {"form": form, "preview": preview, "reading": reading_data(reading)}
    return render_page(request, "datasets/upload.html", context, fragment="work", status=422 if form.errors else 200)


def _import_form(request: HttpRequest, access: Access, found: Upload, preview: Preview) -> ImportForm:
    return ImportForm(
        request.POST if request.method == "POST" else None,
        project=access.project,
        preview=preview,
        goal=request.GET.get("goal", "new"),
        name=found.filename.rsplit(".", 1)[0],
    )


def _start(found: Upload, reading: Reading, form: ImportForm) -> bool:
    """Whether the import has begun; when not, the form says why."""
    if not form.is_valid():
        return False
    data, (mode, target) = form.cleaned_data, form.goal_of()
    plan = Plan(
        reading=reading,
        columns=form.columns(),
        mode=mode,
        target=target,
        name=data["name"],
        gold_use=GoldUse(data["gold_use"] or GoldUse.KEEP),
        is_creating_classes=data["is_creating_classes"],
    )
    try:
        start_import(upload=found, plan=plan)
    except ActionError as error:
        field = "goal" if error.field == "target" else error.field
        form.add_error(field if field in form.fields else None, error.message)
        return False
    return True


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, upload_id: int, verb: str) -> HttpResponseBase:
    """Stop, retry or discard an upload."""
    found = access_upload(access.project, upload_id)
    VERBS[verb](upload=found)
    if verb == "discard":
        return redirect_to(request, "datasets:list", slug=access.project.slug)
    return redirect_to(request, "datasets:upload", slug=access.project.slug, upload_id=upload_id)


@require_GET
@project_view(Role.MANAGER)
def refused(request: HttpRequest, access: Access, upload_id: int) -> HttpResponse:
    """The rows that were not taken, with line, column and reason."""
    found = access_upload(access.project, upload_id)
    after = request.GET.get("after", "-1")
    rows = refused_page(found, int(after) if after.isdecimal() and len(after) < 18 else -1, PAGE)
    older = f"?after={rows[PAGE - 1].record}" if len(rows) > PAGE else None
    newer = "?" if after.isdecimal() else None
    context: dict[str, Any] = {"upload": found, "rows": rows[:PAGE], "older": older, "newer": newer}
    return render_page(request, "datasets/refused.html", access.context() | context)


class _Echo:
    """A file that gives back what is written to it, for csv.writer."""

    def write(self, line: str) -> str:
        return line


@require_GET
@project_view(Role.MANAGER)
def refused_csv(request: HttpRequest, access: Access, upload_id: int) -> HttpResponseBase:  # noqa: ARG001 (Django's signature)
    """The same rows as a CSV file."""
    found = access_upload(access.project, upload_id)
    response = HttpResponse(_refused_lines(found), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{found.pk}.csv"'
    return response


def _refused_lines(found: Upload) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(["line", "column", "reason", "excerpt"])
    rows = RefusedRow.objects.filter(upload=found).order_by("record")
    for line, *cells in rows.values_list("line", "column", "reason", "excerpt").iterator(5_000):
        yield writer.writerow([line, *(guard(cell) for cell in cells)])
