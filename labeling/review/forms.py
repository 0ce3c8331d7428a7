"""What the review screen sends."""

from django import forms

DAY_MS = 86_400_000


class ItemForm(forms.Form):
    """Names an item."""

    item = forms.IntegerField(min_value=1, max_value=2**62)


class DecisionForm(ItemForm):
    """An answer: item, class, the mark that makes a repeat harmless, and how long it took."""

    label_class = forms.IntegerField(min_value=1, max_value=2**62)
    client_id = forms.UUIDField()
    elapsed_ms = forms.IntegerField(min_value=0, max_value=DAY_MS, required=False)


class UndoForm(forms.Form):
    """The mark of an undo."""

    client_id = forms.UUIDField()


class ReleaseForm(forms.Form):
    """The end of the lease that the leaving page knew."""

    until = forms.DateTimeField(input_formats=["%Y-%m-%dT%H:%M:%S.%f%z", "%Y-%m-%dT%H:%M:%S%z"])
