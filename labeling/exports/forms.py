"""The form of an export."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset
from labeling.exports.models import ExportFormat


class ExportForm(forms.Form):
    """Which data set, in which format."""

    dataset = forms.ChoiceField(label=_("Data set"))
    format = forms.ChoiceField(label=_("Format"), choices=ExportFormat.choices, initial=ExportFormat.CSV)
    only_labeled = forms.BooleanField(label=_("Leave out rows without a label"), required=False)
    is_raw = forms.BooleanField(
        label=_("Raw cells in CSV"),
        required=False,
        help_text=_(
            "Without this, cells that a spreadsheet would run as a formula get an apostrophe in front; "
            "importing such a file takes it off again."
        ),
    )

    def __init__(self, data: Any = None, *, datasets: list[Dataset], chosen: Dataset | None) -> None:
        super().__init__(data, initial={"dataset": str(chosen.number) if chosen else ""})
        self.datasets = {str(dataset.number): dataset for dataset in datasets}
        field = self.fields["dataset"]
        assert isinstance(field, forms.ChoiceField)  # noqa: S101 (narrows the type)
        field.choices = [(number, dataset.name) for number, dataset in self.datasets.items()]

    def chosen(self) -> Dataset:
        """The data set; call when valid."""
        return self.datasets[self.cleaned_data["dataset"]]
