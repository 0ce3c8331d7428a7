"""The forecast's page."""

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from labeling.llm.queries import connections_of
from labeling.overview.forecast.forms import ForecastForm
from labeling.overview.forecast.report import forecast_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.runs.queries import ready_datasets, votable_versions
from labeling.web.rendering import render_page

DATASETS_SHOWN = 200


@require_GET
@project_view(Role.MANAGER)
def forecast(request: HttpRequest, access: Access) -> HttpResponse:
    """What a run on a data set will cost and give in each mode."""
    datasets = list(ready_datasets(access.project).filter(row_count__gt=0)[:DATASETS_SHOWN])
    connections = list(connections_of(access.project))
    context = access.context() | {"has_data": bool(datasets), "has_connection": bool(connections)}
    context["has_models"] = bool(votable_versions(access.project))
    if datasets:
        form = ForecastForm(request.GET.dict(), datasets, connections)
        dataset, connection = form.dataset_chosen(), form.connection_chosen()
        found = forecast_of(access.project, dataset, connection, form.wish())
        context |= {"form": form, "dataset": dataset, "connection": connection, "found": found}
    return render_page(request, "runs/forecast.html", context, fragment="result")
