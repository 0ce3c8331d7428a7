"""The page "No model fits?": label about a hundred texts, train specialists from them, let them vote."""

from typing import Any, cast

from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.jobs.queries import job_of, progress_of
from labeling.labels.actions.seeds import draw_seeds, withdraw_seeds
from labeling.projects.access import Access, project_view
from labeling.projects.models import Project, Role
from labeling.refinement.cold_start.actions import KIND, start_cold_start
from labeling.refinement.cold_start.forms import DrawForm, TrainForm
from labeling.refinement.cold_start.outcomes import confirm_all, give_up_cold_start, retry_cold_start
from labeling.refinement.cold_start.pages import page_of, plan_of
from labeling.refinement.cold_start.queries import material_of, newest_cold_start
from labeling.refinement.models import RefinementRound
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

TEMPLATE = "refinement/cold_start.html"


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def train(request: HttpRequest, access: Access) -> HttpResponseBase:
    """What there is to learn from, the training, and what came of it."""
    material = material_of(access.project)
    form = TrainForm(request.POST or None, project=access.project, material=material)
    if request.method == "POST" and form.is_valid():
        by = cast(User, request.user)
        try:
            start_cold_start(project=access.project, plan=plan_of(form, by), by=by)
        except ActionError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return redirect_to(request, "cold:train", slug=access.project.slug)
    context = access.context() | _context(access.project, form) | {"material": material}
    context["step"] = 2 if material.is_enough and context["page"].stage == "label" else context["page"].step
    part = "labels" if request.GET.get("part") == "labels" else "work"
    return render_page(request, TEMPLATE, context, fragment=part, status=422 if form.errors else 200)


def _context(project: Project, form: TrainForm) -> dict[str, Any]:
    round_ = newest_cold_start(project)
    job = job_of(KIND, round_.pk) if round_ else None
    page = page_of(round_, job)
    return {
        "round": round_,
        "page": page,
        "form": form,
        "draw_form": DrawForm(project=project),
        "job": job,
        "progress": progress_of(job) if job and page.is_live else None,
    }


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, verb: str) -> HttpResponseBase:
    """Draw or withdraw texts; retry, stop or confirm what was trained."""
    if verb == "draw":
        _draw(request, access)
    elif verb == "withdraw":
        count = withdraw_seeds(project=access.project)
        left = ngettext("%(n)d text left the queue.", "%(n)d texts left the queue.", count)
        messages.success(request, left % {"n": count})
    else:
        _change(request, _round(access.project), verb)
    return redirect_to(request, "cold:train", slug=access.project.slug)


def _draw(request: HttpRequest, access: Access) -> None:
    form = DrawForm(request.POST, project=access.project)
    if not form.is_valid():
        raise ActionError(_("Choose a data set, and 20 to 500 texts."))
    count = draw_seeds(dataset=form.cleaned_data["dataset"], count=form.cleaned_data["count"])
    drawn = ngettext("%(n)d text waits in the queue.", "%(n)d texts more wait in the queue.", count)
    messages.success(request, drawn % {"n": count})


def _round(project: Project) -> RefinementRound:
    round_ = newest_cold_start(project)
    if round_ is None:
        raise ActionError(_("Nothing has been trained yet."))
    return round_


def _change(request: HttpRequest, round_: RefinementRound, verb: str) -> None:
    if verb == "retry":
        retry_cold_start(round_=round_)
    elif verb == "stop":
        give_up_cold_start(round_=round_)
        messages.success(request, _("Stopped. What was not trained is off the list."))
    else:
        names = ", ".join(one.challenger.specialist.name for one in confirm_all(round_=round_, by=_user(request)))
        messages.success(request, _("May vote now: %(names)s.") % {"names": names})


def _user(request: HttpRequest) -> User:
    return cast(User, request.user)
