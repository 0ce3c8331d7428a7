"""The quality page: what an audit says of a run's labels, and the buttons that draw and measure."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from labeling.accounts.models import User
from labeling.jobs.queries import job_of, progress_of
from labeling.labels.actions.people import needed_people
from labeling.labels.queries import known_seconds
from labeling.labels.work_queries import answers_to_come
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.quality import page_queries
from labeling.quality.actions import KIND, ask_assessment, draw_audit, withdraw_audit
from labeling.quality.actions.winner import use_winner
from labeling.quality.forms import DrawForm
from labeling.quality.planner import Pace, plan_of
from labeling.quality.queries import AuditProgress, audit_progress, newest_assessment, next_look
from labeling.quality.report import changes_since, may_use_winner, report_of
from labeling.runs.models import Run
from labeling.runs.queries import run_numbered
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page
from labeling.web.wording import word_number

GUESS_S = 10.0  # chosen: what a short text takes somebody who has just begun


@require_GET
@project_view(Role.MANAGER)
def page(request: HttpRequest, access: Access) -> HttpResponse:
    """What was measured of one run, and how to measure more."""
    runs = page_queries.measurable_runs(access.project)
    wanted = request.GET.get("run", "")
    run = next((one for one in runs if str(one.number) == wanted), runs[0] if runs else None)
    context = access.context() | {"runs": runs, "run": run}
    if run is not None:
        context |= _context(access, run)
    return render_page(request, "quality/page.html", context, fragment="work")


def _context(access: Access, run: Run) -> dict[str, Any]:
    """All that the page shows of the run: what it reads depends on the audit's size, of the queue it reads indexes."""
    pace = _pace(access)
    audit = audit_progress(run.dataset)
    plan = plan_of(run, audit, pace, look=next_look(run.dataset_id))
    context = {"audit": audit, "pace": pace, "plan": plan}
    return context | {"form": DrawForm(proposed=plan.proposed)} | _measured(access, run, audit, pace) | _at_work(run)


def _pace(access: Access) -> Pace:
    project, seconds = access.project, known_seconds(access.project)
    people, queued = needed_people(project.pk).audit, answers_to_come(project)
    return Pace(seconds or GUESS_S, is_measured=seconds is not None, people=people, queued=queued)


def _measured(access: Access, run: Run, audit: AuditProgress, pace: Pace) -> dict[str, Any]:
    """The newest assessment; nothing before there is one."""
    assessment = newest_assessment(run)
    if assessment is None:
        return {"report": None}
    names = page_queries.class_names(access.project)
    report = report_of(run, assessment, page_queries.certificates_of(assessment), names, pace)
    newer, gone = changes_since(audit, assessment, report.figures)
    return {
        "report": report,
        "history": page_queries.history_of(run),
        "newer": newer,
        "gone": gone,
        "is_old_pool": assessment.generation != run.generation,
        "may_use": may_use_winner(run, report),
    }


def _at_work(run: Run) -> dict[str, Any]:
    """The job that measures, while it is at work or where it failed."""
    job = job_of(KIND, run.pk)
    if job is None:
        return {"is_measuring": False}
    is_measuring = page_queries.is_at_work(job)
    topic = job.topic if is_measuring else ""
    return {"job": job, "is_measuring": is_measuring, "progress": progress_of(job), "topic": topic}


def _run(access: Access, number: int) -> Run:
    run = run_numbered(access.project, number)
    if run is None:
        raise Http404(_("There is no such run in this project."))
    return run


@require_POST
@project_view(Role.MANAGER)
def draw(request: HttpRequest, access: Access, number: int) -> HttpResponseBase:
    """Draw texts of the run's data set for the audit."""
    run = _run(access, number)
    form = DrawForm(request.POST)
    if form.is_valid():
        try:
            draw_audit(dataset=run.dataset, count=form.cleaned_data["count"], by=cast(User, request.user))
        except ActionError as error:
            form.add_error("count", error.message)
        else:
            count = form.cleaned_data["count"]
            text = ngettext("%(n)s text is drawn.", "%(n)s texts are drawn.", count) % {"n": word_number(count)}
            messages.success(request, text)
            return _back(request, access, run)
    audit = audit_progress(run.dataset)
    plan = plan_of(run, audit, _pace(access), look=next_look(run.dataset_id))
    context = access.context() | {"run": run, "form": form, "audit": audit, "plan": plan}
    return render_page(request, "quality/draw.html", context, fragment="draw", status=422)


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, number: int, verb: str) -> HttpResponseBase:
    """Measure the run now, let it use the race's winner, or withdraw the drawn texts that wait."""
    run = _run(access, number)
    try:
        said = VERBS[verb](run)
    except ActionError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return _back(request, access, run)


def _measure(run: Run) -> str:
    ask_assessment(run=run)
    return _("The run is being measured.")


def _use_winner(run: Run) -> str:
    use_winner(run=run)
    return _("Every row is being routed again.")


def _withdraw(run: Run) -> str:
    count = withdraw_audit(dataset=run.dataset)
    text = ngettext("%(n)s text left the queue.", "%(n)s texts left the queue.", count)
    return text % {"n": word_number(count)}


VERBS = {"measure": _measure, "use-winner": _use_winner, "withdraw": _withdraw}


def _back(request: HttpRequest, access: Access, run: Run) -> HttpResponseBase:
    return redirect_to(request, f"{reverse('quality:page', kwargs={'slug': access.project.slug})}?run={run.number}")
