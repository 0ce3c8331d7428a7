"""The forecast's page."""

from decimal import Decimal
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from labeling.datasets.models import Dataset
from labeling.llm.models import Connection
from labeling.llm.queries import connections_of
from labeling.overview.forecast.forms import ForecastForm
from labeling.overview.forecast.report import Forecast, Wish, forecast_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.runs.queries import ready_datasets, votable_versions
from labeling.web.rendering import render_page
from labeling.web.wording import NANO

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
        context["plan_query"] = _plan_query(dataset, connection, found, form.wish())
    return render_page(request, "runs/forecast.html", context, fragment="result")


def _plan_query(dataset: Dataset, connection: Connection | None, found: Forecast, wish: Wish) -> str:
    """The advice as the plan's page reads it (runs.proposal); a rule of agreement only where not all must agree."""
    advised: dict[str, object] = {"dataset": dataset.pk, "mode": found.best.option.mode}
    if connection and found.best.option.calls:
        advised["verifier"] = connection.pk
        if wish.cap_nano is not None:
            advised["cap"] = f"{Decimal(wish.cap_nano) / NANO:.2f}"
    if found.epsilon and found.pilot and found.epsilon.min_agree < found.pilot.members:
        advised["min_agree"] = found.epsilon.min_agree
    if found.beta.beta:
        advised["beta"] = found.beta.beta
    return urlencode(advised)
