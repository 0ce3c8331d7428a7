"""The settings page, which several views answer with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.forms import Form
from django.http import HttpRequest, HttpResponse

from labeling.projects.access import Access
from labeling.projects.actions import ClassSpec, with_keys
from labeling.projects.class_lines import parse_class_lines
from labeling.projects.forms import ClassForm, DetailsForm, GuidelineForm, ReviewForm
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


@dataclass(frozen=True, slots=True)
class Sent:
    """The form of the settings page that was sent and refused; the others are drawn afresh."""

    details: DetailsForm | None = None
    guideline: GuidelineForm | None = None
    review: ReviewForm | None = None
    new_class: ClassForm | None = None
    changed: ClassRow | None = None

    @property
    def is_refused(self) -> bool:
        """Whether one has something to say."""
        changed = self.changed and self.changed.form
        given = (self.details, self.guideline, self.review, self.new_class, changed)
        return any(form.errors for form in given if form)


def render_settings(request: HttpRequest, access: Access, sent: Sent | None = None) -> HttpResponse:
    """The page with the form that was sent; 422 when it was refused."""
    sent = sent or Sent()
    project = access.project
    newest = project.guidelines.select_related("created_by").first()
    text = newest.text if newest else ""
    classes = list(project.classes.all())
    context = access.context() | {
        "details_form": sent.details or DetailsForm(initial={"name": project.name, "description": project.description}),
        "review_form": sent.review or ReviewForm.of(project),
        "people": project.memberships.count(),
        "guideline_form": sent.guideline or GuidelineForm(initial={"guideline": text}),
        "guideline_html": render_guideline(text),
        "guideline_version": newest,
        "class_form": sent.new_class or ClassForm(),
        "rows": _class_rows(classes, sent.changed),
        "retired": [each for each in classes if each.is_retired],
    }
    status = 422 if sent.is_refused else 200
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
