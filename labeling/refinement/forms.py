"""The forms of the refinement pages."""

from collections.abc import Sequence
from typing import Any, cast

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.datasets.models import Dataset
from labeling.specialists.models import Specialist


class SourceTestForm(forms.Form):
    """The data set on which a specialist's forgetting is measured beside its first verified rows."""

    dataset = forms.ChoiceField(
        required=False,
        label=_("Source test"),
    )

    def __init__(
        self, data: Any = None, *, specialist: Specialist, datasets: Sequence[Dataset], chosen: Dataset | None = None
    ) -> None:
        super().__init__(data, prefix=f"source-{specialist.pk}", initial={"dataset": chosen.pk if chosen else ""})
        self._datasets = {str(one.pk): one for one in datasets}
        field = cast(forms.ChoiceField, self.fields["dataset"])
        field.choices = [("", _("None")), *((pk, str(one)) for pk, one in self._datasets.items())]

    def clean_dataset(self) -> Dataset | None:
        """The data set itself; None for none."""
        return self._datasets.get(self.cleaned_data["dataset"])
