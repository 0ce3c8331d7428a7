"""The models pages: list, add, map labels, try, confirm."""

from collections.abc import Mapping
from typing import Any, cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from labeling.accounts.models import User
from labeling.jobs.queries import job_of, progress_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.projects.queries import active_classes
from labeling.specialists.actions import (
    FETCH,
    TRIAL,
    add_specialist,
    archive_specialist,
    confirm_version,
    retry_fetch,
    save_map,
    start_trial,
)
from labeling.specialists.engine import proposed_targets
from labeling.specialists.forms import ABSTAIN_CHOICE, FolderForm, HubForm, LabelMapForm
from labeling.specialists.models import Source, Specialist, SpecialistState
from labeling.specialists.queries import newest_trial, settled_version, specialist_in, specialists_of
from labeling.specialists.search.queries import proposal_for
from labeling.web.errors import ActionError
from labeling.web.rendering import redirect_to, render_page

FORMS = {Source.HUB: HubForm, Source.FOLDER: FolderForm}


@require_GET
@project_view(Role.MANAGER)
def list_specialists(request: HttpRequest, access: Access) -> HttpResponse:
    """All specialists with their state."""
    rows = [(specialist, next(iter(specialist.versions.all()), None)) for specialist in specialists_of(access.project)]
    is_busy = any(one.state in {SpecialistState.FETCHING, SpecialistState.TRAINING} for one, _version in rows)
    context = access.context() | {"rows": rows, "is_busy": is_busy, "hub_form": HubForm(), "folder_form": FolderForm()}
    return render_page(request, "specialists/list.html", context, fragment="list")


@require_http_methods(["GET", "POST"])
@project_view(Role.MANAGER)
def add(request: HttpRequest, access: Access, source: str) -> HttpResponseBase:
    """A form for a hub id or a folder."""
    kind = Source(source)
    form = FORMS[kind](request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            specialist = add_specialist(
                project=access.project, source=kind, by=cast(User, request.user), **form.cleaned_data
            )
        except ActionError as error:
            form.add_error(error.field if error.field in form.fields else None, error.message)
        else:
            return redirect_to(request, "specialists:detail", slug=access.project.slug, specialist_id=specialist.pk)
    context = access.context() | {"form": form, "source": kind}
    return render_page(request, "specialists/add.html", context, fragment="form", status=422 if form.errors else 200)


def _specialist(access: Access, specialist_id: int) -> Specialist:
    specialist = specialist_in(access.project, specialist_id)
    if specialist is None:
        raise Http404(_("There is no such specialist in this project."))
    return specialist


@require_GET
@project_view(Role.MANAGER)
def detail(request: HttpRequest, access: Access, specialist_id: int) -> HttpResponse:
    """Files, label map, trial and confirmation of one specialist."""
    specialist = _specialist(access, specialist_id)
    form = _map_form(specialist, None) if specialist.model_labels else None
    return render_page(
        request, "specialists/detail.html", access.context() | _detail_context(specialist, form), fragment="work"
    )


def _detail_context(specialist: Specialist, form: LabelMapForm | None) -> dict[str, Any]:
    version = settled_version(specialist)
    trial = newest_trial(version) if version else None
    is_fetching = specialist.state == SpecialistState.FETCHING
    job = job_of(FETCH, specialist.pk) if is_fetching else job_of(TRIAL, trial.pk) if trial else None
    is_trying = trial is not None and not trial.is_done
    names = {c.pk: c for c in specialist.project.classes.all()}
    return {
        "specialist": specialist,
        "version": version,
        "trial": trial,
        "form": form,
        "topic": job.topic if job and (is_fetching or is_trying) else "",
        "progress": progress_of(job) if job and (is_fetching or is_trying) else None,
        "is_trying": is_trying,
        "shares": [(names[int(pk)], share) for pk, share in trial.shares.items() if int(pk) in names] if trial else [],
        "examples": [example | {"label_class": names.get(example["class_id"])} for example in trial.examples]
        if trial
        else [],
    }


def _map_form(specialist: Specialist, data: Mapping[str, Any] | None) -> LabelMapForm:
    """The form with the last version's choices, or with what a search tried, or with what the labels' names say."""
    classes = active_classes(specialist.project)
    version = settled_version(specialist)
    if version and version.model_labels == specialist.model_labels:
        proposed: list[int | str | None] = [ABSTAIN_CHOICE if target is None else target for target in version.targets]
    else:
        found = proposed_targets(specialist.model_labels, [c.pk for c in classes], [c.name for c in classes])
        candidate = proposal_for(specialist)
        tried = candidate.targets if candidate and candidate.model_labels == specialist.model_labels else []
        known = {c.pk for c in classes}
        tried = [target if target in known else None for target in tried] or [None] * len(found)
        proposed = [target or name for target, (name, _how) in zip(tried, found, strict=True)]
    return LabelMapForm(data, specialist=specialist, classes=classes, proposed=proposed)


@require_POST
@project_view(Role.MANAGER)
def save_label_map(request: HttpRequest, access: Access, specialist_id: int) -> HttpResponseBase:
    """A new version with the map, and its trial."""
    specialist = _specialist(access, specialist_id)
    form = _map_form(specialist, request.POST)
    if form.is_valid():
        data = form.cleaned_data
        try:
            save_map(
                specialist=specialist,
                targets=form.targets(),
                max_length=data["max_length"],
                are_holes_confirmed=data["are_holes_confirmed"],
            )
        except ActionError as error:
            form.add_error(error.field or None, error.message)
        else:
            messages.success(request, _("Label map saved. It is tried on a hundred random rows now."))
            return redirect_to(request, "specialists:detail", slug=access.project.slug, specialist_id=specialist.pk)
    context = access.context() | _detail_context(specialist, form)
    return render_page(request, "specialists/detail.html", context, fragment="work", status=422)


@require_POST
@project_view(Role.MANAGER)
def act(request: HttpRequest, access: Access, specialist_id: int, verb: str) -> HttpResponseBase:
    """confirm, try again, fetch again or remove."""
    specialist = _specialist(access, specialist_id)
    version = settled_version(specialist)
    slug = access.project.slug
    if verb == "remove":
        archive_specialist(specialist=specialist)
        messages.success(request, _("Removed from the list. Its votes stay where they are."))
        return redirect_to(request, "specialists:list", slug=slug)
    if verb == "fetch":
        retry_fetch(specialist=specialist)
    elif version is None:
        raise ActionError(_("Save a label map first."))
    elif verb == "try":
        start_trial(version=version)
    else:
        confirm_version(version=version, by=cast(User, request.user))
        messages.success(request, _("%(name)s may vote now.") % {"name": specialist.name})
    return redirect_to(request, "specialists:detail", slug=slug, specialist_id=specialist.pk)
