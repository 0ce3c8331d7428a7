"""The pages about scripts: all of them with a form for the next, and one with its code, check, comparison and voter."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.jobs.queries import job_of, progress_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import LabelClass, Role
from labeling.specialists.models import GeneratedScript, ScriptKind, ScriptState
from labeling.specialists.scripting.actions import SCRIPT, accept_script, ask_voter, request_script, retry_script
from labeling.specialists.scripting.forms import ScriptForm
from labeling.specialists.scripting.highlight import lines_of
from labeling.specialists.scripting.queries import script_numbered, scripts_of
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

SHOWN = 200


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def list_scripts(request: HttpRequest, access: Access) -> HttpResponseBase:
    """All scripts, newest first, and the form that asks for another."""
    form = ScriptForm(request.POST or None, project=access.project)
    if request.method == "POST" and form.is_valid():
        script = request_script(
            project=access.project,
            version=form.chosen_version(),
            kind=ScriptKind(form.cleaned_data["kind"]),
            writer=form.chosen_writer(),
            by=cast(User, request.user),
        )
        return redirect_to(request, "scripts:detail", slug=access.project.slug, number=script.number)
    context = access.context() | {"form": form, "scripts": list(scripts_of(access.project)[:SHOWN])}
    status = 422 if form.errors else 200
    return render_page(request, "specialists/scripts.html", context, fragment="form", status=status)


def _script(access: Access, number: int) -> GeneratedScript:
    script = script_numbered(access.project, number)
    if script is None:
        raise Http404(_("There is no such script in this project."))
    return script


@require_GET
@project_view(Role.MANAGER)
def detail(request: HttpRequest, access: Access, number: int) -> HttpResponse:
    """One script, live while it is written and tried."""
    script = _script(access, number)
    job = job_of(SCRIPT, script.pk) if script.is_busy else None
    context = access.context() | {
        "script": script,
        "lines": lines_of(script.code),
        "found": script.comparison,
        "rows": _rows(access, script),
        "topic": job.topic if job else "",
        "progress": progress_of(job) if job else None,
        "is_accepted": script.state == ScriptState.ACCEPTED,
        "learns": script.kind == ScriptKind.FINE_TUNE,
    }
    return render_page(request, "specialists/script.html", context, fragment="work")


def _rows(access: Access, script: GeneratedScript) -> list[dict[str, Any]]:
    """The rows on which script and engine differ, with the classes' names of today."""
    rows = script.comparison.get("differences", [])
    if script.kind != ScriptKind.ANNOTATE or not rows:
        return list(rows)
    names = dict(LabelClass.objects.filter(project=access.project).values_list("pk", "name"))
    return [row | {who: names.get(row[who]) for who in ("engine", "script")} for row in rows]


@require_GET
@project_view(Role.MANAGER)
def download(request: HttpRequest, access: Access, number: int) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """An accepted script as a file, never shown by the browser as a page. Raises ActionError for any other."""
    script = _script(access, number)
    if script.state != ScriptState.ACCEPTED:
        raise ActionError(_("Only an accepted script can be downloaded: read it and accept it first."))
    response = HttpResponse(script.code, content_type="text/x-python; charset=utf-8")
    name = f"{access.project.slug}-script-{script.number}-{script.kind}.py"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, number: int, verb: str) -> HttpResponseBase:
    """accept, retry, or vote."""
    script = _script(access, number)
    slug = access.project.slug
    try:
        if verb == "accept":
            accept_script(script=script, by=cast(User, request.user))
            messages.success(request, _("Accepted."))
        elif verb == "retry":
            retry_script(script=script)
        else:
            ask_voter(script=script)
            messages.success(request, _("A specialist is made of it. Confirm it when it was tried."))
            return redirect_to(request, "specialists:detail", slug=slug, specialist_id=script.voter_id)
    except ActionError as error:
        messages.error(request, error.message)
    return redirect_to(request, "scripts:detail", slug=slug, number=script.number)
