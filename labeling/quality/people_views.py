"""People's work: the manager's page of all, by name, and everybody's page about themselves."""

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.projects.sections import people_sections
from labeling.quality.agreement_file import agreement_csv
from labeling.quality.people import agreement_page, line_of, lines_of, own_line
from labeling.quality.people_queries import AGREEMENT_ANSWERS, Scope, classes_of, days_of, people_of, shared_answers
from labeling.web.rendering import render_page

SHOWN_FROM = 10  # chosen: from so many texts on a share says no more what somebody answered on one of them


@require_GET
@project_view(Role.MANAGER)
def people(request: HttpRequest, access: Access) -> HttpResponse:
    """What everybody has done, and how far they agree."""
    shared = shared_answers(access.project)
    lines = lines_of(Scope(access.project), shared)
    names = {line.user.pk: line.user.username for line in lines}
    context = {
        "lines": lines,
        "agreement": agreement_page(shared, names, classes_of(access.project)),
        "is_cut": len(shared) == AGREEMENT_ANSWERS,
        "sections": people_sections(access.project, "quality:people"),
    }
    return render_page(request, "quality/people.html", access.context() | context)


@require_GET
@project_view(Role.MANAGER)
def agreement(request: HttpRequest, access: Access) -> HttpResponse:  # noqa: ARG001 (Django's signature)
    """How far everybody agrees, as a CSV file."""
    shared = shared_answers(access.project)
    people = people_of(Scope(access.project), {one.user_id for one in shared})
    names = {pk: user.username for pk, (user, _role) in people.items()}
    page = agreement_page(shared, names, classes_of(access.project))
    response = HttpResponse(agreement_csv(page), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{access.project.slug}-agreement.csv"'
    return response


@require_GET
@project_view(Role.ANNOTATOR)
def own_work(request: HttpRequest, access: Access) -> HttpResponse:
    """A person's own figures, and nobody else's."""
    return _render_person(request, access, request.user.pk or 0, is_own=True)


@require_GET
@project_view(Role.MANAGER)
def person(request: HttpRequest, access: Access, user_id: int) -> HttpResponse:
    """One person's figures for a manager."""
    return _render_person(request, access, user_id, is_own=False)


def _render_person(request: HttpRequest, access: Access, user_id: int, *, is_own: bool) -> HttpResponse:
    line = own_line(access.project, user_id) if is_own else line_of(access.project, user_id)
    if line is None:
        raise Http404(_("This person neither is nor was at work in this project."))
    context: dict[str, Any] = {"line": line, "days": days_of(access.project, user_id), "is_own": is_own}
    context |= {"is_agreement_shown": not is_own or line.others.compared >= SHOWN_FROM}
    context |= {"is_gold_shown": not is_own or line.gold.compared >= SHOWN_FROM, "shown_from": SHOWN_FROM}
    return render_page(request, "quality/person.html", access.context() | context)
