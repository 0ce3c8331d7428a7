"""What a forecast is asked about: a form that is sent with GET, so that its address can be kept and sent on."""

from dataclasses import replace
from typing import Any, cast

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset
from labeling.llm.models import Connection
from labeling.overview.forecast.report import Wish
from labeling.runs.asking_form import AskFields, Asking
from labeling.runs.policies import MOST_DRAWS
from labeling.web.wording import NANO

MOST_USD = 10_000  # chosen: more for an hour is a slip of the keyboard
MOST_CAP_USD = 1_000_000


class ForecastForm(AskFields):
    """Data set, models and how they are asked, and what is known of money and wishes; all optional."""

    dataset = forms.TypedChoiceField(label=_("Data set"), coerce=int, empty_value=None, required=False)
    hour = forms.FloatField(label=_("An hour of work, in dollars"), min_value=0, max_value=MOST_USD, required=False)
    target = forms.FloatField(label=_("Wanted accuracy, in percent"), min_value=0, max_value=100, required=False)
    cap = forms.DecimalField(
        label=_("May cost at most, in dollars"), min_value=0, max_value=MOST_CAP_USD, required=False
    )

    def __init__(self, data: QueryDict, datasets: list[Dataset], connections: list[Connection]) -> None:
        super().__init__(_filled(data, connections))
        self.datasets = datasets
        self.offer(connections)
        cast("forms.TypedChoiceField", self.fields["dataset"]).choices = [(one.pk, one.name) for one in datasets]
        self.is_valid()

    def dataset_chosen(self) -> Dataset:
        """The data set that was named, else the newest one. There must be one."""
        return next((one for one in self.datasets if one.pk == self._value("dataset")), self.datasets[0])

    def asking_chosen(self) -> Asking:
        """The models that were named, and how they are asked, within what can be."""
        asking = self.asking()
        return replace(
            asking,
            draws=min(max(1, asking.draws), MOST_DRAWS),
            sure_from=min(max(0.0, asking.sure_from), 1.0),
        )

    def wish(self) -> Wish:
        """What was said and could be read."""
        target, cap = self._value("target"), self._value("cap")
        return Wish(
            usd_an_hour=self._value("hour"),
            target=None if target is None else target / 100,
            cap_nano=None if cap is None else int(cap * NANO),
        )

    def _value(self, name: str) -> Any:
        """What was said in a field, None where nothing was, or nothing that can be."""
        return self.cleaned_data.get(name)


def _filled(data: QueryDict, connections: list[Connection]) -> QueryDict:
    """What was not said is as a plan begins, so that the page shows what it reckons with."""
    filled = data.copy()
    for name in ("answer_use", "ask_strategy", "draws", "sure_from"):
        filled.setdefault(name, str(AskFields.base_fields[name].initial))
    known = {str(one.pk) for one in connections}
    named = [one for one in filled.getlist("verifiers") if one in known]
    filled.setlist("verifiers", named or [str(one.pk) for one in connections[:1]])
    return filled
