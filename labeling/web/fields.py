"""How a form field is drawn: its kind, and the attributes that tie it to its help and error."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.forms.boundfield import BoundField

CHOICE_WIDGETS = (forms.RadioSelect, forms.CheckboxSelectMultiple)


@dataclass(frozen=True, slots=True)
class DrawnField:
    """A bound field with everything its template needs."""

    field: BoundField
    control: str
    is_check: bool
    is_choices: bool
    help_id: str
    error_id: str


def plain(value: Any) -> Any:
    """The same text, which is escaped where it is printed: Django takes literals in templates for safe HTML."""
    return "".join(iter(value)) if isinstance(value, str) else value


def draw_field(field: BoundField, extra: dict[str, Any]) -> DrawnField:
    """The field with its control rendered: class, aria-describedby, aria-invalid and the attributes in `extra`."""
    widget = field.field.widget
    is_check = isinstance(widget, forms.CheckboxInput)
    is_choices = isinstance(widget, CHOICE_WIDGETS)
    help_id = f"{field.auto_id}-help" if field.help_text else ""
    error_id = f"{field.auto_id}-error" if field.errors else ""
    described = " ".join(part for part in (error_id, help_id) if part)
    given = {"aria-describedby": described or None, "aria-invalid": "true" if field.errors else None}
    if not (is_check or is_choices):
        given["class"] = f"input {widget.attrs.get('class', '')}".strip()
    wanted = {name: plain(value) for name, value in (given | extra).items() if value is not None}
    control = field.as_widget(attrs=wanted)
    return DrawnField(field, control, is_check, is_choices, help_id, error_id)
