"""What a script is asked for."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.llm.models import Connection
from labeling.llm.queries import connections_of
from labeling.projects.models import Project
from labeling.specialists.models import ScriptKind, SpecialistVersion
from labeling.specialists.scripting.actions import Writer
from labeling.specialists.scripting.queries import subjects_of

NANO = 1_000_000_000


class ScriptForm(forms.Form):
    """Which specialist the script is about, what it does, and who writes it."""

    version = forms.ChoiceField(label=gettext_lazy("Specialist"))
    kind = forms.ChoiceField(label=gettext_lazy("What the script does"), choices=ScriptKind.choices)
    connection = forms.ModelChoiceField(
        queryset=Connection.objects.none(),
        label=gettext_lazy("Written by"),
        required=False,
        empty_label=gettext_lazy("a template"),
    )
    cap = forms.DecimalField(
        label=gettext_lazy("It may cost at most, in US dollars"),
        min_value=Decimal(0),
        max_value=Decimal(1_000),
        max_digits=9,
        decimal_places=4,
        initial=Decimal("0.50"),
        required=False,
    )

    def __init__(self, data: Mapping[str, Any] | None = None, *, project: Project) -> None:
        super().__init__(data)
        self.subjects = {str(version.pk): version for version in subjects_of(project)}
        choices = [(pk, str(version)) for pk, version in self.subjects.items()]
        cast(forms.ChoiceField, self.fields["version"]).choices = choices
        connections = connections_of(project)
        cast("forms.ModelChoiceField[Connection]", self.fields["connection"]).queryset = connections
        if not connections.exists():
            del self.fields["connection"], self.fields["cap"]

    def clean(self) -> dict[str, Any]:
        """Ask for a cap where money may be spent."""
        data = super().clean() or {}
        if data.get("connection") and not self.errors and not data.get("cap"):
            self.add_error("cap", _("Say what it may cost at most."))
        return data

    def chosen_version(self) -> SpecialistVersion:
        """The version of the valid form."""
        return self.subjects[self.cleaned_data["version"]]

    def chosen_writer(self) -> Writer:
        """Who writes, of the valid form."""
        data = self.cleaned_data
        return Writer(data.get("connection"), int((data.get("cap") or 0) * NANO))
