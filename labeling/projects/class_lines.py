"""Classes as people type or paste them: one a line, "name | description | key"."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from labeling.projects.actions import ClassSpec
from labeling.web.errors import ActionError


def parse_class_lines(text: str) -> list[ClassSpec]:
    """The classes in `text`; cells stand between | or tabs, empty lines count for nothing. Raises ActionError."""
    lines = enumerate(text.splitlines(), start=1)
    return [_parse_line(number, line) for number, line in lines if line.strip()]


def _parse_line(number: int, line: str) -> ClassSpec:
    name, description, key, *rest = [cell.strip() for cell in line.replace("\t", "|").split("|")] + ["", ""]
    if not name or any(rest):
        raise ActionError(
            _("Line %(number)d: write name | description | key. Description and key may be left out.")
            % {"number": number},
            field="classes",
        )
    return ClassSpec(name, description, key or None)


def format_class_lines(classes: Iterable[ClassSpec]) -> str:
    """The lines that parse_class_lines reads back."""
    rows = ((spec.name, spec.description, spec.key or "") for spec in classes)
    return "\n".join(" | ".join(row).rstrip(" |") for row in rows)
