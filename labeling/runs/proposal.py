"""What an address proposes for the plan of a run, as the forecast hands it over: known figures, nothing else (S02)."""

from typing import Any

from django import forms

from labeling.runs.models import Mode

LARGEST = 2**31 - 1


class ProposalForm(forms.Form):
    """Data set, mode, model, cap in dollars, how many must agree, hard pool; each may be missing."""

    dataset = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    mode = forms.ChoiceField(choices=Mode.choices, required=False)
    verifier = forms.IntegerField(min_value=1, max_value=2**62, required=False)
    cap = forms.DecimalField(min_value=0, max_digits=12, decimal_places=2, required=False)
    min_agree = forms.IntegerField(min_value=1, max_value=1_000, required=False)
    beta = forms.IntegerField(min_value=1, max_value=LARGEST, required=False)

    def proposed(self) -> dict[str, Any]:
        """By name what was given and can be read."""
        self.is_valid()
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}
