"""The page of pilots: what one would cost, the one at work, and what it found."""

from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.jobs.models import ChunkState, Job
from labeling.jobs.queries import job_of, progress_of
from labeling.overview.forecast.asked import PilotPrice
from labeling.overview.pilots.forms import PilotForm
from labeling.overview.pilots.report import price_of, report_of, run_to_draw_from
from labeling.projects.access import Access, project_view
from labeling.projects.models import Project, Role
from labeling.runs.asking_form import Asking
from labeling.runs.models import AskStrategy
from labeling.runs.pilots.actions import KIND, USUAL_ROWS, Wanted, retry_pilot, start_pilot, stop_pilot
from labeling.runs.pilots.queries import KEPT, pilot_in, pilots_of
from labeling.runs.proposal import ProposalForm
from labeling.runs.queries import ready_datasets
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

TEMPLATE = "runs/pilots.html"


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def pilots(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The form with its price, and the newest pilot or the one that `pilot` names."""
    project = access.project
    form = PilotForm(request.POST or None, project=project, proposed=ProposalForm(request.GET).proposed())
    is_meant = request.method == "POST" and form.is_valid() and "price" not in request.POST
    if is_meant and _start(project, form, cast(User, request.user)):
        return redirect_to(request, "overview:pilots", slug=project.slug)
    is_refused = request.method == "POST" and bool(form.errors)
    context = access.context() | _asked(project, form) | {"form": form}
    fragment = "form"
    if request.method == "GET":
        fragment, context = "work", context | _shown(project, request.GET.get("pilot", ""))
    return render_page(request, TEMPLATE, context, fragment=fragment, status=422 if is_refused else 200)


def _start(project: Project, form: PilotForm, by: User) -> bool:
    """Whether it was started; if not, the form says why."""
    data, asking = form.cleaned_data, form.asking()
    price = price_of(project, data["dataset"], asking, data["rows"])
    if price is None:
        form.add_error(
            "verifiers", _("A model has no price for today. Enter one on its page; 0 where it costs nothing.")
        )
        return False
    wanted = Wanted(
        dataset=data["dataset"],
        run=run_to_draw_from(project, data["dataset"]),
        connections=asking.connections,
        rows=data["rows"],
        cap_nano=form.cap_nano(price.worst_nano),
        strategy=AskStrategy(asking.strategy),
        draws=asking.draws,
        shows_votes=asking.shows_votes,
    )
    try:
        start_pilot(project=project, wanted=wanted, by=by)
    except ActionError as error:
        form.add_error(error.field if error.field in form.fields else None, error.message)
        return False
    return True


def _asked(project: Project, form: PilotForm) -> dict[str, Any]:
    """What would be drawn and what it would cost, by what the form says now."""
    datasets = ready_datasets(project).filter(row_count__gt=0)
    context: dict[str, Any] = {"has_data": datasets.exists(), "has_connection": bool(form.connections)}
    if not context["has_data"] or not context["has_connection"]:
        return context
    data = form.cleaned_data if form.is_bound else {}
    dataset = data.get("dataset") or datasets.filter(pk=_pk(form.fields["dataset"].initial)).first() or datasets[0]
    asking = form.asking() if form.is_bound else _initial(form)
    price: PilotPrice | None = None
    if asking.connections and not form.errors:
        price = price_of(project, dataset, asking, data.get("rows") or _number(form.fields["rows"].initial))
    return context | {"price": price, "run": run_to_draw_from(project, dataset), "dataset": dataset}


def _pk(initial: object) -> int:
    """Of the data set where the form begins: itself, or the id that was proposed; 0 for none."""
    pk = getattr(initial, "pk", initial)
    return pk if isinstance(pk, int) else 0


def _number(initial: object) -> int:
    return initial if isinstance(initial, int) else USUAL_ROWS


def _initial(form: PilotForm) -> Asking:
    """How it is asked where the form begins."""
    fields = form.fields
    chosen = tuple(form.connections[str(pk)] for pk in fields["verifiers"].initial or ())
    strategy = AskStrategy(fields["ask_strategy"].initial or AskStrategy.ZERO_SHOT)
    return Asking(
        chosen,
        strategy=strategy,
        draws=_draws(fields["draws"].initial),
        shows_votes=bool(fields["shows_votes"].initial),
    )


def _draws(initial: object) -> int:
    return initial if isinstance(initial, int) else 1


def _shown(project: Project, wanted: str) -> dict[str, Any]:
    """The pilot that is looked at: its job, and what it found."""
    kept = list(pilots_of(project)[:KEPT])
    shown = next(iter(kept), None)
    if wanted:
        shown = pilot_in(project, int(wanted)) if wanted.isdecimal() and len(wanted) < 18 else None
        if shown is None:
            raise Http404(_("There is no such pilot in this project."))
    if shown is None:
        return {"pilots": kept}
    job = job_of(KIND, shown.pk)
    return {
        "pilots": kept,
        "shown": shown,
        "job": job,
        "progress": progress_of(job) if job and not job.is_over else None,
        "waiting": _waiting_note(job),
        "report": report_of(shown),
    }


def _waiting_note(job: Job | None) -> str:
    """Why the part at hand waits, such as an endpoint that asks for a pause."""
    if job is None or job.is_over:
        return ""
    return job.chunks.filter(state=ChunkState.TODO).exclude(error="").values_list("error", flat=True).first() or ""


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, pilot_id: int, verb: str) -> HttpResponseBase:
    """Stop or retry a pilot."""
    found = pilot_in(access.project, pilot_id)
    if found is None:
        raise Http404(_("There is no such pilot in this project."))
    if verb == "stop":
        stop_pilot(pilot=found)
        messages.success(request, _("Stopped. What was answered counts, and is never asked again."))
    elif verb == "retry":
        retry_pilot(pilot=found)
    else:
        raise Http404(_("A pilot can be stopped or tried again."))
    return redirect_to(request, "overview:pilots", slug=access.project.slug)
