"""The page that searches the hub for models that fit the project's task."""

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.jobs.models import ChunkState, Job
from labeling.jobs.queries import job_of, progress_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Project, Role
from labeling.specialists.models import CandidateState, ModelSearch
from labeling.specialists.search.actions import KIND, add_candidate, retry_search, start_search, stop_search
from labeling.specialists.search.forms import SearchForm
from labeling.specialists.search.queries import candidate_in, candidates_of, search_in, searches_of
from labeling.specialists.search.wording import STEPS, CandidateLine, line_of, notes_of
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

TEMPLATE = "specialists/search.html"
REFUSED = (CandidateState.REFUSED, CandidateState.FAILED)


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def search(request: HttpRequest, access: Access) -> HttpResponseBase:
    """The form, and the newest search or the one that `search` names: its progress and what it found."""
    project = access.project
    form = SearchForm(request.POST or None, project=project)
    if request.method == "POST" and form.is_valid():
        try:
            start_search(project=project, wanted=form.wanted(), by=cast(User, request.user))
        except ActionError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return redirect_to(request, "specialists:search", slug=project.slug)
    searches = searches_of(project)
    shown = _shown(project, searches, request.GET.get("search", ""))
    context = access.context() | {"form": form, "searches": searches, "shown": shown} | _found(project, shown)
    fragment = "form" if request.method == "POST" else "work"
    return render_page(request, TEMPLATE, context, fragment=fragment, status=422 if form.errors else 200)


def _shown(project: Project, searches: list[ModelSearch], wanted: str) -> ModelSearch | None:
    if not wanted:
        return next(iter(searches), None)
    found = search_in(project, int(wanted)) if wanted.isdecimal() and len(wanted) < 18 else None
    if found is None:
        raise Http404(_("There is no such search in this project."))
    return found


def _found(project: Project, shown: ModelSearch | None) -> dict[str, Any]:
    """The search's job and candidates: those that were tried, those still on their way, those that are out."""
    if shown is None:
        return {}
    job = job_of(KIND, shown.pk)
    classes = {one.pk: one for one in project.classes.all()}
    lines = [line_of(one, shown, classes) for one in candidates_of(shown)]
    tried = [one for one in lines if one.candidate.rank is not None]
    return {
        "job": job,
        "progress": progress_of(job) if job and not job.is_over else None,
        "step": STEPS.get(job.stage, "") if job else "",
        "waiting": _waiting_note(job),
        "notes": notes_of(shown),
        "tried": tried,
        "on_the_way": [one for one in lines if one.candidate.rank is None and not _is_out(one)],
        "out": [one for one in lines if _is_out(one)],
        "hub_url": settings.HF_ENDPOINT.rstrip("/"),
    }


def _is_out(line: CandidateLine) -> bool:
    return line.candidate.state in (*REFUSED, CandidateState.PASSED)


def _waiting_note(job: Job | None) -> str:
    """Why the part at hand waits, such as a hub that asks for a pause."""
    if job is None or job.is_over:
        return ""
    return job.chunks.filter(state=ChunkState.TODO).exclude(error="").values_list("error", flat=True).first() or ""


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, search_id: int, verb: str) -> HttpResponseBase:
    """Stop or retry a search."""
    found = search_in(access.project, search_id)
    if found is None:
        raise Http404(_("There is no such search in this project."))
    if verb == "stop":
        stop_search(search=found)
        messages.success(request, _("Stopped. What it found so far stays."))
    else:
        retry_search(search=found)
    return redirect_to(request, "specialists:search", slug=access.project.slug)


@require_POST
@project_view(Role.MANAGER)
def add(request: HttpRequest, access: Access, search_id: int, candidate_id: int) -> HttpResponseBase:
    """Add a candidate at the commit that was tried; its map is confirmed on its own page."""
    candidate = candidate_in(access.project, search_id, candidate_id)
    if candidate is None:
        raise Http404(_("There is no such model in this search."))
    specialist = add_candidate(candidate=candidate, by=cast(User, request.user))
    messages.success(request, _("%(name)s is being fetched. Confirm its label map next.") % {"name": specialist.name})
    return redirect_to(request, "specialists:detail", slug=access.project.slug, specialist_id=specialist.pk)
