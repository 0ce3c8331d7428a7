"""The filters of the samples list: named fields with known values; nothing else of an address is read (S02)."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django import forms
from django.utils.translation import gettext_lazy as _

from annotator_core.types import LabelSource
from labeling.datasets.models import Dataset
from labeling.projects.models import LabelClass

STATES = (
    ("", _("Any state")),
    ("accepted", _("Accepted")),
    ("review", _("To review")),
    ("decided", _("Decided")),
    ("unlabeled", _("Unlabeled")),
)
SOURCES = (
    ("", _("Anybody")),
    (LabelSource.CONSENSUS.value, _("Specialists")),
    (LabelSource.VERIFIER.value, _("Verifier")),
    (LabelSource.FUSED.value, _("Specialists and verifier")),
    (LabelSource.IMPORTED.value, _("Imported")),
    (LabelSource.HUMAN.value, _("A person")),
    (LabelSource.ADJUDICATED.value, _("A reviewer")),
)
LONGEST_SEARCH = 100
LAST_POSITION = 2**53


@dataclass(frozen=True, slots=True)
class FilterValues:
    """What the list is asked for; empty where nothing (or nothing known) was asked."""

    dataset: int | None
    state: str
    source: str
    class_id: int | None
    text: str
    after: int | None
    before: int | None

    def query(self, **changes: int | None) -> str:
        """The address's query with another place in the list."""
        kept = {"dataset": self.dataset, "state": self.state, "source": self.source, "label_class": self.class_id}
        return urlencode({k: v for k, v in ({**kept, "text": self.text} | changes).items() if v not in (None, "")})

    @property
    def is_filtered(self) -> bool:
        """Whether any filter is set."""
        return bool(self.state or self.source or self.class_id or self.text)


class FilterForm(forms.Form):
    """The filters as a form that is sent with GET."""

    dataset = forms.TypedChoiceField(label=_("Data set"), coerce=int, empty_value=None, required=False)
    state = forms.ChoiceField(label=_("State"), choices=STATES, required=False)
    source = forms.ChoiceField(label=_("Decided by"), choices=SOURCES, required=False)
    label_class = forms.TypedChoiceField(label=_("Class"), coerce=int, empty_value=None, required=False)
    text = forms.CharField(label=_("Text contains"), max_length=LONGEST_SEARCH, required=False)
    after = forms.IntegerField(min_value=0, max_value=LAST_POSITION, required=False, widget=forms.HiddenInput)
    before = forms.IntegerField(min_value=0, max_value=LAST_POSITION, required=False, widget=forms.HiddenInput)

    def __init__(self, data: dict[str, str], datasets: list[Dataset], classes: list[LabelClass]) -> None:
        super().__init__(data)
        self._choose("dataset", [(one.number, one.name) for one in datasets])
        self._choose("label_class", [("", _("Any class")), *((one.pk, one.name) for one in classes)])

    def _choose(self, name: str, choices: list[tuple[object, object]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.TypedChoiceField):
            field.choices = choices

    def values(self) -> FilterValues:
        """The values that are valid; the others count as not given."""
        self.is_valid()
        found = self.cleaned_data
        return FilterValues(
            dataset=found.get("dataset"),
            state=found.get("state", ""),
            source=found.get("source", ""),
            class_id=found.get("label_class"),
            text=found.get("text", ""),
            after=found.get("after"),
            before=found.get("before"),
        )
