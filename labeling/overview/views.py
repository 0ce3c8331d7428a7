"""The project list and a project's home."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from labeling.accounts.models import User
from labeling.labels.queries import pace_of
from labeling.overview.home import flow_of, happenings_of
from labeling.overview.needs import needs_of
from labeling.overview.queries import as_annotators_see, cards_of, recent_jobs, standing_of, subject_numbers
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.projects.queries import may_create_projects
from labeling.web.rendering import render_page


@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """All projects of the person."""
    user = cast(User, request.user)
    return render(request, "overview/home.html", {"cards": cards_of(user), "may_create": may_create_projects(user)})


@require_GET
@project_view(Role.ANNOTATOR)
def project(request: HttpRequest, access: Access) -> HttpResponse:
    """Where the project stands and what needs this person."""
    here = access.project
    pace = pace_of(here, cast(User, request.user).pk)
    standing = standing_of(here)
    if not access.may(Role.REVIEWER):
        standing = as_annotators_see(standing, pace)
    jobs = recent_jobs(here) if access.can_manage else []
    topics = [job.topic for job in jobs if not job.is_over] or [
        f"run:{run.pk}" for run in standing.runs if run.is_active
    ]
    context = access.context() | {
        "at": standing,
        "steps": flow_of(here, standing, can_manage=access.can_manage),
        "needs": needs_of(
            here, standing, can_manage=access.can_manage, seconds=pace.seconds, can_review=access.may(Role.REVIEWER)
        ),
        "happenings": happenings_of(here, jobs, subject_numbers(jobs)),
        "topic": next(iter(topics), ""),
    }
    return render_page(request, "overview/project.html", context, fragment="work")
