"""What reviewers and managers send from the desk and the queue's page."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling.labels.models import Escalation, Finding
from labeling.review.forms import DAY_MS, ID_MOST, UNTIL_FORMATS

MOST_ITEMS = 200  # S22: chosen: more than a page shows
LISTS = ("desk", "flagged", "skipped", "assigned")
NOTE_LENGTH, REASON_LENGTH = 2000, 500


class LookForm(forms.Form):
    """Which text of the desk to show: the next one of a kind, after one, or a certain one; `votes` opens the votes."""

    kind = forms.ChoiceField(choices=[("", ""), *Escalation.choices], required=False)
    item = forms.IntegerField(min_value=1, max_value=ID_MOST, required=False)
    after = forms.IntegerField(min_value=1, max_value=ID_MOST, required=False)
    votes = forms.BooleanField(required=False)

    def wanted(self) -> dict[str, Any]:
        """What was asked for; whatever cannot be read counts as not asked."""
        self.is_valid()
        return {name: self.cleaned_data.get(name) or None for name in self.fields}


class ItemForm(forms.Form):
    """Names a text."""

    item = forms.IntegerField(min_value=1, max_value=ID_MOST)


class LeaveForm(ItemForm):
    """What a leaving page held, and the end of the lease that it knew."""

    until = forms.DateTimeField(input_formats=UNTIL_FORMATS)


class CorrectionForm(forms.Form):
    """A reviewer's answer: class, why it was not clear before, and a note."""

    label_class = forms.IntegerField(min_value=1, max_value=ID_MOST)
    client_id = forms.UUIDField()
    finding = forms.ChoiceField(choices=[("", ""), *Finding.choices], required=False)
    note = forms.CharField(max_length=NOTE_LENGTH, required=False)


class AdjudicationForm(CorrectionForm, ItemForm):
    """The same for a text on the desk, with the time spent and whether the models' votes were shown."""

    seen = forms.BooleanField(required=False)
    elapsed_ms = forms.IntegerField(min_value=0, max_value=DAY_MS, required=False)


class SendBackForm(ItemForm):
    """A text goes back: to one person with a reason, or to everybody."""

    to = forms.IntegerField(min_value=1, max_value=ID_MOST, required=False)
    reason = forms.CharField(max_length=REASON_LENGTH, required=False)

    def clean(self) -> dict[str, Any]:
        """One person is told why."""
        sent = super().clean() or {}
        if sent.get("to") and not sent.get("reason"):
            self.add_error("reason", _("Say why, so that this person can do better."))
        return sent


class IdsField(forms.Field):
    """Ids of rows chosen in a list."""

    widget = forms.SelectMultiple

    def to_python(self, value: Any) -> list[int]:
        """The ids. Raises ValidationError."""
        one = forms.IntegerField(min_value=1, max_value=ID_MOST)
        if len(value or []) > MOST_ITEMS:
            raise forms.ValidationError(_("These are more texts than one page shows."))
        return [one.clean(each) for each in value or []]


class ItemsForm(forms.Form):
    """Texts chosen in a list, a person and a reason, as far as the verb needs them."""

    item = IdsField(error_messages={"required": _("Choose a text first.")})
    to = forms.IntegerField(min_value=1, max_value=ID_MOST, required=False)
    reason = forms.CharField(max_length=REASON_LENGTH, required=False)


class ListForm(forms.Form):
    """Which list of the queue's page to show, from which text on."""

    show = forms.ChoiceField(choices=[(name, name) for name in LISTS])
    before = forms.IntegerField(min_value=1, max_value=ID_MOST, required=False)

    def wanted(self) -> dict[str, Any]:
        """What was asked for; whatever cannot be read counts as not asked."""
        self.is_valid()
        return {"show": self.cleaned_data.get("show") or LISTS[0], "before": self.cleaned_data.get("before")}
