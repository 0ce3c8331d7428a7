"""The form of an audit."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _


class DrawForm(forms.Form):
    """How many texts to draw."""

    count = forms.IntegerField(label=_("Texts to draw"), min_value=1)

    def __init__(self, data: Any = None, *, proposed: int | None = None) -> None:
        super().__init__(data, initial={"count": proposed})
