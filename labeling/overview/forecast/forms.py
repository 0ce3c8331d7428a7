"""What a forecast is asked about: a form that is sent with GET, so that its address can be kept and sent on."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset
from labeling.llm.models import Connection
from labeling.overview.forecast.report import Wish
from labeling.web.wording import NANO

MOST_USD = 10_000  # chosen: more for an hour is a slip of the keyboard
MOST_CAP_USD = 1_000_000


class ForecastForm(forms.Form):
    """Data set, model, and what is known of money and wishes; all optional."""

    dataset = forms.TypedChoiceField(label=_("Data set"), coerce=int, empty_value=None, required=False)
    connection = forms.TypedChoiceField(label=_("Language model"), coerce=int, empty_value=None, required=False)
    hour = forms.FloatField(label=_("An hour of work, in dollars"), min_value=0, max_value=MOST_USD, required=False)
    target = forms.FloatField(label=_("Wanted accuracy, in percent"), min_value=0, max_value=100, required=False)
    cap = forms.DecimalField(
        label=_("May cost at most, in dollars"), min_value=0, max_value=MOST_CAP_USD, required=False
    )

    def __init__(self, data: dict[str, str], datasets: list[Dataset], connections: list[Connection]) -> None:
        super().__init__(data)
        self.datasets, self.connections = datasets, connections
        self._choose("dataset", [(one.pk, one.name) for one in datasets])
        self._choose("connection", [(one.pk, f"{one.name} · {one.model}") for one in connections])

    def _choose(self, name: str, choices: list[tuple[int, str]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.TypedChoiceField):
            field.choices = choices

    def dataset_chosen(self) -> Dataset:
        """The data set that was named, else the newest one. There must be one."""
        return next((one for one in self.datasets if one.pk == self._value("dataset")), self.datasets[0])

    def connection_chosen(self) -> Connection | None:
        """The connection that was named, else the first one; None where there is none."""
        wanted = self._value("connection")
        return next((one for one in self.connections if one.pk == wanted), next(iter(self.connections), None))

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
        self.is_valid()
        return self.cleaned_data.get(name)
