"""What the triage grid sends."""

from django import forms

from labeling.review.forms import ID_MOST, ItemIdsField
from labeling.review.triage.actions import Batch


class LookForm(forms.Form):
    """The class whose proposals are shown; the most frequent one where it names none."""

    label_class = forms.IntegerField(min_value=1, max_value=ID_MOST, required=False)

    def wanted(self) -> int | None:
        """The class asked for; what cannot be read counts as not asked."""
        self.is_valid()
        found: int | None = self.cleaned_data.get("label_class")
        return found


class ConfirmForm(forms.Form):
    """The texts that were shown, and those of them that are ticked: the others stay in the queue."""

    client_id = forms.UUIDField()
    label_class = forms.IntegerField(min_value=1, max_value=ID_MOST)
    shown = ItemIdsField()
    item = ItemIdsField(required=False)

    def batch(self) -> Batch:
        """The valid form as what the person did."""
        shown, ticked = self.cleaned_data["shown"], set(self.cleaned_data["item"] or ())
        return Batch(
            mark=self.cleaned_data["client_id"],
            class_id=self.cleaned_data["label_class"],
            confirmed=[pk for pk in shown if pk in ticked],
            left_out=[pk for pk in shown if pk not in ticked],
        )


class TakeBackForm(forms.Form):
    """The mark of the confirmation to take back, and that of doing so."""

    of = forms.UUIDField()
    client_id = forms.UUIDField()
