"""The project list, a project's home, its samples, and one sample's history."""

from typing import cast

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from labeling.accounts.models import User
from labeling.datasets.models import Dataset
from labeling.datasets.queries import cells_of
from labeling.labels.history import history_of
from labeling.labels.queries import pace_of
from labeling.overview.access import access_sample
from labeling.overview.forms import FilterForm
from labeling.overview.home import flow_of, happenings_of
from labeling.overview.needs import needs_of
from labeling.overview.queries import cards_of, recent_jobs, standing_of, subject_numbers
from labeling.overview.samples import answers_shown, items_shown, page_of, rounds_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.projects.queries import may_create_projects
from labeling.quality.page_queries import answered_row
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
    standing = standing_of(here)
    pace = pace_of(here, cast(User, request.user).pk)
    jobs = recent_jobs(here) if access.can_manage else []
    topics = [job.topic for job in jobs if not job.is_over] or [
        f"run:{run.pk}" for run in standing.runs if run.is_active
    ]
    context = access.context() | {
        "at": standing,
        "steps": flow_of(here, standing, can_manage=access.can_manage),
        "needs": needs_of(here, standing, can_manage=access.can_manage, seconds=pace.seconds),
        "happenings": happenings_of(here, jobs, subject_numbers(jobs)),
        "topic": next(iter(topics), ""),
    }
    return render_page(request, "overview/project.html", context, fragment="work")


@require_GET
@project_view(Role.REVIEWER)
def samples(request: HttpRequest, access: Access) -> HttpResponse:
    """The samples of one data set, filtered and paged."""
    datasets = list(
        Dataset.objects.filter(project=access.project, is_ready=True).order_by("archived_at", "-number")[:500]
    )
    form = FilterForm(request.GET.dict(), datasets, list(access.project.classes.all()))
    values = form.values()
    dataset = next((one for one in datasets if one.number == values.dataset), datasets[0] if datasets else None)
    page = page_of(dataset, values) if dataset else None
    context = access.context() | {"form": form, "values": values, "dataset": dataset, "page": page}
    if page:
        context |= {
            "next_query": values.query(after=page.after) if page.after is not None else "",
            "previous_query": values.query(before=page.before) if page.before is not None else "",
        }
    return render_page(request, "overview/samples.html", context, fragment="list")


@require_GET
@project_view(Role.REVIEWER)
def sample(request: HttpRequest, access: Access, sample_id: int) -> HttpResponse:
    """Everything that is known about one sample."""
    found = access_sample(access.project, sample_id)
    cells = zip(found.dataset.columns, cells_of(found.dataset, found.text, found.cells), strict=True)
    history, audit_row = history_of(found), answered_row(found)
    context = access.context() | {
        "sample": found,
        "columns": [(name, cell) for name, cell in cells if name != found.dataset.text_column],
        "history": history,
        "items": items_shown(found, history.items),
        "audit_row": audit_row,
        "models": answers_shown(found, is_audited=audit_row is not None),
        "rounds": rounds_of(found),
    }
    return render(request, "overview/sample.html", context)
