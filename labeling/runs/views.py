"""The run pages: list, start, watch live, pause, resume, cancel."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.jobs.queries import job_of, progress_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.runs.actions import KIND, ask_renewal, cancel_run, pause_run, resume_run, retry_run, start_run
from labeling.runs.forms import RunForm
from labeling.runs.models import Run, RunState
from labeling.runs.queries import pool_of, ready_datasets, renewal_cost, run_numbered, runs_of
from labeling.runs.story import (
    generation_rows,
    hard_share_cause,
    is_waiting_for_pool,
    member_rows,
    split_of,
    story_of,
)
from labeling.runs.wording import figures_of, routing_sentence
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

VERBS = {"pause": pause_run, "resume": resume_run, "cancel": cancel_run, "retry": retry_run, "renew": ask_renewal}


@require_GET
@project_view(Role.MANAGER)
def list_runs(request: HttpRequest, access: Access) -> HttpResponse:
    """All runs, newest first."""
    runs = list(runs_of(access.project)[:200])
    context = access.context() | {"runs": runs, "is_busy": any(run.state == RunState.RUNNING for run in runs)}
    return render_page(request, "runs/list.html", context, fragment="list")


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def new_run(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The plan of a run."""
    form = RunForm(request.POST or None, project=access.project, chosen=request.GET.get("dataset", ""))
    if request.method == "POST" and form.is_valid():
        try:
            run = start_run(
                project=access.project,
                dataset=form.cleaned_data["dataset"],
                versions=form.chosen_versions(),
                policy=form.chosen_policy(),
                by=cast(User, request.user),
            )
        except ActionError as error:
            form.add_error(form.field_of(error.field), error.message)
        else:
            return redirect_to(request, "runs:detail", slug=access.project.slug, number=run.number)
    has_data = ready_datasets(access.project).exists()
    context = access.context() | {"form": form, "has_data": has_data, "has_models": bool(form.available)}
    return render_page(request, "runs/new.html", context, fragment="form", status=422 if form.errors else 200)


def _run(access: Access, number: int) -> Run:
    run = run_numbered(access.project, number)
    if run is None:
        raise Http404(_("There is no such run in this project."))
    return run


@require_GET
@project_view(Role.MANAGER)
def detail(request: HttpRequest, access: Access, number: int) -> HttpResponse:
    """One run, live."""
    context = access.context() | _run_context(_run(access, number))
    return render_page(request, "runs/detail.html", context, fragment="work")


def _run_context(run: Run) -> dict[str, Any]:
    """Everything the page shows, from counters: the number of queries does not depend on the rows."""
    job = job_of(KIND, run.pk)
    members = pool_of(run)
    generations = run.generations.prefetch_related("members__version__specialist")
    history = generation_rows(list(generations)) if run.generation else []
    return {
        "run": run,
        "job": job,
        "progress": progress_of(job) if job else None,
        "parts": split_of(run),
        "members": member_rows(members),
        "cause": hard_share_cause(run, members),
        "story": story_of(run, job, history),
        "hard_share": run.hard / routed if (routed := run.accepted + run.hard) else None,
        "is_live": run.state in {RunState.RUNNING, RunState.PAUSED, RunState.REVIEWING},
        "topic": job.topic if job else "",
        "routing": routing_sentence(run, len(members)),
        "figures": figures_of(run, len(members)),
        "history": history,
        "is_waiting_for_pool": is_waiting_for_pool(run),
        "renewal": renewal_cost(run) if run.is_active and run.is_renewal_due else None,
    }


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, number: int, verb: str) -> HttpResponseBase:
    """pause, resume, cancel, retry of dead parts, or new votes on accepted rows."""
    run = _run(access, number)
    try:
        VERBS[verb](run=run)
    except ActionError as error:
        messages.error(request, error.message)
    return redirect_to(request, "runs:detail", slug=access.project.slug, number=run.number)
