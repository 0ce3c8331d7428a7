"""The settings page, which several views answer with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse

from labeling.projects.access import Access
from labeling.projects.actions import ClassSpec, with_keys
from labeling.projects.class_lines import parse_class_lines
from labeling.projects.forms import ClassForm, DetailsForm, GuidelineForm
from labeling.projects.guideline import render_guideline
from labeling.projects.models import LabelClass
from labeling.web.errors import ActionError
from labeling.web.rendering import render_page


@dataclass(frozen=True, slots=True)
class ClassRow:
    """A class with its form; open when the form has something to say."""

    label_class: LabelClass
    form: ClassForm

    @property
    def is_open(self) -> bool:
        """Whether to show the form at once."""
        return bool(self.form.errors)


def render_settings(
    request: HttpRequest,
    access: Access,
    *,
    details: DetailsForm | None = None,
    guideline: GuidelineForm | None = None,
    new_class: ClassForm | None = None,
    changed: ClassRow | None = None,
) -> HttpResponse:
    """The page with the forms given, and fresh ones for the rest; 422 when one of them was refused."""
    project = access.project
    newest = project.guidelines.select_related("created_by").first()
    text = newest.text if newest else ""
    classes = list(project.classes.all())
    given = [form for form in (details, guideline, new_class, changed and changed.form) if form]
    context = access.context() | {
        "details_form": details or DetailsForm(initial={"name": project.name, "description": project.description}),
        "guideline_form": guideline or GuidelineForm(initial={"guideline": text}),
        "guideline_html": render_guideline(text),
        "guideline_version": newest,
        "class_form": new_class or ClassForm(),
        "rows": _class_rows(classes, changed),
        "retired": [each for each in classes if each.is_retired],
    }
    status = 422 if any(form.errors for form in given) else 200
    return render_page(request, "projects/settings.html", context, fragment="classes", status=status)


def _class_rows(classes: Sequence[LabelClass], changed: ClassRow | None) -> list[ClassRow]:
    rows = [ClassRow(each, ClassForm(label_class=each)) for each in classes if not each.is_retired]
    return [changed if changed and changed.label_class.pk == row.label_class.pk else row for row in rows]


def preview(data: Mapping[str, Any]) -> list[tuple[int, ClassSpec]]:
    """(slot, class) for the lines in `classes`, as they will look; empty while a line is not right yet."""
    try:
        return list(enumerate(with_keys(parse_class_lines(str(data.get("classes", ""))))))
    except ActionError:
        return []


def show_error(form: Form, error: ActionError) -> None:
    """Put a refused action's message at its field, or over the form."""
    form.add_error(error.field if error.field in form.fields else None, error.message)
