"""The export pages: what will be in the file, its progress, the file."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, BinaryIO, cast

from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIRequest
from django.http import (
    FileResponse,
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    JsonResponse,
    StreamingHttpResponse,
)
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.datasets.queries import datasets_of
from labeling.exports.access import access_export
from labeling.exports.actions import KIND, create_export, file_of, retry_export
from labeling.exports.forms import ExportForm
from labeling.exports.models import Export, ExportFormat
from labeling.exports.queries import count_states, exports_of, jobs_of, written_counts
from labeling.exports.standalone import script_name, script_of
from labeling.jobs.queries import job_of, progress_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.runs.queries import run_numbered
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

BLOCK_BYTES = 256 * 1024
TYPES = {ExportFormat.CSV: "text/csv; charset=utf-8", ExportFormat.JSONL: "application/jsonl; charset=utf-8"}


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def list_exports(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The form with what the file will hold, and the exports so far."""
    datasets = list(datasets_of(access.project)[:200])
    chosen = _chosen(datasets, request.GET.get("dataset", ""))
    form = ExportForm(request.POST if request.method == "POST" else None, datasets=datasets, chosen=chosen)
    if request.method == "POST" and form.is_valid():
        export = _create(request, form)
        if export:
            return redirect_to(request, "exports:detail", slug=access.project.slug, number=export.number)
    exports = list(exports_of(access.project)[:50])
    jobs = jobs_of(exports)
    context = access.context() | {
        "form": form,
        "chosen": chosen,
        "counts": count_states(chosen) if chosen else [],
        "exports": [(export, jobs.get(export.pk)) for export in exports],
    }
    return render_page(request, "exports/list.html", context, fragment="make", status=422 if form.errors else 200)


def _chosen(datasets: list[Dataset], number: str) -> Dataset | None:
    """The data set of that number, else the first one."""
    return next((dataset for dataset in datasets if str(dataset.number) == number), datasets[0] if datasets else None)


def _create(request: HttpRequest, form: ExportForm) -> Export | None:
    """The new export, None when the form holds an error instead."""
    data = form.cleaned_data
    try:
        return create_export(
            dataset=form.chosen(),
            by=cast(User, request.user),
            format=ExportFormat(data["format"]),
            is_raw=data["is_raw"],
            only_labeled=data["only_labeled"],
        )
    except ActionError as error:
        form.add_error("dataset", error.message)
        return None


@require_GET
@project_view(Role.MANAGER)
def detail(request: HttpRequest, access: Access, number: int) -> HttpResponse:
    """One export, live."""
    export = access_export(access.project, number)
    job = job_of(KIND, export.pk)
    context: dict[str, Any] = {"export": export, "job": job, "progress": progress_of(job) if job else None}
    context |= {"topic": f"{KIND}:{export.pk}", "is_live": job is not None and not job.is_over}
    context["counts"] = written_counts(export)
    return render_page(request, "exports/detail.html", access.context() | context, fragment="work")


@require_POST
@project_view(Role.MANAGER)
def retry(request: HttpRequest, access: Access, number: int) -> HttpResponseBase:
    """Try a failed export again."""
    retry_export(export=access_export(access.project, number))
    return redirect_to(request, "exports:detail", slug=access.project.slug, number=number)


@require_GET
@project_view(Role.MANAGER)
def download(request: HttpRequest, access: Access, number: int) -> HttpResponseBase:
    """The file, from its first block on, under a name of our own."""
    export = access_export(access.project, number)
    path = file_of(export)
    response = _stream(request, path)
    response["Content-Type"] = TYPES[ExportFormat(export.format)]
    response["Content-Length"] = str(export.size_bytes)
    return _as_attachment(response, f"{_stem(access, export)}.{export.format}")


def _stream(request: HttpRequest, path: Path) -> HttpResponseBase:
    """Blocks as they are read; under ASGI Django would read a plain iterator to its end first."""
    if isinstance(request, ASGIRequest):
        return StreamingHttpResponse(_blocks(path))
    return FileResponse(path.open("rb"))


async def _blocks(path: Path) -> AsyncIterator[bytes]:
    file = await sync_to_async(_open)(path)
    try:
        while block := await sync_to_async(file.read)(BLOCK_BYTES):
            yield block
    finally:
        await sync_to_async(file.close)()


def _open(path: Path) -> BinaryIO:
    return path.open("rb")


@require_GET
@project_view(Role.MANAGER)
def manifest(request: HttpRequest, access: Access, number: int) -> HttpResponseBase:  # noqa: ARG001 (Django's signature)
    """How the file came to be."""
    export = access_export(access.project, number)
    if not export.is_ready:
        raise ActionError(_("This export is not written yet."))
    response = JsonResponse(export.manifest, json_dumps_params={"indent": 2, "ensure_ascii": False})
    return _as_attachment(response, f"{_stem(access, export)}-manifest.json")


def _stem(access: Access, export: Export) -> str:
    return f"{access.project.slug}-export-{export.number}"


def _as_attachment(response: HttpResponseBase, name: str) -> HttpResponseBase:
    """Never shown by the browser as a page (S05)."""
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_GET
@project_view(Role.MANAGER)
def script(request: HttpRequest, access: Access, number: int) -> HttpResponseBase:  # noqa: ARG001 (Django's signature)
    """A run as one Python file that repeats it without this site."""
    run = run_numbered(access.project, number)
    if run is None:
        raise Http404(_("There is no such run in this project."))
    response = HttpResponse(script_of(run), content_type="text/x-python; charset=utf-8")
    return _as_attachment(response, script_name(run))
