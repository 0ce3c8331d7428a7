"""The forecast's page."""

from decimal import Decimal
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_GET

from labeling.datasets.models import Dataset
from labeling.llm.queries import connections_of
from labeling.overview.forecast.forms import ForecastForm
from labeling.overview.forecast.report import Forecast, Wish, forecast_of
from labeling.projects.access import Access, project_view
from labeling.projects.models import Role
from labeling.runs.asking_form import Asking
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
        form = ForecastForm(request.GET, datasets, connections)
        dataset, asking = form.dataset_chosen(), form.asking_chosen()
        found = forecast_of(access.project, dataset, asking, form.wish())
        context |= {"form": form, "dataset": dataset, "found": found}
        context["plan_query"] = _plan_query(dataset, asking, found, form.wish())
        context["pilot_query"] = urlencode({"dataset": dataset.pk} | _asked(asking))
    return render_page(request, "runs/forecast.html", context, fragment="result")


def _plan_query(dataset: Dataset, asking: Asking, found: Forecast, wish: Wish) -> str:
    """The advice as the plan's page reads it (runs.proposal); a rule of agreement only where not all must agree."""
    advised: dict[str, object] = {"dataset": dataset.pk, "mode": found.best.option.mode}
    if asking.connections and found.best.option.calls:
        advised |= _asked(asking)
        if wish.cap_nano is not None:
            advised["cap"] = f"{Decimal(wish.cap_nano) / NANO:.2f}"
    if found.epsilon and found.pilot and found.epsilon.min_agree < found.pilot.members:
        advised["min_agree"] = found.epsilon.min_agree
    if found.beta.beta:
        advised["beta"] = found.beta.beta
    return urlencode(advised)


def _asked(asking: Asking) -> dict[str, object]:
    """The models, and what of how they are asked is not as a plan begins."""
    usual, said = Asking(), dict[str, object]()
    if asking.connections:
        said["verifier"] = ",".join(str(one.pk) for one in asking.connections)
    for name, own, default in (
        ("answer_use", asking.answer_use, usual.answer_use),
        ("ask_strategy", asking.strategy, usual.strategy),
        ("draws", asking.draws, usual.draws),
        ("sure_from", f"{100 * asking.sure_from:g}", f"{100 * usual.sure_from:g}"),
        ("shows_votes", "on" if asking.shows_votes else "", ""),
    ):
        if own != default:
            said[name] = own
    return said
