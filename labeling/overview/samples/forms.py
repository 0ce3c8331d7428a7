"""The forms of the samples list: named fields with known values; nothing else of an address is read (S02)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.overview.samples.queries import Choices
from labeling.overview.samples.values import DISAGREEMENTS, SOURCES, STATES, VOTES, FilterValues

LONGEST_SEARCH = 100
LAST_POSITION = 2**53
LAST_ID = 2**62
ID_DIGITS = 19
ROWS_AT_MOST = 200  # S22: more than a page has, and little enough for one request
LONGEST_REASON = 500


def _place() -> forms.IntegerField:
    return forms.IntegerField(min_value=0, max_value=LAST_POSITION, required=False, widget=forms.HiddenInput)


def _choice(label: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(label=label, coerce=int, empty_value=None, required=False)


class FilterForm(forms.Form):
    """The filters as a form that is sent with GET."""

    dataset = _choice(_("Data set"))
    text = forms.CharField(label=_("Text contains"), max_length=LONGEST_SEARCH, required=False)
    state = forms.ChoiceField(label=_("State"), choices=STATES, required=False)
    label_class = _choice(_("Class"))
    source = forms.ChoiceField(label=_("Decided by"), choices=SOURCES, required=False)
    annotator = _choice(_("Answered by"))
    specialist = _choice(_("Specialist"))
    vote = forms.ChoiceField(label=_("Its vote"), required=False)
    disagreement = forms.ChoiceField(label=_("Disagreement"), choices=DISAGREEMENTS, required=False)
    after = _place()
    before = _place()

    def __init__(self, data: dict[str, str], known: Choices) -> None:
        super().__init__(data)
        classes = [(one.pk, one.name) for one in known.classes]
        self._choose("dataset", [(one.number, one.name) for one in known.datasets])
        self._choose("label_class", [("", _("Any class")), *classes])
        self._choose("annotator", [("", _("Anybody")), *known.people])
        self._choose("specialist", [("", _("Any specialist")), *known.specialists])
        self._choose("vote", [*VOTES, *classes])

    def _choose(self, name: str, choices: list[tuple[object, object]]) -> None:
        field = self.fields[name]
        if isinstance(field, forms.ChoiceField):
            field.choices = choices

    def values(self) -> FilterValues:
        """The values that are valid; the others count as not given. A vote says nothing without its specialist."""
        self.is_valid()
        found = dict(self.cleaned_data)
        if not found.get("specialist"):
            found["vote"] = ""
        return FilterValues(**found)


class IdsField(forms.Field):
    """Ids of rows, as one value each. More than a page can have are refused (S22)."""

    widget = forms.MultipleHiddenInput

    def to_python(self, value: list[str] | None) -> list[int]:
        """The ids without repeats, in their order."""
        found = list(dict.fromkeys(value or ()))
        if len(found) > ROWS_AT_MOST or not all(
            one.isascii() and one.isdigit() and len(one) < ID_DIGITS for one in found
        ):
            raise forms.ValidationError(_("These are no rows of this list."))
        return [int(one) for one in found]


class ReturnForm(forms.Form):
    """Rows to put back into the queue: those chosen, or all of the page; why, and to whom alone if to one person."""

    reason = forms.CharField(label=_("Reason"), max_length=LONGEST_REASON, required=False)
    to = forms.IntegerField(min_value=1, max_value=LAST_ID, required=False)
    scope = forms.ChoiceField(choices=(("chosen", ""), ("page", "")))
    back = forms.CharField(max_length=2_000, required=False)
    sample = IdsField(required=False)
    shown = IdsField(required=False)

    @property
    def rows(self) -> list[int]:
        """The ids of the rows that are meant."""
        found: list[int] = self.cleaned_data["shown" if self.cleaned_data["scope"] == "page" else "sample"]
        return found
