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
from labeling.runs.actions import (
    KIND,
    ask_renewal,
    cancel_run,
    give_to_people,
    pause_run,
    raise_cap,
    resume_run,
    resume_verification,
    retry_run,
    start_run,
)
from labeling.runs.asking_form import CapForm
from labeling.runs.forms import RunForm
from labeling.runs.models import Run, RunState
from labeling.runs.proposal import ProposalForm
from labeling.runs.queries import pool_of, ready_datasets, renewal_cost, run_numbered, runs_of
from labeling.runs.saving import saving_of_people
from labeling.runs.story import (
    generation_rows,
    hard_share_cause,
    is_waiting_for_pool,
    left_out_names,
    member_rows,
    split_of,
    story_of,
)
from labeling.runs.verification import Verification, missing_nano, verification_of
from labeling.runs.wording import asking_figures, figures_of, review_sentence
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page
from labeling.web.wording import NANO

VERBS = {
    "pause": pause_run,
    "resume": resume_run,
    "cancel": cancel_run,
    "retry": retry_run,
    "renew": ask_renewal,
    "ask": resume_verification,
    "people": give_to_people,
}
ROUND_UP_NANO = NANO // 100
"""A proposed cap is a whole number of cents."""


@require_GET
@project_view(Role.MANAGER)
def list_runs(request: HttpRequest, access: Access) -> HttpResponse:
    """All runs, newest first."""
    runs = list(runs_of(access.project)[:200])
    context = access.context() | {"runs": runs, "is_busy": any(run.state == RunState.RUNNING for run in runs)}
    context["has_verified"] = any(run.has_verifier for run in runs)
    return render_page(request, "runs/list.html", context, fragment="list")


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def new_run(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The plan of a run."""
    form = RunForm(request.POST or None, project=access.project, proposed=ProposalForm(request.GET).proposed())
    if request.method == "POST" and form.is_valid():
        try:
            run = start_run(
                project=access.project,
                dataset=form.cleaned_data["dataset"],
                versions=form.chosen_versions(),
                policy=form.chosen_policy(),
                by=cast(User, request.user),
                verifiers=form.chosen_verifiers(),
                cap_nano=form.cap_nano(),
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
    is_certified = run.target_error is not None and members[0].generation.cut_score is not None
    verification = verification_of(run)
    return {
        "run": run,
        "job": job,
        "progress": progress_of(job) if job else None,
        "verification": verification,
        "how_asked": asking_figures(run),
        "people_saving": None if run.has_verifier else saving_of_people(run),
        "may_pause": run.state == RunState.RUNNING or _is_asking(run, verification),
        "parts": split_of(run),
        "members": member_rows(members),
        "left_out": left_out_names(members),
        "cause": hard_share_cause(run, members),
        "story": story_of(run, job, history, verification),
        "hard_share": run.hard / routed if (routed := run.accepted + run.hard) else None,
        "is_live": run.state in {RunState.RUNNING, RunState.PAUSED, RunState.REVIEWING},
        "topic": job.topic if job else "",
        "routing": review_sentence(run, len(members), is_certified=is_certified),
        "figures": figures_of(run, len(members), is_certified=is_certified),
        "is_certified": is_certified,
        "history": history,
        "is_waiting_for_pool": is_waiting_for_pool(run),
        "renewal": renewal_cost(run) if run.is_active and run.is_renewal_due else None,
    }


def _is_asking(run: Run, verification: Verification | None) -> bool:
    """Whether votes are in and a model still reviews: then there is something to pause."""
    return run.state == RunState.REVIEWING and verification is not None and verification.is_at_work


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def cap(request: HttpRequest, access: Access, number: int) -> HttpResponseBase:
    """What a run may cost: spent, set aside, still wanted, and the cap; raising it lets a stopped one go on."""
    run = _run(access, number)
    verification = verification_of(run)
    if verification is None:
        raise Http404(_("People review this run: it asks no language model and has no budget."))
    missing = missing_nano(run, verification)
    form = CapForm(request.POST or None, initial={"cap": _proposed(verification, missing)})
    if request.method == "POST" and form.is_valid():
        try:
            raise_cap(run=run, cap_nano=form.cap_nano())
        except ActionError as error:
            form.add_error("cap", error.message)
        else:
            return redirect_to(request, "runs:detail", slug=access.project.slug, number=run.number)
    context = access.context() | {"run": run, "verification": verification, "missing": missing, "form": form}
    return render_page(request, "runs/cap.html", context, fragment="form", status=422 if form.errors else 200)


def _proposed(verification: Verification, missing: int | None) -> str:
    """The cap with what is missing, in whole cents; the cap as it is where nothing is known."""
    wanted = verification.budget.cap_nano + (missing or 0)
    return f"{-(-wanted // ROUND_UP_NANO) / 100:.2f}"


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, number: int, verb: str) -> HttpResponseBase:
    """pause, resume, cancel, retry of dead parts, new votes on accepted rows, or asking the model again."""
    run = _run(access, number)
    try:
        VERBS[verb](run=run)
    except ActionError as error:
        messages.error(request, error.message)
    return redirect_to(request, "runs:detail", slug=access.project.slug, number=run.number)
